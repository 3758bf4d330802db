"""Shelf, records and duties in memory, as a plugin may expect them of either store: for tests through `SmallHub`."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.errors import StoreUnavailable, TermOver
from hub.ocpi import codec
from hub.plugin import Found, Kept, NotAllowed, Record, Save, Term

MOST_WAITING_EVENTS = 10_000


class Outage:
    """Whether the store is away; shared by everything that stands on it. `calls` counts what was asked of the store."""

    def __init__(self) -> None:
        self.away = False
        self.calls = 0

    def check(self) -> None:
        """Raises StoreUnavailable while the store is away."""
        self.calls += 1
        if self.away:
            raise StoreUnavailable("the store is away")


class SmallShelf:
    """The Shelf port. Values go through JSON, so that nothing survives here that would not survive a restart."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._kept: dict[str, tuple[bytes, int]] = {}

    async def load(self, key: str) -> Kept | None:
        self._outage.check()
        found = self._kept.get(key)
        return None if found is None else Kept(codec.loads(found[0]), found[1])

    async def keys(self, prefix: str = "") -> list[str]:
        self._outage.check()
        return sorted(key for key in self._kept if key.startswith(prefix))

    async def items(self, prefix: str = "") -> AsyncIterator[tuple[str, Kept]]:
        for key in await self.keys(prefix):
            kept = await self.load(key)
            if kept is not None:
                yield key, kept

    async def save(self, key: str, value: Any, *, term: Term | None = None) -> None:
        await self.save_many([Save(key, value)], term=term)

    async def compare_and_set(self, key: str, value: Any, revision: int, *, term: Term | None = None) -> bool:
        return await self.save_many([Save(key, value, revision)], term=term)

    async def save_many(self, saves: Sequence[Save], *, term: Term | None = None) -> bool:
        self._check(term)
        if any(save.revision is not None and save.revision != self._revision(save.key) for save in saves):
            return False
        for save in saves:
            self._kept[save.key] = (codec.dumps(save.value), self._revision(save.key) + 1)
        return True

    async def remove(self, key: str, *, term: Term | None = None) -> None:
        self._check(term)
        self._kept.pop(key, None)

    def _revision(self, key: str) -> int:
        return self._kept[key][1] if key in self._kept else 0

    def _check(self, term: Term | None) -> None:
        self._outage.check()
        if term is not None and term.over:
            raise TermOver("a duty")


class SmallRecords:
    """The Records port: one kind of a plugin's records. `batches` are the sizes of what was appended at once."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._found: list[tuple[Found, frozenset[tuple[str, str]]]] = []
        self._next_id = 1
        self.batches: list[int] = []

    async def append_many(self, records: Sequence[Record]) -> None:
        await asyncio.sleep(0)  # a commit lets others run, so a plugin must expect it
        self._outage.check()
        self.batches.append(len(records))
        for record in records:
            self._found.append((Found(self._next_id, record.at, codec.dumps(record.body)), _pairs(record.keys)))
            self._next_id += 1

    async def find(
        self,
        where: Mapping[str, str] | None = None,
        *,
        before: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Found]:
        self._outage.check()
        wanted = _pairs(where or {})
        fitting = [
            found
            for found, pairs in reversed(self._found)
            if wanted <= pairs
            and (before is None or found.id < before)
            and (since is None or found.at >= since)
            and (until is None or found.at < until)
        ]
        return fitting[:limit]

    async def size(self) -> tuple[int, int]:
        self._outage.check()
        return len(self._found), self._bytes()

    async def prune(self, *, before: datetime | None = None, most_bytes: int | None = None) -> int:
        self._outage.check()
        had = len(self._found)
        if before is not None:
            self._found = [one for one in self._found if one[0].at >= before]
        while most_bytes is not None and self._found and self._bytes() > most_bytes:
            del self._found[0]
        return had - len(self._found)

    def _bytes(self) -> int:
        return sum(len(found.raw) for found, _ in self._found)


def _pairs(keys: Mapping[str, str | Sequence[str]]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, value) for name, values in keys.items() for value in ([values] if isinstance(values, str) else values)
    )


class SmallTerm:
    """The Term port. `end()` passes the duty on."""

    def __init__(self, number: int, events: asyncio.Queue[bytes]) -> None:
        self.number = number
        self._events = events
        self._end = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._end.is_set()

    def end(self) -> None:
        """The duty has passed to somebody else."""
        self._end.set()

    async def until_over(self) -> None:
        await self._end.wait()

    async def events(self) -> AsyncIterator[Any]:
        ended = asyncio.ensure_future(self._end.wait())
        try:
            while not self.over:
                event = asyncio.ensure_future(self._events.get())
                await asyncio.wait([event, ended], return_when=asyncio.FIRST_COMPLETED)
                if not event.done():
                    event.cancel()
                    return
                yield codec.loads(event.result())
        finally:
            ended.cancel()


class SmallDuty:
    """One duty: whoever holds it, and the events that wait for them."""

    def __init__(self) -> None:
        self.held = asyncio.Lock()
        self._events: asyncio.Queue[bytes] = asyncio.Queue()
        self._terms = 0

    def next_term(self) -> SmallTerm:
        """Begins a term."""
        self._terms += 1
        return SmallTerm(self._terms, self._events)

    def add(self, event: object) -> None:
        """Raises NotAllowed when too many wait."""
        if self._events.qsize() >= MOST_WAITING_EVENTS:
            raise NotAllowed(f"{MOST_WAITING_EVENTS} events wait already")
        self._events.put_nowait(codec.dumps(event))
