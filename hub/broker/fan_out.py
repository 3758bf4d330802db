"""Fan-out: the legs of stored broadcasts on their way, one attempt each, none faster than the hub can bear and none
slower than its own receiver (R-068, R-074, R-081, rulings 8 to 10).

Rules
- A leg is claimed in the store before it is sent and settled after; one that is skipped is settled at once.
- As many workers send as the loop bears (`pace`), so that direct traffic keeps its share of it. A leg whose receiver
  keeps the hub waiting is not counted among them after `PATIENCE_S`, and further ones to the same platform not at all:
  another worker takes their place, so what hangs costs the others nothing.
- After a restart what was not settled is sent once more, never a third time; what is older than `TOO_OLD` is not sent.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta

import structlog

from hub.broker.alarms import Alarms
from hub.broker.lane import MOST_LEGS, Cast, Lane, WaitingLeg
from hub.broker.leg_book import LegBook
from hub.broker.legs import Leg, Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.pace import Pace
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.decisions import Choices, Direct
from hub.domain.outcome import Answer, Outcome, TimedOut, Unsent, UnsentReason
from hub.domain.push_paths import path_of, push_at
from hub.domain.receivers import one_of_everybody
from hub.errors import StoreUnavailable
from hub.metrics import Metrics
from hub.ocpi import urls
from hub.ocpi.envelope import status_code_of
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import BroadcastStore, CatalogStore
from hub.store.records import LegClaim, UnfinishedBroadcast

log = structlog.get_logger("hub.fan_out")

BROADCAST = "broadcast"
PATIENCE_S = 0.25
LANE_CONCURRENCY = 16
MOST_HANGING = 500
TOO_OLD = timedelta(minutes=10)
LAST_ATTEMPT = 2
_TIMEOUTS_THAT_COUNT = 5
_LACKS = frozenset({StatusCode.INVALID_PARAMETERS, StatusCode.UNKNOWN_LOCATION, StatusCode.UNKNOWN_TOKEN})
_RESUME_PAGE = 500
_AWAY_S = 1.0
_LAST_LEGS_S = 2.0
_FULL_S = 0.1
_PULSE_S = 0.01


class FanOut:
    """Sends the legs of broadcasts. `connections` is the most requests in flight to one platform."""

    def __init__(
        self,
        *,
        choices: Choices,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        broadcasts: BroadcastStore,
        catalog: CatalogStore,
        alarms: Alarms,
        metrics: Metrics,
        clock: Clock,
        connections: int,
    ) -> None:
        self._choices = choices
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._broadcasts = broadcasts
        self._catalog = catalog
        self._alarms = alarms
        self._metrics = metrics
        self._clock = clock
        self.most_legs = MOST_LEGS
        self._concurrency = max(1, min(LANE_CONCURRENCY, connections // 2))
        self._book = LegBook(broadcasts, clock)
        self._lanes: dict[str, Lane] = {}
        self._to_send: deque[Lane] = deque()
        self._sending: dict[WaitingLeg, tuple[Lane, float]] = {}
        self._hanging: set[WaitingLeg] = set()
        self._workers = 0
        self._stopping = False
        self._pace = Pace()
        self._busy = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._behind: dict[str, set[str]] = {}
        metrics.gauge("ocpi_hub_broadcast_legs_waiting", lambda: float(self.waiting))
        metrics.gauge("ocpi_hub_receivers_behind", lambda: float(sum(map(len, self._behind.values()))))

    @property
    def waiting(self) -> int:
        """Legs that wait for their turn."""
        return sum(lane.waiting for lane in self._lanes.values())

    @property
    def quiet(self) -> bool:
        """Whether every leg was sent or skipped, and that is stored."""
        return all(lane.idle for lane in self._lanes.values()) and not self._workers and self._book.quiet

    def most_waiting(self) -> int:
        """Legs that wait for the platform with the longest queue."""
        return max((lane.waiting for lane in self._lanes.values()), default=0)

    # --- what waits ---

    def add(self, cast: Cast) -> None:
        """Takes a stored broadcast; its legs go out as soon as their receivers' earlier ones allow."""
        for number in range(len(cast.broadcast.legs)):
            self._put(WaitingLeg(cast, number))
        self._wake()

    def _put(self, leg: WaitingLeg) -> None:
        platform_id = leg.receiver.platform_id
        lane = self._lanes.get(platform_id)
        if lane is None:
            lane = self._lanes[platform_id] = Lane(platform_id, self._concurrency, most_legs=self.most_legs)
        superseded, dropped = lane.add(leg)
        for older in superseded:
            self._settle(older, "superseded")
        for oldest in dropped:
            self._settle(oldest, "dropped")
            self._fell_behind(platform_id, oldest.receiver.party)
        self._line_up(lane)

    def _line_up(self, lane: Lane) -> None:
        if not lane.queued and lane.can_send:
            lane.queued = True
            self._to_send.append(lane)

    def _settle(self, leg: WaitingLeg, word: str) -> None:
        """The leg is done without having been sent."""
        self._book.settle(leg.cast.order, leg.number)
        self._metrics.count_broadcast_leg(word)

    def _fell_behind(self, platform_id: str, party: PartyId) -> None:
        behind = self._behind.setdefault(platform_id, set())
        if party.key not in behind:
            behind.add(party.key)
            text = f"{party} takes broadcasts more slowly than they come and has missed some; it must fetch the lists"
            self._alarms.sound("receiver_behind", platform_id, text, standing=True)

    def is_behind(self, platform_id: str, party: PartyId) -> bool:
        """Whether the party missed broadcasts and has not fetched a list since."""
        return party.key in self._behind.get(platform_id, ())

    def caught_up(self, platform_id: str, party: PartyId) -> None:
        """The party fetches a list from the catalog (ruling 9)."""
        behind = self._behind.get(platform_id)
        if behind is not None:
            behind.discard(party.key)
            if not behind:
                del self._behind[platform_id]
                self._alarms.clear("receiver_behind", platform_id)

    # --- after a restart ---

    async def resume(self) -> None:
        """Takes up what was not settled when the hub stopped; before anything new is added. Raises StoreUnavailable."""
        after, oldest = 0, self._clock.now() - TOO_OLD
        while page := await self._broadcasts.unfinished(after, _RESUME_PAGE):
            after = page[-1].order
            for unfinished in page:
                self._take_up(unfinished, too_old=unfinished.broadcast.created_at < oldest)

    def _take_up(self, unfinished: UnfinishedBroadcast, *, too_old: bool) -> None:
        broadcast = unfinished.broadcast
        segments = broadcast.tail.strip("/").split("/")
        push = push_at(broadcast.module, broadcast.method, segments, broadcast.query, unfinished.body)
        cast = Cast(unfinished.order, broadcast, unfinished.body, push)
        for number, attempts in enumerate(unfinished.attempts):
            if attempts is None:
                continue
            leg = WaitingLeg(cast, number, attempts + 1)
            if too_old or leg.attempt > LAST_ATTEMPT:
                self._settle(leg, "too_old" if too_old else "given_up")
            else:
                self._put(leg)

    # --- workers ---

    async def run(self) -> None:
        """Sends, for ever."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._book.run())
                self._tasks.create_task(self._keep_pace())
                self._wake()
        finally:
            self._tasks = None

    async def stop(self) -> None:
        """Starts no leg any more, gives those under way a moment, and settles what is done. The rest is taken up after
        the next start.
        """
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_LEGS_S):
                while len(self._sending) > len(self._hanging):  # noqa: ASYNC110 - once, at the very end
                    await asyncio.sleep(_LAST_LEGS_S / 100)
        await self._book.flush()

    def _wake(self) -> None:
        """Starts workers as long as there is something to send and room for them."""
        if self._tasks is None or self._stopping:
            return
        missing = min(self._pace.window - (self._workers - len(self._hanging)), len(self._to_send))
        for _ in range(missing):
            self._workers += 1
            self._busy.set()
            self._tasks.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._to_send and not self._stopping and self._workers - len(self._hanging) <= self._pace.window:
                lane = self._to_send.popleft()
                lane.queued = False
                leg = lane.next()
                if leg is None:
                    continue
                self._line_up(lane)
                try:
                    await self._attempt(lane, leg)
                except Exception:  # a boundary: a mistake about one leg must not end the others
                    log.exception("a broadcast leg failed", correlation_id=leg.cast.broadcast.correlation_id)
                    self._settle(leg, "failed")
                finally:
                    self._sending.pop(leg, None)
                    if leg in self._hanging:
                        self._hanging.discard(leg)
                        lane.hanging -= 1
                    lane.done(leg)
                    self._line_up(lane)
        finally:
            self._workers -= 1
        self._wake()

    async def _keep_pace(self) -> None:
        """Feels the loop's pulse while legs are under way. Those that take long do not count as work: what waits is the
        receiver, not the hub.
        """
        while True:
            await self._busy.wait()
            due = time.perf_counter() + _PULSE_S
            await asyncio.sleep(_PULSE_S)
            self._pace.observe(time.perf_counter() - due)
            late = self._clock.monotonic() - PATIENCE_S
            for leg, (lane, since) in self._sending.items():
                if since > late:
                    break
                self._hangs(lane, leg)
            if not self._workers:
                self._busy.clear()
            self._wake()

    def _hangs(self, lane: Lane, leg: WaitingLeg) -> None:
        if leg not in self._hanging and len(self._hanging) < MOST_HANGING:
            self._hanging.add(leg)
            lane.hanging += 1

    # --- one leg ---

    async def _attempt(self, lane: Lane, leg: WaitingLeg) -> None:
        broadcast = leg.cast.broadcast
        receiver = leg.receiver
        direct = one_of_everybody(
            self._registry.snapshot,
            self._choices,
            (broadcast.platform_id, leg.cast.push.key.owner),
            (receiver.platform_id, receiver.party),
            broadcast.module,
        )
        if direct is None or direct.platform.id in self._liveness.offline:
            self._settle(leg, "skipped")
            return
        if not await self._claimed(leg):
            return
        self._sending[leg] = (lane, self._clock.monotonic())
        if lane.hanging:
            self._hangs(lane, leg)
            self._wake()
        outcome = await self._send(leg, direct, broadcast.method, (broadcast.tail, broadcast.query), leg.cast.body)
        if self._lacks_object(leg, outcome):
            await self._send_whole(leg, direct)
        self._note_timeouts(lane, outcome)
        self._book.settle(leg.cast.order, leg.number)

    async def _claimed(self, leg: WaitingLeg) -> bool:
        """Commits the attempt. While the store is away nothing is sent (ruling 22).

        A store that did not answer may have committed the claim all the same, and then refuses it the next time: what
        was claimed and surely not sent goes out under the next number, or under the last one.
        """
        unknown = False
        while True:
            try:
                granted = await self._book.claim(LegClaim(leg.cast.order, leg.number, leg.attempt))
            except StoreUnavailable:
                unknown = True
                await self._clock.sleep(_AWAY_S)
                continue
            if granted or not unknown or leg.attempt == LAST_ATTEMPT:
                return granted or unknown
            leg.attempt, unknown = leg.attempt + 1, False

    async def _send(
        self, leg: WaitingLeg, direct: Direct, method: str, path: tuple[str, str], body: bytes | None
    ) -> Outcome:
        platform = direct.platform
        timeout_s = self._legs.timeout_s(platform, authorize=False)
        url = urls.join(direct.endpoint, *path)
        sent = Leg(platform, direct.receiver, direct.sender, method, url, body, BROADCAST, timeout_s)
        give_up_at = self._clock.monotonic() + timeout_s
        while True:
            outcome = await self._legs.carry_broadcast(leg.cast.broadcast, sent)
            full = isinstance(outcome, Unsent) and outcome.reason is UnsentReason.FULL
            if not full or self._clock.monotonic() >= give_up_at:
                return outcome
            await self._clock.sleep(_FULL_S)  # others use all its slots just now, and nothing was sent

    def _lacks_object(self, leg: WaitingLeg, outcome: Outcome) -> bool:
        """Whether the receiver could not apply a change because it lacks the object (ruling 10)."""
        push = leg.cast.push
        if not isinstance(outcome, Answer) or (push.method != "PATCH" and not push.parts):
            return False
        code = status_code_of(outcome.body)
        return outcome.status == 404 or code in _LACKS

    async def _send_whole(self, leg: WaitingLeg, direct: Direct) -> None:
        """The object as it is now, whole: what its owner would do next (R-101)."""
        key = leg.cast.push.key
        try:
            raw = await self._catalog.get(key)
        except StoreUnavailable:
            return
        if raw is not None:
            await self._send(leg, direct, "PUT", path_of(key), raw)

    def _note_timeouts(self, lane: Lane, outcome: Outcome) -> None:
        if not isinstance(outcome, TimedOut):
            lane.timeouts = 0
            return
        lane.timeouts += 1
        if lane.timeouts % _TIMEOUTS_THAT_COUNT == 0:
            self._liveness.failed(lane.platform_id)
