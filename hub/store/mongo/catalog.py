"""The catalog in MongoDB: one document per object. Reading it is here, writing it in `rounds`."""

from collections.abc import Callable, Collection
from datetime import datetime

from hub.domain.catalog import ObjectKey, Verdict
from hub.ocpi.party_id import PartyId, party
from hub.store.documents import epoch_us, moment_of_us
from hub.store.mongo.broadcasts import MongoBroadcasts
from hub.store.mongo.counters import STRETCH, Counters, Moved
from hub.store.mongo.driver import Document, Mongo
from hub.store.mongo.rounds import Application, Rounds
from hub.store.ports import Wanted
from hub.store.records import Broadcast, CatalogEntry, OwnerCount
from hub.store.walks import FEW_DATED, Along, Walk, is_dated, walk

# As many as a slow server removes well within the bound of a call.
_PER_REMOVAL = 200
_MOST_FOUND = 100
# The next page mostly lies within so many sequences per entry. Only what is not there is looked for without an end, so
# that no page costs more than it shows, however a server gathers before it sorts.
_NEAR = 4


class MongoCatalog:
    """The CatalogStore port."""

    def __init__(self, mongo: Mongo, broadcasts: MongoBroadcasts, *, timeout_s: float) -> None:
        self._catalog = mongo.collection("catalog")
        self._counters = Counters(mongo)
        self._rounds = Rounds(mongo, self._counters, broadcasts, timeout_s=timeout_s)

    async def open(self) -> None:
        await self._counters.open()
        self._rounds.open()

    async def close(self) -> None:
        await self._rounds.close()
        await self._counters.close()

    async def apply(
        self,
        key: ObjectKey,
        judge: Callable[[bytes | None], Verdict],
        *,
        seen_at: datetime,
        broadcast: Broadcast | None = None,
        body: bytes | None = None,
    ) -> tuple[Verdict, int | None]:
        return await self._rounds.apply(Application(key, judge, seen_at, broadcast, body))

    async def get(self, key: ObjectKey) -> bytes | None:
        document = await self._catalog.get({"_id": key.text})
        return None if document is None else document["raw"]

    async def find(self, module: str, object_id: str) -> list[CatalogEntry]:
        query = {"module": module, "folded_id": object_id.casefold()}
        return list(map(_entry, await self._catalog.page(query, by="sequence", limit=_MOST_FOUND)))

    async def owners(self, module: str) -> list[OwnerCount]:
        return await self._counters.owners(module)

    async def page(self, wanted: Wanted) -> list[CatalogEntry]:
        if not wanted.owners or wanted.limit < 1:
            return []
        way = await self._walk(wanted)
        found = await self._shown(wanted, way)
        if not way.filtered and any(document["owner"] not in wanted.owners for document in found):
            # Somebody's first object came after the owners were asked for.
            found = await self._shown(wanted, Walk(way.along, filtered=True))
        return list(map(_entry, found))

    async def count(self, wanted: Wanted) -> int:
        owners = await self.owners(wanted.module)
        if not is_dated(wanted):
            return sum(one.count for one in owners if one.owner.key in wanted.owners)
        return await self._catalog.count(_query(wanted, walk(wanted, owners)))

    async def hide(self, module: str, owner: PartyId) -> None:
        await self._counters.hide(module, owner)

    async def show(self, module: str, owner: PartyId) -> None:
        await self._counters.show(module, owner)

    async def absent(self, module: str, owner: PartyId, before: datetime, limit: int) -> list[CatalogEntry]:
        if limit < 1:
            return []
        query = {"module": module, "owner": owner.key, "seen_at": {"$lt": epoch_us(before)}}
        return list(map(_entry, await self._catalog.page(query, by="sequence", limit=limit)))

    async def remove_owner(self, owner: PartyId, modules: Collection[str]) -> int:
        removed = 0
        for module in sorted(modules):
            # Between rounds, so that none of them counts an object that is gone.
            while count := await self._forget_some(module, owner):
                removed += count
        return removed

    async def _forget_some(self, module: str, owner: PartyId) -> int:
        """Removes objects of an owner, up to the bound, or the owner when nothing is left; how many objects."""
        query = {"module": module, "owner": owner.key}
        async with self._rounds.alone:
            await self._counters.mend()
            some = await self._catalog.page(query, "_id", "sequence", by="sequence", limit=_PER_REMOVAL)
            if not some:
                await self._counters.forget(module, owner)
                return 0
            went = [Moved(module, owner, one["sequence"], -1) for one in some]
            with self._counters.at_stake(went):
                await self._catalog.delete({"_id": {"$in": [one["_id"] for one in some]}})
                await self._counters.count(went)
            return len(some)

    async def _walk(self, wanted: Wanted) -> Walk:
        dated = None
        if is_dated(wanted):
            every = Walk(Along.DATES, filtered=False)
            dated = await self._catalog.count(_query(wanted, every), limit=FEW_DATED + 1)
        return walk(wanted, await self.owners(wanted.module), dated)

    async def _shown(self, wanted: Wanted, way: Walk) -> list[Document]:
        if way.along is not Along.MODULE:
            skip, sequence = (wanted.offset, None) if wanted.after is None else (0, {"$gt": wanted.after})
            return await self._catalog.page(_query(wanted, way, sequence), by="sequence", skip=skip, limit=wanted.limit)
        after, skip = await self._start(wanted, way)
        reach = after + skip + _NEAR * wanted.limit
        near = _query(wanted, way, {"$gt": after, "$lte": reach})
        found = await self._catalog.page(near, by="sequence", skip=skip, limit=wanted.limit)
        if len(found) == wanted.limit:
            return found
        if skip:  # how many of those were passed over is not said
            found, reach = [], after
        rest = _query(wanted, way, {"$gt": reach})
        return found + await self._catalog.page(rest, by="sequence", skip=skip, limit=wanted.limit - len(found))

    async def _start(self, wanted: Wanted, way: Walk) -> tuple[int, int]:
        """Behind which sequence a page along the module begins, and how many entries to pass over there."""
        if wanted.after is not None:
            return wanted.after, 0
        if wanted.offset < STRETCH:
            return 0, wanted.offset
        if not way.filtered and not is_dated(wanted):
            return await self._counters.place_of(wanted.module, wanted.offset)
        # The index alone is walked; the documents passed over are not fetched.
        query = _query(wanted, way)
        first = await self._catalog.page(query, "sequence", by="sequence", skip=wanted.offset, limit=1)
        return (first[0]["sequence"] - 1, 0) if first else (2**62, 0)


def _query(wanted: Wanted, way: Walk, sequence: Document | None = None) -> Document:
    """What a page shows, of these sequences if they are given. What is not asked for is left out, so that nothing is in
    the way of an index.
    """
    query: Document = {} if sequence is None else {"sequence": sequence}
    query["module"] = wanted.module
    if way.filtered:
        owners = sorted(wanted.owners)
        query["owner"] = owners[0] if len(owners) == 1 else {"$in": owners}
    dates = {"$gte": wanted.date_from, "$lt": wanted.date_to}
    if is_dated(wanted):
        query["last_updated"] = {name: epoch_us(at) for name, at in dates.items() if at is not None}
    return query


def _entry(document: Document) -> CatalogEntry:
    return CatalogEntry(
        sequence=document["sequence"],
        module=document["module"],
        owner=party(document["country_code"], document["party_id"]),
        object_id=document["object_id"],
        kind=document["kind"],
        last_updated=moment_of_us(document["last_updated"]),
        seen_at=moment_of_us(document["seen_at"]),
        raw=document["raw"],
    )
