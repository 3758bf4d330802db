"""Platforms in SQLite: one document per row, and every key only one platform may have in a table of its own."""

import sqlite3

from hub.domain.platform import Platform
from hub.errors import StoreConflict
from hub.store.decoded import Decoded, platforms_from
from hub.store.documents import claims_of, text_of
from hub.store.sqlite.database import Database


class SqlitePlatforms:
    """The PlatformStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._decoded = Decoded(Platform)

    async def generation(self) -> int:
        ((generation,),) = await self._database.read("SELECT value FROM meta WHERE name = 'generation'")
        return int(generation)

    async def load_all(self) -> list[Platform]:
        rows = await self._database.read("SELECT id, doc FROM platforms")
        return await platforms_from(rows, self._decoded)

    async def get(self, platform_id: str) -> Platform | None:
        rows = await self._database.read("SELECT doc FROM platforms WHERE id = ?", platform_id)
        return self._decoded.record(platform_id, rows[0][0]) if rows else None

    async def insert(self, platform: Platform) -> None:
        text = text_of(platform)

        def change(database: sqlite3.Connection) -> None:
            added = database.execute(
                "INSERT INTO platforms (id, revision, doc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (platform.id, platform.revision, text),
            )
            if not added.rowcount:
                raise StoreConflict(platform.id)
            _claim(database, platform)
            _moved(database)

        await self._database.write(change)
        self._decoded.wrote(platform.id, text, platform)

    async def replace(self, platform: Platform) -> None:
        await self._replace(platform)

    async def replace_both(self, giver: Platform, taker: Platform) -> None:
        await self._replace(giver, taker)

    async def _replace(self, *platforms: Platform) -> None:
        texts = [(platform, text_of(platform)) for platform in platforms]

        def change(database: sqlite3.Connection) -> None:
            for platform, text in texts:
                updated = database.execute(
                    "UPDATE platforms SET revision = ?, doc = ? WHERE id = ? AND revision = ?",
                    (platform.revision, text, platform.id, platform.revision - 1),
                )
                if not updated.rowcount:
                    raise StoreConflict("revision")
                database.execute("DELETE FROM claims WHERE platform_id = ?", (platform.id,))
            for platform in platforms:
                _claim(database, platform)
            _moved(database)

        await self._database.write(change)
        for platform, text in texts:
            self._decoded.wrote(platform.id, text, platform)

    async def remove(self, platform_id: str) -> bool:
        def change(database: sqlite3.Connection) -> bool:
            removed = database.execute("DELETE FROM platforms WHERE id = ?", (platform_id,)).rowcount > 0
            if removed:
                _moved(database)
            return removed

        return await self._database.write(change)


def _claim(database: sqlite3.Connection, platform: Platform) -> None:
    for key in claims_of(platform):
        claimed = database.execute("INSERT INTO claims VALUES (?, ?) ON CONFLICT DO NOTHING", (key, platform.id))
        if not claimed.rowcount:
            raise StoreConflict(key)


def _moved(database: sqlite3.Connection) -> None:
    database.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
