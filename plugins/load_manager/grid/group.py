"""A group of the grid, its members, and what may be wrong with them. How groups hang together is in `model`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from hub.ocpi.party_id import PartyId

DEFAULT_MARGIN = Decimal("0.02")
DEFAULT_RAMP_UP = Decimal("0.1")
MOST_PROBLEMS = 100


class GapPolicy(StrEnum):
    """What it means that no limit covers a moment: the data is missing, or nothing is curtailed."""

    SCHEDULE = "schedule"
    EVENT = "event"


class Scope(StrEnum):
    """What a limit is about: charging alone, or everything behind the meter."""

    EV_ONLY = "EV_ONLY"
    TOTAL = "TOTAL"


class PhaseModel(StrEnum):
    """Whether phases are counted together or each for itself."""

    SUM = "SUM"
    PER_PHASE = "PER_PHASE"


class MemberKey(NamedTuple):
    """What members are compared by: OCPI's ids know no case. `evse_uid` is empty for a location as a whole."""

    party: str
    location_id: str
    evse_uid: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """An EVSE, or all EVSEs of a location when `evse_uid` is None."""

    party: PartyId
    location_id: str
    evse_uid: str | None = None

    @property
    def key(self) -> MemberKey:
        return MemberKey(self.party.key, self.location_id.casefold(), (self.evse_uid or "").casefold())

    def __str__(self) -> str:
        if self.evse_uid is None:
            return f"location {self.location_id} of {self.party}"
        return f"EVSE {self.evse_uid} of location {self.location_id} of {self.party}"


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the grid with a limit of its own: an area, a feeder, a transformer, a connection, a site.

    `margin` is the share of the capacity that stays unused, `ramp_up` the share of the static capacity by which more is
    used each minute. `arrival_reserve_mw` None: computed from arrivals. `capacity_provider` is the id of the DSO whose
    signals are followed, None when there is none. The group counts from `valid_from` until before `valid_to`.
    """

    id: str
    static_capacity_mw: int
    parent: str | None = None
    capacity_provider: str | None = None
    fallback_capacity_mw: int | None = None
    margin: Decimal = DEFAULT_MARGIN
    arrival_reserve_mw: int | None = None
    ramp_up: Decimal = DEFAULT_RAMP_UP
    gap_policy: GapPolicy = GapPolicy.SCHEDULE
    scope: Scope = Scope.EV_ONLY
    phase_model: PhaseModel = PhaseModel.SUM
    members: tuple[Member, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def valid_at(self, moment: datetime) -> bool:
        """Whether it counts then."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_to is None or moment < self.valid_to
        )

    def overlaps(self, other: "Group") -> bool:
        """Whether there is a moment at which both count."""
        return _before(self.valid_from, other.valid_to) and _before(other.valid_from, self.valid_to)

    def within(self, other: "Group") -> bool:
        """Whether the other counts whenever this one does."""
        starts = other.valid_from is None or (self.valid_from is not None and other.valid_from <= self.valid_from)
        ends = other.valid_to is None or (self.valid_to is not None and self.valid_to <= other.valid_to)
        return starts and ends


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


class Problem(NamedTuple):
    """Something that keeps a grid from being taken. `place` says where in a file, such as `line 7`, or is empty;
    `group_id` is the group's, or empty where none is known.
    """

    group_id: str
    text: str
    place: str = ""

    def __str__(self) -> str:
        parts = (self.place, f"group {self.group_id}" if self.group_id else "", self.text)
        return ": ".join(part for part in parts if part)


class GridRefused(Exception):
    """A grid, or a change of it, is not taken; nothing of it is. `problems` are those found, at most 100 and how many
    there are besides.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        further = len(found) - MOST_PROBLEMS
        self.problems = found if further <= 0 else (*found[:MOST_PROBLEMS], Problem("", f"{further} problems more"))
        super().__init__("; ".join(str(problem) for problem in self.problems))
