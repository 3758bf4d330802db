"""Time as a port: what the hub asks when it needs to know or to wait, and the two clocks that answer.
Deadlines of network calls belong to the code that makes them; this module only tells time and wakes sleepers."""

from __future__ import annotations

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Everything in the hub that waits or stamps takes one of these instead of looking at the wall."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed; zero or less only lets other tasks run."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until somebody moves it: tests of everything that waits.

    Rules: time moves only inside `advance`; sleepers wake in the order of their deadlines, and in the order they lay
    down when deadlines are equal; each one runs until it waits again before time goes on, so that a loop which sleeps
    one second wakes ten times in `advance(10)`.
    """

    # How many rounds of the event loop a woken task may need until it sleeps again: a few hops through futures,
    # queues and gathered tasks. Rounds cost microseconds, so the number is generous.
    SETTLE_ROUNDS = 20

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._lay_down = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lay_down += 1
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, self._lay_down, woken))
        self._fell_asleep.set()
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on by `seconds`; every sleeper due by then has been woken, in order, when this returns."""
        target_s = self._elapsed_s + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target_s:
            deadline_s, _, woken = heapq.heappop(self._sleepers)
            if woken.done():  # its task was cancelled
                continue
            self._elapsed_s = deadline_s
            woken.set_result(None)
            await self.settle()
        self._elapsed_s = target_s

    async def jump(self, seconds: float) -> None:
        """Move time on in one step: every sleeper due by then wakes once, however often it would have slept."""
        await self.settle()
        self._elapsed_s += seconds
        due = []
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_s:
            due.append(heapq.heappop(self._sleepers)[2])
        for woken in due:
            if not woken.done():
                woken.set_result(None)
        await self.settle()

    async def settle(self) -> None:
        """Let tasks that can run do so until they wait for time, for a socket or for each other."""
        for _ in range(self.SETTLE_ROUNDS):
            await asyncio.sleep(0)

    async def until_asleep(self, count: int = 1) -> None:
        """Return once at least `count` sleepers wait for this clock; the caller brings the time limit."""
        while self.asleep < count:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    @property
    def asleep(self) -> int:
        """How many sleepers wait for this clock now."""
        return sum(not woken.done() for _, _, woken in self._sleepers)
