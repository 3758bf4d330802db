"""Judging what an operator asks for a platform: its name, and the roles to reserve for it (R-061, ruling 2)."""

from collections.abc import Sequence

from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.platform import RoleName
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.party_id import PartyId, well_formed

LONGEST_NAME = 100
MOST_ROLES = 1000


def bad_name(name: str) -> Refusal | None:
    """A platform's name is one short line."""
    if 1 <= len(name) <= LONGEST_NAME and name.isprintable():
        return None
    title = f"A name has 1 to {LONGEST_NAME} printable characters"
    return Refusal(RefusalKind.INVALID, title, pointer="/name")


def bad_roles(
    roles: Sequence[RoleName], registry: RegistrySnapshot, hub: PartyId, platform_id: str | None = None
) -> Refusal | None:
    """Roles that are no party, listed twice, the hub's own, or held by another platform than `platform_id`."""
    if len(roles) > MOST_ROLES:
        return Refusal(RefusalKind.INVALID, f"At most {MOST_ROLES} roles can be given at a time", pointer="/roles")
    seen: set[str] = set()
    for position, role in enumerate(roles):
        pointer = f"/roles/{position}"
        if not well_formed(role.country_code, role.party_id):
            title = "A party has a country code of two letters and a party id of one to three letters or digits"
            return Refusal(RefusalKind.INVALID, title, pointer=pointer)
        if role.key in seen:
            return Refusal(RefusalKind.INVALID, f"{role} is listed twice", pointer=pointer)
        seen.add(role.key)
        if role.party == hub:
            return Refusal(RefusalKind.CONFLICT, f"{role.party} is the hub itself", pointer=pointer)
        holder = registry.holder_of(role.key)
        if holder is not None and holder != platform_id:
            return Refusal(RefusalKind.CONFLICT, f"{role} belongs to platform {holder}", pointer=pointer)
    return None
