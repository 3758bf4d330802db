"""How many messages a second a CPO gets: a token bucket each, not kept over a restart."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

DEFAULT_PER_S = Decimal(100)
"""A drop for a thousand sessions of one CPO is out in ten seconds, which is what DSOs wait for."""

_MESSAGE = 10_000_000


class Rates:
    """The buckets of all CPOs; a full one holds what a second brings, at least one message. Shared by all boards.

    Rates have one decimal.
    """

    def __init__(self, per_s: Mapping[str, Decimal] | None = None, default_per_s: Decimal = DEFAULT_PER_S) -> None:
        self._per_s = dict(per_s or {})
        self._default_per_s = default_per_s
        # Levels count what a tenth of a message a second brings in a microsecond, so nothing is rounded.
        self._levels: dict[str, tuple[int, datetime]] = {}

    def allow(self, cpo: str, per_s: Decimal) -> None:
        """The CPO takes so many from now on."""
        self._per_s[cpo] = per_s

    def take(self, cpo: str, now: datetime) -> bool:
        """Whether a message may go to the CPO now; if so it is counted."""
        level = self._level(cpo, now)
        if level < _MESSAGE:
            return False
        self._levels[cpo] = (level - _MESSAGE, now)
        return True

    def free_at(self, cpo: str, now: datetime) -> datetime:
        """When the next message may go."""
        missing = max(0, _MESSAGE - self._level(cpo, now))
        return now + timedelta(microseconds=-(-missing // self._tenths_per_s(cpo)))

    def _tenths_per_s(self, cpo: str) -> int:
        return max(1, int(self._per_s.get(cpo, self._default_per_s) * 10))

    def _level(self, cpo: str, now: datetime) -> int:
        rate = self._tenths_per_s(cpo)
        full = max(_MESSAGE, rate * 1_000_000)
        kept = self._levels.get(cpo)
        if kept is None:
            return full
        level, seen = kept
        return min(full, level + max(0, (now - seen) // timedelta(microseconds=1)) * rate)
