"""Long work in strides: a generator yields wherever it may be interrupted, and returns its result at its end. Pure
rooms stay pure by it, and the event loop stays free.
"""

from collections.abc import Awaitable, Callable, Generator
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")
Strides = Generator[None, None, T]

STRIDE_S = 0.004


def at_once(strides: Strides[T]) -> T:
    """All of it, without a pause."""
    while True:
        try:
            next(strides)
        except StopIteration as end:
            result: T = end.value
            return result


class Pace:
    """For long work that awaits anyway: `await pace.step()` now and then gives the event loop to others when it has
    been held for a few milliseconds; `pause(0)` does that.
    """

    def __init__(self, pause: Callable[[float], Awaitable[None]]) -> None:
        self._pause = pause
        self._until_s = perf_counter() + STRIDE_S

    async def step(self) -> None:
        if perf_counter() >= self._until_s:
            await self._pause(0)
            self._until_s = perf_counter() + STRIDE_S


async def unhurried(strides: Strides[T], pause: Callable[[float], Awaitable[None]]) -> T:
    """All of it, while others have the event loop every few milliseconds."""
    pace = Pace(pause)
    try:
        while True:
            next(strides)
            await pace.step()
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        strides.close()
