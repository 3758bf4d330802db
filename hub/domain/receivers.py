"""Whom a message can reach: the one receiver of a direct request, every receiver of a broadcast, and the owners whose
objects a party may see. All of them ask the same agreements (R-058 to R-075, R-085, R-089).
"""

from collections.abc import Iterable
from typing import NamedTuple

from hub.domain.decisions import Choices, Direct, Refused, Request, nobody, not_connected
from hub.domain.opposites import acting_roles, broadcast_readers
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


class Place(NamedTuple):
    """A party in one role at a platform that leads to it: its own, or a peer hub's."""

    platform: Platform
    party: PartyId
    role: Role
    status: ConnectionStatus
    remote: bool


def places_of(registry: RegistrySnapshot, party: PartyId) -> list[Place]:
    """Where a party is; one that is here, or reserved for somebody here, is not looked for behind peer hubs (R-207,
    ruling 24).
    """
    local = [
        Place(seat.platform, seat.party, seat.role.role, seat.platform.status_of(seat.role), False)
        for seat in registry.seats_of(party)
    ]
    return local or [
        Place(seat.platform, seat.party, seat.reported.role, _behind(seat.platform, seat.reported.status), True)
        for seat in registry.remote_seats_of(party)
    ]


def _behind(peer: Platform, reported: ConnectionStatus) -> ConnectionStatus:
    return reported if peer.status is ConnectionStatus.CONNECTED else peer.status


def one_receiver(
    registry: RegistrySnapshot, platform: Platform, sender: PartyId, to: PartyId, request: Request
) -> Direct | Refused:
    """The receiver of a request for one party; `platform` is where it comes from (F1, F3, F4, F8)."""
    places = places_of(registry, to)
    if not places:
        planned = registry.is_planned(to) and _may_know(registry, platform, sender, to, request)
        return not_connected(to) if planned else _unreachable(sender, to, request)
    if not request.custom:
        _, receivers = acting_roles(request.module, request.interface)
        places = [place for place in places if place.role in receivers] or places
    places = [place for place in places if _may(registry, platform, sender, place, request)]
    if not places:
        return _unreachable(sender, to, request)
    place = _only(registry, places, request)
    if place is None:
        return nobody(f"{to} is on several platforms and the request fits more than one")
    if place.remote and place.platform.id == platform.id:
        return Refused(200, StatusCode.HUB_ERROR, f"{to} is behind the hub this came from; it is not sent back")
    if place.status is not ConnectionStatus.CONNECTED:
        return not_connected(to)
    endpoint = registry.endpoint(place.platform, request.module, request.interface)
    if endpoint is None:
        message = f"{to} does not offer {request.module} with interface role {request.interface.value}"
        return Refused(200, StatusCode.HUB_ERROR, message)
    return Direct(sender, place.party, place.platform, endpoint)


def _unreachable(sender: PartyId, to: PartyId, request: Request) -> Refused:
    """F1 and F3 in the same words: who may not reach a party does not learn whether it is there."""
    return nobody(f"{to} is not known to this hub, or {sender} may not reach it about {request.module}")


def _may_know(registry: RegistrySnapshot, platform: Platform, sender: PartyId, to: PartyId, request: Request) -> bool:
    """Whether a party that is only reserved could be reached once it is there."""
    return any(
        _may(registry, platform, sender, Place(platform, to, name.role, ConnectionStatus.PLANNED, False), request)
        for name in registry.reserved(to)
    )


def _only(registry: RegistrySnapshot, places: list[Place], request: Request) -> Place | None:
    """The one place to use: prefer platforms that offer the endpoint, then need a single platform (R-060). Several
    peer hubs that lead to the party are no ambiguity: the one that is known longest, if it is connected.
    """
    if len({place.platform.id for place in places}) > 1:
        places = [place for place in places if _offers(registry, place, request)] or places
        if places[0].remote:
            places = [place for place in places if place.status is ConnectionStatus.CONNECTED] or places
            places = [place for place in places if place.platform.id == places[0].platform.id]
        if len({place.platform.id for place in places}) > 1:
            return None
    # One platform may have the party in several fitting roles: one that is connected speaks for it.
    return next((place for place in places if place.status is ConnectionStatus.CONNECTED), places[0])


def _offers(registry: RegistrySnapshot, place: Place, request: Request) -> bool:
    return registry.endpoint(place.platform, request.module, request.interface) is not None


def _may(registry: RegistrySnapshot, platform: Platform, sender: PartyId, place: Place, request: Request) -> bool:
    roles = speaking_roles(registry, platform, sender, request.module, request.interface)
    return registry.agreements.between(sender, roles, (place.party, place.role), request.module).allowed


def speaking_roles(
    registry: RegistrySnapshot, platform: Platform, sender: PartyId, module: str, interface: Interface
) -> frozenset[Role]:
    """The roles a party speaks in: those that act in this module, else all it has, suspended or not."""
    requesters, _ = acting_roles(module, interface)
    roles = registry.roles_of(platform, sender)
    return (roles & requesters) or roles or registry.roles_of(platform, sender, suspended=True)


