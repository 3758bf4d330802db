"""What a session shows of its car: on how many phases it charges, how much it takes at most, whether it wakes after a
pause. Learnt from readings taken while one limit was in force that is known; the periods of a profile follow each
other by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from plugins.load_manager.knowledge.connectors import Bounds
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.power import METERED, PowerReading, current_to_mw
from plugins.load_manager.knowledge.shelving import Shelved

SAMPLES = 3
PHASE_TOLERANCE_PERCENT = 15
CLEARLY_LESS_PERCENT = 85
DRAWS_MORE_PERCENT = 105
HEADROOM_PERCENT = 110
IDLE_MW = 300_000
MOST_LEARNT = 500_000
MOST_EARLIER = 8


@dataclass(slots=True)
class Streak:
    """How many samples in a row said the same, and the value: phases, or the highest power in mW."""

    value: int = 0
    count: int = 0

    def same(self, value: int) -> int:
        self.count = self.count + 1 if value == self.value else 1
        self.value = value
        return self.count

    def highest(self, value: int) -> int:
        self.value = max(self.value, value) if self.count else value
        self.count += 1
        return self.count

    def broken(self) -> None:
        self.value = self.count = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """In force since then: per phase in mA, or in total in mW; neither when there is none. 0 is a pause."""

    since: datetime
    ma: int | None = None
    mw: int | None = None

    @property
    def paused(self) -> bool:
        return 0 in {self.ma, self.mw}

    def same(self, other: "Limit") -> bool:
        """Whether it allows the same, whenever it began."""
        return (self.ma, self.mw) == (other.ma, other.mw)


@dataclass(slots=True)
class Learnt:
    """Of one session. `limit` is in force; those `later` come into force by themselves, those `earlier` were before.
    `on_since` and `off_since`: of the two one is set once there was a limit. `phases` and `maximum_mw` are None until
    learnt; `wakes` is False when it did not resume after a pause.
    """

    limit: Limit | None = None
    later: list[Limit] = field(default_factory=list)
    earlier: list[Limit] = field(default_factory=list)
    on_since: datetime | None = None
    off_since: datetime | None = None
    phases: int | None = None
    maximum_mw: int | None = None
    wakes: bool = True
    sampled_at: datetime | None = None
    drew: bool = False
    resuming: bool = False
    phase_streak: Streak | None = None
    low_streak: Streak | None = None
    idle_count: int = 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit, were it one that allows everything."""
        return self.limit is not None and not (self.limit.ma is None and self.limit.mw is None)

    @property
    def highest_mw(self) -> int | None:
        """What to allow a car that took `maximum_mw` at most: a little more, so that it can show that it takes more."""
        return None if self.maximum_mw is None else self.maximum_mw * HEADROOM_PERCENT // 100

    def confirmed(self, limits: Sequence[Limit]) -> None:
        """The first of these is in force, and the others follow it."""
        self.pass_to(limits[0].since)
        self.later = list(limits[1:])
        self._comes(limits[0])

    def pass_to(self, now: datetime) -> bool:
        """Takes over what has come into force by then; whether there was something."""
        due = [limit for limit in self.later if limit.since <= now]
        for limit in due:
            self._comes(limit)
        del self.later[: len(due)]
        return bool(due)

    def _comes(self, limit: Limit) -> None:
        before = self.limit
        if before is not None and before.same(limit):
            return  # a profile that is refreshed
        if before is not None:
            self.earlier = [*self.earlier, before][-MOST_EARLIER:]
        self.limit = limit
        was_paused = before is not None and before.paused
        if limit.paused and not was_paused:
            self.on_since, self.off_since = None, limit.since
            self.resuming = False
        elif not limit.paused and (was_paused or self.on_since is None):
            self.on_since, self.off_since = limit.since, None
            self.resuming, self.idle_count = was_paused and self.drew, 0

    def _limit_during(self, since: datetime, at: datetime) -> Limit | None:
        """What was in force all that time; None when it changed, or is not known."""
        if self.limit is None:
            return Limit(since)
        until = None
        for limit in (self.limit, *reversed(self.earlier)):
            if limit.since <= since:
                return limit if until is None or at <= until else None
            until = limit.since
        return None

    def observe(self, reading: PowerReading, bounds: Bounds) -> bool:
        """Learns from a reading, each once; whether it could: it must be metered, while one limit was in force."""
        if reading.basis not in METERED or reading.at is None or reading.since is None:
            return False
        if self.sampled_at is not None and reading.at <= self.sampled_at:
            return False
        self.pass_to(reading.at)
        limit = self._limit_during(reading.since, reading.at)
        if limit is None:
            return False
        self.sampled_at = reading.at
        self._watch_waking(reading.power_mw, limit, reading.since)
        if not bounds.dc:
            self._watch_phases(reading.power_mw, bounds, limit.ma)
        self._watch_maximum(reading.power_mw, bounds, limit)
        return True

    def _watch_waking(self, power_mw: int, limit: Limit, since: datetime) -> None:
        draws = power_mw > IDLE_MW
        if limit.paused:
            return  # what it drew before the pause is what matters after it
        self.drew = draws
        if draws:
            self.wakes, self.resuming, self.idle_count = True, False, 0
        elif self.resuming and self.on_since is not None and since >= self.on_since:
            self.idle_count += 1
            if self.idle_count >= SAMPLES:
                self.wakes, self.resuming = False, False

    def _watch_phases(self, power_mw: int, bounds: Bounds, limit_ma: int | None) -> None:
        ceiling_ma = bounds.amperage_ma if limit_ma is None else min(limit_ma, bounds.amperage_ma)
        one_phase_mw = current_to_mw(ceiling_ma, bounds.voltage_v, 1)
        most_percent = 100 + PHASE_TOLERANCE_PERCENT
        if self.phases is not None and power_mw * 100 > self.phases * one_phase_mw * most_percent:
            self.phases = self.phase_streak = None
        if limit_ma is None or not 0 < limit_ma < bounds.amperage_ma:
            return  # the limit does not bind: the car takes what it likes
        fitting = next(
            (n for n in range(1, bounds.phases + 1) if _near(power_mw, n * one_phase_mw, PHASE_TOLERANCE_PERCENT)), 0
        )
        self.phase_streak = self.phase_streak or Streak()
        if not 0 < fitting < bounds.phases:
            self.phase_streak.broken()
        elif self.phase_streak.same(fitting) >= SAMPLES:
            self.phases = fitting

    def _watch_maximum(self, power_mw: int, bounds: Bounds, limit: Limit) -> None:
        if self.maximum_mw is not None and power_mw * 100 > self.maximum_mw * DRAWS_MORE_PERCENT:
            self.maximum_mw = self.low_streak = None
        allowed_mw = bounds.highest_mw(self.phases)
        if limit.ma is not None:
            phases = self.phases or bounds.phases
            allowed_mw = min(allowed_mw, current_to_mw(limit.ma, bounds.voltage_v, phases))
        if limit.mw is not None:
            allowed_mw = min(allowed_mw, limit.mw)
        about_phases = self.phases is None and self.phase_streak is not None and self.phase_streak.count > 0
        self.low_streak = self.low_streak or Streak()
        if allowed_mw == 0 or about_phases or power_mw * 100 >= allowed_mw * CLEARLY_LESS_PERCENT:
            self.low_streak.broken()
        elif self.low_streak.highest(max(0, power_mw)) >= SAMPLES:
            self.maximum_mw = self.low_streak.value


