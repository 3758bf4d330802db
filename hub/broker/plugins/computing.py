"""Work of plugins that would hold up the event loop, in one process beside the hub.

Rules
- Calls take turns, so that one that takes its process along harms no other.
- A call that nobody waits for any more is ended with its process; the next one gets a new process.
- The process ends with the hub, however the hub ends.
"""

import asyncio
import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Lock, Thread
from typing import Any, TypeVar

from hub.plugin.hub_api import NotComputed

T = TypeVar("T")
_CLOSE_S = 1.0


class Computing:
    """The process, made when it is first needed. `initializer` is called in it before any work is, to make what is to
    be unpickled importable there; it is pickled itself.
    """

    def __init__(self, initializer: Callable[[], None] | None = None) -> None:
        self._initializer = initializer
        self._turn = asyncio.Lock()
        self._pool: ProcessPoolExecutor | None = None
        # Making the pool, giving it work and killing it all block, so they happen in threads, one at a time.
        self._guard = Lock()
        self._closed = False

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What `work(*args)` returns, or raises. Raises NotComputed; TypeError when work, arguments or result cannot be
        pickled, or the work is not found in another process.
        """
        packed = await asyncio.to_thread(_packed, work, args)
        async with self._turn:
            answer = await self._answer(packed, _name(work))
        result: T = await asyncio.to_thread(pickle.loads, answer)
        return result

    async def close(self) -> None:
        """Kills what runs, and refuses what waits, within a second."""
        self._closed = True
        await asyncio.to_thread(self._kill)
        async with self._turn:  # whoever waits for theirs is told first
            pass

    async def _answer(self, packed: bytes, name: str) -> bytes:
        submitting = asyncio.create_task(asyncio.to_thread(self._submit, packed))
        try:
            submitted = await asyncio.shield(submitting)
            answer = asyncio.wrap_future(submitted)
            answer.add_done_callback(_heard)
            return await asyncio.shield(answer)
        except BrokenProcessPool:
            await asyncio.to_thread(self._kill)
            why = "because the hub is stopping" if self._closed else "as if killed, or out of memory"
            raise NotComputed(f"the process that computed {name} ended before it was done, {why}") from None
        except asyncio.CancelledError:
            await asyncio.wait([submitting])
            await asyncio.to_thread(self._kill)
            raise

    def _submit(self, packed: bytes) -> Future[bytes]:
        with self._guard:
            if self._closed:
                raise NotComputed("the hub is stopping and computes nothing any more")
            if self._pool is not None:
                try:
                    return self._pool.submit(_computed, packed)
                except BrokenProcessPool:  # it died while there was nothing to do
                    self._pool.shutdown(wait=False)
            self._pool = None
            try:
                pool = ProcessPoolExecutor(
                    1, mp_context=get_context("spawn"), initializer=_begin, initargs=(self._initializer,)
                )
                future = pool.submit(_computed, packed)
            except OSError as problem:
                raise NotComputed(f"no process could be made to compute in: {problem}") from None
            self._pool = pool
            return future

    def _kill(self) -> None:
        with self._guard:
            pool, self._pool = self._pool, None
            if pool is None:
                return
            processes = list(pool._processes.values())  # there is no public way to them before Python 3.14
            for process in processes:
                process.kill()
            pool.shutdown(wait=False)
            for process in processes:
                process.join(_CLOSE_S)


def _heard(answer: asyncio.Future[bytes]) -> None:
    """What became of it is of no interest to anybody when the call was cancelled."""
    if not answer.cancelled():
        answer.exception()


def _packed(work: Callable[..., object], args: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((work, args))
    except Exception as problem:  # noqa: BLE001 - whatever pickling of somebody's class raises
        raise TypeError(f"{_name(work)} or its arguments cannot go to another process: {problem}") from None


def _name(work: Callable[..., object]) -> str:
    return f"{getattr(work, '__module__', '?')}.{getattr(work, '__qualname__', repr(work))}"


# --- in the process


def _begin(initializer: Callable[[], None] | None) -> None:
    # Ctrl-C on a terminal goes to every process there, and when this one ends is for the hub to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_hub, daemon=True).start()
    if initializer is not None:
        initializer()


def _end_with_the_hub() -> None:
    hub = parent_process()
    if hub is not None:
        hub.join()
        os._exit(1)


def _computed(packed: bytes) -> bytes:
    try:
        work, args = pickle.loads(packed)  # noqa: S301 - the hub's own
    except Exception as problem:  # noqa: BLE001 - whatever importing somebody's module raises
        raise TypeError(f"the function or its arguments are not found in another process: {problem}") from None
    try:
        result = work(*args)
    except BaseException as problem:  # noqa: BLE001 - the hub must not end because somebody's function did
        raise _sendable(problem) from None
    try:
        return pickle.dumps(result)
    except Exception as problem:  # noqa: BLE001
        raise TypeError(f"the result of {_name(work)} cannot come back from another process: {problem}") from None


def _sendable(problem: BaseException) -> Exception:
    """The very exception where it can be sent, else one that says what it was."""
    if isinstance(problem, Exception):
        try:
            if type(pickle.loads(pickle.dumps(problem))) is type(problem):  # noqa: S301
                return problem
        except Exception:  # noqa: BLE001, S110 - then it cannot be sent
            pass
    return RuntimeError(f"{type(problem).__name__}: {problem}")