def one_of(
    registry: RegistrySnapshot, platform: Platform, sender: PartyId, candidates: Iterable[PartyId], request: Request
) -> Direct | Refused:
    """The one candidate that acts in this module and may be reached; several, or none, is F2 (R-085)."""
    _, receivers = acting_roles(request.module, request.interface)
    fitting = {
        candidate
        for candidate in candidates
        if any(
            place.role in receivers and _may(registry, platform, sender, place, request)
            for place in places_of(registry, candidate)
        )
    }
    if len(fitting) > 1:
        standing = {one for one in fitting if any(_stands(place) for place in places_of(registry, one))}
        fitting = standing or fitting
    if len(fitting) == 1:
        return one_receiver(registry, platform, sender, fitting.pop(), request)
    if fitting:
        return nobody("More than one party fits: name the receiver in OCPI-to-country-code and OCPI-to-party-id")
    return nobody("No receiver can be determined: name a party in OCPI-to-country-code and OCPI-to-party-id")


def _stands(place: Place) -> bool:
    return place.status is not ConnectionStatus.SUSPENDED


def everybody(
    registry: RegistrySnapshot, choices: Choices, platform: Platform, owner: PartyId, module: str
) -> tuple[Direct, ...]:
    """The legs of a broadcast: every connected party of an opposite role that takes the module and may be reached, in
    order of party; one leg per party and platform (R-071 to R-076). Whether a platform answers just now is not looked
    at.
    """
    roles = speaking_roles(registry, platform, owner, module, Interface.RECEIVER)
    readers = broadcast_readers(module)
    legs: dict[tuple[str, str], Direct] = {}
    # party behind peer hubs -> the one it is told through: one push per party
    through: dict[str, str] = {}
    for place in _places(registry, remote=choices.broadcast_across_hubs):
        home = place.platform
        key = (home.id, place.party.key)
        if key in legs or place.role not in readers or place.status is not ConnectionStatus.CONNECTED:
            continue
        if place.party == owner or (home.id == platform.id and (place.remote or not choices.broadcast_own_platform)):
            continue
        endpoint = registry.endpoint(home, module, Interface.RECEIVER)
        if endpoint is None:
            continue
        if registry.agreements.between(owner, roles, (place.party, place.role), module).allowed:
            if place.remote and through.setdefault(place.party.key, home.id) != home.id:
                continue
            sender = owner if home.settings.broadcast_as_direct else choices.hub
            legs[key] = Direct(sender, place.party, home, endpoint)
    return tuple(sorted(legs.values(), key=lambda leg: (leg.receiver.key, leg.platform.id)))


def _places(registry: RegistrySnapshot, *, remote: bool) -> Iterable[Place]:
    """Every place; those behind peer hubs by how long the hub is known."""
    for seat in registry.seats:
        yield Place(seat.platform, seat.party, seat.role.role, seat.platform.status_of(seat.role), False)
    for behind in registry.remote_seats if remote else ():
        if not registry.seats_of(behind.party):
            status = _behind(behind.platform, behind.reported.status)
            yield Place(behind.platform, behind.party, behind.reported.role, status, True)


def visible_owners(registry: RegistrySnapshot, platform: Platform, sender: PartyId, module: str) -> frozenset[str]:
    """Keys of the owners whose objects a party may see in a module: of the opposite role, not suspended, not on its own
    platform, and reachable by agreement. Being away hides nobody (R-089, R-091). A peer hub sees those that are here.
    """
    requesters, owners = acting_roles(module, Interface.SENDER)
    roles = registry.roles_of(platform, sender) & requesters
    return frozenset(
        place.party.key
        for place in _places(registry, remote=not platform.is_peer)
        if roles
        and place.role in owners
        and place.platform.id != platform.id
        and place.status is not ConnectionStatus.SUSPENDED
        and registry.agreements.between(sender, roles, (place.party, place.role), module).allowed
    )


def one_of_everybody(
    registry: RegistrySnapshot,
    choices: Choices,
    origin: tuple[str, PartyId],
    leg: tuple[str, PartyId],
    module: str,
) -> Direct | None:
    """One leg of a broadcast as things are now, or None when it is not due any more. `origin` and `leg` are platform
    ids and parties: of the owner and of the receiver.
    """
    platform, home = registry.platform(origin[0]), registry.platform(leg[0])
    endpoint = None if home is None else registry.endpoint(home, module, Interface.RECEIVER)
    if platform is None or home is None or endpoint is None:
        return None
    owner = origin[1]
    roles = speaking_roles(registry, platform, owner, module, Interface.RECEIVER)
    readers = broadcast_readers(module)
    for place in places_of(registry, leg[1]):
        if (
            place.platform is home
            and place.role in readers
            and place.status is ConnectionStatus.CONNECTED
            and registry.agreements.between(owner, roles, (place.party, place.role), module).allowed
        ):
            sender = owner if home.settings.broadcast_as_direct else choices.hub
            return Direct(sender, place.party, home, endpoint)
    return None
