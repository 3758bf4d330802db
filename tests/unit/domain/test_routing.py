"""Who speaks and who receives, case by case; the property tests cover the combinations."""

import pytest

from hub.domain.decisions import Decision, Direct, Refused, Request, not_connected
from hub.domain.platform import HostedRole
from hub.domain.registry import RegistrySnapshot
from hub.domain.routing import by_stored_url, identify_sender, route, speaker
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from tests.unit.domain import reference_world
from tests.unit.domain.platforms import R, S, hosted, party, platform, reserved, url_of
from tests.unit.domain.reference_world import CHOICES, receiver, refusal

CPO_ENDPOINTS = [("locations", S), ("tokens", R), ("commands", R), ("x-own", R)]
EMSP_ENDPOINTS = [("locations", R), ("tokens", S), ("commands", S), ("cdrs", R)]

P1 = platform("P1", [hosted(Role.CPO, "NL/Cpa"), hosted(Role.CPO, "BE/CPB")], CPO_ENDPOINTS)
P2 = platform("P2", [hosted(Role.EMSP, "NL/EMA"), hosted(Role.EMSP, "DE/EMB")], EMSP_ENDPOINTS)
P3 = platform("P3", [hosted(Role.NSP, "NL/NSP")], [("locations", R)])
P4 = platform("P4", [hosted(Role.CPO, "FR/DUO"), hosted(Role.EMSP, "FR/DUO")], [*CPO_ENDPOINTS, *EMSP_ENDPOINTS])
P6 = platform("P6", [hosted(Role.CPO, "DE/SUS")], CPO_ENDPOINTS, suspended=True)
P7 = platform("P7", [hosted(Role.CPO, "DE/GON")], None)
P8 = platform("P8", [hosted(Role.CPO, "DE/TWO", suspended=True), hosted(Role.EMSP, "DE/TWO")], CPO_ENDPOINTS)
P9 = platform("P9", endpoints=None, approved=[reserved(Role.EMSP, "IT/EMN")], was_registered=False)
REGISTRY = RegistrySnapshot([P1, P2, P3, P4, P6, P7, P8, P9])


def asked(
    platform_id: str,
    to: str | None,
    sender: str | None,
    module: str = "locations",
    interface: Interface = S,
    owner: str | None = None,
    custom: bool = False,
) -> Decision:
    return reference_world.asked(
        platform_id, sender, to, module, interface, owner=owner, custom=custom, registry=REGISTRY
    )


def test_a_known_party_is_reached_at_its_endpoint_under_its_registered_name() -> None:
    assert receiver(asked("P2", "nl/cpa", "nl/ema")) == ("NL/EMA", "NL/Cpa", url_of("P1", "locations", S))


def test_both_parties_may_be_on_one_platform_and_even_be_the_same() -> None:
    assert receiver(asked("P1", "BE/CPB", "NL/Cpa")) == ("NL/Cpa", "BE/CPB", url_of("P1", "locations", S))
    assert receiver(asked("P4", "FR/DUO", "FR/DUO")) == ("FR/DUO", "FR/DUO", url_of("P4", "locations", S))


def test_a_spoofed_sender_is_forbidden_whatever_else_is_wrong() -> None:
    assert refusal(asked("P2", "NL/CPA", "NL/CPA")) == (403, 2001)
    assert refusal(asked("P2", None, "NL/XXX", owner="ZZ/ZZZ")) == (403, 2001)
    assert refusal(asked("P9", "NL/CPA", "IT/EMN")) == (403, 2001)


def test_a_sender_left_out_is_the_owner_in_the_path_or_the_only_one_it_can_be() -> None:
    assert receiver(asked("P2", "NL/CPA", None, "tokens", R, "de/emb"))[0] == "DE/EMB"
    assert receiver(asked("P3", "NL/CPA", None))[0] == "NL/NSP"
    assert refusal(asked("P2", "NL/CPA", None)) == (200, 2001)
    # Nobody of P3 typically authorizes, yet there is only one who can have asked.
    assert receiver(asked("P3", "NL/EMA", None, "tokens", S))[0] == "NL/NSP"


