"""Giving a party to another platform (R-060, R-061). Its catalog, agreements and mappings are the party's and stay."""

import structlog

from hub.broker.ceremony import Ceremony
from hub.broker.operator_changes import conflicting, taken, unknown
from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.leaving import handed_over, useless_for
from hub.domain.platform import Platform, RoleName
from hub.errors import StoreConflict
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId

log = structlog.get_logger("hub.operations")


async def moved(ceremony: Ceremony, party: PartyId, role: Role, platform_id: str) -> Platform | Refusal:
    """The platform that has the party from now on. Both platforms are stored at once, so that the party is never on
    both nor free in between. Raises StoreUnavailable; then nobody knows yet, and the list of parties will say.
    """
    registry = ceremony.registry
    wanted = RoleName(role, party.country_code, party.party_id)
    holder = registry.snapshot.holder_of(wanted.key)
    if holder is None:
        return Refusal(RefusalKind.UNKNOWN, f"There is no {wanted} at this hub")
    if registry.snapshot.platform(platform_id) is None:
        missing = unknown(platform_id)
        return Refusal(RefusalKind.CONFLICT, missing.title, pointer="/platform_id")
    if holder == platform_id:
        return conflicting(f"{wanted} is on this platform already")
    refusals: list[Refusal] = []
    given_up: list[Platform] = []

    def change(giver: Platform, taker: Platform) -> tuple[Platform, Platform] | None:
        refusal = _problem(ceremony, giver, taker, wanted)
        if refusal is not None:
            refusals.append(refusal)
            return None
        given_up.append(giver)
        hosted = next(one for one in giver.roles if one.key == wanted.key)
        return handed_over(giver, taker, hosted, ceremony.clock.now())

    try:
        both = await registry.change_both(holder, platform_id, change)
    except StoreConflict as conflict:
        return taken(conflict)
    if both is None:
        return refusals[-1] if refusals else conflicting("One of the two platforms was removed in this moment")
    ceremony.departures.left(given_up[-1], both[0])
    log.info("party moved", party=str(wanted), platform=platform_id, before=holder)
    return both[1]


def _problem(ceremony: Ceremony, giver: Platform, taker: Platform, wanted: RoleName) -> Refusal | None:
    """Why the party cannot go; judged by what is stored."""
    if all(one.key != wanted.key for one in giver.roles):
        return conflicting(f"{wanted} is reserved but not registered yet")
    if taker.connection is None:
        return conflicting(f"Platform {taker.name} ({taker.id}) is not registered, so it cannot have parties")
    needed = useless_for(ceremony.registry.snapshot.replacing(taker), taker, wanted.role)
    if needed is not None:
        title = f"Platform {taker.name} ({taker.id}) offers nothing that a {wanted.role.value} is reached by"
        return Refusal(RefusalKind.CONFLICT, title, f"It needs at least one of these endpoints: {needed}")
    return None
