"""Callbacks, CDR locations and the hub's own keys in SQLite."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from hub.store.documents import epoch_s, moment_of, record_from, text_of
from hub.store.records import Callback, CdrLocation
from hub.store.sqlite.database import Database

# Removing very many rows is cut into transactions of this size, so that other writes are not held up behind it.
_ROWS_PER_REMOVAL = 2_000


class SqliteCallbacks:
    """The CallbackStore port. The expiry in the column is the valid one, that in the document the first one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, callback: Callback) -> None:
        row = (
            callback.id,
            callback.issuer.platform_id,
            callback.receiver.platform_id,
            epoch_s(callback.expires_at),
            text_of(callback),
        )
        await self._database.write(_execute("INSERT OR REPLACE INTO callbacks VALUES (?, ?, ?, ?, ?)", *row))

    async def get(self, callback_id: str) -> Callback | None:
        rows = await self._database.read("SELECT expires_at, doc FROM callbacks WHERE id = ?", callback_id)
        if not rows:
            return None
        expires_at, text = rows[0]
        return replace(record_from(Callback, text, callback_id), expires_at=moment_of(expires_at))

    async def extend(self, callback_id: str, expires_at: datetime) -> None:
        sql = "UPDATE callbacks SET expires_at = ? WHERE id = ?"
        await self._database.write(_execute(sql, epoch_s(expires_at), callback_id))

    async def remove_of(self, platform_id: str) -> int:
        return await self._remove("issuer_platform = ?1 OR receiver_platform = ?1", platform_id)

    async def prune(self, before: datetime) -> int:
        return await self._remove("expires_at < ?1", epoch_s(before))

    async def _remove(self, condition: str, parameter: str | float) -> int:
        # The condition is one of the two texts above, never input.
        some = f"SELECT id FROM callbacks WHERE {condition} LIMIT {_ROWS_PER_REMOVAL:d}"  # noqa: S608
        sql = f"DELETE FROM callbacks WHERE id IN ({some})"  # noqa: S608
        removed = 0
        while True:
            count = await self._database.write(_execute(sql, parameter))
            removed += count
            if count < _ROWS_PER_REMOVAL:
                return removed


class SqliteCdrLocations:
    """The CdrLocationStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, location: CdrLocation) -> None:
        sql = "INSERT OR REPLACE INTO cdr_locations VALUES (?, ?)"
        await self._database.write(_execute(sql, location.id, text_of(location)))

    async def get(self, location_id: str) -> CdrLocation | None:
        rows = await self._database.read("SELECT doc FROM cdr_locations WHERE id = ?", location_id)
        return record_from(CdrLocation, rows[0][0], location_id) if rows else None


class SqliteKeys:
    """The KeyStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_if_absent(self, name: str, sealed: str) -> str:
        def change(database: sqlite3.Connection) -> str:
            database.execute("INSERT INTO own_keys VALUES (?, ?) ON CONFLICT DO NOTHING", (name, sealed))
            (stands,) = database.execute("SELECT sealed FROM own_keys WHERE name = ?", (name,)).fetchone()
            return str(stands)

        return await self._database.write(change)

    async def swap(self, name: str, old: str, new: str) -> bool:
        sql = "UPDATE own_keys SET sealed = ? WHERE name = ? AND sealed = ?"
        return await self._database.write(_execute(sql, new, name, old)) > 0

    async def get(self, name: str) -> str | None:
        rows = await self._database.read("SELECT sealed FROM own_keys WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    async def names(self) -> list[str]:
        return [str(name) for (name,) in await self._database.read("SELECT name FROM own_keys ORDER BY name")]


def _execute(sql: str, *parameters: object) -> Callable[[sqlite3.Connection], int]:
    """A change of one statement; its result is the number of rows it touched."""

    def change(database: sqlite3.Connection) -> int:
        return database.execute(sql, parameters).rowcount

    return change
