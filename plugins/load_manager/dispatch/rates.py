"""How many messages a second a CPO gets: a token bucket each, not kept over a restart."""

from collections.abc import Mapping
from datetime import datetime, timedelta

DEFAULT_PER_S = 100
_SECOND_US = 1_000_000


class Rates:
    """The buckets of all CPOs; a full one holds what a second brings. Shared by all boards."""

    def __init__(self, per_s: Mapping[str, int] | None = None, default_per_s: int = DEFAULT_PER_S) -> None:
        self._per_s = dict(per_s or {})
        self._default_per_s = default_per_s
        # Levels in message-microseconds: a message costs a second's worth of them, so nothing is rounded.
        self._levels: dict[str, tuple[int, datetime]] = {}

    def allow(self, cpo: str, per_s: int) -> None:
        """The CPO takes so many from now on."""
        self._per_s[cpo] = per_s

    def take(self, cpo: str, now: datetime) -> bool:
        """Whether a message may go to the CPO now; if so it is counted."""
        level = self._level(cpo, now)
        if level < _SECOND_US:
            return False
        self._levels[cpo] = (level - _SECOND_US, now)
        return True

    def free_at(self, cpo: str, now: datetime) -> datetime:
        """When the next message may go."""
        missing = max(0, _SECOND_US - self._level(cpo, now))
        return now + timedelta(microseconds=-(-missing // self._rate(cpo)))

    def _rate(self, cpo: str) -> int:
        return self._per_s.get(cpo, self._default_per_s)

    def _level(self, cpo: str, now: datetime) -> int:
        rate = self._rate(cpo)
        full = rate * _SECOND_US
        kept = self._levels.get(cpo)
        if kept is None:
            return full
        level, seen = kept
        return min(full, level + max(0, (now - seen) // timedelta(microseconds=1)) * rate)
