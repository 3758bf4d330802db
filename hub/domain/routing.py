"""What a request at the hub means and whom it reaches: sender, receiver, endpoint, or why not (matrix M, R-056 to
R-066).

Pure and total: every combination of registry and request gives a decision, nothing raises.
"""

from collections.abc import Container
from dataclasses import dataclass

from hub.domain.opposites import acting_roles
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot, Seat
from hub.ocpi.names import ConnectionStatus, Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


@dataclass(frozen=True, slots=True)
class Target:
    """What a functional request addresses, besides the parties. `custom`: a module no version table knows (ruling
    16).
    """

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


def identify_sender(
    registry: RegistrySnapshot, platform: Platform, claimed: PartyId | None, target: Target
) -> PartyId | Refused:
    """The party that speaks: the FROM header if the platform hosts it, else the only one it can be (R-056, R-057)."""
    if claimed is not None:
        hosted = registry.hosted(platform, claimed)
        if hosted is None:
            return Refused(403, StatusCode.INVALID_PARAMETERS, f"{claimed} is not a party of your platform (OCPI-from)")
        return hosted
    if target.owner is not None:
        hosted = registry.hosted(platform, target.owner)
        if hosted is not None:
            return hosted
    requesters, _ = acting_roles(target.module, target.interface)
    acting = {role.party for role in platform.roles if role.role in requesters}
    candidates = acting or {role.party for role in platform.roles}
    if len(candidates) == 1:
        return candidates.pop()
    return Refused(
        200,
        StatusCode.INVALID_PARAMETERS,
        "Name the party that sends this in OCPI-from-country-code and OCPI-from-party-id",
    )


def decide(
    registry: RegistrySnapshot,
    *,
    offline: Container[str],
    hub: PartyId,
    sender: PartyId,
    to: PartyId | None,
    target: Target,
) -> Decision:
    """The routing decision for a request whose sender is known. `offline` holds ids of platforms liveness has given up.

    Errors of the routing itself are HTTP 200 with a 4xxx code (R-030).
    """
    if to is None or to == hub:
        return Refused(
            200,
            StatusCode.UNKNOWN_RECEIVER,
            "No receiver can be determined: name a party in OCPI-to-country-code and OCPI-to-party-id",
        )
    seats = registry.seats_of(to)
    if not seats:
        return Refused(200, StatusCode.UNKNOWN_RECEIVER, f"{to} is not known to this hub")
    if not target.custom:
        _, receivers = acting_roles(target.module, target.interface)
        seats = tuple(seat for seat in seats if seat.role.role in receivers) or seats
    seat = _only(registry, seats, target)
    if seat is None:
        return Refused(
            200, StatusCode.UNKNOWN_RECEIVER, f"{to} is on several platforms and the request fits more than one"
        )
    if seat.platform.status_of(seat.role) is not ConnectionStatus.CONNECTED or seat.platform.id in offline:
        return Refused(200, StatusCode.CONNECTION_PROBLEM, f"{to} is not connected")
    endpoint = registry.endpoint(seat.platform, target.module, target.interface)
    if endpoint is None:
        return Refused(
            200,
            StatusCode.HUB_ERROR,
            f"{to} does not offer {target.module} with interface role {target.interface.value}",
        )
    return Direct(sender, seat.party, seat.platform, endpoint)


def _only(registry: RegistrySnapshot, seats: tuple[Seat, ...], target: Target) -> Seat | None:
    """The one seat to use: prefer platforms that offer the endpoint, then need a single platform (R-060)."""
    if len({seat.platform.id for seat in seats}) > 1:
        seats = (
            tuple(seat for seat in seats if registry.endpoint(seat.platform, target.module, target.interface)) or seats
        )
        if len({seat.platform.id for seat in seats}) > 1:
            return None
    # One platform may host the party in several fitting roles: one that is not suspended speaks for it.
    return next((seat for seat in seats if not seat.role.suspended), seats[0])


def check_owner(registry: RegistrySnapshot, platform: Platform, owner: PartyId) -> Refused | None:
    """The owner in a URL must belong to the requesting platform (T-23)."""
    if registry.hosted(platform, owner) is None:
        return Refused(404, StatusCode.INVALID_PARAMETERS, f"{owner} in the path is not a party of your platform")
    return None
