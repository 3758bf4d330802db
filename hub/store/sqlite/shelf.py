"""What plugins keep on their shelves, in SQLite: one row per value."""

import builtins
import sqlite3
from collections.abc import Sequence

from hub.errors import StoreConflict
from hub.store.records import Fence, Put, Shelved
from hub.store.sqlite.database import Database
from hub.store.sqlite.duties import stands

_ROWS_PER_REMOVAL = 500
# No text in UTF-8 has this byte, so that all that begin with a prefix stand below the prefix and it.
_ABOVE_ALL = b"\xff"


class SqliteShelf:
    """The ShelfStore port. Keys are kept as UTF-8, whose order is that of the texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, plugin: str, key: str) -> Shelved | None:
        sql = "SELECT value, revision FROM shelf WHERE plugin = ? AND key = ?"
        rows = await self._database.read(sql, plugin, key.encode())
        return Shelved(key, *rows[0]) if rows else None

    async def list(self, plugin: str, prefix: str, after: str, limit: int) -> builtins.list[Shelved]:
        sql = """SELECT key, value, revision FROM shelf
            WHERE plugin = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?"""
        low, high = prefix.encode(), prefix.encode() + _ABOVE_ALL
        rows = await self._database.read(sql, plugin, low, high, after.encode(), max(limit, 0))
        return [Shelved(key.decode(), value, revision) for key, value, revision in rows]

    async def save(self, plugin: str, puts: Sequence[Put], fence: Fence | None = None) -> None:
        def change(database: sqlite3.Connection) -> None:
            if fence is not None:
                stands(database, fence)
            for put in puts:
                if not _put(database, plugin, put):
                    raise StoreConflict(put.key)

        await self._database.write(change)

    async def remove_all(self, plugin: str) -> int:
        some = f"SELECT key FROM shelf WHERE plugin = ?1 LIMIT {_ROWS_PER_REMOVAL:d}"  # noqa: S608 - a number of ours
        sql = f"DELETE FROM shelf WHERE plugin = ?1 AND key IN ({some})"  # noqa: S608
        removed = 0
        while True:

            def change(database: sqlite3.Connection) -> int:
                return database.execute(sql, (plugin,)).rowcount

            count = await self._database.write(change)
            removed += count
            if count < _ROWS_PER_REMOVAL:
                return removed


def _put(database: sqlite3.Connection, plugin: str, put: Put) -> bool:
    """Whether its revision fits, and then what it says is done."""
    key = put.key.encode()
    row = database.execute("SELECT revision FROM shelf WHERE plugin = ? AND key = ?", (plugin, key)).fetchone()
    revision: int = row[0] if row else 0
    if put.revision not in {None, revision}:
        return False
    if put.value is None:
        database.execute("DELETE FROM shelf WHERE plugin = ? AND key = ?", (plugin, key))
    else:
        database.execute("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?)", (plugin, key, revision + 1, put.value))
    return True
