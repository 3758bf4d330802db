"""Counters beside the catalog in MongoDB: objects per owner, and per stretch of sequences, by which a page far behind
is found without reading what lies before it.

They follow the objects in a write of their own. When that fails, what it was about is counted anew before anything else
is written. A node that dies in between leaves them wrong by what it had under way; the next one to open the store
counts everything anew. An owner's counter is there before its first object, so that none is hidden meanwhile.

While several nodes serve one database, what another has under way in the moment of counting may be missed or counted
twice, until the next count.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from hub.errors import StoreUnavailable
from hub.ocpi.party_id import PartyId, party
from hub.store.mongo.driver import Document, Mongo, Update, Write
from hub.store.records import OwnerCount

# Sequences per counter: a page by offset walks past fewer than this.
STRETCH = 512
_TRUST = {"_id": "counters"}
# Objects of one owner are counted so many at a time, well within the bound of a call.
_COUNTED_AT_ONCE = 50_000
# Owners that are known to have a counter.
_OWNERS_REMEMBERED = 10_000

log = structlog.get_logger("hub.store")


@dataclass(frozen=True, slots=True)
class Moved:
    """An object that came (`step` 1) or went (-1)."""

    module: str
    owner: PartyId
    sequence: int
    step: int


class Counters:
    """The owners of each module and how much they hold. Part of the catalog."""

    def __init__(self, mongo: Mongo) -> None:
        self._catalog = mongo.collection("catalog")
        self._owners = mongo.collection("catalog_owners")
        self._blocks = mongo.collection("catalog_blocks")
        self._meta = mongo.collection("meta")
        # Whether every change since `open` was counted; one whose fate is unknown may still come about.
        self._exact = False
        self._doubted: list[Moved] = []
        self._with_counter: set[tuple[str, PartyId]] = set()

    async def open(self) -> None:
        """Counts anew, unless the store was closed in order."""
        counted = True
        kept = await self._meta.get(_TRUST)
        if kept is None or not kept["exact"]:
            try:
                await self._recount()
            except StoreUnavailable as problem:
                # Serving goes before counting: with very many objects this may take longer than a call is given.
                log.warning("the catalog's counters may be wrong and could not be counted anew", problem=str(problem))
                counted = False
        await self._meta.update(_TRUST, {"$set": {"exact": False}}, upsert=True)
        self._exact = counted
        self._doubted = []
        self._with_counter.clear()

    async def close(self) -> None:
        """Says that the counters can be trusted, if they can."""
        if self._exact:
            self._exact = False
            with suppress(StoreUnavailable):
                await self._meta.update(_TRUST, {"$set": {"exact": True}}, upsert=True)

    @contextmanager
    def at_stake(self, moved: Sequence[Moved]) -> Iterator[None]:
        """Around a change of objects and the counting of it: if that breaks, nobody knows how far it came."""
        try:
            yield
        except BaseException:
            self._exact = False
            self._doubted += moved
            raise

    async def mend(self) -> None:
        """Counts anew what is in doubt, before anything else may change. Raises StoreUnavailable."""
        if not self._doubted:
            return
        owners = {(one.module, one.owner): 0 for one in self._doubted}
        blocks = {(one.module, one.sequence // STRETCH): 0 for one in self._doubted}
        for owned in owners:
            owners[owned] = await self._held(*owned)
        for module, block in blocks:
            within = {"$gte": block * STRETCH, "$lt": (block + 1) * STRETCH}
            blocks[module, block] = await self._catalog.count({"module": module, "sequence": within})
        await self._owners.write([_owner_is(*key, count) for key, count in owners.items()])
        await self._blocks.write([_block_is(*key, count) for key, count in blocks.items()])
        log.warning("counters of the catalog were counted anew after a failure", owners=len(owners))
        self._doubted = []

    async def expect(self, owners: set[tuple[str, PartyId]]) -> None:
        """Makes sure that these (module, owner) have a counter, before their objects are written."""
        new = owners - self._with_counter
        if new:
            await self._owners.write([_owner_by(*key, 0) for key in new])
            if len(self._with_counter) >= _OWNERS_REMEMBERED:
                self._with_counter.clear()
            self._with_counter |= new

    async def count(self, moved: Sequence[Moved]) -> None:
        owners: Counter[tuple[str, PartyId]] = Counter()
        blocks: Counter[tuple[str, int]] = Counter()
        for one in moved:
            owners[one.module, one.owner] += one.step
            blocks[one.module, one.sequence // STRETCH] += one.step
        await self._owners.write([_owner_by(*key, by) for key, by in owners.items() if by])
        await self._blocks.write([_block_by(*key, by) for key, by in blocks.items() if by])

    async def owners(self, module: str) -> list[OwnerCount]:
        found = sorted(await self._owners.find({"module": module}), key=lambda one: str(one["owner"]))
        return [
            OwnerCount(party(one["country_code"], one["party_id"]), max(0, one["count"]), one["shown"]) for one in found
        ]

    async def hide(self, module: str, owner: PartyId) -> None:
        new = {**_names(module, owner), "count": 0, "shown": False}
        await self._owners.write([Update(_owner_key(module, owner), {"$setOnInsert": new}, upsert=True)])

    async def show(self, module: str, owner: PartyId) -> None:
        await self._owners.update(_owner_key(module, owner), {"$set": {"shown": True}})

    async def forget(self, module: str, owner: PartyId) -> None:
        self._with_counter.discard((module, owner))
        await self._owners.delete(_owner_key(module, owner))

    async def place_of(self, module: str, offset: int) -> tuple[int, int]:
        """Where the object at an offset of a module is: behind which sequence, and how many to pass over there."""
        found = await self._blocks.find({"module": module}, "block", "count")
        for one in sorted(found, key=lambda one: int(one["block"])):
            if one["count"] > offset:
                return one["block"] * STRETCH - 1, offset
            offset -= max(0, one["count"])
        latest = max((int(one["block"]) for one in found), default=-1)
        return (latest + 1) * STRETCH - 1, offset

    async def _held(self, module: str, owner: PartyId) -> int:
        """How many objects an owner has, by counting."""
        query, count, after = {"module": module, "owner": owner.key}, 0, -1
        while True:
            rest = {**query, "sequence": {"$gt": after}}
            last = await self._catalog.page(rest, "sequence", by="sequence", skip=_COUNTED_AT_ONCE - 1, limit=1)
            if not last:
                return count + await self._catalog.count(rest)
            count, after = count + _COUNTED_AT_ONCE, last[0]["sequence"]

    async def _recount(self) -> None:
        block = {"$floor": {"$divide": ["$sequence", STRETCH]}}
        held = await self._catalog.groups({"module": "$module", "owner": "$owner"}, index="by_owner")
        stretches = await self._catalog.groups({"module": "$module", "block": block}, index="by_module")
        counts = {(one["module"], one["owner"]): count for one, count in held}
        writes: list[Write] = []
        for known in await self._owners.find({}, "module", "owner"):
            count = counts.pop((known["module"], known["owner"]), 0)
            writes.append(Update({"_id": known["_id"]}, {"$set": {"count": count}}))
        for (module, key), count in counts.items():
            # Its first object was stored and the node died before the owner was.
            first = await self._catalog.get({"module": module, "owner": key})
            if first is not None:
                writes.append(_owner_by(module, party(first["country_code"], first["party_id"]), count))
        await self._owners.write(writes)
        await self._blocks.delete({})
        await self._blocks.write([_block_by(one["module"], int(one["block"]), count) for one, count in stretches])


def _owner_key(module: str, owner: PartyId) -> Document:
    return {"_id": f"{module}/{owner.key}"}


def _names(module: str, owner: PartyId) -> Document:
    return {
        "module": module,
        "owner": owner.key,
        "country_code": owner.country_code,
        "party_id": owner.party_id,
    }


def _owner_by(module: str, owner: PartyId, by: int) -> Update:
    change = {"$inc": {"count": by}}
    if by < 0:  # an owner that was forgotten meanwhile stays forgotten
        return Update(_owner_key(module, owner), change)
    return Update(
        _owner_key(module, owner), {**change, "$setOnInsert": {**_names(module, owner), "shown": True}}, upsert=True
    )


def _owner_is(module: str, owner: PartyId, count: int) -> Update:
    """An owner that was forgotten stays forgotten while it has nothing."""
    new = {**_names(module, owner), "shown": True}
    return Update(_owner_key(module, owner), {"$set": {"count": count}, "$setOnInsert": new}, upsert=count > 0)


def _block_is(module: str, block: int, count: int) -> Update:
    change = {"$set": {"count": count}, "$setOnInsert": {"module": module, "block": block}}
    return Update({"_id": f"{module}/{block}"}, change, upsert=True)


def _block_by(module: str, block: int, by: int) -> Update:
    change = {"$inc": {"count": by}, "$setOnInsert": {"module": module, "block": block}}
    return Update({"_id": f"{module}/{block}"}, change, upsert=True)
