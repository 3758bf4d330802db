"""What open routing knows: learnt from what passes, kept in the store off the message path (R-084, ruling 7).

Rules
- Learning never waits: lessons gather in a bounded buffer and are written in batches. A full buffer drops and counts.
- What waits to be written is known already.
- A lesson learnt lately is not written again before `RENEW_S`, so that traffic that repeats itself costs nothing.
- A lesson not renewed for `KEEP_S` is forgotten.
"""

import asyncio
from datetime import timedelta

import structlog

from hub.clock import Clock
from hub.domain.open_routing import Clues, Lesson
from hub.errors import StoreUnavailable
from hub.metrics import Metrics
from hub.ocpi.party_id import PartyId
from hub.store.ports import KnownStore
from hub.store.records import Known

log = structlog.get_logger("hub.knowledge")

RENEW_S = 24 * 3600.0
KEEP_S = 400 * 24 * 3600.0
_GATHER_S = 0.2
_PRUNE_S = 3600.0
_BATCH = 500
_MOST_WAITING = 20_000
_MOST_REMEMBERED = 50_000
_AWAY_S = 1.0


class Knowledge:
    """Learns and finds. `run` writes, for ever."""

    def __init__(self, store: KnownStore, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[Lesson, None] = {}
        self._writing: tuple[Lesson, ...] = ()
        self._learnt_at: dict[Lesson, float] = {}
        self._alone: dict[tuple[str, str], Lesson] = {}
        self._news = asyncio.Event()
        self.dropped = 0
        metrics.gauge("ocpi_hub_routing_lessons_dropped", lambda: float(self.dropped))

    @property
    def quiet(self) -> bool:
        """Whether everything learnt is stored."""
        return not self._waiting and not self._writing

    def learn(self, lessons: list[Lesson]) -> None:
        """Takes lessons in; they count at once."""
        now = self._clock.monotonic()
        for lesson in lessons:
            if now - self._learnt_at.get(lesson, -RENEW_S) < RENEW_S:
                continue
            if len(self._waiting) >= _MOST_WAITING:
                self.dropped += 1
                continue
            if len(self._learnt_at) >= _MOST_REMEMBERED:
                self._learnt_at.clear()
                self._alone.clear()
            if lesson.only:
                self._stands_alone(lesson)
            self._learnt_at[lesson] = now
            self._waiting[lesson] = None
            self._news.set()

    def _stands_alone(self, lesson: Lesson) -> None:
        """What the key led to before is no longer stored, so it must be written again if it comes back."""
        before = self._alone.get((lesson.kind, lesson.key))
        if before is not None and before != lesson:
            self._learnt_at.pop(before, None)
            self._waiting.pop(before, None)
        self._alone[lesson.kind, lesson.key] = lesson

    async def find(self, clues: Clues) -> list[PartyId]:
        """Whom the clues lead to: the party named, or all that the first key with an answer leads to.

        Raises StoreUnavailable.
        """
        if clues.named is not None:
            return [clues.named]
        for kind, key in clues.keys:
            fresh = [lesson for lesson in (*self._writing, *self._waiting) if (lesson.kind, lesson.key) == (kind, key)]
            if fresh and fresh[-1].only:
                return [fresh[-1].party]
            found = await self._store.find(kind, key)
            parties = list(dict.fromkeys((*found, *(lesson.party for lesson in fresh))))
            if parties:
                return parties
        return []

    async def forget(self, party: PartyId) -> None:
        """Nothing leads to a party that is not there any more. Raises StoreUnavailable, and may be called again."""
        for lesson in [lesson for lesson in self._learnt_at if lesson.party == party]:
            del self._learnt_at[lesson]
            self._waiting.pop(lesson, None)
            self._alone.pop((lesson.kind, lesson.key), None)
        await self._store.forget(party)

    async def run(self) -> None:
        """Writes what was learnt, and forgets what is old, for ever."""
        prune_at = self._clock.monotonic() + _PRUNE_S
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_S)  # not the clock's time: it only makes batches of what comes one by one
            self._news.clear()
            while self._waiting:
                await self._write()
            if self._clock.monotonic() >= prune_at:
                prune_at = self._clock.monotonic() + _PRUNE_S
                await self._prune()

    async def flush(self) -> None:
        """Writes what waits, once; at the end of the hub."""
        try:
            while self._waiting:
                await self._write_batch()
        except StoreUnavailable as problem:
            log.warning("what open routing learnt last could not be stored", problem=str(problem))

    async def _write(self) -> None:
        try:
            await self._write_batch()
        except StoreUnavailable:
            await self._clock.sleep(_AWAY_S)

    async def _write_batch(self) -> None:
        batch = self._writing = tuple(self._waiting)[:_BATCH]
        for lesson in batch:
            del self._waiting[lesson]
        try:
            known = [Known(lesson.kind, lesson.key, lesson.party, lesson.only) for lesson in batch]
            await self._store.learn(known, self._clock.now())
        except BaseException:  # also when the hub stops in the middle: `flush` writes it
            self._waiting = dict.fromkeys((*batch, *self._waiting))
            raise
        finally:
            self._writing = ()

    async def _prune(self) -> None:
        try:
            await self._store.prune(self._clock.now() - timedelta(seconds=KEEP_S))
        except StoreUnavailable:
            return
