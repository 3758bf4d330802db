"""What CPOs did not take of the profiles they were sent: counts by kind of charger over the last thirty days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from hub.ocpi.party_id import PartyId
from plugins.load_manager.knowledge.cpo_settings import CpoKey
from plugins.load_manager.knowledge.shelving import Shelved

KEPT_DAYS = 30
MOST_MODELS = 100
OTHERS = "others"


class Refusal(StrEnum):
    """What came instead of a profile in force: a no, a request to wait, or nothing in time."""

    REJECTED = "rejected"
    TOO_OFTEN = "too often"
    TIMED_OUT = "timed out"


Counts = dict[Refusal, int]
"""How often each came; those that never did are not in it."""


@dataclass(slots=True)
class Refusals:
    """Of one CPO: by day in UTC, such as `2026-01-31`, and kind of charger, the oldest day in front."""

    days: dict[str, dict[str, Counts]] = field(default_factory=dict)


class RefusalBook(Shelved[CpoKey, Refusals]):
    """Refusals by CPO, a document `refusals/<party>` each. A day has room for so many kinds of charger; what is above
    counts as one kind, `others`.
    """

    prefix: ClassVar[str] = "refusals"
    kind: ClassVar[type[object]] = Refusals

    def count(self, party: PartyId, model: str, refusal: Refusal, now: datetime) -> None:
        """One more, at a charger of this kind."""
        key = CpoKey(party.key)
        known = self._kept.setdefault(key, Refusals())
        oldest = _oldest_day(now)
        known.days = {day: models for day, models in known.days.items() if day >= oldest}
        models = known.days.setdefault(_day(now), {})
        counts = models.setdefault(model if model in models or len(models) < MOST_MODELS else OTHERS, {})
        counts[refusal] = counts.get(refusal, 0) + 1
        self._touch(key)

    def of(self, party: PartyId, now: datetime) -> Mapping[str, Counts]:
        """The sums by kind of charger."""
        known = self._kept.get(CpoKey(party.key), Refusals())
        oldest = _oldest_day(now)
        sums: dict[str, Counts] = {}
        for day, models in known.days.items():
            for model, counts in models.items() if day >= oldest else ():
                own = sums.setdefault(model, {})
                for refusal, number in counts.items():
                    own[refusal] = own.get(refusal, 0) + number
        return sums


def _day(now: datetime) -> str:
    return f"{now:%Y-%m-%d}"


def _oldest_day(now: datetime) -> str:
    return _day(now - timedelta(days=KEPT_DAYS - 1))
