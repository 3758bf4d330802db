"""Callbacks, CDR locations and the hub's own keys in MongoDB."""

from dataclasses import replace
from datetime import datetime

from hub.errors import StoreConflict
from hub.store.documents import epoch_s, moment_of, record_from, text_of
from hub.store.mongo.driver import Mongo
from hub.store.records import Callback, CdrLocation


class MongoCallbacks:
    """The CallbackStore port. The expiry stands beside the document, in seconds: a BSON date ends at milliseconds."""

    def __init__(self, mongo: Mongo) -> None:
        self._callbacks = mongo.collection("callbacks")

    async def save(self, callback: Callback) -> None:
        document = {
            "_id": callback.id,
            "issuer_platform": callback.issuer.platform_id,
            "receiver_platform": callback.receiver.platform_id,
            "expires_at": epoch_s(callback.expires_at),
            "doc": text_of(callback),
        }
        await self._callbacks.replace({"_id": callback.id}, document, upsert=True)

    async def get(self, callback_id: str) -> Callback | None:
        document = await self._callbacks.get({"_id": callback_id})
        if document is None:
            return None
        callback = record_from(Callback, document["doc"], callback_id)
        return replace(callback, expires_at=moment_of(document["expires_at"]))

    async def extend(self, callback_id: str, expires_at: datetime) -> None:
        await self._callbacks.update({"_id": callback_id}, {"$set": {"expires_at": epoch_s(expires_at)}})

    async def remove_of(self, platform_id: str) -> int:
        either = [{"issuer_platform": platform_id}, {"receiver_platform": platform_id}]
        return await self._callbacks.delete({"$or": either})

    async def prune(self, before: datetime) -> int:
        return await self._callbacks.delete({"expires_at": {"$lt": epoch_s(before)}})


class MongoCdrLocations:
    """The CdrLocationStore port."""

    def __init__(self, mongo: Mongo) -> None:
        self._locations = mongo.collection("cdr_locations")

    async def save(self, location: CdrLocation) -> None:
        await self._locations.replace({"_id": location.id}, {"_id": location.id, "doc": text_of(location)}, upsert=True)

    async def get(self, location_id: str) -> CdrLocation | None:
        document = await self._locations.get({"_id": location_id})
        return None if document is None else record_from(CdrLocation, document["doc"], location_id)


class MongoKeys:
    """The KeyStore port."""

    def __init__(self, mongo: Mongo) -> None:
        self._keys = mongo.collection("own_keys")

    async def put_if_absent(self, name: str, sealed: str) -> str:
        try:
            await self._keys.insert({"_id": name, "sealed": sealed})
        except StoreConflict:
            stands = await self.get(name)
            if stands is None:
                raise
            return stands
        return sealed

    async def swap(self, name: str, old: str, new: str) -> bool:
        return await self._keys.update({"_id": name, "sealed": old}, {"$set": {"sealed": new}})

    async def get(self, name: str) -> str | None:
        document = await self._keys.get({"_id": name})
        return None if document is None else str(document["sealed"])

    async def names(self) -> list[str]:
        return sorted(str(document["_id"]) for document in await self._keys.find({}, "_id"))
