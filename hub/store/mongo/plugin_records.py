"""What plugins write down, in MongoDB: one document per record, with the keys it is found by in an array."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.errors import StoreConflict
from hub.ocpi import codec
from hub.store.documents import epoch_us, moment_of_us, text_of
from hub.store.mongo.driver import Document, Insert, Mongo, Query
from hub.store.records import NewRecord, PluginRecord

# Rounds of writing again under other numbers when another node has used the same.
_ATTEMPTS = 5
# As many as a slow server removes well within the bound of a call.
_PER_REMOVAL = 200
_PER_LOOK = 2_000
# As many as a slow server adds up well within that bound.
_PER_SUM = 100_000
_NO_END = 2**62


class MongoPluginRecords:
    """The PluginRecordStore port. Numbers are microseconds by the clock, or higher ones where it stood still."""

    def __init__(self, mongo: Mongo) -> None:
        self._records = mongo.collection("plugin_records")
        self._last_id = 0

    async def append_many(self, plugin: str, kind: str, records: Sequence[NewRecord]) -> None:
        left = [_document(plugin, kind, one) for one in records]
        for _ in range(_ATTEMPTS):
            written = await self._records.write([Insert({"_id": self._next_id(), **one}) for one in left])
            left = [one for place, one in enumerate(left) if place in written.taken]
            if not left:
                return
        raise StoreConflict("the number of a record")

    async def find(
        self,
        plugin: str,
        kind: str,
        where: Mapping[str, str],
        *,
        before: int | None,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[PluginRecord]:
        if limit < 1:
            return []
        query, index = wanted(plugin, kind, where, before=before, since=since, until=until)
        found = await self._records.page(query, by="_id", limit=limit, descending=True, index=index)
        return [_record(one) for one in found]

    async def count(self, plugin: str, kind: str) -> tuple[int, int]:
        records = size = 0
        below = _NO_END
        while True:
            some, some_bytes, least = await self._sums(plugin, kind, below)
            records, size = records + some, size + some_bytes
            if some < _PER_SUM:
                return records, size
            below = least

    async def prune(
        self, plugin: str, kind: str, *, before: datetime | None = None, most_bytes: int | None = None
    ) -> int:
        removed = 0
        if before is not None:
            removed += await self._remove({"plugin": plugin, "kind": kind, "at": {"$lt": epoch_us(before)}})
        if most_bytes is not None:
            first = await self._first_to_stay(plugin, kind, most_bytes)
            removed += await self._remove({"plugin": plugin, "kind": kind, "_id": {"$lt": first}})
        return removed

    async def remove_all(self, plugin: str) -> int:
        return await self._remove({"plugin": plugin})

    async def _remove(self, query: Query) -> int:
        removed = 0
        while count := await self._records.delete_some(query, _PER_REMOVAL):
            removed += count
        return removed

    async def _first_to_stay(self, plugin: str, kind: str, most_bytes: int) -> int:
        """A number below which all have to go, so that the others have so many bytes at most. It is looked for from the
        newest on, so that it is the same for two nodes that prune at once.
        """
        room, below = most_bytes, _NO_END
        while True:  # in strides, past what certainly stays
            some, some_bytes, least = await self._sums(plugin, kind, below)
            if some_bytes > room:
                break
            if some < _PER_SUM:
                return 0
            room, below = room - some_bytes, least
        while True:
            query = {"plugin": plugin, "kind": kind, "_id": {"$lt": below}}
            found = await self._records.page(
                query, "_id", "size", by="_id", limit=_PER_LOOK, descending=True, index="by_kind"
            )
            for one in found:
                room -= one["size"]
                if room < 0:
                    return int(one["_id"]) + 1
                below = one["_id"]
            if not found:  # others were faster
                return 0

    async def _sums(self, plugin: str, kind: str, below: int) -> tuple[int, int, int]:
        """Of some of the newest below a number: how many, the bytes of their bodies, and the least number."""
        query = {"plugin": plugin, "kind": kind, "_id": {"$lt": below}}
        return await self._records.sums(query, "size", by="_id", limit=_PER_SUM, index="by_kind")

    def _next_id(self) -> int:
        self._last_id = max(self._last_id + 1, time.time_ns() // 1_000)
        return self._last_id


def wanted(
    plugin: str,
    kind: str,
    where: Mapping[str, str],
    *,
    before: int | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[Document, str]:
    """The query for records, and the index to go along."""
    query: Document = {"plugin": plugin, "kind": kind}
    if before is not None:
        query["_id"] = {"$lt": before}
    if where:
        first, *others = [_key(name, value) for name, value in where.items()]
        # Of one array an index bounds one value; the others are looked for in what it leads to.
        query["keys"] = first
        if others:
            query["$and"] = [{"keys": other} for other in others]
    at: Document = {}
    if since is not None:
        at["$gte"] = epoch_us(since)
    if until is not None:
        at["$lt"] = epoch_us(until)
    if at:
        query["at"] = at
    return query, "by_key" if where else "by_kind"


def _key(name: str, value: str) -> str:
    return text_of([name, value])


def _document(plugin: str, kind: str, record: NewRecord) -> Document:
    return {
        "plugin": plugin,
        "kind": kind,
        "at": epoch_us(record.at),
        "size": len(record.body),
        "keys": [_key(name, value) for name, value in record.keys],
        "body": record.body,
    }


def _record(document: Document) -> PluginRecord:
    keys = [codec.loads(text) for text in document["keys"]]
    pairs = tuple((name, value) for name, value in keys)
    return PluginRecord(document["_id"], moment_of_us(document["at"]), document["body"], pairs)
