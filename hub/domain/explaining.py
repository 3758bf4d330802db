"""What the hub would do with a request, and why, before anybody sends it: the same agreements and the same routing as
for messages, put into a sentence.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.domain.agreements import Ruling
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
    nobody,
    not_connected,
)
from hub.domain.opposites import acting_roles
from hub.domain.platform import Platform
from hub.domain.receivers import places_of, speaking_roles
from hub.domain.registry import RegistrySnapshot
from hub.domain.routing import route
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.versions import SERVED
from hub.ocpi.versions.table import ModuleTable

CUSTOM_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_RESULTS = (names.COMMANDS, names.CHARGING_PROFILES)


class Question(NamedTuple):
    """May `origin` do this with `target`? Without a target, or with the hub as one, nobody is named.

    Roles narrow down as what the parties are looked at. Messages carry none: the role of the origin says from which of
    its platforms it speaks, that of the target concerns the agreements alone.
    """

    origin: PartyId
    target: PartyId | None
    module: str
    interface: Interface
    method: str
    origin_role: Role | None = None
    target_role: Role | None = None


@dataclass(frozen=True, slots=True)
class ByUrl:
    """Along a URL that the hub handed out with an earlier message: agreements do not matter any more (ruling 19)."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The named receiver: where it is and whether it can be reached now. No platform: nobody has it here."""

    party: PartyId
    platform: Platform | None
    status: ConnectionStatus | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`platform` is the one the origin speaks through. `ruling` is what agreements say of the two; None where no
    receiver is named, or they do not matter. `would` is what the hub would do now, with a platform that is away taken
    into account; `parties` are those it would tell, or whose objects it would show.
    """

    question: Question
    platform: Platform | None
    ruling: Ruling | None
    receiver: Receiver | None
    would: Decision | ByUrl
    parties: tuple[PartyId, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether agreements let it through; where nobody is named each receiver is asked for on its own."""
        return self.ruling is None or self.ruling.allowed

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"{_about_agreements(self)}; {_about_the_hub(self.would)}."


def explain(registry: RegistrySnapshot, choices: Choices, offline: Collection[str], question: Question) -> Explanation:
    """The explanation of one question. Total: parties, modules and methods nobody knows are explained too.

    `offline` has the ids of platforms that do not answer.
    """
    target = None if question.target == choices.hub else question.target
    platform = _spoken_through(registry, question)
    would = _would(registry, choices, offline, question, platform)
    ruling = None
    if target is not None and not isinstance(would, ByUrl):
        ruling = _ruling(registry, platform, target, question)
    receiver = None if target is None else _receiver(registry, target, offline, would)
    return Explanation(question, platform, ruling, receiver, would, tuple(_parties(registry, would)))


def _spoken_through(registry: RegistrySnapshot, question: Question) -> Platform | None:
    """The platform a party speaks through: one where it has the role, if there is one where the role acts here."""
    places = [place for place in places_of(registry, question.origin) if question.origin_role in (None, place.role)]
    requesters, _ = acting_roles(question.module, question.interface)
    fitting = [place for place in places if place.role in requesters] or places
    return fitting[0].platform if fitting else None


def _ruling(registry: RegistrySnapshot, platform: Platform | None, target: PartyId, question: Question) -> Ruling:
    """What agreements say. A party that is here, or reserved, may do what any of its roles may; of another nobody knows
    what it will be, so what one of the roles it could have may not do, it may not.
    """
    module = question.module
    requesters, receivers = acting_roles(module, question.interface)
    speaking = [frozenset({role}) for role in sorted(requesters)]
    if question.origin_role is not None:
        speaking = [frozenset({question.origin_role})]
    elif platform is not None:
        speaking = [speaking_roles(registry, platform, question.origin, module, question.interface)]
    # as `receivers.one_receiver` sees it
    there = [place.role for place in places_of(registry, target)]
    there = [role for role in there if role in receivers] or there or [name.role for name in registry.reserved(target)]
    meant = there or sorted(receivers)
    if question.target_role is not None:
        meant = [question.target_role]
    found = []
    for roles in speaking:
        rulings = [registry.agreements.between(question.origin, roles, (target, role), module) for role in meant]
        found.append(_one_that(rulings, allows=bool(there)))
    return _one_that(found, allows=False)


def _one_that(rulings: Sequence[Ruling], *, allows: bool) -> Ruling:
    return next((ruling for ruling in rulings if ruling.allowed is allows), rulings[0])


def _would(
    registry: RegistrySnapshot,
    choices: Choices,
    offline: Collection[str],
    question: Question,
    platform: Platform | None,
) -> Decision | ByUrl:
    if platform is None:
        why = "is not a party of any platform here"
        if question.origin == choices.hub:
            why = "is the hub itself, which asks nobody's leave"
        elif registry.is_planned(question.origin):
            why = "has not registered yet"
        return Refused(403, StatusCode.INVALID_PARAMETERS, f"{question.origin} {why}")
    if platform.connection is None:
        return Refused(401, StatusCode.CLIENT_ERROR, f"The platform of {question.origin} is not registered any more")
    if platform.suspended:
        return Refused(403, StatusCode.CLIENT_ERROR, f"The platform of {question.origin} is suspended at this hub")
    version = SERVED.get(platform.connection.version)
    table = None if version is None else version.by_endpoint.get((question.module, question.interface))
    refused = _not_served(registry, table, question)
    if refused is not None:
        return refused
    if _goes_by_url(question):
        return ByUrl()
    decision = route(registry, choices, _request(platform, table, question))
    if isinstance(decision, Direct) and decision.platform.id in offline:
        return not_connected(decision.receiver)
    return decision


