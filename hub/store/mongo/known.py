"""What open routing has learnt, in MongoDB: one document per kind, key and party."""

import time
from collections.abc import Sequence
from datetime import datetime

from hub.ocpi.party_id import PartyId, party
from hub.store.documents import epoch_us, text_of
from hub.store.mongo.driver import Mongo, Query, Update
from hub.store.records import Known

_MOST_FOUND = 20
_PER_WRITE = 1_000
# As many as a slow server removes well within the bound of a call.
_PER_REMOVAL = 200


class MongoKnown:
    """The KnownStore port. `under` is kind and key in one; `learnt` is the order: what is renewed keeps its place."""

    def __init__(self, mongo: Mongo) -> None:
        self._known = mongo.collection("known")
        self._learnt = 0

    async def learn(self, known: Sequence[Known], at: datetime) -> None:
        for start in range(0, len(known), _PER_WRITE):
            await self._learn(known[start : start + _PER_WRITE], epoch_us(at))

    async def find(self, kind: str, key: str) -> list[PartyId]:
        found = await self._known.page({"under": text_of([kind, key])}, by="learnt", limit=_MOST_FOUND)
        return [party(one["country_code"], one["party_id"]) for one in found]

    async def forget(self, party: PartyId) -> int:
        return await self._remove({"party": party.key})

    async def prune(self, before: datetime) -> int:
        return await self._remove({"seen_at": {"$lt": epoch_us(before)}})

    async def _remove(self, query: Query) -> int:
        removed = 0
        while count := await self._known.delete_some(query, _PER_REMOVAL):
            removed += count
        return removed

    async def _learn(self, known: Sequence[Known], moment: int) -> None:
        kept: dict[str, dict[str, Known]] = {}
        replacing: dict[str, str] = {}
        for one in known:
            under = text_of([one.kind, one.key])
            if one.only:
                kept[under] = {}
                replacing[under] = one.party.key
            kept.setdefault(under, {}).setdefault(one.party.key, one)
        if replacing:
            standing = await self._known.find({"under": {"$in": list(replacing)}}, "under", "party")
            gone = [one["_id"] for one in standing if one["party"] != replacing[one["under"]]]
            if gone:
                await self._known.delete({"_id": {"$in": gone}})
        await self._known.write(
            [self._renewal(under, one, moment) for under, ones in kept.items() for one in ones.values()]
        )

    def _renewal(self, under: str, one: Known, moment: int) -> Update:
        self._learnt = max(self._learnt + 1, time.time_ns() // 1_000)
        new = {
            "under": under,
            "party": one.party.key,
            "country_code": one.party.country_code,
            "party_id": one.party.party_id,
            "learnt": self._learnt,
        }
        change = {"$set": {"seen_at": moment}, "$setOnInsert": new}
        return Update({"_id": text_of([one.kind, one.key, one.party.key])}, change, upsert=True)
