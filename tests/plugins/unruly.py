"""Plugins that misbehave, each in one way, and one that behaves and must not notice."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from hub.plugin import Exchange, Phase, Plugin, PluginConfig, Reject, RoutedVerdict, Watch

ROUTED = {Phase.ROUTED}


class Unruly(Plugin[PluginConfig]):
    """Watches what is routed."""

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=ROUTED)


class Raises(Unruly):
    name = "raises"
    may_pass = False

    def on_routed(self, exchange: Exchange) -> None:
        if not self.may_pass:
            raise KeyError("Token c2VjcmV0LXRva2Vu is in this message")


class RaisesLater(Unruly):
    name = "raises_later"

    async def on_routed(self, exchange: Exchange) -> None:
        await asyncio.sleep(0)
        raise SystemExit


class Hangs(Unruly):
    name = "hangs"

    async def on_routed(self, exchange: Exchange) -> None:
        await asyncio.Event().wait()


class Nonsense(Unruly):
    name = "nonsense"

    def on_routed(self, exchange: Exchange) -> Any:
        return 7


class WrongVerdict(Unruly):
    """An answer that cannot be sent."""

    name = "wrong_verdict"

    def on_routed(self, exchange: Exchange) -> Reject:
        return Reject(2001, headers={"Authorization": "Token x"})


class Swallows(Unruly):
    name = "swallows"

    async def on_routed(self, exchange: Exchange) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


class CancelsItself(Unruly):
    name = "cancels_itself"

    async def on_routed(self, exchange: Exchange) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)


class Leaks(Unruly):
    name = "leaks"

    def on_routed(self, exchange: Exchange) -> None:
        self.task = asyncio.get_running_loop().create_task(forever())
        raise RuntimeError("and fails besides")


async def forever() -> None:
    await asyncio.Event().wait()


class FailsToStart(Unruly):
    """Until it is allowed to."""

    name = "fails_to_start"
    may_start = False

    async def start(self) -> None:
        if not type(self).may_start:
            raise ConnectionError("what it needs is not there")

    def on_routed(self, exchange: Exchange) -> Reject:
        return Reject(2001, "it runs")


class Blocks(Unruly):
    """Holds the event loop when the session is called BLOCK."""

    name = "blocks"
    seconds = 0.9

    def on_routed(self, exchange: Exchange) -> None:
        if exchange.object_id == "BLOCK":
            end = perf_counter() + self.seconds
            while perf_counter() < end:
                pass


class Behaves(Plugin[PluginConfig]):
    """Counts what it sees, in every phase of a direct message."""

    name = "behaves"

    def __init__(self, config: PluginConfig, hub: Any) -> None:
        super().__init__(config, hub)
        self.routed = 0

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases=ROUTED)

    async def on_routed(self, exchange: Exchange) -> RoutedVerdict | None:
        self.routed += 1
        return None
