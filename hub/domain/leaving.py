"""Parties that leave: who is on a platform, what of theirs nobody has any more, and one that goes to another platform
(ruling 12).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from hub.domain.opposites import USEFUL_ENDPOINTS, acting_roles
from hub.domain.platform import HostedRole, Platform, RoleName
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import BROADCAST_MODULES, Interface, Role
from hub.ocpi.party_id import PartyId


def parties_on(platform: Platform) -> frozenset[PartyId]:
    """The parties a platform speaks for: its own, and those behind it if it is a peer hub."""
    behind = {reported.party for reported in platform.reported} if platform.is_peer else set()
    return frozenset({role.party for role in platform.roles} | behind)


def ownerless(registry: RegistrySnapshot, parties: Iterable[PartyId]) -> dict[PartyId, frozenset[str]]:
    """In which modules of the catalog these parties own nothing: they have no role that does, here or behind a peer
    hub. A party that owns something everywhere is left out.
    """
    found = {}
    for party in parties:
        roles = {seat.role.role for seat in registry.seats_of(party)}
        roles |= {seat.reported.role for seat in registry.remote_seats_of(party)}
        modules = frozenset(module for module in BROADCAST_MODULES if not roles & _owners(module))
        if modules:
            found[party] = modules
    return found


def _owners(module: str) -> frozenset[Role]:
    return acting_roles(module, Interface.SENDER)[1]


def useless_for(registry: RegistrySnapshot, platform: Platform, role: Role) -> str | None:
    """Why nobody could reach a party in this role on a platform: it offers none of the endpoints the role needs, which
    are named (R-171). None when it does.
    """
    useful = USEFUL_ENDPOINTS.get(role) or frozenset().union(*USEFUL_ENDPOINTS.values())
    if useful & registry.advertises(platform):
        return None
    return ", ".join(sorted(f"{module} {interface.value}" for module, interface in useful))


def handed_over(giver: Platform, taker: Platform, hosted: HostedRole, now: datetime) -> tuple[Platform, Platform]:
    """Both platforms after a party went from the first to the second in one role. It is reserved there too, so that it
    stays the second's when that registers anew without it.
    """
    reserved = next((name for name in giver.approved if name.key == hosted.key), None) or RoleName(
        hosted.role, hosted.country_code, hosted.party_id
    )
    less = giver.changed(
        now,
        roles=tuple(role for role in giver.roles if role.key != hosted.key),
        approved=tuple(name for name in giver.approved if name.key != hosted.key),
    )
    more = taker.changed(
        now, roles=(*taker.roles, replace(hosted, updated_at=now)), approved=(*taker.approved, reserved)
    )
    return less, more
