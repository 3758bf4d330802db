"""Who is where, in which state, and who may reach whom, looked up in plain lists (R-059, R-060, R-070, R-073, R-089,
R-193, R-205 to R-208, rulings 19 and 24)."""

from typing import NamedTuple

from hub.domain.platform import Platform, RoleName
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from tests.properties.agreement_oracle import allows_any
from tests.properties.routing_worlds import World
from tests.unit.domain.acting import ACTING

EVERY_ROLE = frozenset(Role)
CONSUMERS = frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER, Role.SCSP})
# who is told of a push to everybody, if it exposes the RECEIVER interface.
TOLD = {"locations": CONSUMERS, "tariffs": CONSUMERS, "tokens": frozenset({Role.CPO})}


def lower(party: PartyId | None) -> str | None:
    return None if party is None else f"{party.country_code}/{party.party_id}".lower()


class There(NamedTuple):
    """A party (`nl/abc`) in one role, on its own platform or behind a peer hub, and its state."""

    home: Platform
    party: str
    role: Role
    state: str
    behind: bool


def state_of(platform: Platform) -> str:
    """R-193, R-202. Nobody is OFFLINE by the registry."""
    if platform.suspended:
        return "SUSPENDED"
    if platform.connection is None:
        return "SUSPENDED" if platform.was_registered else "PLANNED"
    return "CONNECTED"


def is_hub(platform: Platform) -> bool:
    return Role.HUB in [role.role for role in platform.roles]


def everyone(world: World) -> list[There]:
    """Every party in every role, in the order in which platforms are known. Who is here, or expected here, is not
    behind a peer (ruling 24), and behind a peer that is away everybody is.
    """
    here = [
        There(home, str(lower(role.party)), role.role, "SUSPENDED" if role.suspended else state_of(home), behind=False)
        for home in world.platforms
        for role in home.roles
    ]
    behind = [
        There(
            peer,
            str(lower(one.party)),
            one.role,
            one.status.value if state_of(peer) == "CONNECTED" else state_of(peer),
            behind=True,
        )
        for peer in world.platforms
        if is_hub(peer)
        for one in peer.reported
    ]
    taken = {other.party for other in here} | {str(lower(name.party)) for name in reserved(world)}
    return here + [one for one in behind if one.party not in taken]


def reserved(world: World) -> list[RoleName]:
    """What is kept for platforms that never were connected."""
    return [name for home in world.platforms if state_of(home) == "PLANNED" for name in home.approved]


def leading_to(world: World, party: str) -> Platform | None:
    """The peer hub that publishes for a party behind it: of several the one known longest among those connected."""
    hubs = [there.home for there in everyone(world) if there.behind and there.party == party]
    connected = [hub for hub in hubs if state_of(hub) == "CONNECTED"]
    return next(iter(connected or hubs), None)


def of_platform(world: World, mine: Platform) -> list[There]:
    """The parties a platform may speak for: its own, and those behind it (R-056, R-205)."""
    return [there for there in everyone(world) if there.home is mine]


def is_planned(world: World, party: str) -> bool:
    """R-193: the operator has reserved it for a platform that never was connected."""
    return any(lower(name.party) == party for name in reserved(world))


def url_at(home: Platform, module: str, interface: Interface) -> str | None:
    """Where the endpoint is: what the operator says before what the platform says."""
    advertised = home.connection.endpoints if home.connection is not None else ()
    found = [one.url for one in advertised if (one.module, one.interface) == (module, interface)]
    return home.settings.endpoint_overrides.get(f"{module}/{interface}", found[0] if found else None)


def acting(module: str, interface: Interface) -> tuple[frozenset[Role], frozenset[Role]]:
    """Roles that call and roles that serve (R-059); of a custom module nothing is known (ruling 16)."""
    return ACTING.get((module, interface), (EVERY_ROLE, EVERY_ROLE))


def speaks_as(world: World, mine: Platform, party: str, callers: frozenset[Role]) -> frozenset[Role]:
    """The roles in which a party of this platform calls: those that typically do, else all that are not suspended. A
    peer hub that sends for a party it reports as suspended sends for it nevertheless (R-205).
    """
    own = frozenset(there.role for there in of_platform(world, mine) if there.party == party)
    not_suspended = active_roles(world, mine, party) or own
    return not_suspended & callers or not_suspended


def active_roles(world: World, mine: Platform, party: str) -> frozenset[Role]:
    """What a party of this platform is, apart from roles that were suspended one by one: here by the operator, behind
    a peer hub by that hub.
    """
    if not any(there.party == party for there in of_platform(world, mine)):
        return frozenset()
    here = [role for role in mine.roles if lower(role.party) == party]
    if here:
        return frozenset(role.role for role in here if not role.suspended)
    return frozenset(one.role for one in mine.reported if lower(one.party) == party and one.status != "SUSPENDED")


def may(world: World, mine: Platform, sender: str, there: There, module: str, interface: Interface) -> bool:
    """F3: by agreement, in a role in which it calls."""
    callers, _ = acting(module, interface)
    roles = speaks_as(world, mine, sender, callers)
    return allows_any(world.treaty, sender, roles, (there.party, there.role), module)


def seen_by(world: World, mine: Platform, sender: str, module: str) -> frozenset[str]:
    """R-089, R-091: whose objects a party sees, in lower case. To a peer hub nobody is shown who is behind another."""
    readers, owners = acting(module, Interface.SENDER)
    roles = active_roles(world, mine, sender) & readers
    seen = set()
    for there in everyone(world):
        opposite = there.role in owners
        elsewhere = there.home is not mine and not (there.behind and is_hub(mine))
        shown = there.state != "SUSPENDED"
        if (
            opposite
            and elsewhere
            and shown
            and allows_any(world.treaty, sender, roles, (there.party, there.role), module)
        ):
            seen.add(there.party)
    return frozenset(seen)
