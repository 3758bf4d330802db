"""Applying verdicts in MongoDB: what arrives while a round runs is judged and written in the next one, all objects at
once and each object in the order of calling.

There are no transactions, so the order of writing matters: objects, then counters, then broadcasts, then the answer. A
node that dies in between leaves only what was never acknowledged. An object is written over the stamp it was read with:
when another node was faster, it is read and judged again.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.catalog import ObjectKey, Verdict
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.status import StatusCode
from hub.store.documents import epoch_us
from hub.store.group import Group
from hub.store.mongo.broadcasts import MongoBroadcasts
from hub.store.mongo.counters import Counters, Moved
from hub.store.mongo.driver import Delete, Document, Insert, Mongo, Update, Write
from hub.store.records import Broadcast

_ATTEMPTS = 5
# A round takes no further calls after bodies of so many bytes, so that its writes end within the bound of a call.
_MOST_BODIES_BYTES = 16 * 1024 * 1024
_STAMP_BITS = 62
# Judging takes some 50 µs, of an object of megabytes much more. After so long others may run.
_JUDGED_AT_ONCE_S = 0.001


@dataclass(frozen=True, slots=True)
class Application:
    """One call of `apply`."""

    key: ObjectKey
    judge: Callable[[bytes | None], Verdict]
    seen_at: datetime
    broadcast: Broadcast | None
    body: bytes | None


class Draft:
    """What becomes of one object in a round."""

    def __init__(self, key: ObjectKey, stored: Document | None) -> None:
        self.key = key
        self.stored = stored
        self.raw: bytes | None = None if stored is None else stored["raw"]
        # None: the next one, when the round is written
        self.sequence: int | None = None if stored is None else stored["sequence"]
        self.members: Document = {}
        self.order: int = 0 if stored is None else stored["order"]
        # place in the round, verdict, order of its broadcast
        self.outcomes: list[tuple[int, Verdict, int | None]] = []

    def follow(self, verdict: Verdict, seen_at: datetime) -> None:
        """Does what a verdict says about the object."""
        if verdict.removed:
            self.raw = self.sequence = None
            self.members = {}
        elif verdict.raw is not None:
            self.raw = verdict.raw
            updated = seen_at if verdict.last_updated is None else verdict.last_updated
            self.members.update(raw=verdict.raw, last_updated=epoch_us(updated), seen_at=epoch_us(seen_at))
        elif self.raw is not None and verdict.code == StatusCode.OK:
            self.members["seen_at"] = epoch_us(seen_at)

    @property
    def needs_sequence(self) -> bool:
        return self.raw is not None and self.sequence is None

    def write(self, stamp: int) -> Write | None:
        """What brings the database there; None when nothing has changed."""
        members = {**self.members, "sequence": self.sequence, "order": self.order, "stamp": stamp}
        if self.stored is None:
            return None if self.raw is None else Insert({**_names(self.key), **members})
        query = {"_id": self.key.text, "stamp": self.stored["stamp"]}
        if self.raw is None:
            return Delete(query)
        changed = self.members or self.order != self.stored["order"]
        return Update(query, {"$set": members}) if changed else None

    @property
    def moved(self) -> list[Moved]:
        before = None if self.stored is None else self.stored["sequence"]
        if before == self.sequence:
            return []
        steps = ((before, -1), (self.sequence, 1))
        return [Moved(self.key.module, self.key.owner, at, step) for at, step in steps if at is not None]


class Rounds:
    """The writing half of the catalog. `alone` is held while a round runs."""

    def __init__(self, mongo: Mongo, counters: Counters, broadcasts: MongoBroadcasts, *, timeout_s: float) -> None:
        self.alone = asyncio.Lock()
        self._catalog = mongo.collection("catalog")
        self._meta = mongo.collection("meta")
        self._counters = counters
        self._broadcasts = broadcasts
        self._group: Group[Application] = Group(
            "MongoDB", queue_limit=10_000, batch_limit=100, queue_timeout_s=2.0, commit_timeout_s=2 * timeout_s
        )

    def open(self) -> None:
        self._group.open(self._commit)

    async def close(self) -> None:
        await self._group.close()

    async def apply(self, application: Application) -> tuple[Verdict, int | None]:
        outcome: tuple[Verdict, int | None] = await self._group.write(application)
        return outcome

    async def _commit(self, batch: Sequence[Application]) -> list[Any]:
        batch = _round(batch)
        results: list[Any] = [None] * len(batch)
        left = {application.key.text for application in batch}
        async with self.alone:
            await self._counters.mend()
            for _ in range(_ATTEMPTS):
                drafts = await self._judged(batch, left, results)
                left = await self._written(drafts)
                await self._fan_out([draft for draft in drafts if draft.key.text not in left], batch, results)
                if not left:
                    return results
        return [
            StoreConflict(application.key.text) if application.key.text in left else result
            for application, result in zip(batch, results, strict=True)
        ]

    async def _judged(self, batch: Sequence[Application], keys: set[str], results: list[Any]) -> list[Draft]:
        """A draft for each of these objects, after everything in the round about it."""
        stored = {one["_id"]: one for one in await self._catalog.find({"_id": {"$in": list(keys)}})}
        drafts: dict[str, Draft] = {}
        enough = 0.0
        for place, application in enumerate(batch):
            key = application.key
            if key.text not in keys:
                continue
            if time.monotonic() >= enough:
                await asyncio.sleep(0)
                enough = time.monotonic() + _JUDGED_AT_ONCE_S
            draft = drafts.setdefault(key.text, Draft(key, stored.get(key.text)))
            try:
                verdict = application.judge(draft.raw)
            except Exception as problem:  # noqa: BLE001 - a boundary: what one judge raises belongs to its caller alone
                results[place] = problem
                continue
            draft.follow(verdict, application.seen_at)
            order = None
            if application.broadcast is not None and application.broadcast.legs and verdict.fan_out:
                order = draft.order = self._broadcasts.next_order(draft.order)
            draft.outcomes.append((place, verdict, order))
        return list(drafts.values())

    async def _written(self, drafts: Sequence[Draft]) -> set[str]:
        """Writes objects and counters; the keys of those that another node changed meanwhile."""
        await self._number([draft for draft in drafts if draft.needs_sequence])
        stamp = secrets.randbits(_STAMP_BITS)
        writes = {draft.key.text: write for draft in drafts if (write := draft.write(stamp)) is not None}
        if not writes:
            return set()
        moved = [one for draft in drafts for one in draft.moved]
        if not moved:
            return await self._lost(writes, stamp)
        await self._counters.expect({(one.module, one.owner) for one in moved if one.step > 0})
        with self._counters.at_stake(moved):
            lost = await self._lost(writes, stamp)
            won = (draft for draft in drafts if draft.key.text not in lost)
            await self._counters.count([moved for draft in won for moved in draft.moved])
        return lost

    async def _number(self, drafts: Sequence[Draft]) -> None:
        """Gives the next sequences, in one call."""
        if not drafts:
            return
        change = [{"$set": {"value": {"$add": ["$value", len(drafts)]}}}]
        counter = await self._meta.update_and_get({"_id": "sequence"}, change)
        if counter is None:
            raise StoreUnavailable("the counter of the catalog's sequences is missing in MongoDB")
        first = int(counter["value"]) - len(drafts) + 1
        for number, draft in enumerate(drafts):
            draft.sequence = first + number

    async def _lost(self, writes: dict[str, Write], stamp: int) -> set[str]:
        """Does the writes; those that found the object changed."""
        keys = list(writes)
        written = await self._catalog.write(list(writes.values()))
        lost = {keys[place] for place in written.taken}
        others = {key: write for key, write in writes.items() if not isinstance(write, Insert)}
        if written.matched + written.deleted == len(others):
            return lost
        found = await self._catalog.find({"_id": {"$in": list(others)}}, "stamp")
        ours = {document["_id"]: document["stamp"] == stamp for document in found}
        return lost | {key for key, write in others.items() if not ours.get(key, isinstance(write, Delete))}

    async def _fan_out(self, drafts: Iterable[Draft], batch: Sequence[Application], results: list[Any]) -> None:
        """Stores the broadcasts of these objects in the order of applying, and says what came of each call."""
        outcomes = sorted((one for draft in drafts for one in draft.outcomes), key=lambda one: one[0])
        added: list[tuple[int, Broadcast, bytes | None]] = []
        places: list[int] = []
        for place, verdict, order in outcomes:
            results[place] = (verdict, None)
            broadcast = batch[place].broadcast
            if order is not None and broadcast is not None:
                added.append((order, broadcast, batch[place].body))
                places.append(place)
        if added:
            for place, order in zip(places, await self._broadcasts.add(added), strict=True):
                results[place] = (results[place][0], order)


def _round(batch: Sequence[Application]) -> Sequence[Application]:
    """The first calls, at least one; the others are for the next round."""
    size = 0
    for place, application in enumerate(batch):
        size += len(application.body or b"")
        if place and size > _MOST_BODIES_BYTES:
            return batch[:place]
    return batch


def _names(key: ObjectKey) -> Document:
    return {
        "_id": key.text,
        "module": key.module,
        "owner": key.owner.key,
        "country_code": key.owner.country_code,
        "party_id": key.owner.party_id,
        "object_id": key.object_id,
        "folded_id": key.object_id.casefold(),
        "kind": key.kind,
    }
