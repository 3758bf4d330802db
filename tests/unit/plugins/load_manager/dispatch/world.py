"""A small world of charge points behind an unreliable network, driven by the board as the plugin would drive it.

What goes wrong: messages and results are lost, late, repeated and refused; the hub crashes between any two actions;
local limits, the eMSP and the grid change their minds. What the charge points really allow is compared with what the
board believes at every event.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hub.ocpi.codec import dumps, loads
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Answer
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import Action, Board, Put, Rates, Release, Session, Settings, Target
from plugins.load_manager.profiles import (
    Scale,
    StepProfile,
    exceeds,
    from_ocpi,
    minimum,
    second,
    to_ocpi,
    with_ending,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AC3 = Scale("A", 3, 4_140_000)
MAXIMUM_MW = 11_040_000
FALLBACK_MW = 16_560_000
EVSES = 4
SHARE_MW = FALLBACK_MW // EVSES
UNTIL_S = 2700
PATHS = (("left", "root"), ("right", "root"))


@dataclass(slots=True)
class ChargePoint:
    """What one car may take: by the profile it has, and by a limit of its own."""

    session: Session
    profile: StepProfile | None = None
    local: StepProfile | None = None
    applied_s: float = 0.0
    theirs: StepProfile | None = None

    @property
    def active(self) -> StepProfile:
        default_mw = self.session.default_mw
        unsteered = StepProfile.flat(0, MAXIMUM_MW if default_mw is None else default_mw)
        profile = unsteered if self.profile is None else self.profile
        return profile if self.local is None else minimum(profile, self.local)


@dataclass(slots=True)
class World:
    """`calm` is a network without losses. `check` is called after everything that happens."""

    random: Random
    calm: bool = False
    now_s: float = 0.0
    points: dict[str, ChargePoint] = field(default_factory=dict)
    limits: dict[str, StepProfile] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    sent: list[Put | Release] = field(default_factory=list)
    queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    board: Board = field(default_factory=Board)
    rates: Rates = field(default_factory=Rates)
    saved: bytes = b""
    number: int = 0

    def __post_init__(self) -> None:
        self.draw_limits()
        self.save()

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.now_s)

    @property
    def second(self) -> int:
        return second(self.now)

    # The hub

    def save(self) -> None:
        self.saved = dumps(self.board.to_json())

    def plan(self) -> None:
        """Equal shares under every node of what those that are held leave over; then the fallback share."""
        self.board.limit(self.limits)
        held = self.board.held(self.now)
        marks = {self.second, *(s for profile in (*self.limits.values(), *held.values()) for s in profile.seconds)}
        moments = sorted(moment for moment in marks if self.second <= moment < self.second + UNTIL_S)
        for name, point in self.points.items():
            if name in self.free:
                self.board.release(name)
            if name in held or name in self.free:
                continue
            values = [
                (moment, min(self._share(node, moment, held) for node in point.session.path)) for moment in moments
            ]
            profile = with_ending(StepProfile.of(values), StepProfile.flat(0, SHARE_MW), self.second + UNTIL_S)
            self.board.aim(name, Target(profile, self.second + UNTIL_S))

    def _share(self, node: str, moment: int, held: dict[str, StepProfile]) -> int:
        below = [name for name, point in self.points.items() if node in point.session.path]
        left = self.limits[node].at(moment) - sum(held[name].at(moment) for name in below if name in held)
        left -= MAXIMUM_MW * sum(name in self.free and name not in held for name in below)
        steered = sum(name not in held and name not in self.free for name in below)
        return min(MAXIMUM_MW, max(0, left) // max(1, steered))

    def round(self, crash_after: int | None = None) -> list[Action]:
        """Plans, decides, writes down, and carries out: all of it, or as much as comes before a crash."""
        self.plan()
        actions = self.board.decide(self.now, self.rates)
        self.save()
        messages = [action for action in actions if isinstance(action, Put | Release)]
        for message in messages if crash_after is None else messages[:crash_after]:
            self.deliver(message)
        if crash_after is not None:
            self.crash()
        return actions

    def crash(self) -> None:
        """What was not written down is forgotten; sessions and CPOs are looked up again."""
        self.board = Board.from_json(loads(self.saved))
        self.rates = Rates()
        self.board.restarted()
        for name in set(self.board.state.rows) - set(self.points):
            self.board.ended(name)
        for point in self.points.values():
            self.board.seen(point.session)
        for cpo in ("X", "Y"):
            (self.board.offline if cpo in self.offline else self.board.online)(cpo)

    # The network and the CPO

    def later(self, delay_s: float, happens: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.queue, (self.now_s + delay_s, self.number, happens))

    def deliver(self, message: Put | Release) -> None:
        """Sends it; per session everything arrives in the order it was sent."""
        self.sent.append(message)
        point = self.points.get(message.session_id)
        if point is None or point.session.cpo in self.offline or self._happens(0.1):
            return
        arrives_s = max(point.applied_s, self.now_s + self.random.uniform(0, 5))
        fate = self.random.choices((*Answer, None), (1, 0, 0, 0, 0, 0) if self.calm else (80, 1, 6, 6, 0, 7))[0]
        told = self.random.uniform(0, 4)
        name, epoch, seq = message.session_id, message.epoch, message.seq

        def answered(answer: Answer) -> None:
            self.board.answered(self.now, name, epoch, seq, answer=answer, timeout_s=30)

        if fate is not None:
            self.later(arrives_s - self.now_s + told, lambda: answered(fate))
        if fate not in {Answer.ACCEPTED, None}:
            return
        applies_s = arrives_s + self.random.uniform(0, 20)
        point.applied_s = applies_s
        result = Result.REJECTED if self._happens(0.08) else Result.ACCEPTED

        def applied() -> None:
            if result is Result.ACCEPTED:
                point.profile = self._as_read(message, point)

        self.later(applies_s - self.now_s, applied)
        if not self._happens(0.12):
            for _ in range(1 if not self._happens(0.2) else 3):
                back_s = applies_s - self.now_s + (3 if self.calm else self.random.uniform(0, 90))
                self.later(back_s, lambda: self._called_back(name, epoch, seq, result))

    def _called_back(self, name: str, epoch: int, seq: int, result: Result) -> None:
        before = {name: row.booked for name, row in self.board.state.rows.items()}
        self.board.called_back(self.now, name, epoch, seq, result)
        for other, row in self.board.state.rows.items():
            assert not exceeds(row.booked, before[other], self.second), "a result never raises what is booked"

    @staticmethod
    def _as_read(message: Put | Release, point: ChargePoint) -> StepProfile | None:
        if message.profile is None:
            return None
        value = to_ocpi(message.profile, AC3)
        at = datetime.fromtimestamp(message.profile.start_s, UTC)
        return from_ocpi(value, scale=AC3, maximum_mw=point.session.maximum_mw, now=at)

    def _happens(self, chance: float) -> bool:
        return not self.calm and self.random.random() < chance

    # What changes

    def draw_limits(self) -> None:
        for node in ("left", "right", "root"):
            values = [(self.second + at_s, self.random.randrange(0, 45, 3) * 1_000_000) for at_s in (0, 600, 1500)]
            self.limits[node] = StepProfile.of(values)

    def change(self) -> None:
        """One thing happens to the world, which the board is told."""
        sessions = (self._arrives, self._arrives, self._leaves, self._local, self._emsp, self._release)
        self.random.choice((self._limits, *sessions, self._cpo))()

    def _limits(self) -> None:
        self.draw_limits()
        self.board.limit(self.limits)
        if self.random.random() < 0.3:
            self.board.lifted(self.now, ["root"])

    def _arrives(self) -> None:
        if len(self.points) < EVSES:
            self.number += 1
            random = self.random
            default_mw = random.choice((None, 4_140_000))
            path = random.choice(PATHS)
            session = Session(f"S{self.number}", random.choice("XY"), path, MAXIMUM_MW, AC3, default_mw)
            self.points[session.id] = ChargePoint(session)
            self.board.seen(session)

    def _leaves(self) -> None:
        if self.points:
            name = self.random.choice(list(self.points))
            del self.points[name]
            self.board.ended(name)

    def _local(self) -> None:
        if self.points:
            name, point = self.random.choice(list(self.points.items()))
            point.local = None if point.local else StepProfile.flat(0, self.random.choice((0, 5_520_000)))
            self.board.reported(self.now, name, point.active, self.second + 900)
            self.save()

    def _release(self) -> None:
        if self.points:
            self.free ^= {self.random.choice(list(self.points))}

    def _cpo(self) -> None:
        cpo = self.random.choice("XY")
        if cpo in self.offline:
            self.offline.remove(cpo)
            self.board.online(cpo)
        else:
            self.offline.add(cpo)
            self.board.offline(cpo)

    def _emsp(self) -> None:
        if not self.points:
            return
        name, point = self.random.choice(list(self.points.items()))
        if point.theirs is not None:
            point.theirs = None
            self.board.theirs_gone(name)  # if it is passed on, the CPO has nothing to take away
            self.save()
        elif point.session.cpo not in self.offline:
            point.theirs = StepProfile.flat(0, self.random.choice((4_140_000, 6_900_000, MAXIMUM_MW)))
            put = self.board.theirs(self.now, name, point.theirs)
            self.save()
            assert put is not None
            self.deliver(put)

    # Time, and what must hold

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.queue and self.queue[0][0] <= end_s:
            self.now_s, _, happens = heapq.heappop(self.queue)
            happens()
            self.check()
        self.now_s = end_s
        self.check()

    def check(self) -> None:
        for name, point in self.points.items():
            allowed_mw = point.active.at(self.second)
            assert allowed_mw <= self.board.booked(name, self.now), "what may be in force is booked"
        for node, limit in self.limits.items():
            if node not in self.excused:
                below = [point for point in self.points.values() if node in point.session.path]
                assert sum(point.active.at(self.second) for point in below) <= limit.at(self.second)

    def totals(self, *, endings: bool = True) -> dict[str, StepProfile]:
        """What is booked under each node, at the seconds where something changes within the horizon; without `endings`
        as if every profile were refreshed before its own.
        """
        booked = {
            name: row.booked if endings else row.booked_without_ending() for name, row in self.board.state.rows.items()
        }
        seconds = {s for profile in (*booked.values(), *self.limits.values()) for s in profile.seconds}
        end_s = self.second + Settings().horizon_s
        marks = [self.second, *sorted(s for s in seconds if self.second < s < end_s)]
        rows = self.board.state.rows.values()
        return {
            node: StepProfile.of(
                (s, sum(booked[row.session.id].at(s) for row in rows if node in row.session.path)) for s in marks
            )
            for node in self.limits
        }

    def holds(self, node: str) -> bool:
        """Whether a session below the node cannot be given another limit now, or waits for its release."""
        released = (name for name, row in self.board.state.rows.items() if row.releasing)
        return any(node in self.points[name].session.path for name in {*self.board.held(self.now), *released})

    def excuse(self) -> None:
        """Nodes that were above their limit for a reason stay excused until they are not."""
        over = self.over()
        self.excused = {node for node in over if node in self.excused or self.holds(node)}

    def over(self, *, endings: bool = True) -> set[str]:
        """The nodes above their limit somewhere in the horizon."""
        end_s = self.second + Settings().horizon_s
        totals = self.totals(endings=endings)
        return {node for node, total in totals.items() if exceeds(total, self.limits[node], self.second, end_s)}
