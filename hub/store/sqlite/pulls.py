"""How pulls stand, in SQLite: one row per platform, owner and module."""

import sqlite3

from hub.store.documents import record_from, text_of
from hub.store.records import PullState
from hub.store.sqlite.database import Database


class SqlitePulls:
    """The PullStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_all(self) -> list[PullState]:
        rows = await self._database.read("SELECT doc, platform_id FROM pulls ORDER BY platform_id, owner, module")
        return [record_from(PullState, text, f"of platform {platform_id}") for text, platform_id in rows]

    async def save(self, state: PullState) -> None:
        row = (state.platform_id, state.owner.key, state.module, text_of(state))

        def change(database: sqlite3.Connection) -> None:
            database.execute("INSERT OR REPLACE INTO pulls VALUES (?, ?, ?, ?)", row)

        await self._database.write(change)

    async def remove_of(self, platform_id: str) -> int:
        def change(database: sqlite3.Connection) -> int:
            return database.execute("DELETE FROM pulls WHERE platform_id = ?", (platform_id,)).rowcount

        return await self._database.write(change)
