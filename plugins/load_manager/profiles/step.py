"""A limit as a step function of time, and what is calculated with it: pointwise minimum and maximum, and comparing.

Time is whole seconds since 1970-01-01T00:00Z, power is whole milliwatts, so nothing is ever rounded here.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def second(moment: datetime) -> int:
    """The second an aware moment lies in."""
    return (moment - _EPOCH) // _SECOND


def moment_of(second_s: int) -> datetime:
    """When the second begins."""
    return _EPOCH + second_s * _SECOND


@dataclass(frozen=True, slots=True)
class StepProfile:
    """Periods of (offset in s from `start_s`, power in mW), the last without end.

    Offsets begin at 0 and strictly increase; before `start_s` the first power counts. ValueError for anything else.
    """

    start_s: int
    periods: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if not self.periods or self.periods[0][0] != 0:
            raise ValueError("a profile begins with a period at 0")
        if any(later[0] <= earlier[0] for earlier, later in zip(self.periods, self.periods[1:], strict=False)):
            raise ValueError("the periods of a profile follow each other")

    @classmethod
    def flat(cls, start_s: int, power_mw: int) -> "StepProfile":
        """The same power for ever."""
        return cls(start_s, ((0, power_mw),))

    @classmethod
    def of(cls, values: Iterable[tuple[int, int]]) -> "StepProfile":
        """From (second, power in mW) in order of time; neighbours of the same power become one period."""
        kept: list[tuple[int, int]] = []
        for moment_s, power_mw in values:
            if not kept or kept[-1][1] != power_mw:
                kept.append((moment_s, power_mw))
        if not kept:
            raise ValueError("a profile has at least one period")
        start_s = kept[0][0]
        return cls(start_s, tuple((moment_s - start_s, power_mw) for moment_s, power_mw in kept))

    @property
    def seconds(self) -> list[int]:
        """When its periods begin."""
        return [self.start_s + offset_s for offset_s, _ in self.periods]

    @property
    def steps(self) -> list[tuple[int, int]]:
        """Its periods as (second, power in mW)."""
        return [(self.start_s + offset_s, power_mw) for offset_s, power_mw in self.periods]

    @property
    def last_mw(self) -> int:
        """What stays."""
        return self.periods[-1][1]

    def at(self, moment_s: int) -> int:
        """The power in mW in that second."""
        return self.periods[self._index(moment_s)][1]

    def value_at(self, moment: datetime) -> int:
        """The power in mW at that moment."""
        return self.at(second(moment))

    def since(self, moment_s: int) -> "StepProfile":
        """The same from that second on, where it begins."""
        return StepProfile.of([(moment_s, self.at(moment_s)), *self.steps[self._index(moment_s) + 1 :]])

    def each(self, change: Callable[[int], int]) -> "StepProfile":
        """Every power changed in the same way."""
        return StepProfile.of((moment_s, change(power_mw)) for moment_s, power_mw in self.steps)

    def _index(self, moment_s: int) -> int:
        if len(self.periods) == 1:
            return 0
        return max(0, bisect_right(self.periods, moment_s - self.start_s, key=_offset) - 1)


def _offset(period: tuple[int, int]) -> int:
    return period[0]


def minimum(one: StepProfile, *others: StepProfile) -> StepProfile:
    """The lowest of them at each moment: what is in force where several hold."""
    return _pointwise(min, (one, *others))


def highest(profiles: Sequence[StepProfile]) -> StepProfile:
    """The highest of them at each moment: what has to be booked when any of them may hold. At least one is given."""
    return _pointwise(max, profiles)


def _pointwise(choose: Callable[[Iterable[int]], int], profiles: Sequence[StepProfile]) -> StepProfile:
    if len(profiles) == 1:
        return profiles[0]
    moments = sorted({moment_s for profile in profiles for moment_s in profile.seconds})
    return StepProfile.of((moment_s, choose(profile.at(moment_s) for profile in profiles)) for moment_s in moments)


def maximum_over(profile: StepProfile, from_s: int, to_s: int) -> int:
    """The highest power in mW in [from_s, to_s)."""
    inside = (power_mw for moment_s, power_mw in profile.steps if from_s < moment_s < to_s)
    return max((profile.at(from_s), *inside))


def exceeds(
    one: StepProfile, other: StepProfile, from_s: int, to_s: int | None = None, by: Callable[[int], int] = lambda _: 1
) -> bool:
    """Whether `one` is above `other` somewhere in [from_s, to_s), without `to_s` anywhere later.

    Above means by at least `by(other's power)`, in mW.
    """
    if to_s is not None and to_s <= from_s:
        return False
    for moment_s in (from_s, *one.seconds, *other.seconds):
        if moment_s >= from_s and (to_s is None or moment_s < to_s):
            base_mw = other.at(moment_s)
            if one.at(moment_s) - base_mw >= by(base_mw):
                return True
    return False


def above_until(one: StepProfile, other: StepProfile, from_s: int, to_s: int) -> int | None:
    """The second in [from_s, to_s] since when `one` is not above `other` any more; None when it never was."""
    end_s = to_s
    for moment_s in sorted({from_s, *one.seconds, *other.seconds}, reverse=True):
        if from_s <= moment_s < to_s:
            if one.at(moment_s) > other.at(moment_s):
                return end_s
            end_s = moment_s
    return None
