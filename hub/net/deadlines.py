"""Deadlines of everything in flight, kept by one timer. A timer of its own costs a request a tenth of its CPU time."""

import asyncio
from math import inf
from typing import Protocol

# How late a deadline may be noticed at most; it spares the loop a ring for each of many deadlines close together.
_SLACK_S = 0.02


class Timed(Protocol):
    """Something that must not last beyond `deadline` (time of the event loop)."""

    deadline: float

    def stop(self) -> None:
        """Ends it; called again, it does nothing."""
        ...


class Deadlines:
    """Stops what is watched when its deadline passes. What ended earlier has to be forgotten by whoever watched it."""

    def __init__(self) -> None:
        self._timed: dict[object, Timed] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = inf

    def watch(self, key: object, timed: Timed) -> None:
        self._timed[key] = timed
        if timed.deadline < self._alarm_at:
            self._set_alarm(timed.deadline)

    def forget(self, key: object) -> None:
        self._timed.pop(key, None)

    def get(self, key: object) -> Timed | None:
        return self._timed.get(key)

    def stop_all(self) -> None:
        """Stops everything now and sets no alarm any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, inf
        for timed in tuple(self._timed.values()):
            timed.stop()

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        now = asyncio.get_running_loop().time()
        self._alarm, self._alarm_at = None, inf
        earliest = inf
        for timed in tuple(self._timed.values()):
            if timed.deadline <= now:
                timed.stop()
            elif timed.deadline < earliest:
                earliest = timed.deadline
        if earliest < inf:
            self._set_alarm(max(earliest, now + _SLACK_S))


class Leg:
    """A request on its way in the task that sends it: how far it got, which decides what a failure means (F5 to F7)."""

    # Shared starting values; an instance holds only what happened to it.
    connecting = False
    """A connection is being made for it."""
    fresh = False
    """Its connection was made for it, so what breaks that connection is not the age of the connection."""
    repeated = False
    """It was sent once before, over a kept connection that turned out to be gone."""
    streaming = False
    """Its answer is passed on in pieces by somebody else; the slot in the pool is theirs to give back."""
    stopped = False

    def __init__(self, task: asyncio.Task[object], deadline: float) -> None:
        self.deadline = deadline
        self.task = task
        self._cancelling = task.cancelling()

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.task.cancel()

    @property
    def unsent(self) -> bool:
        """Nothing of it can have reached the receiver."""
        return self.connecting and not self.repeated

    def settles(self) -> bool:
        """For the task that caught a cancellation: whether nobody but this leg (or the network) asked for it."""
        if self.stopped:
            self.task.uncancel()
        return self.task.cancelling() <= self._cancelling
