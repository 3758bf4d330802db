"""What of the field the grid covers: EVSEs in no group, and how many of a group's EVSEs can be steered."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from hub.ocpi.party_id import PartyId
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.strides import Strides, at_once

STEERABLE = "CHARGING_PROFILE_CAPABLE"


@dataclass(frozen=True, slots=True)
class Evse:
    """An EVSE of the catalog: where it is, and whether it takes charging profiles."""

    place: Member
    steerable: bool


def evses_of(party: PartyId, location: Mapping[str, object]) -> Iterator[Evse]:
    """The EVSEs of an OCPI location's JSON values, without those that are removed or have no uid."""
    location_id, rows = location.get("id"), location.get("evses")
    if not isinstance(location_id, str) or not isinstance(rows, list):
        return
    for row in rows:
        if not isinstance(row, Mapping) or row.get("status") == "REMOVED":
            continue
        uid, capabilities = row.get("uid"), row.get("capabilities")
        if isinstance(uid, str):
            steerable = isinstance(capabilities, list) and STEERABLE in capabilities
            yield Evse(Member(party, location_id, uid), steerable)


def unmapped(model: GridModel, evses: Iterable[Evse], at: datetime) -> list[Evse]:
    """The EVSEs that belong to no group at a moment, in the order given."""
    return [evse for evse in evses if model.group_of(evse.place, at) is None]


def controllable_share(model: GridModel, group_id: str, evses: Iterable[Evse], at: datetime) -> Fraction | None:
    """Of the EVSEs in a group and below it, how many take charging profiles: 0 to 1. None when there are no EVSEs."""
    return at_once(controllable_shares(model, evses, at)).get(group_id)


def controllable_shares(model: GridModel, evses: Iterable[Evse], at: datetime) -> Strides[dict[str, Fraction]]:
    """The same for every group that has EVSEs."""
    all_of, steerable = Counter[str](), Counter[str]()
    for evse in evses:
        yield
        group = model.group_of(evse.place, at)
        if group is not None:
            path = model.path(group.id)
            all_of.update(path)
            if evse.steerable:
                steerable.update(path)
    return {group_id: Fraction(steerable[group_id], count) for group_id, count in all_of.items()}