def test_a_party_in_two_roles_is_one_sender() -> None:
    assert receiver(asked("P4", "NL/CPA", None))[0] == "FR/DUO"


def test_the_owner_in_a_path_must_be_of_the_requesting_platform() -> None:
    assert refusal(asked("P1", "NL/EMA", "NL/CPA", "locations", R, "NL/EMA")) == (404, 2001)
    assert refusal(asked("P1", "NL/EMA", "NL/CPA", "locations", R, "%4EL/CPA")) == (404, 2001)
    assert receiver(asked("P1", "NL/EMA", "NL/CPA", "locations", R, "be/cpb"))[1] == "NL/EMA"


def test_f1_nobody_has_the_address() -> None:
    decision = asked("P2", "XX/ZZZ", "NL/EMA")

    assert refusal(decision) == (200, 4001)
    assert isinstance(decision, Refused)
    assert "XX/ZZZ" in decision.message


@pytest.mark.parametrize("to", ["DE/SUS", "DE/GON", "DE/TWO", "IT/EMN"])
def test_f4_suspended_gone_or_planned(to: str) -> None:
    """The platform is suspended, has left, has one role suspended, or was only invited."""
    assert refusal(asked("P2", to, "NL/EMA")) == (200, 4003)
    assert not_connected(party("DE/SUS")).code is StatusCode.CONNECTION_PROBLEM


def test_f8_the_receiver_lacks_the_endpoint() -> None:
    assert refusal(asked("P1", "NL/NSP", "NL/CPA", "cdrs", R)) == (200, 4000)
    assert refusal(asked("P2", "NL/CPA", "NL/EMA", "tariffs", S)) == (200, 4000)


def test_suspension_is_of_a_role_on_either_side() -> None:
    # DE/TWO may not act as CPO, and still acts as eMSP.
    assert refusal(asked("P8", "NL/EMA", "DE/TWO", "locations", R, "DE/TWO")) == (403, 2000)
    assert receiver(asked("P8", "NL/CPA", "DE/TWO", "locations", S))[0] == "DE/TWO"
    # A custom module has no sides: one role that is not suspended is enough.
    assert receiver(asked("P8", "NL/CPA", "DE/TWO", "x-own", R, custom=True))[1] == "NL/Cpa"


def test_of_several_roles_on_one_platform_one_that_is_not_suspended_speaks() -> None:
    roles = [hosted(Role.EMSP, "SE/ONE", suspended=True), hosted(Role.NSP, "SE/ONE")]
    registry = RegistrySnapshot([P1, platform("PX", roles, EMSP_ENDPOINTS)])
    decision = route(registry, CHOICES, Request("P1", party("SE/ONE"), party("NL/CPA"), "locations", R))

    assert receiver(decision)[1] == "SE/ONE"


def test_a_party_on_two_platforms_is_found_by_the_role_that_acts() -> None:
    cpo = platform("PC", [hosted(Role.CPO, "SE/ONE")], CPO_ENDPOINTS)
    emsp = platform("PE", [hosted(Role.EMSP, "SE/ONE")], EMSP_ENDPOINTS)
    registry = RegistrySnapshot([cpo, emsp, P1, P2])

    def to_one(platform_id: str, sender: str, module: str, side: Interface) -> str:
        decision = route(registry, CHOICES, Request(platform_id, party("se/one"), party(sender), module, side))
        assert isinstance(decision, Direct)
        return decision.platform.id

    assert to_one("P2", "NL/EMA", "locations", S) == "PC"
    assert to_one("P1", "NL/CPA", "locations", R) == "PE"
    # TO equals FROM, on two platforms (T-25)
    assert to_one("PC", "SE/ONE", "locations", R) == "PE"
    assert to_one("PE", "SE/ONE", "tokens", R) == "PC"


