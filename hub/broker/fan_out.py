"""Fan-out: the legs of stored broadcasts on their way, one attempt each, none faster than the hub can bear and none
slower than its own receiver (R-068, R-074, R-081, rulings 8 to 10).

Rules
- A leg is claimed in the store before it is sent and settled after; one that is skipped is settled at once.
- As many workers send as the loop bears (`pace`), so that direct traffic keeps its share of it. A leg whose receiver
  keeps the hub waiting is not counted among them after `PATIENCE_S`, and further ones to the same platform not at all:
  another worker takes their place, so what hangs costs the others nothing.
- After a restart what was not settled is sent once more, never a third time, and before the hub takes requests; what
  is older than `TOO_OLD` is not sent.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta

import structlog

from hub.broker.alarms import Alarms
from hub.broker.behind import Behind
from hub.broker.delivery import Delivery, Unwritten, is_full
from hub.broker.lane import MOST_LEGS, Cast, Lane, WaitingLeg
from hub.broker.leg_book import LegBook
from hub.broker.legs import Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.pace import Pace
from hub.broker.plugins.watching import Watching
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.decisions import Choices
from hub.domain.outcome import TimedOut
from hub.domain.push_paths import push_at
from hub.domain.receivers import one_of_everybody
from hub.errors import StoreUnavailable
from hub.metrics import Metrics
from hub.ocpi.party_id import PartyId
from hub.store.ports import BroadcastStore, CatalogStore
from hub.store.records import LegClaim, UnfinishedBroadcast

log = structlog.get_logger("hub.fan_out")

PATIENCE_S = 0.25
LANE_CONCURRENCY = 16
MOST_HANGING = 500
# Legs that may wait for all platforms together; beyond it the oldest of the longest lane go.
MOST_WAITING = 500_000
# An answer that comes later than this is no reason to send more at once.
QUICK_S = 1.0
TOO_OLD = timedelta(minutes=10)
# How long a start waits at most for legs of the run before.
BACKLOG_S = 3.0
LAST_ATTEMPT = 2
_TIMEOUTS_THAT_COUNT = 5
_RESUME_PAGE = 500
_AWAY_S = 1.0
_LAST_LEGS_S = 2.0
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
        watching: Watching,
        connections: int,
    ) -> None:
        self._choices = choices
        self._registry = registry
        self._liveness = liveness
        self._broadcasts = broadcasts
        self._metrics = metrics
        self._clock = clock
        self.watching = watching
        self.most_legs = MOST_LEGS
        self._concurrency = max(1, min(LANE_CONCURRENCY, connections // 2))
        self._book = LegBook(broadcasts, clock)
        self._lanes: dict[str, Lane] = {}
        self._waiting = 0
        self._to_send: deque[Lane] = deque()
        self._sending: dict[WaitingLeg, tuple[Lane, float]] = {}
        self._hanging: set[WaitingLeg] = set()
        self._workers = 0
        self._stopping = False
        self._pace = Pace()
        self._busy = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._behind = Behind(registry, alarms)
        self._delivery = Delivery(legs, catalog, clock)
        metrics.gauge("ocpi_hub_broadcast_legs_waiting", lambda: float(self.waiting))
        metrics.gauge("ocpi_hub_receivers_behind", lambda: float(self._behind.count))

    @property
    def waiting(self) -> int:
        """Legs that wait for their turn."""
        return self._waiting

    @property
    def quiet(self) -> bool:
        """Whether every leg was sent or skipped, and that is stored."""
        return all(lane.idle for lane in self._lanes.values()) and not self._workers and self._book.quiet

    def most_waiting(self) -> int:
        """Legs that wait for the platform with the longest lane, those left out that cannot keep up anyway."""
        lanes = (lane for lane in self._lanes.values() if not self._behind.anybody_on(lane.platform_id))
        return max((lane.waiting for lane in lanes), default=0)

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
        before = lane.waiting
        superseded, dropped = lane.add(leg)
        self._waiting += lane.waiting - before
        for older in superseded:
            self._settle(older, "superseded")
        for oldest in dropped:
            self._settle(oldest, "dropped", missed=True)
        if self._waiting > MOST_WAITING:
            self._shed()
        self._line_up(lane)

    def _shed(self) -> None:
        """Takes what is oldest from the platform with the longest lane."""
        longest = max(self._lanes.values(), key=lambda lane: lane.waiting)
        for oldest in longest.drop_oldest():
            self._waiting -= 1
            self._settle(oldest, "dropped", missed=True)

    def _line_up(self, lane: Lane) -> None:
        if not lane.queued and lane.can_send:
            lane.queued = True
            self._to_send.append(lane)

    def _settle(self, leg: WaitingLeg, word: str, *, missed: bool = False) -> None:
        """The leg is done without having been sent; `missed`: its receiver should have had it."""
        self._book.settle(leg.cast.order, leg.number)
        self._metrics.count_broadcast_leg(word)
        self._over(leg, word)
        if missed:
            self._behind.add(leg.receiver.platform_id, leg.receiver.party)

    def _over(self, leg: WaitingLeg, word: str | None = None) -> None:
        """Tells plugins that the leg is done; a word says why it was not sent."""
        watched = leg.cast.watched
        if watched is None:
            return
        if word is not None:
            broadcast, receiver = leg.cast.broadcast, leg.receiver
            skipped = watched.begin_leg(
                (broadcast.sender, receiver.party),
                receiver.platform_id,
                broadcast.method,
                broadcast.version,
                leg.cast.body,
            )
            skipped.outcome = word
        watched.leg_over()

    def is_behind(self, platform_id: str, party: PartyId) -> bool:
        """Whether the party missed broadcasts and has not fetched a list since."""
        return self._behind.holds(platform_id, party)

    def caught_up(self, platform_id: str, party: PartyId) -> None:
        """The party fetches a list from the catalog (ruling 9)."""
        self._behind.caught_up(platform_id, party)

    # --- after a restart ---

    async def resume(self) -> None:
        """Takes up what was not settled when the hub stopped; before anything new is added. Raises StoreUnavailable."""
        after, oldest = 0, self._clock.now() - TOO_OLD
        while page := await self._broadcasts.unfinished(after, _RESUME_PAGE):
            after = page[-1].order
            for unfinished in page:
                self._take_up(unfinished, too_old=unfinished.broadcast.created_at < oldest)
                await asyncio.sleep(0)

    async def clear_backlog(self) -> None:
        """Waits until what was taken up is sent, for a while. Called while the hub runs but takes no requests yet: what
        one crash has cut short should not have to share the next moments with new traffic, and with a second crash.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(BACKLOG_S):
                while not self.quiet:  # noqa: ASYNC110 - once, at the start
                    await asyncio.sleep(_PULSE_S)

    def _take_up(self, unfinished: UnfinishedBroadcast, *, too_old: bool) -> None:
        broadcast = unfinished.broadcast
        segments = broadcast.tail.strip("/").split("/")
        push = push_at(broadcast.module, broadcast.method, segments, broadcast.query, unfinished.body)
        watched = self.watching.of_broadcast(broadcast, unfinished.body)
        if watched is not None:
            watched.expect_legs(sum(attempts is not None for attempts in unfinished.attempts))
        cast = Cast(unfinished.order, broadcast, unfinished.body, push, watched)
        for number, attempts in enumerate(unfinished.attempts):
            if attempts is None:
                continue
            leg = WaitingLeg(cast, number, attempts + 1, resumed=True)
            if too_old or leg.attempt > LAST_ATTEMPT:
                self._settle(leg, "too_old" if too_old else "given_up", missed=True)
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
                self._book.hold()
                while self._workers > len(self._hanging):  # noqa: ASYNC110 - once, at the very end
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
                self._waiting -= 1
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
        letter = await self._delivery.letter(leg, direct)
        if isinstance(letter, Unwritten):
            self._settle(leg, letter.value)
            return
        if not await self._claimed(leg):
            self._over(leg)
            return
        started = self._clock.monotonic()
        self._sending[leg] = (lane, started)
        if lane.hanging:
            self._hangs(lane, leg)
            self._wake()
        outcome = await self._delivery.of(leg, direct, letter)
        if isinstance(outcome, TimedOut):
            self._timed_out(lane)
        else:
            lane.answered(quickly=self._clock.monotonic() - started <= QUICK_S)
        if is_full(outcome):
            self._behind.add(receiver.platform_id, receiver.party)
        self._book.settle(leg.cast.order, leg.number)
        self._over(leg)

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
            if self._stopping and not granted:
                return False
            if granted or not unknown or leg.attempt == LAST_ATTEMPT:
                return granted or unknown
            leg.attempt, unknown = leg.attempt + 1, False

    def _timed_out(self, lane: Lane) -> None:
        lane.timed_out()
        if lane.timeouts % _TIMEOUTS_THAT_COUNT == 0:
            self._liveness.failed(lane.platform_id)