class LearningBook(Shelved[SessionKey, Learnt]):
    """What is learnt by session, a document `learnt/<key>` each. Above the bound the oldest go."""

    prefix: ClassVar[str] = "learnt"
    kind: ClassVar[type[object]] = Learnt

    def __init__(self, most: int = MOST_LEARNT) -> None:
        super().__init__()
        self._most = most

    def confirmed(self, key: SessionKey, *limits: Limit) -> None:
        """Limits were confirmed: the first is in force since now, the others follow it. One without a limit says that
        it was taken away.
        """
        self._of(key).confirmed(limits)
        self._touch(key)

    def pass_to(self, key: SessionKey, now: datetime) -> Learnt | None:
        """What is learnt of a session, with the limit that is in force by now; None when nothing is."""
        learnt = self._kept.get(key)
        if learnt is not None and learnt.pass_to(now):
            self._touch(key)
        return learnt

    def observe(self, key: SessionKey, readings: list[PowerReading], bounds: Bounds) -> bool:
        """Learns from the first of the readings that can teach; whether one could."""
        learnt = self._of(key)
        taught = any(learnt.observe(reading, bounds) for reading in readings)
        if taught:
            self._touch(key)
        return taught

    def _of(self, key: SessionKey) -> Learnt:
        learnt = self._kept.get(key)
        if learnt is None:
            learnt = self._kept[key] = Learnt()
            if len(self._kept) > self._most:
                self.forget(next(iter(self._kept)))
        return learnt


def _near(power_mw: int, expected_mw: int, percent: int) -> bool:
    return abs(power_mw - expected_mw) * 100 <= expected_mw * percent
