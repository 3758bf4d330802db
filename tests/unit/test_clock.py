"""The clock that tests move by hand: who wakes, when, and in which order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hub.clock import Clock, ManualClock, SystemClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_the_system_clock_is_aware_and_moves() -> None:
    clock: Clock = SystemClock()
    before = clock.monotonic()

    await asyncio.wait_for(clock.sleep(0.001), timeout=5)

    assert clock.monotonic() > before
    assert clock.now().utcoffset() == timedelta(0)


async def test_time_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(START)

    await clock.settle()
    assert (clock.now(), clock.monotonic()) == (START, 0)

    await clock.advance(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90)


async def test_sleepers_wake_by_deadline_then_by_turn_and_see_their_own_time() -> None:
    clock = ManualClock(START)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for name, seconds in [("late", 3), ("first", 1), ("second", 1), ("never now", 5)]:
            tasks.create_task(sleeper(name, seconds))
        await asyncio.wait_for(clock.until_asleep(4), timeout=5)

        await clock.advance(4)
        assert woken == [("first", 1), ("second", 1), ("late", 3)]
        assert clock.asleep == 1

        await clock.advance(1)
        assert woken[-1] == ("never now", 5)


async def test_a_loop_that_sleeps_again_wakes_again() -> None:
    clock = ManualClock()
    ticks: list[float] = []

    async def ticker() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.monotonic())

    task = asyncio.create_task(ticker())
    await clock.advance(10)

    assert ticks == [float(second) for second in range(1, 11)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.wait_for(clock.until_asleep(), timeout=5)

    task.cancel()
    await clock.settle()
    assert clock.asleep == 0

    await clock.advance(2)
    assert task.cancelled()


async def test_no_time_is_no_sleep() -> None:
    clock = ManualClock()
    await asyncio.wait_for(clock.sleep(0), timeout=5)
    assert clock.monotonic() == 0
