"""Platforms in MongoDB: one document each, so that a handshake changes all or nothing."""

import secrets
from typing import Any

from hub.domain.platform import Platform
from hub.errors import StoreConflict
from hub.store.decoded import Decoded, platforms_from
from hub.store.documents import claims_of, text_of
from hub.store.mongo.driver import Document, Mongo

# One chance in a million million that a change goes unseen by one poll; room for millions of platforms in a sum.
_STAMP_BITS = 40


class MongoPlatforms:
    """The PlatformStore port.

    Every write puts a fresh random `stamp` into its document; the generation is the sum of them all. So a change and
    its announcement are one atomic write: no counter beside the documents can fall behind when a node dies in between.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._platforms = mongo.collection("platforms")
        self._decoded = Decoded(Platform)

    async def generation(self) -> int:
        return await self._platforms.total("stamp", index="stamp")

    async def load_all(self) -> list[Platform]:
        found = await self._platforms.find({}, "doc")
        return await platforms_from([(document["_id"], document["doc"]) for document in found], self._decoded)

    async def get(self, platform_id: str) -> Platform | None:
        document = await self._platforms.get({"_id": platform_id})
        return None if document is None else self._decoded.record(platform_id, document["doc"])

    async def insert(self, platform: Platform) -> None:
        document = _document(platform)
        await self._platforms.insert(document)
        self._decoded.wrote(platform.id, document["doc"], platform)

    async def replace(self, platform: Platform) -> None:
        query, document = {"_id": platform.id, "revision": platform.revision - 1}, _document(platform)
        if not await self._platforms.replace(query, document):
            raise StoreConflict("revision")
        self._decoded.wrote(platform.id, document["doc"], platform)

    async def replace_both(self, giver: Platform, taker: Platform) -> None:
        documents = [(platform, _document(platform)) for platform in (giver, taker)]

        async def work(session: Any) -> None:
            platforms = self._mongo.raw("platforms")
            for platform, document in documents:
                query = {"_id": platform.id, "revision": platform.revision - 1}
                result = await platforms.replace_one(query, document, session=session)
                if not result.matched_count:
                    raise StoreConflict("revision")

        await self._mongo.together(work)
        for platform, document in documents:
            self._decoded.wrote(platform.id, document["doc"], platform)

    async def remove(self, platform_id: str) -> bool:
        return await self._platforms.delete({"_id": platform_id}) > 0


def _document(platform: Platform) -> Document:
    return {
        "_id": platform.id,
        "revision": platform.revision,
        "stamp": 1 + secrets.randbits(_STAMP_BITS),
        # The id is there because an empty array is a value too: two platforms that claim nothing would collide.
        "claims": [platform.id, *claims_of(platform)],
        "doc": text_of(platform),
    }
