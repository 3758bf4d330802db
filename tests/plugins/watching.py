"""Plugins that watch and remember."""

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

from hub.plugin import (
    AnsweredVerdict,
    Body,
    Delivery,
    Exchange,
    ForwardingVerdict,
    Gap,
    HubApi,
    Kind,
    Leg,
    Phase,
    Plugin,
    PluginConfig,
    ReceivedVerdict,
    Result,
    ResultVerdict,
    RoutedVerdict,
    Verdict,
    Watch,
)


class Everything(Plugin[PluginConfig]):
    """Watches all there is, remembers it, and says what a test puts into `verdicts`."""

    name = "everything"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.steps: list[str] = []
        self.exchanges: list[Exchange] = []
        self.configuration: list[Exchange] = []
        self.results: list[Result] = []
        self.verdicts: dict[Phase, Verdict] = {}

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=set(Phase), request=Body.CHANGE, response=Body.CHANGE)

    def _said(self, phase: Phase, exchange: Exchange) -> Any:
        if exchange.kind is not Kind.CONFIGURATION:
            self.steps.append(phase.value)
        return self.verdicts.get(phase)

    def on_received(self, exchange: Exchange) -> ReceivedVerdict | None:
        return self._said(Phase.RECEIVED, exchange)  # type: ignore[no-any-return]

    async def on_routed(self, exchange: Exchange) -> RoutedVerdict | None:
        return self._said(Phase.ROUTED, exchange)  # type: ignore[no-any-return]

    def on_forwarding(self, exchange: Exchange, leg: Leg) -> ForwardingVerdict | None:
        return self._said(Phase.FORWARDING, exchange)  # type: ignore[no-any-return]

    async def on_answered(self, exchange: Exchange, leg: Leg) -> AnsweredVerdict | None:
        return self._said(Phase.ANSWERED, exchange)  # type: ignore[no-any-return]

    def on_result(self, exchange: Exchange, result: Result) -> ResultVerdict | None:
        self.results.append(result)
        return self._said(Phase.RESULT, exchange)  # type: ignore[no-any-return]

    def on_finished(self, exchange: Exchange) -> None:
        (self.configuration if exchange.kind is Kind.CONFIGURATION else self.exchanges).append(exchange)
        self._said(Phase.FINISHED, exchange)

    def clear(self) -> None:
        self.steps.clear()
        self.exchanges.clear()
        self.results.clear()


class Facts(Plugin[PluginConfig]):
    """Watches every phase and no body, in hooks that return at once."""

    name = "facts"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=set(Phase) - {Phase.RESULT}, delivery=Delivery.LOSSLESS)

    def on_received(self, exchange: Exchange) -> None:
        return None

    def on_routed(self, exchange: Exchange) -> None:
        return None

    async def on_forwarding(self, exchange: Exchange, leg: Leg) -> None:
        return None

    async def on_answered(self, exchange: Exchange, leg: Leg) -> None:
        return None

    def on_finished(self, exchange: Exchange) -> None:
        return None


class Bytes(Facts):
    """The same, with bodies as bytes."""

    name = "bytes"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=set(Phase) - {Phase.RESULT}, request=Body.BYTES, response=Body.BYTES)

    def on_finished(self, exchange: Exchange) -> None:
        assert exchange.request.raw is not None
        assert exchange.answer.raw


class Reads(Facts):
    """The same, with bodies as JSON."""

    name = "reads"
    seen: ClassVar[list[Any]] = []

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=set(Phase) - {Phase.RESULT}, request=Body.READ)

    def on_routed(self, exchange: Exchange) -> None:
        self.seen.append(exchange.request.value)


class Slow(Plugin[PluginConfig]):
    """Takes its time over every exchange of a session, and misses none."""

    name = "slow"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.seen: dict[str, list[int]] = {}
        self.gaps: list[Gap] = []
        self.failing = False
        self.gate: asyncio.Event | None = None

    def watches(self) -> Iterable[Watch]:
        yield Watch(
            phases={Phase.FINISHED},
            modules={"sessions", "locations"},
            methods={"PUT", "PATCH"},
            request=Body.READ,
            delivery=Delivery.LOSSLESS,
        )

    async def on_finished(self, exchange: Exchange) -> None:
        if self.failing:
            raise RuntimeError("it fails")
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0.001)
        key = f"{exchange.module} {exchange.object_id}"
        self.seen.setdefault(key, []).append(int(exchange.request.value["number"]))

    def on_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