def test_several_platforms_are_narrowed_by_the_endpoint_and_else_ambiguous() -> None:
    one = platform("PA", [hosted(Role.EMSP, "SE/ONE")], [("locations", R)])
    two = platform("PB", [hosted(Role.NSP, "SE/ONE")], [("tariffs", R)])
    registry = RegistrySnapshot([one, two, P1])

    def pushed(module: str, there: RegistrySnapshot = registry) -> Decision:
        return route(there, CHOICES, Request("P1", party("SE/ONE"), party("NL/CPA"), module, R))

    assert receiver(pushed("locations"))[2] == url_of("PA", "locations", R)
    assert receiver(pushed("tariffs"))[2] == url_of("PB", "tariffs", R)
    both = platform("PB", [hosted(Role.NSP, "SE/ONE")], [("locations", R)])
    assert refusal(pushed("locations", registry.replacing(both))) == (200, 4001)


def test_custom_modules_go_where_they_are_advertised() -> None:
    assert receiver(asked("P2", "NL/CPA", "NL/EMA", "x-own", R, custom=True))[2] == url_of("P1", "x-own", R)
    assert refusal(asked("P1", "NL/EMA", "NL/CPA", "x-own", R, custom=True)) == (200, 4000)
    assert refusal(asked("P1", None, "NL/CPA", "x-own", R, custom=True)) == (200, 4001)


def test_a_platform_that_has_just_gone_is_unauthorized() -> None:
    assert refusal(asked("P0", "NL/CPA", None)) == (401, 2000)


def test_the_sender_alone() -> None:
    request = Request("P2", None, PartyId("nl", "Ema"), "locations", S)

    assert str(identify_sender(REGISTRY, P2, request)) == "NL/EMA"


def test_who_spoke_when_nothing_was_decided() -> None:
    assert str(speaker(REGISTRY, P2, party("nl/ema"))) == "NL/EMA"
    assert speaker(REGISTRY, P2, party("NL/CPA")) is None
    assert speaker(REGISTRY, P2, None) is None
    assert str(speaker(REGISTRY, P4, None)) == "FR/DUO"


def test_along_a_stored_url_to_whoever_is_still_there() -> None:
    """The URL was given to a party on a platform, so it leads to no other one."""

    def result(sender: str, platform_id: str, to: str) -> Decision:
        request = Request("P1", party(to), party(sender), "commands", S)
        return by_stored_url(REGISTRY, (P1, party(sender)), (platform_id, party(to)), request)

    assert receiver(result("NL/CPA", "P2", "nl/ema"))[:2] == ("NL/CPA", "NL/EMA")
    assert refusal(result("NL/CPA", "P4", "NL/EMA")) == (200, 4001)
    assert refusal(result("NL/CPA", "P0", "NL/EMA")) == (200, 4001)
    assert refusal(result("NL/CPA", "P6", "DE/SUS")) == (200, 4003)
    assert refusal(result("NL/CPA", "P7", "DE/GON")) == (200, 4003)
    suspended = (P8, party("DE/TWO"))
    request = Request("P8", party("NL/EMA"), party("DE/TWO"), "commands", S)
    assert refusal(by_stored_url(REGISTRY, suspended, ("P2", party("NL/EMA")), request)) == (403, 2000)


def test_a_sender_left_out_is_never_taken_for_another_that_is_not_suspended() -> None:
    """The only CPO there is suspended, so a CDR is its own and no eMSP's; of two CPOs it is the one that may send."""
    cpo, emsp = hosted(Role.CPO, "SE/CPO", suspended=True), hosted(Role.EMSP, "SE/EMS")

    def posted(*roles: HostedRole) -> Decision:
        registry = REGISTRY.replacing(platform("PX", roles, [*CPO_ENDPOINTS, *EMSP_ENDPOINTS]))
        return reference_world.asked("PX", None, "NL/EMA", "cdrs", R, "POST", registry=registry)

    assert refusal(posted(cpo, emsp)) == (403, 2000)
    assert receiver(posted(cpo, emsp, hosted(Role.CPO, "SE/TWO")))[0] == "SE/TWO"
    assert refusal(posted(cpo, emsp, hosted(Role.CPO, "SE/TWO", suspended=True))) == (200, 2001)
