"""The hub that plugins are tried with keeps the promises of the port."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.plugin import Record, Save, StoreUnavailable, TermOver
from tests.unit.plugins.exchanges import START
from tests.unit.plugins.small_hub import SmallHub


async def test_a_shelf_saves_over_the_revision_that_was_seen() -> None:
    shelf = SmallHub().shelf
    assert await shelf.load("a") is None
    assert await shelf.compare_and_set("a", {"n": 1}, 0)
    assert not await shelf.compare_and_set("a", {"n": 2}, 0)
    assert not await shelf.save_many([Save("b", 1), Save("a", 2, revision=7)])
    assert await shelf.keys() == ["a"]
    await shelf.save("a", {"n": 3})

    kept = await shelf.load("a")

    assert kept is not None
    assert (kept.value, kept.revision) == ({"n": 3}, 2)
    await shelf.remove("a")
    assert await shelf.keys() == []


async def test_records_are_found_by_all_keys_newest_first() -> None:
    records = SmallHub().records("kind")
    for minute in range(4):
        keys = {"parity": str(minute % 2), "party": ["nl*abc", f"de*x{minute}"]}
        await records.append_many([Record(START + timedelta(minutes=minute), {"minute": minute}, keys)])

    async def minutes(where: dict[str, str], **bounds: Any) -> list[int]:
        return [found.read()["minute"] for found in await records.find(where, **bounds)]

    assert await minutes({}, limit=3) == [3, 2, 1]
    assert await minutes({"party": "nl*abc", "parity": "1"}) == [3, 1]
    assert await minutes({"party": "nl*abc"}, before=3) == [1, 0]
    assert await minutes({}, since=START + timedelta(minutes=1), until=START + timedelta(minutes=3)) == [2, 1]
    assert await records.prune(before=START + timedelta(minutes=1)) == 1
    assert await records.prune(most_bytes=26) == 1
    assert await records.size() == (2, 24)


async def test_a_store_that_is_away_says_so() -> None:
    hub = SmallHub()
    hub.outage.away = True
    with pytest.raises(StoreUnavailable):
        await hub.shelf.load("a")
    with pytest.raises(StoreUnavailable):
        await hub.records("kind").append_many([])


async def test_a_duty_is_held_by_one_and_its_term_ends() -> None:
    async with SmallHub() as hub:
        terms: list[int] = []
        first_may_end = asyncio.Event()

        async def hold() -> None:
            async with hub.duty("plan") as term:
                terms.append(term.number)
                await first_may_end.wait()
            with pytest.raises(TermOver):
                await hub.shelf.save("plan", 1, term=term)

        hub.spawn(hold(), name="one")
        hub.spawn(hold(), name="two")
        await hub.clock.settle()
        assert terms == [1]
        first_may_end.set()
        await hub.clock.settle()
        assert terms == [1, 2]


async def test_events_come_in_order_until_the_term_ends() -> None:
    async with SmallHub() as hub:
        seen: list[Any] = []

        async def hold() -> None:
            async with hub.duty("plan") as term:
                async for event in term.events():
                    seen.append(event)
                    if event == 3:
                        term.end()

        await hub.to_duty("plan", 1)
        held = hub.spawn(hold(), name="holder")
        await hub.clock.settle()
        await hub.to_duty("plan", 2)
        await hub.to_duty("plan", 3)
        await hub.to_duty("plan", 4)
        await hub.clock.settle()
        assert seen == [1, 2, 3]
        assert held.task.done()


async def test_timers_follow_the_clock_and_outlast_a_failure() -> None:
    async with SmallHub() as hub:
        calls: list[float] = []

        async def call() -> None:
            calls.append(hub.monotonic())
            if len(calls) == 1:
                raise ValueError("once")

        timer = hub.every(10, call)
        hub.call_at(hub.now() + timedelta(seconds=15), lambda: calls.append(0))
        await hub.clock.advance(30)
        timer.cancel()
        await hub.clock.advance(30)

        assert calls == [10, 0, 20, 30]
        assert [str(failure) for failure in hub.failures] == ["once"]
        hub.failures.clear()


async def test_what_failed_unseen_fails_the_test() -> None:
    async def fail() -> None:
        raise ValueError("nobody looked")

    async with SmallHub() as hub:
        hub.spawn(fail(), name="fail")
        await hub.clock.settle()
        assert hub.failures
        hub.failures[:] = [RuntimeError("raised at the end")]
        with pytest.raises(RuntimeError, match="raised at the end"):
            await hub.__aexit__(None, None, None)
        hub.failures.clear()
