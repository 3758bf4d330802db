"""What a request at the hub means and whom it reaches: sender, receiver, endpoint, or why not (matrix M, R-056 to
R-066).

Pure and total: every combination of registry and request gives a decision, nothing raises.
"""

from dataclasses import dataclass
from typing import NamedTuple

from hub.domain.opposites import acting_roles
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot, Seat
from hub.ocpi.names import ConnectionStatus, Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


class Request(NamedTuple):
    """What the headers and the path of a functional request say; equal requests mean the same in one snapshot.

    `owner` is the party in the path of a client-owned object; `custom` a module no version table knows (ruling 16).
    """

    platform_id: str
    to: PartyId | None
    sender: PartyId | None
    module: str
    interface: Interface
    owner: PartyId | None = None
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Direct:
    """Forward to one party: the registered spellings of both, the receiver's platform and its endpoint URL."""

    sender: PartyId
    receiver: PartyId
    platform: Platform
    endpoint: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub answers itself: HTTP status, status code, and a sentence for the requester."""

    http: int
    code: StatusCode
    message: str


Decision = Direct | Refused


def route(registry: RegistrySnapshot, hub: PartyId, request: Request) -> Decision:
    """The decision by headers, path and registry; liveness is not looked at (`Direct.platform` may be away just now).

    Errors of the routing itself are HTTP 200 with a 4xxx code (R-030).
    """
    platform = registry.platform(request.platform_id)
    if platform is None:
        return Refused(401, StatusCode.CLIENT_ERROR, "Your platform is not known any more")
    sender = identify_sender(registry, platform, request)
    if isinstance(sender, Refused):
        return sender
    refusal = _suspended(platform, sender, request) or _foreign_owner(registry, platform, request.owner)
    return refusal or _receiver(registry, hub, sender, request)


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
    acting = {role.party for role in platform.roles if role.role in requesters}
    candidates = acting or {role.party for role in platform.roles}
    if len(candidates) == 1:
        return candidates.pop()
    message = "Name the party that sends this in OCPI-from-country-code and OCPI-from-party-id"
    return Refused(200, StatusCode.INVALID_PARAMETERS, message)


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
    refusal = _suspended(*sender, request)
    if refusal is not None:
        return refusal
    platform = registry.platform(receiver[0])
    seats = [seat for seat in registry.seats_of(receiver[1]) if seat.platform is platform]
    if platform is None or not seats:
        return Refused(200, StatusCode.UNKNOWN_RECEIVER, f"{receiver[1]} is not known to this hub any more")
    _, receivers = acting_roles(request.module, request.interface)
    acting = [seat for seat in seats if seat.role.role in receivers] or seats
    if all(platform.status_of(seat.role) is not ConnectionStatus.CONNECTED for seat in acting):
        return not_connected(seats[0].party)
    endpoint = registry.endpoint(platform, request.module, request.interface) or ""
    return Direct(sender[1], seats[0].party, platform, endpoint)


def _suspended(platform: Platform, sender: PartyId, request: Request) -> Refused | None:
    """A party is suspended role by role: the roles that act here count, all of them when none does."""
    requesters, _ = acting_roles(request.module, request.interface)
    mine = [role for role in platform.roles if role.party == sender]
    acting = [role for role in mine if role.role in requesters] or mine
    if acting and all(role.suspended for role in acting):
        return Refused(403, StatusCode.CLIENT_ERROR, f"{sender} is suspended at this hub")
    return None


def _foreign_owner(registry: RegistrySnapshot, platform: Platform, owner: PartyId | None) -> Refused | None:
    """The owner in a path must belong to the requesting platform (T-23)."""
    if owner is None or registry.hosted(platform, owner) is not None:
        return None
    return Refused(404, StatusCode.INVALID_PARAMETERS, f"{owner} in the path is not a party of your platform")


def _receiver(registry: RegistrySnapshot, hub: PartyId, sender: PartyId, request: Request) -> Decision:
    to = request.to
    if to is None or to == hub:
        message = "No receiver can be determined: name a party in OCPI-to-country-code and OCPI-to-party-id"
        return Refused(200, StatusCode.UNKNOWN_RECEIVER, message)
    seats = registry.seats_of(to)
    if not seats:
        if registry.is_planned(to):
            return not_connected(to)
        return Refused(200, StatusCode.UNKNOWN_RECEIVER, f"{to} is not known to this hub")
    if not request.custom:
        _, receivers = acting_roles(request.module, request.interface)
        seats = tuple(seat for seat in seats if seat.role.role in receivers) or seats
    seat = _only(registry, seats, request)
    if seat is None:
        message = f"{to} is on several platforms and the request fits more than one"
        return Refused(200, StatusCode.UNKNOWN_RECEIVER, message)
    if seat.platform.status_of(seat.role) is not ConnectionStatus.CONNECTED:
        return not_connected(to)
    endpoint = registry.endpoint(seat.platform, request.module, request.interface)
    if endpoint is None:
        message = f"{to} does not offer {request.module} with interface role {request.interface.value}"
        return Refused(200, StatusCode.HUB_ERROR, message)
    return Direct(sender, seat.party, seat.platform, endpoint)


def not_connected(party: PartyId) -> Refused:
    """F4: nothing is sent to a party that is known to be away."""
    return Refused(200, StatusCode.CONNECTION_PROBLEM, f"{party} is not connected")


def _only(registry: RegistrySnapshot, seats: tuple[Seat, ...], request: Request) -> Seat | None:
    """The one seat to use: prefer platforms that offer the endpoint, then need a single platform (R-060)."""
    if len({seat.platform.id for seat in seats}) > 1:
        seats = tuple(seat for seat in seats if _offers(registry, seat, request)) or seats
        if len({seat.platform.id for seat in seats}) > 1:
            return None
    # One platform may host the party in several fitting roles: one that is not suspended speaks for it.
    return next((seat for seat in seats if not seat.role.suspended), seats[0])


def _offers(registry: RegistrySnapshot, seat: Seat, request: Request) -> bool:
    return registry.endpoint(seat.platform, request.module, request.interface) is not None


class Router:
    """Remembers where messages went as long as the snapshot that said so is in use: most repeat one of a few.

    Refusals are made anew: they repeat spellings of the request, and there is no end of wrong requests.
    """

    def __init__(self, hub: PartyId, limit: int = 20_000) -> None:
        self._hub = hub
        self._limit = limit
        self._registry: RegistrySnapshot | None = None
        self._known: dict[Request, Direct] = {}

    def decide(self, registry: RegistrySnapshot, request: Request) -> Decision:
        """The same as `route`."""
        if registry is not self._registry:
            self._registry = registry
            self._known = {}
        known = self._known.get(request)
        if known is not None:
            return known
        decision = route(registry, self._hub, request)
        if isinstance(decision, Direct):
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[request] = decision
        return decision
