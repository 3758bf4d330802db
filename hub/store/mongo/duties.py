"""Duties in MongoDB: one document each, and the events that wait for whoever holds them."""

import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hub.errors import StoreConflict, TermOver
from hub.store.mongo.driver import Document, Insert, Mongo, Query
from hub.store.records import DutyState, Fence


class MongoDuties:
    """The DutyStore port. An event's id is the time and a mark of this store, so that no two are the same."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._duties = mongo.collection("duties")
        self._events = mongo.collection("duty_events")
        self._mark = secrets.token_hex(8)
        self._last_us = 0

    async def look(self, name: str) -> DutyState | None:
        document = await self._duties.get({"_id": name})
        return None if document is None else _state(document)

    async def take(self, name: str, holder: str, seen: DutyState | None) -> DutyState | None:
        if seen is None:
            with suppress(StoreConflict):
                await self._duties.insert({"_id": name, "holder": holder, "term": 1, "beat": 0})
                return DutyState(name, holder, 1, 0)
            return None
        query = {"_id": name, "holder": seen.holder, "term": seen.term, "beat": seen.beat}
        taken = DutyState(name, holder, seen.term + 1, 0)
        change = {"$set": {"holder": holder, "term": taken.term, "beat": 0}}
        return taken if await self._duties.update(query, change) else None

    async def renew(self, state: DutyState) -> DutyState | None:
        beat = {"$set": {"beat": {"$add": ["$beat", 1]}}}
        document = await self._duties.update_and_get(_held(state), [beat])
        return None if document is None else _state(document)

    async def release(self, state: DutyState) -> None:
        await self._duties.update(_held(state), {"$set": {"holder": None}})

    async def send(self, name: str, events: Sequence[bytes], most: int) -> int:
        room = most - (await self._events.count({"duty": name}, limit=most) if most > 0 else 0)
        taken = events[: max(room, 0)]
        await self._events.write([Insert({"_id": self._next(), "duty": name, "event": event}) for event in taken])
        return len(taken)

    async def receive(self, state: DutyState, limit: int) -> list[bytes]:
        # Mostly there is nothing, and then nothing is written.
        if limit < 1 or not await self._events.count({"duty": state.name}, limit=1):
            if await self._duties.get(_held(state)) is None:
                raise TermOver(state.name)
            return []

        async def work(session: Any) -> list[bytes]:
            await tie(self._mongo, session, _held(state))
            events = self._mongo.raw("duty_events")
            order = [("_id", 1)]
            found = await events.find({"duty": state.name}, sort=order, limit=limit, session=session).to_list(None)
            await events.delete_many({"_id": {"$in": [one["_id"] for one in found]}}, session=session)
            return [one["event"] for one in found]

        return await self._mongo.together(work)

    def _next(self) -> str:
        """An event's id: above all of this store, and of others by the clock."""
        self._last_us = max(self._last_us + 1, time.time_ns() // 1_000)
        return f"{self._last_us:020d}.{self._mark}"


def fenced(fence: Fence) -> Query:
    """The duty in the term of a fence."""
    return {"_id": fence.duty, "term": fence.term, "holder": {"$ne": None}}


async def tie(mongo: Mongo, session: Any, held: Query) -> None:
    """Ties a transaction to a duty as it is held. Raises TermOver when it is not.

    It writes into the duty's document, because a transaction that had only read it could still commit after somebody
    took the duty. Of two that write into one document MongoDB lets one begin again.
    """
    result = await mongo.raw("duties").update_one(held, {"$inc": {"fenced": 1}}, session=session)
    if not result.matched_count:
        raise TermOver(str(held["_id"]))


def _held(state: DutyState) -> Document:
    return {"_id": state.name, "holder": state.holder, "term": state.term}


def _state(document: Document) -> DutyState:
    return DutyState(document["_id"], document["holder"], document["term"], document["beat"])
