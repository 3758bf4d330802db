"""The platforms of the acceptance scenarios (5.0), as a registry, and a short way to ask in it."""

from hub.domain.agreements import Agreements
from hub.domain.decisions import Choices, Decision, Direct, Refused, Request
from hub.domain.registry import RegistrySnapshot
from hub.domain.routing import route
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from tests.unit.domain.platforms import HUB, R, S, behind, hosted, party, platform

CPO_ENDPOINTS = [
    *((module, S) for module in ("locations", "sessions", "cdrs", "tariffs")),
    *((module, R) for module in ("tokens", "commands", "chargingprofiles")),
]
EMSP_ENDPOINTS = [
    *((module, S) for module in ("tokens", "commands", "chargingprofiles")),
    *((module, R) for module in ("locations", "sessions", "cdrs", "tariffs")),
]

P1 = platform("P1", [hosted(Role.CPO, "NL/CPA"), hosted(Role.CPO, "BE/CPB")], CPO_ENDPOINTS)
P2 = platform("P2", [hosted(Role.EMSP, "NL/EMA"), hosted(Role.EMSP, "DE/EMB")], EMSP_ENDPOINTS)
P3 = platform("P3", [hosted(Role.NSP, "NL/NSP")], [("locations", R), ("tariffs", R)])
P4 = platform("P4", [hosted(Role.CPO, "FR/DUO"), hosted(Role.EMSP, "FR/DUO")], [*CPO_ENDPOINTS, *EMSP_ENDPOINTS])
P5 = platform("P5", [hosted(Role.EMSP, "BE/EMC")], EMSP_ENDPOINTS)
P6 = platform("P6", [hosted(Role.SCSP, "NL/SCS")], [("chargingprofiles", S), ("sessions", R)])
P8 = platform("P8", [hosted(Role.OTHER, "SE/OTH")], [("tokens", S), ("locations", R)])
H2 = platform(
    "H2", [hosted(Role.HUB, "BE/HB2")], [*CPO_ENDPOINTS, *EMSP_ENDPOINTS], reported=[behind(Role.CPO, "ES/CPS")]
)
REGISTRY = RegistrySnapshot([P1, P2, P3, P4, P5, P6, P8, H2])
CHOICES = Choices(HUB)


def asked(
    platform_id: str,
    sender: str | None,
    to: str | None,
    module: str,
    interface: Interface,
    method: str = "GET",
    *,
    owner: str | None = None,
    is_list: bool = False,
    custom: bool = False,
    registry: RegistrySnapshot = REGISTRY,
    choices: Choices = CHOICES,
    agreements: Agreements | None = None,
) -> Decision:
    """The decision about a request FROM `sender` TO `to`, both as `NL/ABC`."""
    request = Request(
        platform_id, _party(to), _party(sender), module, interface, _party(owner), custom, method, is_list
    )
    return route(registry if agreements is None else registry.under(agreements), choices, request)


def _party(text: str | None) -> PartyId | None:
    return None if text is None else party(text)


def refusal(decision: Decision) -> tuple[int, int]:
    assert isinstance(decision, Refused), decision
    assert decision.message
    return decision.http, decision.code


def receiver(decision: Decision) -> tuple[str, str, str]:
    """FROM, TO and URL of the leg."""
    assert isinstance(decision, Direct), decision
    return str(decision.sender), str(decision.receiver), decision.endpoint
