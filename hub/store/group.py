"""Group commit: gathers the writes that arrive while a commit runs into the next one, so that many share its cost. What
a commit does is its store's own part.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from hub.errors import StoreUnavailable

Write = TypeVar("Write")
# Per write its result, or the exception it ended with. A commit may end early and give those of the first writes only,
# at least one: the others were not begun and lead the next commit.
Commit = Callable[[Sequence[Write]], Awaitable[Sequence[Any]]]
# Who waits for a commit that hangs is told so after so long; it may be committed or not. All that a commit waits for
# has closer bounds of its own, except a disk that does not answer.
_STUCK_S = 30.0
# Closing commits what is queued for so long at most, then lets the commit that runs go on for as long again.
_LAST_COMMITS_S = 5.0


class Entry(Generic[Write]):
    """A write in the queue, and who waits for it."""

    __slots__ = ("_deadline", "_timer", "_too_late", "outcome", "write")

    def __init__(self, write: Write, wait_s: float, too_late: str) -> None:
        """`wait_s`: how long it may wait for its commit to begin, else it fails with the sentence `too_late`."""
        loop = asyncio.get_running_loop()
        self.write = write
        self.outcome: asyncio.Future[Any] = loop.create_future()
        self._too_late = too_late
        self._deadline = loop.time() + wait_s
        self._timer = loop.call_at(self._deadline, self.give_up)

    def wait_on(self) -> None:
        """From here on its commit is waited for: who turned away now would not know whether it was written."""
        self._timer.cancel()

    def queue_again(self) -> None:
        """The commit ended before it, so that it waits as before."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._deadline:  # a timer would come too late for the next commit, which begins at once
            self.give_up()
        elif not self.outcome.done():
            self._timer = loop.call_at(self._deadline, self.give_up)

    def settle(self, result: Any) -> None:
        if self.outcome.done():
            return
        if isinstance(result, Exception):
            self.outcome.set_exception(result)
        else:
            self.outcome.set_result(result)

    def give_up(self) -> None:
        self.settle(StoreUnavailable(self._too_late))


class Group(Generic[Write]):
    """Rules:

    - commits run one after the other, and callers are answered after theirs, in the order in which they came;
    - the queue is bounded: who finds it full waits `queue_timeout_s` in line, then gets StoreUnavailable;
    - whose commit has not begun after `commit_timeout_s` gets StoreUnavailable, and is not written for;
    - who gave up before its commit began is not written for;
    - a commit that has begun is waited for, `stuck_timeout_s` at most.
    """

    def __init__(
        self,
        name: str,
        *,
        queue_limit: int,
        batch_limit: int,
        queue_timeout_s: float,
        commit_timeout_s: float,
        stuck_timeout_s: float = _STUCK_S,
        last_commits_s: float = _LAST_COMMITS_S,
    ) -> None:
        """`name` is the database's, for sentences about it."""
        self._name = name
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue_timeout_s = queue_timeout_s
        self._commit_timeout_s = commit_timeout_s
        self._stuck_timeout_s = stuck_timeout_s
        self._last_commits_s = last_commits_s
        self._queue: asyncio.Queue[Entry[Write] | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(queue_limit)
        self._task: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    def open(self, commit: Commit[Write]) -> None:
        self._queue = asyncio.Queue()
        self._room = asyncio.Semaphore(self._queue_limit)
        self._hurried = asyncio.Event()
        run = self._run(commit, self._queue, self._room, self._hurried)
        self._task = asyncio.create_task(run, name=f"{self._name}-group")

    async def write(self, write: Write) -> Any:
        """The result, once it is committed. Raises the exception that came instead, or StoreUnavailable."""
        await self._room_for_one()
        wait_s = self._commit_timeout_s
        entry = Entry(write, wait_s, f"{self._name} did not commit within {wait_s:g} s")
        self._queue.put_nowait(entry)
        try:
            return await entry.outcome
        finally:
            entry.wait_on()

    async def close(self) -> bool:
        """Commits what is queued, then ends; whether the last commit has ended. Safe to call twice.

        What is still queued after `last_commits_s` gets StoreUnavailable. So does everybody in a commit that takes as
        long again: it goes on, but nobody waits for it.
        """
        task, self._task = self._task, None
        if task is None:
            return True
        try:
            self._queue.put_nowait(None)
            await asyncio.wait({task}, timeout=self._last_commits_s)
            self._hurried.set()
            done, _ = await asyncio.wait({task}, timeout=self._last_commits_s)
        finally:
            task.cancel()  # nothing to a task that has ended
        await asyncio.wait({task})
        return bool(done)

    async def _room_for_one(self) -> None:
        """Returns when the queue has room, which is then taken."""
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
            raise self._closed()

    def _needs_open(self) -> None:
        if self._task is None:
            raise StoreUnavailable(f"the {self._name} store is not open")

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(f"the {self._name} store was closed")

    async def _run(
        self,
        commit: Commit[Write],
        queue: asyncio.Queue[Entry[Write] | None],
        room: asyncio.Semaphore,
        hurried: asyncio.Event,
    ) -> None:
        batch: list[Entry[Write]] = []
        try:
            while not hurried.is_set():
                if not batch:
                    first = await queue.get()
                    if first is None:
                        return
                    room.release()
                    batch = [first]
                # Whoever is ready to run now may join this commit; that costs no waiting when nobody is.
                await asyncio.sleep(0)
                self._gather(batch, queue, room)
                batch = [entry for entry in batch if not entry.outcome.done()]
                if batch:
                    batch = await self._committed(commit, batch)
        finally:
            while not queue.empty():
                if (queued := queue.get_nowait()) is not None:
                    room.release()
                    batch.append(queued)
            for entry in batch:
                entry.settle(self._closed())

    def _gather(
        self, batch: list[Entry[Write]], queue: asyncio.Queue[Entry[Write] | None], room: asyncio.Semaphore
    ) -> None:
        """Adds what waits in the queue, up to the limit."""
        while len(batch) < self._batch_limit and not queue.empty():
            entry = queue.get_nowait()
            if entry is None:  # the end, seen again by the next round
                queue.put_nowait(None)
                break
            room.release()
            batch.append(entry)

    async def _committed(self, commit: Commit[Write], batch: list[Entry[Write]]) -> list[Entry[Write]]:
        """Commits and answers; those whose turn it is next."""
        for entry in batch:
            entry.wait_on()
        stuck = asyncio.get_running_loop().call_later(self._stuck_timeout_s, self._give_up, batch)
        try:
            results = await commit([entry.write for entry in batch])
        except Exception as problem:  # noqa: BLE001 - a boundary: one commit that broke must not end all others
            results = [problem for _ in batch]
        finally:
            stuck.cancel()
        for entry, result in zip(batch, results, strict=False):
            entry.settle(result)
        left = batch[len(results) :]
        for entry in left:
            entry.queue_again()
        return left

    def _give_up(self, batch: Sequence[Entry[Write]]) -> None:
        """Nobody knows what comes of a commit that hangs."""
        text = f"{self._name} began to commit and did not end within {self._stuck_timeout_s:g} s"
        for entry in batch:
            entry.settle(StoreUnavailable(text))
