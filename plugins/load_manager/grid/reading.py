"""A group out of the values of its body, with one sentence for each field that cannot be used."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeGuard, TypeVar

from hub.ocpi.party_id import PartyId, well_formed
from plugins.load_manager.grid.group import (
    DEFAULT_MARGIN,
    DEFAULT_RAMP_UP,
    GapPolicy,
    GridRefused,
    Group,
    Member,
    PhaseModel,
    Problem,
    Scope,
)
from plugins.load_manager.grid.power import MW_PER_KW, milliwatts, number

E = TypeVar("E", bound=StrEnum)

MOST_ID = 100
MEMBER_FIELDS = ("country_code", "party_id", "location_id", "evse_uid")
GROUP_FIELDS = (
    "id",
    "parent",
    "capacity_provider",
    "static_capacity_kw",
    "fallback_capacity_kw",
    "margin",
    "arrival_reserve_kw",
    "ramp_up",
    "gap_policy",
    "scope",
    "phase_model",
    "valid_from",
    "valid_to",
)
_A_PARTY = "country_code has two letters and party_id one to three letters or digits"
_A_TIME = "a time with its offset, such as 2026-01-31T12:00:00Z"


def read_group(body: object, group_id: str | None = None) -> Group:
    """The group of a decoded JSON body; fields that are null are taken as absent. `group_id` is given when it stands
    in the URL. Raises GridRefused with every problem.
    """
    if not isinstance(body, Mapping):
        raise GridRefused([Problem(group_id or "", "a group is an object")])
    fields = _Fields(body, group_id)
    group = Group(
        id=fields.id,
        parent=fields.text("parent"),
        capacity_provider=fields.text("capacity_provider"),
        static_capacity_mw=fields.power_mw("static_capacity_kw", required=True) or 0,
        fallback_capacity_mw=fields.power_mw("fallback_capacity_kw"),
        margin=fields.share("margin", DEFAULT_MARGIN),
        arrival_reserve_mw=fields.power_mw("arrival_reserve_kw"),
        ramp_up=fields.share("ramp_up", DEFAULT_RAMP_UP),
        gap_policy=fields.choice("gap_policy", GapPolicy.SCHEDULE),
        scope=fields.choice("scope", Scope.EV_ONLY),
        phase_model=fields.choice("phase_model", PhaseModel.SUM),
        members=fields.members(),
        valid_from=fields.moment("valid_from"),
        valid_to=fields.moment("valid_to"),
    )
    if fields.problems:
        raise GridRefused(fields.problems)
    return group


def moment_of(value: object) -> datetime | None:
    """The time of a text with an offset, in UTC; None for everything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Fields:
    """Reads one field after the other and notes what is wrong; a field that is wrong reads as its default."""

    def __init__(self, body: Mapping[str, object], group_id: str | None) -> None:
        self.problems: list[Problem] = []
        self._body = body
        self.id = group_id or ""
        own = self.text("id")
        if group_id is None:
            self.id = own or ""
            if own is None and not self.problems:
                self._wrong("id is required")
        elif own is not None and own != group_id:
            self._wrong(f"id says {own}")
        known = (*GROUP_FIELDS, "members")
        for name in body:
            if name not in known:
                near = get_close_matches(str(name), known, 1)
                self._wrong(f"{name} is no field of a group" + (f"; {near[0]} is" if near else ""))

    def text(self, name: str) -> str | None:
        value = self._body.get(name)
        if value is None or is_id(value):
            return value
        self._wrong(f"{name} is a text of 1 to {MOST_ID} characters that can be printed, no blanks at its ends")
        return None

    def power_mw(self, name: str, *, required: bool = False) -> int | None:
        value = self._body.get(name)
        exact = number(value)
        if value is None and not required:
            return None
        if exact is None:
            self._wrong(
                f"{name} is required, a number of kilowatts" if value is None else f"{name} is a number of kilowatts"
            )
            return None
        try:
            return milliwatts(exact, MW_PER_KW)
        except ValueError as why:
            self._wrong(f"{name} {why}")
            return None

    def share(self, name: str, default: Decimal) -> Decimal:
        value = self._body.get(name)
        exact = default if value is None else number(value)
        # So many digits leave the products exact.
        if exact is None or len(exact.as_tuple().digits) > 9 or exact.adjusted() not in range(-9, 9):
            self._wrong(f"{name} is a share such as {default}, with at most 9 digits")
            return default
        return exact

    def choice(self, name: str, default: E) -> E:
        value = self._body.get(name)
        kind = type(default)
        if value is None:
            return default
        for one in kind:
            if value == one.value:
                return one
        self._wrong(f"{name} is one of {', '.join(kind)}")
        return default

    def moment(self, name: str) -> datetime | None:
        value = self._body.get(name)
        moment = moment_of(value)
        if value is not None and moment is None:
            self._wrong(f"{name} is {_A_TIME}")
        return moment

    def members(self) -> tuple[Member, ...]:
        value = self._body.get("members")
        if value is not None and not isinstance(value, list):
            self._wrong("members is a list")
        rows = value if isinstance(value, list) else []
        read = [self._member(row, position) for position, row in enumerate(rows)]
        return tuple(member for member in read if member is not None)

    def _member(self, row: object, position: int) -> Member | None:
        try:
            return read_member(row)
        except ValueError as why:
            self._wrong(f"members[{position}]: {why}")
            return None

    def _wrong(self, text: str) -> None:
        self.problems.append(Problem(self.id, text))


def read_member(row: object) -> Member:
    """The member of a decoded JSON value. Raises ValueError with a sentence."""
    if not isinstance(row, Mapping) or any(name not in MEMBER_FIELDS for name in row):
        raise ValueError(f"a member is an object of {', '.join(MEMBER_FIELDS)}")
    country_code, party_id, location_id, evse_uid = (row.get(name) for name in MEMBER_FIELDS)
    if not (isinstance(country_code, str) and isinstance(party_id, str) and well_formed(country_code, party_id)):
        raise ValueError(_A_PARTY)
    if not is_id(location_id):
        raise ValueError("location_id is required, the id of a location")
    if evse_uid is not None and not is_id(evse_uid):
        raise ValueError("evse_uid is the uid of an EVSE")
    return Member(PartyId(country_code, party_id), location_id, evse_uid)


def is_id(value: object) -> TypeGuard[str]:
    """Whether it is a text that can be an id: printable, not too long, no blanks at its ends."""
    return isinstance(value, str) and 0 < len(value) <= MOST_ID and value.isprintable() and value == value.strip()
