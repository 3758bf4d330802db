"""How many cars come to each grid group, by hours of the clock over the last week, and how many may come next."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from plugins.load_manager.knowledge.register import GroupId
from plugins.load_manager.knowledge.shelving import Shelved

HOURS_KEPT = 8 * 24
UNKNOWN_PER_H = Decimal(1)
"""Of a group whose first day is not over: enough to keep room for one car."""

_S_PER_H = 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Arrivals:
    """How many came in each hour; the last of the counts is that of `hour`, in hours since 1970."""

    hour: int
    counts: list[int]

    def note(self, hour: int) -> None:
        """One came in that hour; what is older than can be kept is not counted."""
        if (later := hour - self.hour) > 0:
            self.counts += [0] * min(later, HOURS_KEPT)
            self.hour = hour
        elif (earlier := self.hour - hour - len(self.counts) + 1) > 0 and self.hour - hour < HOURS_KEPT:
            self.counts[:0] = [0] * earlier
        del self.counts[:-HOURS_KEPT]
        if self.hour - hour < len(self.counts):
            self.counts[hour - self.hour - 1] += 1

    def per_h(self, hour: int) -> Decimal:
        """What to expect in that hour: the average of the same hour on the days before, at most a week of them; no less
        than in the hour so far and in the last one.
        """
        days = [count for day in range(1, 8) if (count := self._count(hour - day * 24)) is not None]
        usual = Decimal(sum(days)) / len(days) if days else UNKNOWN_PER_H
        return max(usual, Decimal(self._count(hour) or 0), Decimal(self._count(hour - 1) or 0))

    def _count(self, hour: int) -> int | None:
        """How many came then; None before the first one came."""
        if hour > self.hour:
            return 0
        back = self.hour - hour
        return self.counts[-1 - back] if back < len(self.counts) else None


class ArrivalBook(Shelved[GroupId, Arrivals]):
    """Arrivals by the group that the EVSE is in, a document `arrivals/<group>` each; groups above it sum them up."""

    prefix: ClassVar[str] = "arrivals"
    kind: ClassVar[type[object]] = Arrivals

    def note(self, group: GroupId, at: datetime, now: datetime) -> None:
        """A car came then."""
        hour = _hour(min(at, now))
        if group not in self._kept:
            self._kept[group] = Arrivals(hour, [0])
        self._kept[group].note(hour)
        self._touch(group)

    def keep_only(self, groups: Container[str]) -> None:
        """The other groups are gone."""
        for group in [group for group in self._kept if group not in groups]:
            self.forget(group)

    def per_h(self, group: GroupId, now: datetime) -> Decimal:
        """How many are to be expected in an hour."""
        arrivals = self._kept.get(group)
        return UNKNOWN_PER_H if arrivals is None else arrivals.per_h(_hour(now))


def _hour(at: datetime) -> int:
    return int((at - _EPOCH).total_seconds()) // _S_PER_H
