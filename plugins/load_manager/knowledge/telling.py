"""Objects that are told in pieces: each member has the time it was last told, so that pieces may come in any order.

This is how OCPI's PUT (every member) and PATCH (some) end in the same state whichever overtakes the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CLOCK_SLACK = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Told:
    """An object, and the `last_updated` under which each of its members was told."""

    told: dict[str, datetime] = field(default_factory=dict)

    def tell(self, stamp: datetime, found: Mapping[str, object]) -> bool:
        """Takes over the members that are not older than what is known; whether there were any."""
        fresh = [name for name in found if name not in self.told or stamp >= self.told[name]]
        for name in fresh:
            setattr(self, name, found[name])
            self.told[name] = stamp
        return bool(fresh)

    @property
    def told_at(self) -> datetime | None:
        """The newest `last_updated`; None before the first."""
        return max(self.told.values(), default=None)


def believable(stamp: datetime | None, now: datetime) -> bool:
    """Whether this can be a `last_updated`: one far in the future would shut out all that comes after it."""
    return stamp is not None and stamp - now <= CLOCK_SLACK
