"""Agreements in MongoDB: one document each."""

import secrets

from hub.domain.agreements import Agreement
from hub.store.decoded import Decoded, agreements_from
from hub.store.documents import text_of
from hub.store.mongo.driver import Mongo

# As for platforms: the generation is the sum of random stamps, so that a change and its announcement are one write.
_STAMP_BITS = 40


class MongoAgreements:
    """The AgreementStore port."""

    def __init__(self, mongo: Mongo) -> None:
        self._agreements = mongo.collection("agreements")
        self._decoded = Decoded(Agreement)

    async def generation(self) -> int:
        return await self._agreements.total("stamp", index="stamp")

    async def load_all(self) -> list[Agreement]:
        found = await self._agreements.find({}, "doc")
        texts = sorted((document["_id"], document["doc"]) for document in found)
        return await agreements_from(texts, self._decoded)

    async def put(self, agreement: Agreement) -> bool:
        text = text_of(agreement)
        document = {"_id": agreement.id, "stamp": 1 + secrets.randbits(_STAMP_BITS), "doc": text}
        added = not await self._agreements.replace({"_id": agreement.id}, document, upsert=True)
        self._decoded.wrote(agreement.id, text, agreement)
        return added

    async def remove(self, agreement_id: str) -> bool:
        return await self._agreements.delete({"_id": agreement_id}) > 0
