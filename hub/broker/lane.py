"""What waits to be sent to one platform: order kept per party and object, newest state instead of old, bounded (R-081,
rulings 8 and 9). A data structure; who sends is `fan_out`.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from hub.broker.plugins.watched import Watched
from hub.domain.catalog import Push
from hub.ocpi import splice
from hub.store.records import Broadcast, PartyOn

MOST_LEGS = 10_000
MOST_BYTES = 64 * 1024 * 1024
# A lane that nothing is known about may have this many legs under way; quick answers let it have more.
_FIRST_ALLOWANCE = 2
_SPARE = 64
# How many waiting changes of one part a newer one is compared with.
_MOST_COMPARED = 50

LegKey = tuple[str, str]
Address = tuple[str, ...]


@dataclass(eq=False, slots=True)
class Cast:
    """One stored broadcast on its way: `order` is its place among all; `watched` is what plugins see of it."""

    order: int
    broadcast: Broadcast
    body: bytes | None
    push: Push
    watched: Watched | None = None
    address: Address = field(init=False)
    _names: frozenset[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.address = self.push.address

    @property
    def names(self) -> frozenset[str]:
        """The members its body sets."""
        if self._names is None:
            try:
                self._names = frozenset(splice.members(self.body or b""))
            except splice.Unreadable:
                self._names = frozenset()
        return self._names


@dataclass(eq=False, slots=True)
class WaitingLeg:
    """Leg `number` of a cast; `attempt` is the number its sending will have, 1 or 2. `resumed`: it waited before the
    last start of the hub.
    """

    cast: Cast
    number: int
    attempt: int = 1
    resumed: bool = False
    waits: bool = False

    @property
    def receiver(self) -> PartyOn:
        return self.cast.broadcast.legs[self.number]

    @property
    def key(self) -> LegKey:
        """Legs with one key go one after the other."""
        leg = self.cast.broadcast.legs[self.number]
        return leg.party.key, self.cast.broadcast.object_key

    @property
    def size(self) -> int:
        return len(self.cast.body or b"")


class _Queue:
    """Several legs of one party and object, in order, and by the address they change."""

    __slots__ = ("_by_address", "legs")

    def __init__(self) -> None:
        self.legs: OrderedDict[WaitingLeg, None] = OrderedDict()
        self._by_address: dict[Address, OrderedDict[WaitingLeg, None]] = {}

    def append(self, leg: WaitingLeg) -> None:
        self.legs[leg] = None
        self._by_address.setdefault(leg.cast.address, OrderedDict())[leg] = None

    def remove(self, leg: WaitingLeg) -> None:
        del self.legs[leg]
        address = leg.cast.address
        same = self._by_address[address]
        del same[leg]
        if not same:
            del self._by_address[address]

    def covered_by(self, cast: Cast) -> list[WaitingLeg]:
        """Legs that a newer push of the object makes superfluous (`hub.domain.pushes.covers`)."""
        address = cast.address
        if cast.push.method != "PATCH":
            return [leg for known, legs in self._by_address.items() if known[: len(address)] == address for leg in legs]
        same = list(self._by_address.get(address, ()))[-_MOST_COMPARED:]
        return [leg for leg in same if leg.cast.push.method == "PATCH" and leg.cast.names <= cast.names]


@dataclass(slots=True)
class _Share:
    """What of a lane waits for one party."""

    legs: int = 0
    size: int = 0
    # In order of coming; those that wait no more are passed over.
    arrivals: deque[WaitingLeg] = field(default_factory=deque)


class Lane:
    """The legs for one platform. At most `concurrency` are under way, fewer while it does not answer quickly.

    Each party may have `most_legs` waiting, and all of them together `most_bytes` of bodies.
    """

    def __init__(
        self, platform_id: str, concurrency: int, *, most_legs: int = MOST_LEGS, most_bytes: int = MOST_BYTES
    ) -> None:
        self.platform_id = platform_id
        # Legs in a row that were not answered in time.
        self.timeouts = 0
        self.waiting = 0
        self.in_flight = 0
        # Legs under way that keep the hub waiting.
        self.hanging = 0
        # Whether the lane stands in the queue of those who have something to send.
        self.queued = False
        self._allowance = min(_FIRST_ALLOWANCE, concurrency)
        self._concurrency = concurrency
        self._most_legs = most_legs
        self._most_bytes = most_bytes
        self._bytes = 0
        self._by_key: dict[LegKey, WaitingLeg | _Queue] = {}
        self._ready: OrderedDict[LegKey, None] = OrderedDict()
        self._busy: set[LegKey] = set()
        self._shares: dict[str, _Share] = {}

    # --- coming ---

    def add(self, leg: WaitingLeg) -> tuple[list[WaitingLeg], list[WaitingLeg]]:
        """Puts a leg behind those of its party and object. Two lists come back, of legs that will not be sent any more:
        those it makes superfluous, and the oldest ones that no longer fit.
        """
        key = leg.key
        superseded = self._superseded_by(leg, key)
        for older in superseded:
            self._take_out(older, key)
        self._put(leg, key)
        if key not in self._busy:
            self._ready.setdefault(key)
        return superseded, self._overflow(key[0])

    def _superseded_by(self, leg: WaitingLeg, key: LegKey) -> list[WaitingLeg]:
        known = self._by_key.get(key)
        if known is None:
            return []
        if isinstance(known, WaitingLeg):
            queue = _Queue()
            queue.append(known)
            self._by_key[key] = known = queue
        return known.covered_by(leg.cast)

    def _put(self, leg: WaitingLeg, key: LegKey) -> None:
        known = self._by_key.get(key)
        if isinstance(known, _Queue):
            known.append(leg)
        else:
            self._by_key[key] = leg
        leg.waits = True
        self.waiting += 1
        self._bytes += leg.size
        share = self._shares.setdefault(key[0], _Share())
        share.legs += 1
        share.size += leg.size
        share.arrivals.append(leg)
        if len(share.arrivals) > 2 * share.legs + _SPARE:  # most of them have been sent
            share.arrivals = deque(one for one in share.arrivals if one.waits)

    def _take_out(self, leg: WaitingLeg, key: LegKey) -> None:
        known = self._by_key[key]
        if isinstance(known, _Queue):
            known.remove(leg)
            if not known.legs:
                del self._by_key[key]
        else:
            del self._by_key[key]
        if key not in self._by_key:
            self._ready.pop(key, None)
        leg.waits = False
        self.waiting -= 1
        self._bytes -= leg.size
        share = self._shares[key[0]]
        share.legs -= 1
        share.size -= leg.size

    def _overflow(self, party_key: str) -> list[WaitingLeg]:
        gone = []
        while self._shares[party_key].legs > self._most_legs:
            gone += self.drop_oldest(party_key)
        while self._bytes > self._most_bytes and self.waiting > 1:
            gone += self.drop_oldest(max(self._shares, key=lambda one: self._shares[one].size))
        return gone

    def drop_oldest(self, party_key: str | None = None) -> list[WaitingLeg]:
        """Takes out the leg that has waited longest: of a party, or of the one with most of them."""
        if party_key is None:
            party_key = max(self._shares, key=lambda one: self._shares[one].legs, default="")
        arrivals = self._shares[party_key].arrivals if party_key in self._shares else deque[WaitingLeg]()
        while arrivals:
            leg = arrivals.popleft()
            if leg.waits:
                self._take_out(leg, leg.key)
                return [leg]
        return []

    # --- going ---

    @property
    def can_send(self) -> bool:
        """Whether `next` would give a leg now."""
        return bool(self._ready) and self.in_flight < self._allowance

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self.waiting and not self.in_flight

    def next(self) -> WaitingLeg | None:
        """The leg to send now; its key is busy until `done`."""
        if not self.can_send:
            return None
        key, _ = self._ready.popitem(last=False)
        known = self._by_key[key]
        leg = next(iter(known.legs)) if isinstance(known, _Queue) else known
        self._take_out(leg, key)
        self._busy.add(key)
        self.in_flight += 1
        return leg

    def done(self, leg: WaitingLeg) -> None:
        """The leg was sent or given up; the next one of its party and object may go."""
        key = leg.key
        self._busy.discard(key)
        self.in_flight -= 1
        if key in self._by_key:
            self._ready.setdefault(key)
        elif key[0] in self._shares and not self._shares[key[0]].legs:
            del self._shares[key[0]]

    def answered(self, *, quickly: bool) -> None:
        """A leg was answered: quick answers let more of them be under way, slow ones fewer."""
        self.timeouts = 0
        if quickly:
            self._allowance = min(self._concurrency, self._allowance * 2)
        else:
            self._allowance = max(1, self._allowance // 2)

    def timed_out(self) -> None:
        """A leg was not answered in time: from now on one at a time, until one is."""
        self.timeouts += 1
        self._allowance = 1
