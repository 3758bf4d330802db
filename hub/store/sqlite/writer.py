"""The single writer: what arrives while a transaction runs shares the next one, and with it one flush to disk. What a
change does to the tables is its caller's part.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from hub.errors import StoreUnavailable
from hub.store.group import Group

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], T]
# Changes may be judgements of objects of megabytes: a transaction takes no further ones after so long, so that nobody
# waits for the work of all the others, and no lock is held long.
_MOST_WORK_S = 0.2
_CLOSE_S = 5.0
# What sqlite3 raises for a wrong change; everything else it raises speaks of the disk or the file.
_FAULT_OF_CHANGE = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


class Writer:
    """Group commit into SQLite. Rules, besides those of the group:

    - a change runs alone under a savepoint; one that raises is undone alone and its exception goes to its caller;
    - when the disk or the file fails, everybody in that transaction gets StoreUnavailable and nothing of it stands;
    - a transaction ends after so many changes or so much time; the next one goes on behind its last change;
    - the connection lives in one thread and is touched nowhere else.
    """

    def __init__(
        self,
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 1_000,
        queue_timeout_s: float = 2.0,
        commit_timeout_s: float = 10.0,
        stuck_timeout_s: float = 30.0,
        last_commits_s: float = 5.0,
    ) -> None:
        self.commits = 0
        self._group: Group[Change[Any]] = Group(
            "SQLite",
            queue_limit=queue_limit,
            batch_limit=batch_limit,
            queue_timeout_s=queue_timeout_s,
            commit_timeout_s=commit_timeout_s,
            stuck_timeout_s=stuck_timeout_s,
            last_commits_s=last_commits_s,
        )
        self._thread: ThreadPoolExecutor | None = None
        self._database: sqlite3.Connection | None = None

    async def open(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """`connect` is called in the writer's thread; its connection must leave transactions to the caller."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        try:
            database = await self._in_thread(connect)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._database = database
        self._group.open(lambda changes: self._in_thread(partial(self._commit, database, changes)))

    async def write(self, change: Change[T]) -> T:
        """What `change` returned, once it is on disk. Raises what it raised, or StoreUnavailable."""
        result: T = await self._group.write(change)
        return result

    async def close(self) -> bool:
        """Writes what is queued, then closes the connection; whether that is done. Safe to call twice.

        False when a disk that does not answer holds the last transaction up; then the file is still in use.
        """
        if not await self._group.close():
            return False
        database, thread = self._database, self._thread
        if database is None or thread is None:
            return True
        closing = asyncio.ensure_future(self._in_thread(database.close))
        if not (await asyncio.wait({closing}, timeout=_CLOSE_S))[0]:
            return False
        self._database = None
        thread.shutdown(wait=False)
        await closing
        return True

    def _commit(self, database: sqlite3.Connection, changes: Sequence[Change[Any]]) -> list[Any]:
        """One transaction; per change its result, or the exception it ended with. Of the first changes alone, when they
        take long.
        """
        results: list[Any] = []
        try:
            database.execute("BEGIN IMMEDIATE")
            enough = time.monotonic() + _MOST_WORK_S
            for change in changes:
                results.append(_under_savepoint(database, change))
                if time.monotonic() >= enough:
                    break
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
