"""The plugin: looks at every exchange from its beginning to its end, and leaves the rest to OpenTelemetry."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from hub.plugin import Change, Exchange, Health, HubApi, Leg, Phase, Plugin, Watch
from plugins.tracing.config import TracingConfig

if TYPE_CHECKING:
    from plugins.tracing.provider import Provider
    from plugins.tracing.spans import Spans

LAST_EXPORT_S = 5.0
_PHASES = frozenset({Phase.RECEIVED, Phase.FORWARDING, Phase.ANSWERED, Phase.FINISHED})


class NotInstalled(Exception):
    """A library that the plugin needs is not there; one sentence says which and how to get it."""


class Tracing(Plugin[TracingConfig]):
    """A span per exchange and per leg, within the trace of whoever sent it."""

    name = "tracing"
    Config = TracingConfig
    _spans: "Spans"

    def __init__(self, config: TracingConfig, hub: HubApi, provider: "Provider | None" = None) -> None:
        """`provider`: instead of the one that the environment asks for."""
        super().__init__(config, hub)
        self._provider = provider

    async def start(self) -> None:
        self._spans = await asyncio.to_thread(self._begun)  # reads files, and starts the exporters' threads

    async def stop(self) -> None:
        """Exports what waits, within bounds; what a slow collector has not taken by then is lost."""
        if self._provider is None:
            return
        provider, self._provider = self._provider, None
        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()

        def close() -> None:
            try:
                provider.close()
            finally:
                with suppress(RuntimeError):  # the loop did not wait for it and is closed
                    loop.call_soon_threadsafe(closed.set_result, None)

        # Not one of the loop's own threads, which it would wait for when it closes.
        Thread(target=close, name="tracing-end", daemon=True).start()
        limit = asyncio.ensure_future(self.hub.sleep(LAST_EXPORT_S))
        await asyncio.wait({closed, limit}, return_when=asyncio.FIRST_COMPLETED)
        limit.cancel()

    def watches(self) -> Iterable[Watch]:
        yield Watch(_PHASES)

    def on_received(self, exchange: Exchange) -> None:
        self._spans.begin(exchange)

    def on_forwarding(self, exchange: Exchange, leg: Leg) -> Change | None:
        headers = self._spans.forward(exchange, leg, self.hub.now())
        return Change(headers=headers) if headers else None

    def on_answered(self, exchange: Exchange, leg: Leg) -> None:
        self._spans.answer(exchange, leg, self.hub.now())

    def on_finished(self, exchange: Exchange) -> None:
        self._spans.finish(exchange, self.hub.now())

    def health(self) -> Health:
        return Health(text="Not started" if self._provider is None else self._provider.text)

    def _begun(self) -> "Spans":
        try:
            from plugins.tracing.provider import provider
            from plugins.tracing.spans import Spans
        except ModuleNotFoundError as missing:
            if not (missing.name or "").startswith("opentelemetry"):
                raise
            raise NotInstalled("The plugin tracing needs opentelemetry-api: pip install 'ocpi-hub[tracing]'") from None
        if self._provider is None:
            self._provider = provider(self.config.service_name)
        return Spans(self._provider.tracers.get_tracer("ocpi-hub"), propagate=self.config.propagate)
