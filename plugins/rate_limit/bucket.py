"""A token bucket in whole numbers, and the set of them: one per platform and module.

Rules
- A bucket holds `burst` requests when it is full and gains `per_minute` a minute, evenly; a request takes one out, and
  one that finds less than one is refused and takes nothing.
- Levels are counted in minute-nanoseconds: a request costs as many as a minute has nanoseconds, and each nanosecond
  brings `per_minute` of them. So nothing is ever rounded, and no figure drifts however long the hub runs.
- A full bucket is as good as none, so it is forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_SECOND_NS = 1_000_000_000
_REQUEST = 60 * _SECOND_NS


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure: requests a minute, and how many at once after a quiet time."""

    per_minute: int
    burst: int


class Bucket:
    """What one platform has left for one module. Times are nanoseconds of one clock that never goes back."""

    __slots__ = ("_level", "_seen_ns", "limit", "refused")

    def __init__(self, limit: Limit, now_ns: int) -> None:
        self.limit = limit
        self.refused = 0
        self._level = limit.burst * _REQUEST
        self._seen_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Takes a request out; False when there is none left, which is counted in `refused`."""
        level = self._level_at(now_ns)
        taken = level >= _REQUEST
        self._level = level - _REQUEST if taken else level
        self._seen_ns = now_ns
        self.refused += not taken
        return taken

    def wait_s(self, now_ns: int) -> int:
        """Whole seconds, rounded up, until it holds a request; 0 when it does."""
        missing = max(0, _REQUEST - self._level_at(now_ns))
        return -(-missing // (self.limit.per_minute * _SECOND_NS))

    def full(self, now_ns: int) -> bool:
        """Whether nothing of it is used."""
        return self._level_at(now_ns) == self.limit.burst * _REQUEST

    def under(self, limit: Limit, now_ns: int) -> "Bucket":
        """The same bucket under another figure, of which the same share is used."""
        other = Bucket(limit, now_ns)
        other.refused = self.refused
        other._level = self._level_at(now_ns) * limit.burst // self.limit.burst
        return other

    def _level_at(self, now_ns: int) -> int:
        gained = (now_ns - self._seen_ns) * self.limit.per_minute
        return min(self._level + gained, self.limit.burst * _REQUEST)


class Place(NamedTuple):
    """Whose bucket it is."""

    platform: str
    module: str


class Buckets:
    """The buckets that are in use, those used longest ago first; never more than `most`."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._kept: dict[Place, Bucket] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def items(self) -> Iterator[tuple[Place, Bucket]]:
        """Everything kept."""
        return iter(self._kept.items())

    def find(self, place: Place) -> Bucket | None:
        """The bucket if it is kept, which from now on is the one used last."""
        bucket = self._kept.pop(place, None)
        if bucket is not None:
            self._kept[place] = bucket
        return bucket

    def add(self, place: Place, bucket: Bucket, now_ns: int) -> None:
        """Keeps a bucket for a place that has none, and forgets what has filled up meanwhile.

        Above the bound the one used longest ago goes, whatever it holds: what somebody gains by that is a burst.
        """
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) < self._most and not self._kept[oldest].full(now_ns):
                break
            del self._kept[oldest]
        self._kept[place] = bucket
