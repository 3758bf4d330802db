"""Running a plugin's coroutine: to its first suspension as part of the caller, without task or timer, and only from
there on as a task that can be given up (the cost rule of the plugin API).

A coroutine may ask which task it runs in (`asyncio.timeout` and task groups do, and cancel that task later). In its
first part there is no task of its own yet, so a stand-in is what it finds, which passes everything on to the task once
there is one. `asyncio.tasks._enter_task` and `_leave_task` are asyncio's documented hooks for such tasks of one's own.
"""

import asyncio
import contextvars
import types
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

GRACE_S = 0.5
"""How long a cancelled coroutine has to come to an end before it is abandoned."""


class StandIn:
    """The task of a coroutine that has none yet, and the one it sees all the time. What is asked of it before there is
    a task is kept for it.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.task: asyncio.Task[Any] | None = None
        self._coroutine = coroutine
        self._cancelled = 0

    def cancel(self, msg: Any = None) -> bool:
        if self.task is not None:
            return self.task.cancel(msg)
        self._cancelled += 1
        return True

    def cancelling(self) -> int:
        return self._cancelled if self.task is None else self.task.cancelling()

    def uncancel(self) -> int:
        if self.task is not None:
            return self.task.uncancel()
        self._cancelled = max(0, self._cancelled - 1)
        return self._cancelled

    def done(self) -> bool:
        return self.task is not None and self.task.done()

    def get_coro(self) -> Coroutine[Any, Any, Any]:
        return self._coroutine

    def get_name(self) -> str:
        return "plugin" if self.task is None else self.task.get_name()

    def become(self, task: asyncio.Task[Any]) -> None:
        """From now on this is the task."""
        self.task = task
        for _ in range(self._cancelled):
            task.cancel()

    # Libraries that cancel by themselves look at these two.
    @property
    def _must_cancel(self) -> bool:
        return bool(getattr(self.task, "_must_cancel", False))

    @property
    def _fut_waiter(self) -> Any:
        return getattr(self.task, "_fut_waiter", None)

    def __getattr__(self, name: str) -> Any:
        task = self.__dict__.get("task")
        if task is None:
            raise AttributeError(name)
        return getattr(task, name)


class Suspended:
    """A coroutine that waits for something: where it stands, ready to be continued as a task."""

    __slots__ = ("_context", "_coroutine", "_stand_in", "_waits_for")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], waits_for: Any, stand_in: StandIn, context: contextvars.Context
    ) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for
        self._stand_in = stand_in
        self._context = context

    def task(self, name: str) -> "asyncio.Task[Ended]":
        """Goes on in a task, which never fails: how it ended is its result."""
        work = _rest(self._coroutine, self._waits_for, self._stand_in)
        task = asyncio.get_running_loop().create_task(work, name=name, context=self._context)
        self._stand_in.become(task)
        return task


class Ended:
    """How a coroutine ended: with a value, or with what it raised."""

    __slots__ = ("raised", "value")

    def __init__(self, value: Any = None, raised: BaseException | None = None) -> None:
        self.value = value
        self.raised = raised


def begin(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What the coroutine returns, or `Suspended` if it has to wait. Raises what it raises. Called within a task."""
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    caller = asyncio.current_task(loop)
    stand_in = StandIn(coroutine)
    if caller is not None:
        _leave_task(loop, caller)
    _enter_task(loop, stand_in)  # type: ignore[arg-type]
    try:
        waits_for = context.run(coroutine.send, None)
    except StopIteration as ended:
        return ended.value
    finally:
        _leave_task(loop, stand_in)  # type: ignore[arg-type]
        if caller is not None:
            _enter_task(loop, caller)
    return Suspended(coroutine, waits_for, stand_in, context)


def _as(stand_in: StandIn, step: Callable[[Any], Any], given: Any) -> Any:
    """One step, in which the stand-in is the current task: the coroutine never sees another."""
    loop, task = asyncio.get_running_loop(), stand_in.task
    assert task is not None  # noqa: S101 - it is this one
    _leave_task(loop, task)
    _enter_task(loop, stand_in)  # type: ignore[arg-type]
    try:
        return step(given)
    finally:
        _leave_task(loop, stand_in)  # type: ignore[arg-type]
        _enter_task(loop, task)


@types.coroutine
def _continued(coroutine: Coroutine[Any, Any, Any], waits_for: Any, stand_in: StandIn) -> Generator[Any, Any, Any]:
    """Delegates to a coroutine that has begun: like `yield from`, which cannot start in the middle."""
    while True:
        try:
            try:
                sent = yield waits_for
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 - a cancellation above all: the coroutine's to deal with
                waits_for = _as(stand_in, coroutine.throw, thrown)
            else:
                waits_for = _as(stand_in, coroutine.send, sent)
        except StopIteration as ended:
            return ended.value


async def _rest(coroutine: Coroutine[Any, Any, Any], waits_for: Any, stand_in: StandIn) -> Ended:
    try:
        return Ended(await _continued(coroutine, waits_for, stand_in))
    except BaseException as raised:  # noqa: BLE001 - a task that raises SystemExit would end the loop
        return Ended(raised=raised)


async def bounded(task: "asyncio.Task[Ended]", seconds: float) -> Ended | None:
    """How the task ended within its time; else it is cancelled, and after a grace this returns None: it is still there.
    A task that ended because it was cancelled raised TimeoutError.
    """
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if done:
        return _ended(task)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=GRACE_S)
    if not done:
        return None
    ended = _ended(task)
    if ended.raised is None or isinstance(ended.raised, asyncio.CancelledError):
        return Ended(raised=TimeoutError(f"it took longer than {seconds:g} s"))
    return ended


def _ended(task: "asyncio.Task[Ended]") -> Ended:
    # Cancelled before its first step, the coroutine inside never ran.
    return Ended(raised=asyncio.CancelledError()) if task.cancelled() else task.result()


def end(task: "asyncio.Task[Any]") -> None:
    """Ends a task whose coroutine ignores cancellation, so that it does not keep the process alive."""
    coroutine = task.get_coro()
    if isinstance(coroutine, types.CoroutineType):
        with suppress(RuntimeError):  # it ignores even that: then only the end of the process is left
            coroutine.close()
    task.cancel()
