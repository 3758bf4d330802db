"""One SQLite file as the store uses it: the lock, the writer, and a connection of its own for reading."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from hub.errors import StoreUnavailable
from hub.store.sqlite.lock import FileLock
from hub.store.sqlite.schema import migrate
from hub.store.sqlite.writer import Change, Writer

T = TypeVar("T")
# How long a statement waits for a lock of somebody who looks into the file with another program.
_BUSY_TIMEOUT_S = 2.0
_READ_TIMEOUT_S = 5.0
_WAL_LIMIT_BYTES = 64 * 1024 * 1024


class Database:
    """Opened by one hub at a time. Readers never wait for the writer (write-ahead log)."""

    def __init__(self, path: Path, writer: Writer | None = None) -> None:
        self.path = path
        self.writer = writer or Writer()
        self._lock = FileLock(path)
        self._reader: aiosqlite.Connection | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Takes the lock, creates or migrates the file. Raises StoreUnavailable with the reason; safe to call again."""
        async with self._opening:
            if self._reader is not None:
                return
            try:
                await self.writer.open(self._connect_writer)
                self._reader = await self._connect_reader()
            except (sqlite3.Error, OSError) as problem:
                await self._release()
                raise StoreUnavailable(f"the database file {self.path} cannot be opened: {problem}") from None
            except BaseException:
                await self._release()
                raise

    async def close(self) -> None:
        """Writes what is queued and lets go of the file; safe to call twice."""
        async with self._opening:
            await self._release()

    async def write(self, change: Change[T]) -> T:
        """Runs the change in the next transaction; returns when it is on disk."""
        return await self.writer.write(change)

    async def read(self, sql: str, *parameters: object) -> list[Any]:
        """The rows of a query over everything committed so far."""
        if self._reader is None:
            raise StoreUnavailable("the SQLite store is not open")
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                return list(await self._reader.execute_fetchall(sql, parameters))
        except TimeoutError:
            raise StoreUnavailable(f"SQLite did not answer within {_READ_TIMEOUT_S:g} s") from None
        except sqlite3.Error as problem:
            raise StoreUnavailable(f"SQLite could not read: {problem}") from None

    def _connect_writer(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        # Created by us, not by SQLite, so that only the hub's own user may read it.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA foreign_keys = ON")
            database.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES:d}")
            migrate(database)
        except BaseException:
            database.close()
            raise
        return database

    async def _connect_reader(self) -> aiosqlite.Connection:
        reader = await aiosqlite.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        await reader.execute_fetchall("PRAGMA query_only = ON")
        return reader

    async def _release(self) -> None:
        written = await self.writer.close()
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        if written:  # else a transaction still hangs in the file, and no other hub may have it before this process ends
            self._lock.release()
