"""A plugin's records of one kind, over the store's."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.broker.plugins.json_text import json_text
from hub.plugin.hub_api import Found, Record
from hub.store.ports import PluginRecordStore
from hub.store.records import NewRecord

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Records made ready in a row before others have their turn on the loop: a millisecond of work.
_IN_A_ROW = 100


class PluginRecords:
    """The Records port."""

    def __init__(self, store: PluginRecordStore, plugin: str, kind: str) -> None:
        """Raises ValueError for a kind that is not up to 40 lower-case letters, digits and underscores."""
        if not _KIND.fullmatch(kind):
            raise ValueError(f"the kind {kind!r} must be lower-case letters, digits and underscores, at most 40")
        self._store = store
        self._plugin = plugin
        self._kind = kind

    async def append_many(self, records: Sequence[Record]) -> None:
        """Raises ValueError for a body that is not JSON or a time without a zone, TypeError for a key that is not text;
        then nothing is appended.
        """
        new: list[NewRecord] = []
        for start in range(0, len(records), _IN_A_ROW):
            if start:
                await asyncio.sleep(0)
            new += [self._new(record) for record in records[start : start + _IN_A_ROW]]
        if new:
            await self._store.append_many(self._plugin, self._kind, new)

    async def find(
        self,
        where: Mapping[str, str] | None = None,
        *,
        before: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Found]:
        found = await self._store.find(
            self._plugin, self._kind, where or {}, before=before, limit=limit, since=since, until=until
        )
        return [Found(one.id, one.at, one.body) for one in found]

    async def size(self) -> tuple[int, int]:
        return await self._store.count(self._plugin, self._kind)

    async def prune(self, *, before: datetime | None = None, most_bytes: int | None = None) -> int:
        return await self._store.prune(self._plugin, self._kind, before=before, most_bytes=most_bytes)

    def _new(self, record: Record) -> NewRecord:
        if record.at.tzinfo is None:
            raise ValueError(f"the time {record.at} of a record of kind {self._kind} has no zone")
        body = json_text(record.body, f"the body of a record of kind {self._kind}")
        return NewRecord(record.at, body, _pairs(record.keys))


def _pairs(keys: Mapping[str, str | Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """The keys as pairs, each once."""
    pairs: dict[tuple[str, str], None] = {}
    for name, values in keys.items():
        for value in (values,) if isinstance(values, str) else values:
            if not isinstance(value, str):
                raise TypeError(f"the key {name} of a record is {value!r}, and must be text")
            pairs[name, value] = None
    return tuple(pairs)
