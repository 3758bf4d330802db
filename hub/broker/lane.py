"""What waits to be sent to one platform: order kept per party and object, newest state instead of old, bounded (R-081,
rulings 8 and 9). A data structure; who sends is `fan_out`.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from hub.domain.catalog import Push
from hub.domain.pushes import covers
from hub.store.records import Broadcast, PartyOn

MOST_LEGS = 10_000
MOST_BYTES = 64 * 1024 * 1024
_SPARE = 64


@dataclass(frozen=True, slots=True)
class Cast:
    """One stored broadcast on its way: `order` is its place among all."""

    order: int
    broadcast: Broadcast
    body: bytes | None
    push: Push


@dataclass(eq=False, slots=True)
class WaitingLeg:
    """Leg `number` of a cast; `attempt` is the number its sending will have, 1 or 2."""

    cast: Cast
    number: int
    attempt: int = 1
    waits: bool = False

    @property
    def receiver(self) -> PartyOn:
        return self.cast.broadcast.legs[self.number]

    @property
    def key(self) -> "LegKey":
        """Legs with one key go one after the other."""
        leg = self.cast.broadcast.legs[self.number]
        return leg.party.key, self.cast.broadcast.object_key

    @property
    def size(self) -> int:
        return len(self.cast.body or b"")


LegKey = tuple[str, str]


class Lane:
    """The legs for one platform. At most `concurrency` are under way; each party may have `most_legs` waiting.

    `timeouts` counts legs in a row that were not answered in time: such a platform gets one leg at a time.
    """

    def __init__(
        self, platform_id: str, concurrency: int, *, most_legs: int = MOST_LEGS, most_bytes: int = MOST_BYTES
    ) -> None:
        self.platform_id = platform_id
        self.timeouts = 0
        self.waiting = 0
        self.in_flight = 0
        # Legs under way that keep the hub waiting.
        self.hanging = 0
        # Whether the lane stands in the queue of those who have something to send.
        self.queued = False
        self._concurrency = concurrency
        self._most_legs = most_legs
        self._most_bytes = most_bytes
        self._bytes = 0
        self._by_key: dict[LegKey, deque[WaitingLeg]] = {}
        self._ready: OrderedDict[LegKey, None] = OrderedDict()
        self._busy: set[LegKey] = set()
        self._per_party: dict[str, int] = {}
        self._arrivals: dict[str, deque[WaitingLeg]] = {}

    def add(self, leg: WaitingLeg) -> tuple[list[WaitingLeg], list[WaitingLeg]]:
        """Puts a leg behind those of its party and object. Two lists come back, of legs that will not be sent any more:
        those it makes superfluous, and the oldest ones that no longer fit.
        """
        key = leg.key
        queue = self._by_key.get(key)
        superseded: list[WaitingLeg] = []
        if queue is None:
            queue = self._by_key[key] = deque()
        elif queue:
            superseded = [older for older in queue if covers(leg.cast.push, older.cast.push)]
            for older in superseded:
                queue.remove(older)
                self._less(older)
        queue.append(leg)
        self._more(leg)
        if key not in self._busy:
            self._ready.setdefault(key)
        return superseded, self._overflow(key[0])

    def _overflow(self, party_key: str) -> list[WaitingLeg]:
        gone = []
        while self._waiting_of(party_key) > self._most_legs or (self._bytes > self._most_bytes and self.waiting > 1):
            oldest = self._oldest(party_key)
            if oldest is None:
                break
            queue = self._by_key[oldest.key]
            queue.remove(oldest)
            self._less(oldest)
            if not queue:
                del self._by_key[oldest.key]
                self._ready.pop(oldest.key, None)
            gone.append(oldest)
        return gone

    def _oldest(self, party_key: str) -> WaitingLeg | None:
        arrivals = self._arrivals[party_key]
        while arrivals:
            leg = arrivals.popleft()
            if leg.waits:
                return leg
        return None

    def _waiting_of(self, party_key: str) -> int:
        return self._per_party.get(party_key, 0)

    def _more(self, leg: WaitingLeg) -> None:
        party_key = leg.key[0]
        leg.waits = True
        self.waiting += 1
        self._bytes += leg.size
        count = self._per_party[party_key] = self._waiting_of(party_key) + 1
        arrivals = self._arrivals.setdefault(party_key, deque())
        arrivals.append(leg)
        if len(arrivals) > 2 * count + _SPARE:  # most of them have been sent
            self._arrivals[party_key] = deque(one for one in arrivals if one.waits)

    def _less(self, leg: WaitingLeg) -> None:
        leg.waits = False
        self.waiting -= 1
        self._bytes -= leg.size
        self._per_party[leg.key[0]] -= 1

    @property
    def can_send(self) -> bool:
        """Whether `next` would give a leg now."""
        return bool(self._ready) and self.in_flight < (1 if self.timeouts else self._concurrency)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self.waiting and not self.in_flight

    def next(self) -> WaitingLeg | None:
        """The leg to send now; its key is busy until `done`."""
        if not self.can_send:
            return None
        key, _ = self._ready.popitem(last=False)
        queue = self._by_key[key]
        leg = queue.popleft()
        self._less(leg)
        self._busy.add(key)
        self.in_flight += 1
        return leg

    def done(self, leg: WaitingLeg) -> None:
        """The leg was sent or given up; the next one of its party and object may go."""
        key = leg.key
        self._busy.discard(key)
        self.in_flight -= 1
        if self._by_key.get(key):
            self._ready.setdefault(key)
        else:
            self._by_key.pop(key, None)
            if not self._waiting_of(key[0]):
                self._per_party.pop(key[0], None)
                self._arrivals.pop(key[0], None)
