"""What a plugin lets run beside the traffic: timers and tasks, owned by the hub and ended with the plugin."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from hub.clock import Clock
from hub.plugin.guard import told
from hub.plugin.hub_api import NotAllowed
from hub.plugin.standing import GuardEvents
from hub.plugin.stepping import end

MOST_TASKS = 1_000
_LEAVING_S = 2.0


class _Running:
    """One of them, to be cancelled."""

    __slots__ = ("_task",)

    def __init__(self, task: "asyncio.Task[None]") -> None:
        self._task = task

    def cancel(self) -> None:
        self._task.cancel()


class Clockwork:
    """The timers and tasks of one plugin. One that fails is told to `events`; it harms nobody else."""

    def __init__(self, plugin: str, clock: Clock, events: GuardEvents) -> None:
        self._plugin = plugin
        self._clock = clock
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def running(self) -> int:
        return len(self._tasks)

    def call_at(self, at: datetime, call: Callable[[], object]) -> _Running:
        async def later() -> None:
            await self._clock.sleep(max(0.0, (at - self._clock.now()).total_seconds()))
            await _called(call)

        return self.spawn(later(), name="call_at")

    def every(self, seconds: float, call: Callable[[], object]) -> _Running:
        if seconds <= 0:
            raise ValueError("every: name a number of seconds above 0")

        async def again() -> None:
            while True:
                await self._clock.sleep(seconds)
                try:
                    await _called(call)
                except Exception as raised:  # noqa: BLE001 - the boundary to the plugin: it is called again
                    self._events.failed(self._plugin, "every", "raised", told(raised))

        return self.spawn(again(), name="every")

    def spawn(self, work: Coroutine[Any, Any, object], *, name: str) -> _Running:
        if self._closed or len(self._tasks) >= MOST_TASKS:
            work.close()
            why = "the plugin has stopped" if self._closed else f"a plugin has at most {MOST_TASKS} tasks"
            raise NotAllowed(why)
        task = asyncio.get_running_loop().create_task(self._told(work, name), name=f"plugin {self._plugin} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # One that is cancelled before its first step has not begun to wait for the work.
        task.add_done_callback(lambda _: work.close())
        return _Running(task)

    async def _told(self, work: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await work
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - the boundary to the plugin
            self._events.failed(self._plugin, name, "raised", told(raised))

    async def close(self) -> int:
        """Ends all of them; how many did not end by themselves when they were told to."""
        self._closed = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LEAVING_S)
        left = [task for task in tasks if not task.done()]
        for task in left:
            end(task)
        return len(left)


async def _called(call: Callable[[], object]) -> None:
    given = call()
    if inspect.isawaitable(given):
        await given
