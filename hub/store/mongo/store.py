"""The MongoDB store as one piece: all ports over one database."""

import asyncio
import time

from hub.store.mongo.agreements import MongoAgreements
from hub.store.mongo.broadcasts import MongoBroadcasts
from hub.store.mongo.catalog import MongoCatalog
from hub.store.mongo.driver import Mongo
from hub.store.mongo.duties import MongoDuties
from hub.store.mongo.known import MongoKnown
from hub.store.mongo.platforms import MongoPlatforms
from hub.store.mongo.plugin_records import MongoPluginRecords
from hub.store.mongo.pulls import MongoPulls
from hub.store.mongo.records import MongoCallbacks, MongoCdrLocations, MongoKeys
from hub.store.mongo.schema import migrate
from hub.store.mongo.shelf import MongoShelf
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


class MongoStore:
    """The Store port over the database a MongoDB URL names; `driver` is motor or pymongo."""

    def __init__(
        self, url: str, driver: str = "motor", *, timeout_s: float = 5.0, in_flight_limit: int = 1_000
    ) -> None:
        """`timeout_s` bounds every single operation. Raises SettingsError for a URL or driver that cannot be used."""
        self._mongo = Mongo(url, driver, timeout_s=timeout_s, in_flight_limit=in_flight_limit)
        self._opening = asyncio.Lock()
        self._meta = self._mongo.collection("meta")
        self.platforms: PlatformStore = MongoPlatforms(self._mongo)
        self.callbacks: CallbackStore = MongoCallbacks(self._mongo)
        self.cdr_locations: CdrLocationStore = MongoCdrLocations(self._mongo)
        self.keys: KeyStore = MongoKeys(self._mongo)
        self.agreements: AgreementStore = MongoAgreements(self._mongo)
        self._broadcasts = MongoBroadcasts(self._mongo, timeout_s=timeout_s)
        self._catalog = MongoCatalog(self._mongo, self._broadcasts, timeout_s=timeout_s)
        self.broadcasts: BroadcastStore = self._broadcasts
        self.catalog: CatalogStore = self._catalog
        self.known: KnownStore = MongoKnown(self._mongo)
        self.pulls: PullStore = MongoPulls(self._mongo)
        self.shelf: ShelfStore = MongoShelf(self._mongo)
        self.plugin_records: PluginRecordStore = MongoPluginRecords(self._mongo)
        self.duties: DutyStore = MongoDuties(self._mongo)

    async def open(self) -> None:
        async with self._opening:
            if self._mongo.connected:
                return
            await self._mongo.connect()
            try:
                await migrate(self._mongo)
                await self._broadcasts.open()
                await self._catalog.open()
            except BaseException:
                await self._broadcasts.close()
                await self._mongo.close()
                raise

    async def close(self) -> None:
        async with self._opening:
            await self._catalog.close()
            await self._broadcasts.close()
            await self._mongo.close()

    async def ping(self) -> None:
        # A real majority write: a member that cannot reach the others still answers reads.
        await self._meta.update({"_id": "ping"}, {"$set": {"at": int(time.time())}}, upsert=True)
