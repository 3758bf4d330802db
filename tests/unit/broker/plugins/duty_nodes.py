"""Nodes that want duties, each with a clock of its own, over a real store that can be taken away from one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from hub.broker.plugins.duties import Duties
from hub.broker.plugins.shelves import PluginShelf
from hub.clock import ManualClock
from hub.errors import StoreUnavailable
from hub.store.ports import DutyStore, Store
from hub.store.records import DutyState

T = TypeVar("T")
PLUGIN = "meter"
# A time of day that differs from node to node, and must not matter.
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Reached:
    """A duty store on the way to which things go wrong. `away`: nothing comes through. `stuck`: calls wait until it is
    cleared, before the store sees them; `slow`: the same, after the store has done them.
    """

    def __init__(self, store: DutyStore) -> None:
        self._store = store
        self.away = False
        self.stuck: asyncio.Event | None = None
        self.slow: asyncio.Event | None = None
        self.under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        if self.away:
            raise StoreUnavailable("the store is away")
        if self.stuck is not None:
            await self.stuck.wait()
        self.under_way += 1
        self.idle.clear()
        try:
            result = await call()
        finally:
            self.under_way -= 1
            if not self.under_way:
                self.idle.set()
        if self.slow is not None:
            await self.slow.wait()
        return result

    async def look(self, name: str) -> DutyState | None:
        return await self._call(lambda: self._store.look(name))

    async def take(self, name: str, holder: str, seen: DutyState | None) -> DutyState | None:
        return await self._call(lambda: self._store.take(name, holder, seen))

    async def renew(self, state: DutyState) -> DutyState | None:
        return await self._call(lambda: self._store.renew(state))

    async def release(self, state: DutyState) -> None:
        await self._call(lambda: self._store.release(state))

    async def send(self, name: str, events: Sequence[bytes], most: int) -> int:
        return await self._call(lambda: self._store.send(name, events, most))

    async def receive(self, state: DutyState, limit: int) -> list[bytes]:
        return await self._call(lambda: self._store.receive(state, limit))


class Node:
    """A node of the hub as far as duties go. Its clock may start elsewhere and go faster or slower than others."""

    def __init__(self, store: Store, node_id: str, *, year: int = 2026, speed: float = 1.0) -> None:
        self.id = node_id
        self.clock = ManualClock(_START.replace(year=year))
        self.speed = speed
        self.store = Reached(store.duties)
        self.duties = Duties(self.store, self.clock, node_id, PLUGIN)
        self.shelf = PluginShelf(store.shelf, PLUGIN)

    async def quiet(self) -> None:
        """Returns when everything waits for time, or for what is stuck."""
        await self.clock.settle()
        while self.store.under_way:
            await self.store.idle.wait()
            await self.clock.settle()


async def pass_time(seconds: float, *nodes: Node, step_s: float = 0.25) -> None:
    """Time passes for these nodes, for each by its own clock, in steps so small that none gets far ahead."""
    for _ in range(round(seconds / step_s)):
        for node in nodes:
            await node.clock.advance(step_s * node.speed)
        for node in nodes:
            await node.quiet()
