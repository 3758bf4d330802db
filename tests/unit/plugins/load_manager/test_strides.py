"""Long work gives the event loop away every few milliseconds, and gives the same result as all at once."""

import asyncio
from time import perf_counter

import pytest

from plugins.load_manager.strides import STRIDE_S, Pace, Strides, at_once, unhurried

LONG_S = 10 * STRIDE_S


def busy(work_s: float) -> Strides[int]:
    end_s, count = perf_counter() + work_s, 0
    while perf_counter() < end_s:
        count += 1
        yield
    return count


async def test_others_have_the_loop_meanwhile() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    assert await unhurried(busy(LONG_S), asyncio.sleep) > 0
    beside.cancel()
    # A turn after each stride; one that lasted longer than it should is one less.
    assert turns > 1
    assert at_once(busy(0)) == 0


async def test_what_is_short_is_not_interrupted() -> None:
    pauses = 0

    async def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1

    def short() -> Strides[str]:
        yield
        return "done"

    assert await unhurried(short(), pause) == "done"
    await Pace(pause).step()
    assert pauses == 0


async def test_a_failure_comes_out_of_it() -> None:
    def failing() -> Strides[None]:
        yield
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await unhurried(failing(), asyncio.sleep)
    with pytest.raises(ValueError, match="broken"):
        at_once(failing())


async def test_who_is_cancelled_lets_the_work_go() -> None:
    gone = False

    def endless() -> Strides[None]:
        nonlocal gone
        try:
            while True:
                yield
        finally:
            gone = True

    task = asyncio.create_task(unhurried(endless(), asyncio.sleep))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone
