"""Time as tests of plugins have it: it stands still until the test moves it, and moves only when nothing is pending."""

import asyncio
import heapq
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from hub.clock import ManualClock
from hub.errors import HubError
from hub.plugin.stepping import StandIn

PATIENCE_S = 20.0
_POLL_S = 0.001
# Looks in a row that must find nothing, each after every task had several turns: what one task hands to another, or to
# a socket of this machine, is seen by the next look.
_LOOKS = 2
# Tasks of the hub in which a hook, or whatever else a message waits for, goes on once it has waited.
_WAITED_FOR = re.compile(r"plugin \S+ (?:on_|handle|route )")

Pending = Callable[[], Sequence[str]]


class NotSettled(HubError):
    """Something was still pending after `PATIENCE_S` real seconds; the sentence says what."""


def _nothing() -> Sequence[str]:
    return ()


class BenchClock(ManualClock):
    """The clock of a bench. `pending` tells what still goes on without time; the bench puts its own there.

    What has to go over sockets goes in real time: a deadline of a leg is not moved by this clock.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        super().__init__(start)
        self.pending: Pending = _nothing
        self.hooks_asleep = 0

    async def sleep(self, seconds: float) -> None:
        waited_for = seconds > 0 and _is_waited_for()
        self.hooks_asleep += waited_for
        try:
            await super().sleep(seconds)
        finally:
            self.hooks_asleep -= waited_for

    async def settle(self) -> None:
        """Returns when nothing is pending any more. Raises NotSettled."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._quiet()
        except TimeoutError:
            left = ", ".join(self.pending()) or "something now and then"
            raise NotSettled(f"after {PATIENCE_S:g} s there is still pending: {left}") from None

    async def _quiet(self) -> None:
        quiet = 0
        while quiet < _LOOKS:
            await super().settle()
            if self.pending():
                quiet = 0
                await asyncio.sleep(_POLL_S)  # it goes over sockets and through threads
            else:
                quiet += 1

    async def advance(self, seconds: float) -> None:
        """Moves time on by `seconds`, from one moment at which somebody wakes to the next; at each it settles. An hour
        takes several real seconds; `jump` gets there in one step. Raises NotSettled.
        """
        target_s = self._elapsed_s + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target_s:
            self._wake_until(self._sleepers[0][0])
            await self.settle()
        self._elapsed_s = target_s

    def elapse(self, seconds: float) -> None:
        """Time passes in the middle of a message: moves on without waiting for anything, and wakes who is due."""
        self._wake_until(self._elapsed_s + seconds)

    def _wake_until(self, moment_s: float) -> None:
        self._elapsed_s = max(self._elapsed_s, moment_s)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_s:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


def _is_waited_for() -> bool:
    """Whether who goes to sleep is one that a message waits for."""
    task: object = asyncio.current_task()
    # In its first part a hook runs inside the task of its message.
    return isinstance(task, StandIn) or (isinstance(task, asyncio.Task) and bool(_WAITED_FOR.match(task.get_name())))
