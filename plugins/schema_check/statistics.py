"""Who sends what wrong: counts by party, module and direction, and the latest findings. Everything is bounded, and
nothing of a body is kept but pointers and problems.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hub.ocpi.names import FUNCTIONAL_MODULES
from hub.ocpi.party_id import PartyId
from plugins.schema_check.checking import Finding
from plugins.schema_check.judging import Direction

MOST_ROWS = 1000
MOST_PROBLEMS = 50
MOST_LATEST = 500
OTHER = "other"
# Room is kept for what has no row of its own.
_MOST_OWN_ROWS = MOST_ROWS - len(FUNCTIONAL_MODULES) * len(Direction)
_INDEX = re.compile(r"/[0-9]+(?=/|$)")


class Place(NamedTuple):
    """What is counted together. `party` is None for those that have no row of their own, and where it is not known."""

    party: PartyId | None
    module: str
    direction: Direction

    @property
    def party_text(self) -> str:
        return OTHER if self.party is None else str(self.party)


class ProblemKey(NamedTuple):
    """One problem at one place of an object, whichever element of a list it is: `/evses/*/uid`."""

    pointer: str
    problem: str


_OTHER_PROBLEMS = ProblemKey(OTHER, "further problems")


class Latest(NamedTuple):
    """A finding, and the message it is from."""

    at: datetime
    correlation_id: str
    place: Place
    finding: Finding


@dataclass(slots=True)
class Times:
    """In how many bodies a problem was found, and when last."""

    count: int
    last_at: datetime


@dataclass(slots=True)
class Row:
    """The bodies of one place. `last` is the first finding of the last wrong one."""

    checked: int = 0
    wrong: int = 0
    last: Latest | None = None
    problems: dict[ProblemKey, Times] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the bodies checked, how many are wrong: 0 to 1."""
        return round(self.wrong / self.checked, 4) if self.checked else 0.0


@dataclass(slots=True)
class Statistics:
    """Counts of bodies. `latest` has the findings in order of time."""

    checked: int = 0
    wrong: int = 0
    unchecked: int = 0
    rows: dict[Place, Row] = field(default_factory=dict)
    latest: deque[Latest] = field(default_factory=lambda: deque(maxlen=MOST_LATEST))

    def add(self, place: Place, found: Sequence[Finding], correlation_id: str, at: datetime) -> None:
        """Counts a body that was checked."""
        if place not in self.rows and len(self.rows) >= _MOST_OWN_ROWS:
            place = place._replace(party=None)
        row = self.rows.setdefault(place, Row())
        self.checked += 1
        row.checked += 1
        if not found:
            return
        self.wrong += 1
        row.wrong += 1
        row.last = Latest(at, correlation_id, place, found[0])
        self.latest.extend(Latest(at, correlation_id, place, one) for one in found)
        _count(row.problems, found, at)


def _count(problems: dict[ProblemKey, Times], found: Sequence[Finding], at: datetime) -> None:
    counted: set[ProblemKey] = set()
    for one in found:
        key = ProblemKey(_INDEX.sub("/*", one.pointer), one.problem)
        if key not in problems and len(problems) >= MOST_PROBLEMS - 1:
            key = _OTHER_PROBLEMS
        if key not in counted:
            counted.add(key)
            times = problems.setdefault(key, Times(0, at))
            times.count += 1
            times.last_at = at
