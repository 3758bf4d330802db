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


async def unhurried(strides: Strides[T], pause: Callable[[float], Awaitable[None]]) -> T:
    """All of it, while others have the event loop every few milliseconds; `pause(0)` gives it to them."""
    try:
        until_s = perf_counter() + STRIDE_S
        while True:
            next(strides)
            if perf_counter() >= until_s:
                await pause(0)
                until_s = perf_counter() + STRIDE_S
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        strides.close()
