"""The SQLite store as one piece: all ports over one file."""

import sqlite3
import time
from pathlib import Path

from hub.store.ports import (
    AgreementStore,
    BroadcastStore,
    CallbackStore,
    CatalogStore,
    CdrLocationStore,
    DutyStore,
    KeyStore,
    KnownStore,
    PlatformStore,
    PluginRecordStore,
    PullStore,
    ShelfStore,
)
from hub.store.sqlite.agreements import SqliteAgreements
from hub.store.sqlite.broadcasts import SqliteBroadcasts
from hub.store.sqlite.catalog import SqliteCatalog
from hub.store.sqlite.database import Database
from hub.store.sqlite.duties import SqliteDuties
from hub.store.sqlite.known import SqliteKnown
from hub.store.sqlite.platforms import SqlitePlatforms
from hub.store.sqlite.plugin_records import SqlitePluginRecords
from hub.store.sqlite.pulls import SqlitePulls
from hub.store.sqlite.records import SqliteCallbacks, SqliteCdrLocations, SqliteKeys
from hub.store.sqlite.shelf import SqliteShelf
from hub.store.sqlite.writer import Writer


class SqliteStore:
    """The Store port over the file at `path`, which is created with its folder when it is not there."""

    def __init__(self, path: Path, writer: Writer | None = None) -> None:
        self.database = Database(path, writer)
        self.platforms: PlatformStore = SqlitePlatforms(self.database)
        self.callbacks: CallbackStore = SqliteCallbacks(self.database)
        self.cdr_locations: CdrLocationStore = SqliteCdrLocations(self.database)
        self.keys: KeyStore = SqliteKeys(self.database)
        self.agreements: AgreementStore = SqliteAgreements(self.database)
        broadcasts = SqliteBroadcasts(self.database)
        self.broadcasts: BroadcastStore = broadcasts
        self.catalog: CatalogStore = SqliteCatalog(self.database, broadcasts)
        self.known: KnownStore = SqliteKnown(self.database)
        self.pulls: PullStore = SqlitePulls(self.database)
        self.shelf: ShelfStore = SqliteShelf(self.database)
        self.plugin_records: PluginRecordStore = SqlitePluginRecords(self.database)
        self.duties: DutyStore = SqliteDuties(self.database)

    async def open(self) -> None:
        await self.database.open()

    async def close(self) -> None:
        await self.database.close()

    async def ping(self) -> None:
        # A real write: a disk that is full or has become read-only still reads well.
        def change(database: sqlite3.Connection) -> None:
            database.execute("UPDATE meta SET value = ? WHERE name = 'ping'", (int(time.time()),))

        await self.database.write(change)