def _not_served(registry: RegistrySnapshot, table: ModuleTable | None, question: Question) -> Refused | None:
    module, interface = question.module, question.interface
    if table is not None:
        methods = tuple(dict.fromkeys(method for shape in table.shapes for method in shape.methods))
    elif module in names.CONFIGURATION_MODULES:
        return nobody(f"{module} is the hub's own module and is never routed")
    elif registry.is_offered(module, interface):
        methods = CUSTOM_METHODS
    else:
        why = f"Nobody offers {module} with interface role {interface.value}"
        return Refused(404, StatusCode.CLIENT_ERROR, why)
    if question.method in methods:
        return None
    why = f"{module} with interface role {interface.value} takes {', '.join(methods)}"
    return Refused(405, StatusCode.CLIENT_ERROR, why)


def _goes_by_url(question: Question) -> bool:
    """Results of commands and charging profiles, and CDRs that are read again, come to URLs the hub made."""
    if question.interface is Interface.SENDER:
        return question.method == "POST" and question.module in _RESULTS
    return question.method == "GET" and question.module == names.CDRS


def _request(platform: Platform, table: ModuleTable | None, question: Question) -> Request:
    """The request as it would be read, with the shortest path there is and the origin as owner of what it pushes."""
    shape = None
    if table is not None:
        shape = next(shape for shape in table.shapes if question.method in shape.methods)
    return Request(
        platform_id=platform.id,
        to=question.target,
        sender=question.origin,
        module=question.module,
        interface=question.interface,
        owner=question.origin if shape is not None and shape.owned else None,
        custom=table is None,
        method=question.method,
        is_list=question.method == "GET" and shape is not None and not shape.segments,
    )


def _receiver(
    registry: RegistrySnapshot, target: PartyId, offline: Collection[str], would: Decision | ByUrl
) -> Receiver:
    places = places_of(registry, target)
    if isinstance(would, Direct):
        places = [place for place in places if place.platform.id == would.platform.id] or places
    if not places:
        return Receiver(target, None, ConnectionStatus.PLANNED if registry.is_planned(target) else None)
    place = next((one for one in places if one.status is ConnectionStatus.CONNECTED), places[0])
    away = place.status is ConnectionStatus.CONNECTED and place.platform.id in offline
    return Receiver(place.party, place.platform, ConnectionStatus.OFFLINE if away else place.status)


def _parties(registry: RegistrySnapshot, would: Decision | ByUrl) -> list[PartyId]:
    if isinstance(would, Broadcast):
        return list(dict.fromkeys(leg.receiver for leg in would.receivers))
    if not isinstance(would, GetAll | HubCopy):
        return []
    everybody = [*(seat.party for seat in registry.seats), *(seat.party for seat in registry.remote_seats)]
    shown = dict.fromkeys(party for party in everybody if party.key in would.owners)
    return sorted(shown, key=lambda party: party.key)


def _about_agreements(explanation: Explanation) -> str:
    question, ruling = explanation.question, explanation.ruling
    if ruling is None:
        if isinstance(explanation.would, ByUrl):
            return f"{question.origin} goes on with what was begun with {question.module}"
        return f"{question.origin} names no receiver for {question.module}"
    verb = "may" if ruling.allowed else "may not"
    if ruling.agreement is not None:
        by = f"by agreement {ruling.agreement.id}"
    else:
        by = f"by default: no agreement fits, and the hub is {'open' if ruling.allowed else 'closed'}"
    return f"{question.origin} {verb} turn to {question.target} about {question.module}, {by}"


def _about_the_hub(would: Decision | ByUrl) -> str:
    if isinstance(would, Direct):
        return f"the hub would send it to {would.receiver} on platform {would.platform.name} ({would.platform.id})"
    if isinstance(would, Broadcast):
        if would.stored_only:
            return "the hub would keep it and tell nobody, because it comes from a peer hub"
        return f"the hub would keep it and tell {len(would.receivers)} parties, each as agreements allow"
    if isinstance(would, GetAll):
        return f"the hub would answer itself, with what it holds of {len(would.owners)} owners"
    if isinstance(would, HubCopy):
        return f"the hub would answer itself, if it holds the object of one of {len(would.owners)} owners"
    if isinstance(would, Open):
        return "the hub would find the receiver by what the message is about"
    if isinstance(would, ByUrl):
        return "the hub would follow the URL it handed out, whatever agreements say by now"
    return f"the hub would answer HTTP {would.http} with {int(would.code)}: {would.message}"
