"""Two nodes on one store want the same duty: one of them has it at any moment, whatever their clocks, their way to the
store or their processes do.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.broker.plugins.duties import KEEP_S, LEASE_S, HeldTerm
from hub.errors import StoreUnavailable, TermOver
from hub.store.mongo.store import MongoStore
from hub.store.ports import Store
from hub.store.sqlite.store import SqliteStore
from tests.unit.broker.plugins.duty_nodes import Node, pass_time

# The longest that another node may take to see that a lease is over, with its look every second.
TAKEN_OVER_S = LEASE_S + 1.5
STEP_S = 0.5
REST_S = 3.0


@pytest.fixture(params=["sqlite", "mongo"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """One for each node. A SQLite file serves one hub, whose plugins may still be two of a kind for a moment."""
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "hub.sqlite3")
        await store.open()
        yield store, store
        await store.close()
        return
    url: str = request.getfixturevalue("mongodb_url")
    one, other = MongoStore(url), MongoStore(url)
    await one.open()
    await other.open()
    yield one, other
    await one.close()
    await other.close()


@dataclass
class Worker:
    """A plugin at work on a node: it holds the duty whenever it can. It gives it back when its term is over, and when
    it has `enough`, and then rests for REST_S.
    """

    node: Node
    term: HeldTerm | None = None
    terms: list[int] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    # Its process stands still: no time passes for it.
    stalled_s: float | None = None

    async def work(self) -> None:
        while True:
            async with self.node.duties.duty("work") as self.term:
                self.terms.append(self.term.number)
                reading = asyncio.create_task(self._read(self.term))
                over = asyncio.create_task(self.term.until_over())
                enough = asyncio.create_task(self.enough.wait())
                try:
                    await asyncio.wait([over, enough], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (reading, over, enough):
                        task.cancel()
                    await asyncio.wait([reading, over, enough])
            self.term = None
            if self.enough.is_set():
                self.enough.clear()
                await self.node.clock.sleep(REST_S)

    async def _read(self, term: HeldTerm) -> None:
        async for event in term.events():
            self.events.append(event)

    async def give_back(self) -> None:
        self.enough.set()
        await self.node.quiet()

    @property
    def believes(self) -> bool:
        """Whether it would do now what only one may do."""
        return self.term is not None and not self.term.over

    async def save(self) -> bool:
        """Whether a save in its term stands; `check` must see it the same way."""
        assert self.term is not None
        try:
            await self.node.shelf.save("who", [self.node.id, self.term.number], term=self.term)
        except TermOver:
            with pytest.raises(TermOver):
                await self.node.duties.check(self.term)
            return False
        await self.node.duties.check(self.term)
        return True


class Pair:
    """Both of them, and the time they share."""

    def __init__(self, stores: tuple[Store, Store], speeds: tuple[float, float] = (1.0, 1.0)) -> None:
        self.one = Worker(Node(stores[0], "one", year=2026, speed=speeds[0]))
        self.other = Worker(Node(stores[1], "other", year=1999, speed=speeds[1]))
        self.workers = (self.one, self.other)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Pair":
        for worker in self.workers:
            self._tasks.append(asyncio.create_task(worker.work()))
            await worker.node.quiet()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        done = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in done), done
        for worker in self.workers:
            await worker.node.duties.close()

    @property
    def terms(self) -> list[int]:
        return sorted(self.one.terms + self.other.terms)

    async def pass_time(self, seconds: float) -> None:
        """Never do both believe that they hold the duty, as far as they run at all."""
        for _ in range(round(seconds / STEP_S)):
            running = [worker for worker in self.workers if worker.stalled_s is None]
            await pass_time(STEP_S, *(worker.node for worker in running), step_s=STEP_S)
            for worker in self.workers:
                if worker.stalled_s is not None:
                    worker.stalled_s += STEP_S * worker.node.speed
            assert sum(worker.believes for worker in running) <= 1
            assert self.terms == list(range(1, len(self.terms) + 1))

    async def go_on(self, worker: Worker) -> None:
        """The process runs again, and its clock shows all the time that has passed."""
        missed_s, worker.stalled_s = worker.stalled_s, None
        await worker.node.clock.jump(missed_s or 0)
        await worker.node.quiet()


@pytest.mark.parametrize("speeds", [(1.0, 1.0), (1.0, 1.2), (1.2, 1.0)])
async def test_one_of_two_has_it_through_many_take_overs(
    stores: tuple[Store, Store], speeds: tuple[float, float]
) -> None:
    """Whoever holds it gives it back, loses the store, or stands still, again and again in any order."""
    chance = random.Random(f"{speeds}")
    async with Pair(stores, speeds) as pair:
        for _ in range(12):
            holder = next(worker for worker in pair.workers if worker.believes)
            rival = pair.other if holder is pair.one else pair.one
            had = len(pair.terms)
            kind = chance.choice(["give back", "outage", "stall", "nothing"])
            if kind == "give back":
                await holder.give_back()
                await pair.pass_time(chance.choice([1.0, REST_S]))
            elif kind == "outage":
                holder.node.store.away = True
                await pair.pass_time(chance.choice([2.0, KEEP_S + 1, 14.0]))
                holder.node.store.away = False
            elif kind == "stall":
                holder.stalled_s = 0.0
                await pair.pass_time(chance.choice([2.0, KEEP_S + 1, 14.0]))
                stale = rival.believes
                await pair.go_on(holder)
                if stale:
                    assert not holder.believes
            await pair.pass_time(TAKEN_OVER_S * 1.5)
            if kind == "nothing":
                assert len(pair.terms) == had
            (holder,) = (worker for worker in pair.workers if worker.believes)
            assert holder.term is not None
            assert holder.term.number == pair.terms[-1]
            assert await holder.save()
            for node in (holder.node, rival.node):
                kept = await node.shelf.load("who")
                assert kept is not None
                assert kept.value == [holder.node.id, holder.term.number]
        assert len(pair.terms) > 4


async def test_after_a_stall_the_stale_holder_is_refused(stores: tuple[Store, Store]) -> None:
    async with Pair(stores) as pair:
        assert pair.one.believes
        assert await pair.one.save()
        stale = pair.one.term
        pair.one.stalled_s = 0.0
        await pair.pass_time(TAKEN_OVER_S)
        assert pair.other.believes
        assert await pair.other.save()

        # Its clock stood still as well, and never shows that time, so it cannot know; the store does.
        assert pair.one.term is stale
        assert pair.one.believes
        assert not await pair.one.save()
        assert not pair.one.believes
        kept = await pair.one.node.shelf.load("who")
        assert kept is not None
        assert kept.value == ["other", 2]
        pair.one.stalled_s = None
        await pair.pass_time(2 * TAKEN_OVER_S)
        assert (pair.one.terms, pair.other.terms) == ([1], [2])


async def test_whoever_cannot_renew_lets_go_before_the_other_takes_over(stores: tuple[Store, Store]) -> None:
    async with Pair(stores) as pair:
        stuck = pair.one.node.store.stuck = asyncio.Event()
        await pair.pass_time(KEEP_S)
        assert not pair.one.believes
        assert not pair.other.believes
        await pair.pass_time(TAKEN_OVER_S - KEEP_S)
        assert pair.other.believes
        # The renewal, or whatever else was on the way, arrives at last.
        stuck.set()
        pair.one.node.store.stuck = None
        await pair.pass_time(2 * TAKEN_OVER_S)
        assert (pair.one.terms, pair.other.terms) == ([1], [2])


async def test_after_it_was_given_back_the_other_has_it_within_a_second(stores: tuple[Store, Store]) -> None:
    async with Pair(stores) as pair:
        for giving, taking in ((pair.one, pair.other), (pair.other, pair.one)) * 3:
            await pair.pass_time(REST_S)
            assert giving.believes
            await giving.give_back()
            await pair.pass_time(1)
            assert taking.believes
        assert (pair.one.terms, pair.other.terms) == ([1, 3, 5, 7], [2, 4, 6])


async def test_when_the_store_is_away_for_both_nobody_has_it_until_it_is_back(stores: tuple[Store, Store]) -> None:
    async with Pair(stores) as pair:
        for worker in pair.workers:
            worker.node.store.away = True
        await pair.pass_time(KEEP_S + 0.5)
        assert not any(worker.believes for worker in pair.workers)
        with pytest.raises(StoreUnavailable):
            await pair.other.node.duties.to_duty("work", 1)
        await pair.pass_time(20)
        for worker in pair.workers:
            worker.node.store.away = False
        await pair.pass_time(TAKEN_OVER_S)
        assert sum(worker.believes for worker in pair.workers) == 1


async def test_events_survive_a_take_over(stores: tuple[Store, Store]) -> None:
    async with Pair(stores) as pair:
        for number in range(3):
            await pair.other.node.duties.to_duty("work", number)
        await pair.pass_time(1)
        assert pair.one.events == [0, 1, 2]
        pair.one.stalled_s = 0.0
        for number in range(3, 6):
            await pair.other.node.duties.to_duty("work", number)
        await pair.pass_time(TAKEN_OVER_S)
        assert pair.other.events == [3, 4, 5]
        await pair.go_on(pair.one)
        await pair.pass_time(2)
        await pair.one.node.duties.to_duty("work", 6)
        await pair.pass_time(1)
        assert pair.other.events == [3, 4, 5, 6]
        assert pair.one.events == [0, 1, 2]
