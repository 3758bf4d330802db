"""Broadcasts under way, in MongoDB: one document each with the body and the progress of its legs, and the list of legs
once for all that share it.
"""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import structlog

from hub.errors import StoreConflict
from hub.store import legs as leg_list
from hub.store.documents import record_from, text_of
from hub.store.group import Group
from hub.store.legs import Audience, Audiences
from hub.store.mongo.driver import Delete, Document, Insert, Mongo, Update, Write
from hub.store.records import Broadcast, LegClaim, PartyOn, UnfinishedBroadcast

# Rounds of reading and writing again when another node was faster.
_ATTEMPTS = 5
_STAMP_BITS = 62
# A list of legs that no broadcast uses is forgotten after a day. A node that uses one says so again every hour.
_UNUSED_S = 86_400
_SAY_AGAIN_S = 3_600

log = structlog.get_logger("hub.store")


@dataclass(frozen=True, slots=True)
class Steps:
    """What one caller asks: claims to begin, or legs that are done, by the order of their broadcast."""

    claims: dict[int, list[LegClaim]]
    done: dict[int, list[int]]


class MongoBroadcasts:
    """The BroadcastStore port.

    The progress is written over the stamp it was read with, so that of two nodes that claim a leg one has to read
    again. Callers of one node are gathered into rounds and never in each other's way.
    """

    def __init__(self, mongo: Mongo, *, timeout_s: float) -> None:
        self._broadcasts = mongo.collection("broadcasts")
        self._lists = mongo.collection("audiences")
        self._audiences = Audiences()
        self._kept: dict[bytes, float] = {}
        self._last_order = 0
        self._group: Group[Steps] = Group(
            "MongoDB", queue_limit=10_000, batch_limit=500, queue_timeout_s=2.0, commit_timeout_s=2 * timeout_s
        )

    async def open(self) -> None:
        """Finds the largest order and forgets lists of legs out of use."""
        latest = await self._broadcasts.page({}, "_id", by="_id", limit=1, descending=True)
        self._last_order = max(self._last_order, latest[0]["_id"] if latest else 0)
        self._kept.clear()
        for unused in await self._lists.find({"used_at": {"$lt": time.time() - _UNUSED_S}}, "used_at"):
            if await self._broadcasts.get({"audience": unused["_id"]}) is None:
                await self._lists.delete({"_id": unused["_id"]})
        self._group.open(self._commit)

    async def close(self) -> None:
        await self._group.close()

    def next_order(self, floor: int) -> int:
        """An order above all of this node and above `floor`. By the clock, so that it grows over restarts too."""
        self._last_order = max(self._last_order + 1, floor + 1, time.time_ns() // 1_000)
        return self._last_order

    async def add(self, added: Sequence[tuple[int, Broadcast, bytes | None]]) -> list[int]:
        """Stores broadcasts under these orders, or higher ones where another node has used the same; the orders."""
        orders = [order for order, _, _ in added]
        audiences = [self._audiences.of(broadcast.legs) for _, broadcast, _ in added]
        await self._keep({audience.digest: audience for audience in audiences})
        left = list(range(len(added)))
        for _ in range(_ATTEMPTS):
            writes = [_document(orders[place], audiences[place], *added[place][1:]) for place in left]
            written = await self._broadcasts.write(writes)
            left = [place for number, place in enumerate(left) if number in written.taken]
            if not left:
                return orders
            for place in left:
                orders[place] = self.next_order(orders[place])
        raise StoreConflict("the order of a broadcast")

    async def claim(self, claims: Sequence[LegClaim]) -> frozenset[LegClaim]:
        by_order: dict[int, list[LegClaim]] = {}
        for claim in claims:
            by_order.setdefault(claim.order, []).append(claim)
        if not by_order:
            return frozenset()
        granted: frozenset[LegClaim] = await self._group.write(Steps(by_order, {}))
        return granted

    async def settle(self, legs: Collection[tuple[int, int]]) -> None:
        by_order: dict[int, list[int]] = {}
        for order, leg in legs:
            by_order.setdefault(order, []).append(leg)
        if by_order:
            await self._group.write(Steps({}, by_order))

    async def unfinished(self, after: int, limit: int) -> list[UnfinishedBroadcast]:
        while limit > 0:
            bodies = ("body", leg_list.MOST_BODIES_BYTES)
            found = await self._broadcasts.page({"_id": {"$gt": after}}, by="_id", limit=limit, most_bytes=bodies)
            legs = await self._legs_of({document["audience"] for document in found})
            await self._forget([document["_id"] for document in found if document["audience"] not in legs])
            there = [_unfinished(one, legs[one["audience"]]) for one in found if one["audience"] in legs]
            if there or not found:
                return there
            after = found[-1]["_id"]
        return []

    async def _forget(self, orders: list[int]) -> None:
        """Removes broadcasts without a list of legs. A list is there before its broadcasts are, so that it was lost
        or removed by somebody else; nobody can be told what they say.
        """
        if orders:
            log.error("broadcasts are given up because their lists of receivers are gone", orders=orders)
            await self._broadcasts.delete({"_id": {"$in": orders}})

    async def _keep(self, audiences: dict[bytes, Audience]) -> None:
        """Makes sure the lists are stored."""
        now = time.monotonic()
        fresh = [
            one for digest, one in audiences.items() if now - self._kept.get(digest, -_SAY_AGAIN_S) >= _SAY_AGAIN_S
        ]
        await self._lists.write(
            [
                Update(
                    {"_id": one.digest.hex()},
                    {"$set": {"used_at": time.time()}, "$setOnInsert": {"legs": one.text}},
                    upsert=True,
                )
                for one in fresh
            ]
        )
        for one in fresh:
            self._kept[one.digest] = now
        if len(self._kept) > 10_000:
            self._kept = {digest: at for digest, at in self._kept.items() if now - at < _SAY_AGAIN_S / 2}

    async def _legs_of(self, digests: set[str]) -> dict[str, tuple[PartyOn, ...]]:
        legs = {digest: self._audiences.remembered(bytes.fromhex(digest)) for digest in digests}
        unknown = [digest for digest, remembered in legs.items() if remembered is None]
        if unknown:
            for document in await self._lists.find({"_id": {"$in": unknown}}, "legs"):
                legs[document["_id"]] = self._audiences.read(bytes.fromhex(document["_id"]), document["legs"])
        return {digest: found for digest, found in legs.items() if found is not None}

    async def _commit(self, asked: Sequence[Steps]) -> list[object]:
        granted: list[set[LegClaim]] = [set() for _ in asked]
        left: dict[int, list[tuple[int, Steps]]] = {}
        for place, steps in enumerate(asked):
            for order in {**steps.claims, **steps.done}:
                left.setdefault(order, []).append((place, steps))
        for _ in range(_ATTEMPTS):
            lost = await self._attempt(left, granted)
            left = {order: left[order] for order in lost}
            if not left:
                break
        unlucky = {place for steps in left.values() for place, _ in steps}
        return [
            StoreConflict("a broadcast") if place in unlucky else frozenset(found)
            for place, found in enumerate(granted)
        ]

    async def _attempt(self, asked: dict[int, list[tuple[int, Steps]]], granted: list[set[LegClaim]]) -> set[int]:
        """Takes the steps asked of each broadcast, adds to `granted` what may begin; those to look at again."""
        stamp = secrets.randbits(_STAMP_BITS)
        writes: dict[int, Write] = {}
        begun: dict[int, list[tuple[int, LegClaim]]] = {}
        for document in await self._broadcasts.find({"_id": {"$in": list(asked)}}, "progress", "stamp"):
            order, progress = document["_id"], bytearray(document["progress"])
            begun[order] = []
            for place, steps in asked[order]:
                claims = leg_list.begin(progress, steps.claims.get(order, ()))
                begun[order] += [(place, claim) for claim in claims]
                leg_list.settle(progress, steps.done.get(order, ()))
            if progress != document["progress"]:
                writes[order] = _change(document, progress, stamp)
        lost = await self._lost(writes, stamp)
        for order in begun.keys() - lost:
            for place, claim in begun[order]:
                granted[place].add(claim)
        return lost

    async def _lost(self, writes: dict[int, Write], stamp: int) -> set[int]:
        """Does the writes; those of which another node was faster."""
        if not writes:
            return set()
        written = await self._broadcasts.write(list(writes.values()))
        if written.matched + written.deleted == len(writes):
            return set()
        ours = {
            document["_id"]: document["stamp"] == stamp
            for document in await self._broadcasts.find({"_id": {"$in": list(writes)}}, "stamp")
        }
        # What is gone was settled wholly, by us or by the other: if we meant to claim, the next look finds nothing.
        return {order for order, write in writes.items() if not ours.get(order, isinstance(write, Delete))}


def _document(order: int, audience: Audience, broadcast: Broadcast, body: bytes | None) -> Insert:
    return Insert(
        {
            "_id": order,
            "audience": audience.digest.hex(),
            "doc": text_of(replace(broadcast, legs=())),
            "body": body,
            "progress": leg_list.fresh(len(broadcast.legs)),
            "stamp": secrets.randbits(_STAMP_BITS),
        }
    )


def _unfinished(document: Document, legs: tuple[PartyOn, ...]) -> UnfinishedBroadcast:
    order = document["_id"]
    broadcast = replace(record_from(Broadcast, document["doc"], f"number {order}"), legs=legs)
    return UnfinishedBroadcast(order, broadcast, document["body"], leg_list.attempts(document["progress"]))


def _change(document: Document, progress: bytearray, stamp: int) -> Write:
    query = {"_id": document["_id"], "stamp": document["stamp"]}
    if leg_list.is_done(progress):
        return Delete(query)
    return Update(query, {"$set": {"progress": bytes(progress), "stamp": stamp}})
