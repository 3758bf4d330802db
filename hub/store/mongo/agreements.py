"""Agreements in MongoDB: one document each."""

import secrets

from hub.domain.agreements import Agreement
from hub.store.documents import record_from, text_of
from hub.store.mongo.driver import Mongo

# As for platforms: the generation is the sum of random stamps, so that a change and its announcement are one write.
_STAMP_BITS = 40


class MongoAgreements:
    """The AgreementStore port."""

    def __init__(self, mongo: Mongo) -> None:
        self._agreements = mongo.collection("agreements")

    async def generation(self) -> int:
        return await self._agreements.total("stamp", index="stamp")

    async def load_all(self) -> list[Agreement]:
        found = await self._agreements.find({}, "doc")
        agreements = [record_from(Agreement, document["doc"], document["_id"]) for document in found]
        return sorted(agreements, key=lambda agreement: agreement.id)

    async def put(self, agreement: Agreement) -> bool:
        document = {"_id": agreement.id, "stamp": 1 + secrets.randbits(_STAMP_BITS), "doc": text_of(agreement)}
        return not await self._agreements.replace({"_id": agreement.id}, document, upsert=True)

    async def remove(self, agreement_id: str) -> bool:
        return await self._agreements.delete({"_id": agreement_id}) > 0
