"""Group commit: gathers the writes that arrive while a commit runs into the next one, so that many share its cost. What
a commit does is its store's own part.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from hub.errors import StoreUnavailable

Write = TypeVar("Write")
# Per write its result, or the exception it ended with.
Commit = Callable[[Sequence[Write]], Awaitable[Sequence[Any]]]
Entry = tuple[Write, asyncio.Future[Any]]


class Group(Generic[Write]):
    """Rules:

    - commits run one after the other, and callers are answered after theirs, in the order in which they came;
    - the queue is bounded: who finds it full waits `queue_timeout_s` in line, then gets StoreUnavailable;
    - who waits longer than `commit_timeout_s` for its commit gets StoreUnavailable;
    - who gave up before its commit began is not written for.
    """

    def __init__(
        self, name: str, *, queue_limit: int, batch_limit: int, queue_timeout_s: float, commit_timeout_s: float
    ) -> None:
        """`name` is the database's, for sentences about it."""
        self._name = name
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue_timeout_s = queue_timeout_s
        self._commit_timeout_s = commit_timeout_s
        self._queue: asyncio.Queue[Entry[Write] | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(queue_limit)
        self._task: asyncio.Task[None] | None = None

    def open(self, commit: Commit[Write]) -> None:
        self._queue = asyncio.Queue()
        self._room = asyncio.Semaphore(self._queue_limit)
        self._task = asyncio.create_task(self._run(commit, self._queue, self._room), name=f"{self._name}-group")

    async def write(self, write: Write) -> Any:
        """The result, once it is committed. Raises the exception that came instead, or StoreUnavailable."""
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await self._line_up(write, outcome)
        try:
            async with asyncio.timeout(self._commit_timeout_s):
                return await outcome
        except TimeoutError:
            raise StoreUnavailable(f"{self._name} did not commit within {self._commit_timeout_s:g} s") from None

    async def close(self) -> None:
        """Commits what is queued, then ends. Safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            self._queue.put_nowait(None)
            await task

    async def _line_up(self, write: Write, outcome: asyncio.Future[Any]) -> None:
        self._needs_open()
        room = self._room
        try:
            async with asyncio.timeout(self._queue_timeout_s):
                await room.acquire()
        except TimeoutError:
            raise StoreUnavailable(f"{self._queue_limit} writes to {self._name} are waiting already") from None
        if self._room is not room or self._task is None:
            room.release()  # for the next in line, who has to hear it too
            self._needs_open()
            raise StoreUnavailable(f"the {self._name} store was closed")
        self._queue.put_nowait((write, outcome))

    def _needs_open(self) -> None:
        if self._task is None:
            raise StoreUnavailable(f"the {self._name} store is not open")

    async def _run(
        self, commit: Commit[Write], queue: asyncio.Queue[Entry[Write] | None], room: asyncio.Semaphore
    ) -> None:
        while (first := await queue.get()) is not None:
            # Whoever is ready to run now may join this commit; that costs no waiting when nobody is.
            await asyncio.sleep(0)
            gathered = self._gather(first, queue)
            for _ in gathered:
                room.release()
            batch = [entry for entry in gathered if not entry[1].done()]
            if not batch:
                continue
            try:
                results = await commit([write for write, _ in batch])
            except Exception as problem:  # noqa: BLE001 - a boundary: one commit that broke must not end all others
                results = [problem for _ in batch]
            for (_, outcome), result in zip(batch, results, strict=True):
                _settle(outcome, result)

    def _gather(self, first: Entry[Write], queue: asyncio.Queue[Entry[Write] | None]) -> list[Entry[Write]]:
        """What goes into one commit: this entry and all that wait behind it, up to the limit."""
        batch = [first]
        while len(batch) < self._batch_limit and not queue.empty():
            entry = queue.get_nowait()
            if entry is None:  # the end, seen again by the next round
                queue.put_nowait(None)
                break
            batch.append(entry)
        return batch


def _settle(outcome: asyncio.Future[Any], result: Any) -> None:
    if outcome.done():
        return
    if isinstance(result, Exception):
        outcome.set_exception(result)
    else:
        outcome.set_result(result)
