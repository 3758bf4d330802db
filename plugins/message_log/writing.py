"""Records on their way to the store: they wait in a bounded queue and are written in batches.

Rules
- Adding never waits. Above `most` the record that waits longest is dropped and counted.
- Everything that waits is written every second, and at once when a batch is full; one write at a time.
- When the store is away, what was taken out goes back to the front and an alarm stands until a write succeeds. A write
  that was broken off may have happened, so a record may stand twice after that; it is never lost for being unsure.
- The end has five seconds to write the rest; what is left then is counted as dropped.
"""

import asyncio
from collections import deque

from hub.plugin import HubApi, Record, Records, StoreUnavailable
from plugins.message_log.record import body_bytes

BATCH = 1000
EVERY_S = 1.0
LAST_WRITE_S = 5.0
# A batch is made into JSON at one go, which must not hold the traffic up.
_BATCH_BODY_BYTES = 1024 * 1024
_ALARM = ("message_log_not_written", "exchange")


class Writing:
    """The queue and its writer. `waiting_body_bytes` are those of the bodies that wait."""

    def __init__(self, hub: HubApi, records: Records, most: int) -> None:
        self.written = 0
        self.dropped = 0
        self.waiting_body_bytes = 0
        self.store_away = False
        self._hub = hub
        self._records = records
        self._most = most
        self._queue: deque[Record] = deque()
        self._batch: list[Record] = []  # taken out, and not yet known to be written
        self._one_at_a_time = asyncio.Lock()
        self._called = False
        self._alarm_may_stand = True  # from before a restart
        self._written = hub.counter("written", "Records of exchanges that are in the store.")
        self._dropped = hub.counter("dropped", "Records of exchanges that were not written.")

    @property
    def waiting(self) -> int:
        """Records that are not known to be written."""
        return len(self._queue) + len(self._batch)

    def add(self, record: Record) -> None:
        """Puts it behind the others; the writer is called when they make a batch."""
        self._queue.append(record)
        self.waiting_body_bytes += body_bytes(record)
        self._drop_above(self._most)
        if len(self._queue) >= BATCH and not self._called and not self.store_away:
            self._called = True
            self._hub.spawn(self.write(), name="write a full batch")

    async def write(self) -> None:
        """Writes everything that waits, unless the store is away."""
        async with self._one_at_a_time:
            self._called = False
            while self._queue:
                self._take_batch()
                try:
                    await self._records.append_many(self._batch)
                except StoreUnavailable:
                    self._put_back()
                    self._tell_away()
                    return
                except asyncio.CancelledError:
                    self._put_back()
                    raise
                except Exception:
                    self._drop_batch()  # whatever it is about them, it would not go away
                    raise
                self._forget_written()

    def handed_over(self) -> list[Record]:
        """What waits, for another writer: it does not wait here any more."""
        waiting = list(self._queue)
        self._queue.clear()
        self.waiting_body_bytes = sum(map(body_bytes, self._batch))
        return waiting

    async def end(self) -> None:
        """Writes what waits, within bounds; safe twice."""
        writing = asyncio.ensure_future(self.write())
        limit = asyncio.ensure_future(self._hub.sleep(LAST_WRITE_S))
        try:
            await asyncio.wait({writing, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
            limit.cancel()
            await asyncio.gather(writing, limit, return_exceptions=True)
        if self.waiting:
            self._hub.log.warning("records of exchanges were not written before the end", records=self.waiting)
            self._drop_batch()
            self._drop_above(0)

    def _take_batch(self) -> None:
        size = 0
        while self._queue and len(self._batch) < BATCH and size < _BATCH_BODY_BYTES:
            self._batch.append(self._queue.popleft())
            size += body_bytes(self._batch[-1])

    def _put_back(self) -> None:
        self._queue.extendleft(reversed(self._batch))
        self._batch = []
        self._drop_above(self._most)

    def _drop_above(self, most: int) -> None:
        while self._queue and self.waiting > most:
            self.waiting_body_bytes -= body_bytes(self._queue.popleft())
            self._count_dropped(1)

    def _drop_batch(self) -> None:
        self._count_dropped(self._forget_batch())

    def _forget_batch(self) -> int:
        count = len(self._batch)
        self.waiting_body_bytes -= sum(map(body_bytes, self._batch))
        self._batch = []
        return count

    def _count_dropped(self, count: int) -> None:
        self.dropped += count
        self._dropped.add(count)

    def _forget_written(self) -> None:
        count = self._forget_batch()
        self.written += count
        self._written.add(count)
        self.store_away = False
        if self._alarm_may_stand:
            self._hub.clear_alarm(*_ALARM)
            self._alarm_may_stand = False

    def _tell_away(self) -> None:
        if not self.store_away:
            text = "The store is away: records of exchanges wait in memory; when there are too many, the oldest go"
            self._hub.alarm(*_ALARM, text, standing=True)
        self.store_away = self._alarm_may_stand = True
