"""Grids for tests, in a few words."""

from datetime import UTC, datetime

from hub.ocpi.party_id import PartyId
from plugins.load_manager.grid.group import Group, Member
from plugins.load_manager.grid.power import MW_PER_KW

CPO = PartyId("NL", "CPO")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def group(group_id: str, parent: str | None = None, *members: Member, kw: int = 100) -> Group:
    """A group of 100 kW with nothing else said."""
    return Group(id=group_id, static_capacity_mw=kw * MW_PER_KW, parent=parent, members=members)


def evse(uid: str, location_id: str = "LOC1") -> Member:
    """An EVSE of NL/CPO."""
    return Member(CPO, location_id, uid)


def location(location_id: str = "LOC1") -> Member:
    """A location of NL/CPO as a whole."""
    return Member(CPO, location_id)
