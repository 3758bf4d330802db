"""What a request at the hub means (matrix M, R-056 to R-093): who speaks, and which of the four routing modes it is.

Pure and total: every combination of registry and request gives a decision, nothing raises. Whom a message can reach is
said by `receivers`.
"""

from hub.domain.decisions import (
    Broadcast,
    Choices,
    Decision,
    Direct,
    GetAll,
    HubCopy,
    Open,
    Refused,
    Request,
    invalid,
    nobody,
    not_connected,
)
from hub.domain.opposites import acting_roles
from hub.domain.platform import Platform
from hub.domain.receivers import everybody, one_receiver, places_of, visible_owners
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import BROADCAST_MODULES, ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode

# Decisions that name everybody take as much room as there are parties.
_MOST_WIDE = 200


def route(registry: RegistrySnapshot, choices: Choices, request: Request) -> Decision:
    """The decision by headers, path and registry; liveness is not looked at (a platform may be away just now).

    Errors of the routing itself are HTTP 200 with a 4xxx code (R-030).
    """
    platform = registry.platform(request.platform_id)
    if platform is None:
        return Refused(401, StatusCode.CLIENT_ERROR, "Your platform is not known any more")
    sender = identify_sender(registry, platform, request)
    if isinstance(sender, Refused):
        return sender
    refusal = _suspended(registry, platform, sender, request) or _foreign_owner(registry, platform, request.owner)
    if refusal is not None:
        return refusal
    if request.to is not None and request.to != choices.hub:
        return one_receiver(registry, platform, sender, request.to, request)
    return _by_matrix(registry, choices, platform, sender, request)


def _by_matrix(
    registry: RegistrySnapshot, choices: Choices, platform: Platform, sender: PartyId, request: Request
) -> Decision:
    """The rows of matrix M in which TO is the hub or absent."""
    to_hub = request.to is not None
    module = request.module
    if request.custom:
        return nobody("A custom module has no receiver by itself: name a party in OCPI-to (ruling 16)")
    if request.is_list and request.interface is Interface.SENDER:
        if not to_hub and not choices.lenient_lists:
            return nobody(
                f"A list needs a receiver: name its owner in OCPI-to, or this hub ({choices.hub}) for all owners"
            )
        if module not in BROADCAST_MODULES:
            return invalid(f"This hub holds no {module}: address their owner in OCPI-to")
        return GetAll(sender, visible_owners(registry, platform, sender, module))
    if module in BROADCAST_MODULES and request.interface is Interface.RECEIVER:
        if request.method != "GET":
            return _broadcast(registry, choices, platform, sender, request)
        if not to_hub:
            return nobody("Nothing in this request names a receiver: name a party in OCPI-to")
        if request.owner != sender:
            return invalid("The hub shows what was pushed to it under this path to its owner only")
        return HubCopy(sender, frozenset({sender.key}))
    if module in BROADCAST_MODULES and request.method == "GET" and to_hub:
        return HubCopy(sender, visible_owners(registry, platform, sender, module))
    return Open(sender)


def _broadcast(
    registry: RegistrySnapshot, choices: Choices, platform: Platform, sender: PartyId, request: Request
) -> Decision:
    """A push for everybody: FROM, owner in the path and (later) in the body must agree (R-079, T-23)."""
    owner = sender if request.owner is None else registry.hosted(platform, request.owner) or request.owner
    from_hub = any(role.role is Role.HUB and role.party == sender for role in platform.roles)
    if owner != sender and not from_hub:
        return invalid(f"{sender} cannot push an object of {owner} to everybody: FROM must be its owner")
    publishers, _ = acting_roles(request.module, request.interface)
    if not registry.roles_of(platform, owner) & publishers:
        wanted = " or ".join(sorted(role.value for role in publishers))
        return invalid(f"{owner} is no {wanted}, so it has no {request.module} to publish")
    here = any(seat.platform.id == platform.id for seat in registry.seats_of(owner))
    if not here and registry.leads_to(owner) is not platform:
        return invalid(f"{owner} is behind another hub, which publishes for it")
    if from_hub or not here:
        return Broadcast(sender, owner, (), stored_only=True)
    return Broadcast(sender, owner, everybody(registry, choices, platform, owner, request.module))


