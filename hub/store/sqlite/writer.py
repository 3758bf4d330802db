"""The single writer: gathers what arrives while a commit runs into the next transaction, so that many writes share one
flush to disk. What a change does to the tables is its caller's part.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from hub.errors import StoreUnavailable

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], T]
Entry = tuple[Change[Any], asyncio.Future[Any]]
# What sqlite3 raises for a wrong change; everything else it raises speaks of the disk or the file.
_FAULT_OF_CHANGE = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


class Writer:
    """Group commit. Rules:

    - a change runs alone under a savepoint; one that raises is undone alone and its exception goes to its caller;
    - callers are answered after COMMIT; when the disk or the file fails, everybody in that transaction gets
      StoreUnavailable and nothing of it stands;
    - the queue is bounded: who finds it full waits `queue_timeout_s`, then gets StoreUnavailable;
    - the connection lives in one thread and is touched nowhere else.
    """

    def __init__(
        self,
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 1_000,
        queue_timeout_s: float = 2.0,
        commit_timeout_s: float = 10.0,
    ) -> None:
        self.commits = 0
        self._batch_limit = batch_limit
        self._queue_timeout_s = queue_timeout_s
        self._commit_timeout_s = commit_timeout_s
        self._queue_limit = queue_limit
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue(queue_limit)
        self._thread: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """`connect` is called in the writer's thread; its connection must leave transactions to the caller."""
        self._queue = asyncio.Queue(self._queue_limit)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        try:
            database = await self._in_thread(connect)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._task = asyncio.create_task(self._run(database), name="sqlite-writer")

    async def write(self, change: Change[T]) -> T:
        """What `change` returned, once it is on disk. Raises what it raised, or StoreUnavailable."""
        if self._task is None:
            raise StoreUnavailable("the SQLite store is not open")
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._queue_timeout_s):
                await self._queue.put((change, outcome))
        except TimeoutError:
            raise StoreUnavailable(f"{self._queue_limit} writes to SQLite are waiting already") from None
        try:
            async with asyncio.timeout(self._commit_timeout_s):
                return await outcome
        except TimeoutError:
            raise StoreUnavailable(f"SQLite did not commit within {self._commit_timeout_s:g} s") from None

    async def close(self) -> None:
        """Writes what is queued, then closes the connection. Safe to call twice."""
        task, self._task = self._task, None
        if task is None:
            return
        await self._queue.put(None)
        await task

    async def _run(self, database: sqlite3.Connection) -> None:
        while (first := await self._queue.get()) is not None:
            # Whoever is ready to run now may add to this transaction; that costs no waiting when nobody is.
            await asyncio.sleep(0)
            # A caller that gave up while it waited is not written for.
            batch = [entry for entry in self._gather(first) if not entry[1].done()]
            results = await self._in_thread(partial(self._commit, database, [change for change, _ in batch]))
            for (_, outcome), result in zip(batch, results, strict=True):
                _settle(outcome, result)
        await self._in_thread(database.close)
        if self._thread is not None:
            self._thread.shutdown(wait=False)
        while not self._queue.empty():  # callers that were waiting for room in the queue when the store was closed
            if (late := self._queue.get_nowait()) is not None:
                _settle(late[1], StoreUnavailable("the SQLite store was closed"))

    def _gather(self, first: Entry) -> list[Entry]:
        """What goes into one transaction: this entry and all that wait behind it, up to the limit."""
        batch = [first]
        while len(batch) < self._batch_limit and not self._queue.empty():
            entry = self._queue.get_nowait()
            if entry is None:  # the end, seen again by the next round
                self._queue.put_nowait(None)
                break
            batch.append(entry)
        return batch

    def _commit(self, database: sqlite3.Connection, changes: Sequence[Change[Any]]) -> list[Any]:
        """One transaction; per change its result, or the exception it ended with."""
        try:
            database.execute("BEGIN IMMEDIATE")
            results = [_under_savepoint(database, change) for change in changes]
            database.execute("COMMIT")
        except sqlite3.Error as problem:
            _roll_back(database)
            return [StoreUnavailable(f"SQLite could not write: {problem}") for _ in changes]
        self.commits += 1
        return results

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _under_savepoint(database: sqlite3.Connection, change: Change[Any]) -> Any:
    database.execute("SAVEPOINT one")
    try:
        result = change(database)
    except Exception as problem:  # a boundary: whatever one change raises belongs to its caller alone
        if isinstance(problem, sqlite3.Error) and not isinstance(problem, _FAULT_OF_CHANGE):
            raise
        database.execute("ROLLBACK TO one")
        result = problem
    database.execute("RELEASE one")
    return result


def _roll_back(database: sqlite3.Connection) -> None:
    # When even this fails, SQLite has rolled back by itself or the next BEGIN says what is wrong.
    with suppress(sqlite3.Error):
        if database.in_transaction:
            database.execute("ROLLBACK")


def _settle(outcome: asyncio.Future[Any], result: Any) -> None:
    if outcome.done():
        return
    if isinstance(result, Exception):
        outcome.set_exception(result)
    else:
        outcome.set_result(result)