def identify_sender(registry: RegistrySnapshot, platform: Platform, request: Request) -> PartyId | Refused:
    """The party that speaks: the FROM header if the platform hosts it, else the only one it can be (R-056, R-057)."""
    if request.sender is not None:
        hosted = registry.hosted(platform, request.sender)
        if hosted is None:
            message = f"{request.sender} is not a party of your platform (OCPI-from)"
            return Refused(403, StatusCode.INVALID_PARAMETERS, message)
        return hosted
    if request.owner is not None:
        hosted = registry.hosted(platform, request.owner)
        if hosted is not None:
            return hosted
    requesters, _ = acting_roles(request.module, request.interface)
    roles = [role for role in platform.roles if role.role in requesters] or platform.roles
    # Nobody speaks in the name of one that is suspended: only among those that could have sent it that rules one out.
    candidates = {role.party for role in roles if not role.suspended} or {role.party for role in roles}
    if len(candidates) == 1:
        return candidates.pop()
    return invalid("Name the party that sends this in OCPI-from-country-code and OCPI-from-party-id")


def speaker(registry: RegistrySnapshot, platform: Platform, claimed: PartyId | None) -> PartyId | None:
    """The party to name in an answer that came before any decision: the one claimed, if it is the platform's own, or
    its only one.
    """
    if claimed is not None:
        return registry.hosted(platform, claimed)
    parties = {role.party for role in platform.roles}
    return parties.pop() if len(parties) == 1 else None


def by_stored_url(
    registry: RegistrySnapshot, sender: tuple[Platform, PartyId], receiver: tuple[str, PartyId], request: Request
) -> Direct | Refused:
    """A message along a URL the hub once handed out: both parties must still be there and not suspended (F1, F4).

    `receiver` is a platform id and a party. The endpoint is that of the request's module, or empty: it is not used.
    """
    refusal = _suspended(registry, *sender, request)
    if refusal is not None:
        return refusal
    platform = registry.platform(receiver[0])
    places = [place for place in places_of(registry, receiver[1]) if place.platform is platform]
    if platform is None or not places:
        return nobody(f"{receiver[1]} is not known to this hub any more")
    _, receivers = acting_roles(request.module, request.interface)
    acting = [place for place in places if place.role in receivers] or places
    if all(place.status is not ConnectionStatus.CONNECTED for place in acting):
        return not_connected(places[0].party)
    endpoint = registry.endpoint(platform, request.module, request.interface) or ""
    return Direct(sender[1], places[0].party, platform, endpoint)


def _suspended(registry: RegistrySnapshot, platform: Platform, sender: PartyId, request: Request) -> Refused | None:
    """A party is suspended role by role: the roles that act here count, all of them when none does. One behind a peer
    hub is what the peer says of it.
    """
    requesters, _ = acting_roles(request.module, request.interface)
    every = registry.roles_of(platform, sender, suspended=True)
    acting = (every & requesters) or every
    if acting and not acting & registry.roles_of(platform, sender):
        return Refused(403, StatusCode.CLIENT_ERROR, f"{sender} is suspended at this hub")
    return None


def _foreign_owner(registry: RegistrySnapshot, platform: Platform, owner: PartyId | None) -> Refused | None:
    """The owner in a path must belong to the requesting platform (T-23)."""
    if owner is None or registry.hosted(platform, owner) is not None:
        return None
    return Refused(404, StatusCode.INVALID_PARAMETERS, f"{owner} in the path is not a party of your platform")


class Router:
    """Remembers where messages went as long as the snapshot that said so is in use: most repeat one of a few.

    Refusals are made anew: they repeat spellings of the request, and there is no end of wrong requests.
    """

    def __init__(self, choices: Choices, limit: int = 20_000) -> None:
        self._choices = choices
        self._limit = limit
        self._registry: RegistrySnapshot | None = None
        self._known: dict[Request, Decision] = {}
        self._wide: dict[Request, Decision] = {}

    def decide(self, registry: RegistrySnapshot, request: Request) -> Decision:
        """The same as `route`."""
        if registry is not self._registry:
            self._registry = registry
            self._known = {}
            self._wide = {}
        known = self._known.get(request) or self._wide.get(request)
        if known is not None:
            return known
        decision = route(registry, self._choices, request)
        if isinstance(decision, Broadcast | GetAll | HubCopy):
            _keep(self._wide, _MOST_WIDE, request, decision)
        elif not isinstance(decision, Refused):
            _keep(self._known, self._limit, request, decision)
        return decision


def _keep(known: dict[Request, Decision], limit: int, request: Request, decision: Decision) -> None:
    if len(known) >= limit:
        known.clear()
    known[request] = decision
