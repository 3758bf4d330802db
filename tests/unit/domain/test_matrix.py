"""The rows of matrix M in which TO is the hub or absent, in the world of the scenarios."""

import pytest

from hub.domain.decisions import Broadcast, GetAll, HubCopy, Open
from hub.ocpi.names import Interface
from tests.unit.domain.platforms import R, S
from tests.unit.domain.reference_world import CHOICES, asked, receiver, refusal

HUB = "NL/HUB"
NOBODY = [None, HUB, "nl/hub"]


@pytest.mark.parametrize("to", [HUB, "nl/hub"])
def test_a_list_from_the_hub_is_of_everybody_who_may_be_seen(to: str) -> None:
    """S-045. FR/DUO is seen as a CPO; ES/CPS is behind the peer hub."""
    decision = asked("P2", "NL/EMA", to, "locations", S, is_list=True)

    assert isinstance(decision, GetAll)
    assert str(decision.sender) == "NL/EMA"
    assert decision.owners == {"nl*cpa", "be*cpb", "fr*duo", "es*cps"}


@pytest.mark.parametrize("module", ["locations", "sessions", "cdrs"])
def test_a_list_without_a_receiver_is_refused_and_the_hub_names_itself(module: str) -> None:
    """S-048, T-30."""
    decision = asked("P2", "NL/EMA", None, module, S, is_list=True)

    assert refusal(decision) == (200, 4001)
    assert HUB in str(decision)


def test_an_operator_may_let_a_list_without_a_receiver_be_of_everybody() -> None:
    lenient = CHOICES._replace(lenient_lists=True)

    decision = asked("P2", "NL/EMA", None, "locations", S, is_list=True, choices=lenient)
    assert decision == asked("P2", "NL/EMA", HUB, "locations", S, is_list=True)
    assert refusal(asked("P2", "NL/EMA", None, "cdrs", S, is_list=True, choices=lenient)) == (200, 2001)


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
def test_what_the_hub_does_not_hold_is_not_an_empty_list(module: str) -> None:
    """Ruling 14."""
    decision = asked("P2", "NL/EMA", HUB, module, S, is_list=True)

    assert refusal(decision) == (200, 2001)
    assert "owner" in str(decision)


def test_one_object_from_the_hub_is_a_copy_of_what_may_be_seen() -> None:
    decision = asked("P3", "NL/NSP", HUB, "locations", S)

    assert isinstance(decision, HubCopy)
    assert decision.owners == {"nl*cpa", "be*cpb", "fr*duo", "es*cps"}


def test_one_object_of_nobody_goes_to_whoever_has_it() -> None:
    """S-060 begins so."""
    decision = asked("P3", "NL/NSP", None, "locations", S)

    assert isinstance(decision, Open)
    assert str(decision.sender) == "NL/NSP"


@pytest.mark.parametrize("to", NOBODY)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_push_for_everybody(to: str | None, method: str) -> None:
    """S-049; without TO by R-083."""
    decision = asked("P1", "NL/CPA", to, "locations", R, method, owner="nl/cpa")

    assert isinstance(decision, Broadcast)
    assert (str(decision.sender), str(decision.owner), decision.stored_only) == ("NL/CPA", "NL/CPA", False)
    assert [str(leg.receiver) for leg in decision.receivers] == [
        "BE/EMC",
        "DE/EMB",
        "FR/DUO",
        "NL/EMA",
        "NL/NSP",
        "SE/OTH",
    ]


def test_a_tariff_is_taken_back_from_everybody() -> None:
    """T-28."""
    decision = asked("P1", "NL/CPA", HUB, "tariffs", R, "DELETE", owner="NL/CPA")

    assert isinstance(decision, Broadcast)
    assert {str(leg.receiver) for leg in decision.receivers} == {"BE/EMC", "DE/EMB", "FR/DUO", "NL/EMA", "NL/NSP"}


def test_an_other_tells_cpos_only() -> None:
    """S-051."""
    decision = asked("P8", "SE/OTH", HUB, "tokens", R, "PUT", owner="SE/OTH")

    assert isinstance(decision, Broadcast)
    assert [str(leg.receiver) for leg in decision.receivers] == ["BE/CPB", "FR/DUO", "NL/CPA"]
    assert refusal(asked("P8", "SE/OTH", HUB, "locations", R, "PUT", owner="SE/OTH")) == (200, 2001)


def test_only_its_owner_publishes_an_object() -> None:
    """R-079, T-23: another party of the same platform, one elsewhere, one that has no such objects."""
    assert refusal(asked("P1", "NL/CPA", HUB, "locations", R, "PUT", owner="BE/CPB")) == (200, 2001)
    assert refusal(asked("P1", "NL/CPA", HUB, "locations", R, "PUT", owner="FR/DUO")) == (404, 2001)
    assert refusal(asked("P3", "NL/NSP", HUB, "locations", R, "PUT", owner="NL/NSP")) == (200, 2001)


def test_the_owner_in_the_path_publishes_when_nobody_is_named() -> None:
    decision = asked("P1", None, None, "locations", R, "PUT", owner="BE/CPB")

    assert isinstance(decision, Broadcast)
    assert str(decision.sender) == "BE/CPB"


def test_a_get_tells_nobody_and_shows_owners_their_own() -> None:
    """S-052, T-27; without TO nothing names a receiver."""
    decision = asked("P1", "NL/CPA", HUB, "locations", R, owner="NL/CPA")
    assert isinstance(decision, HubCopy)
    assert decision.owners == {"nl*cpa"}
    assert refusal(asked("P1", "NL/CPA", HUB, "locations", R, owner="BE/CPB")) == (200, 2001)
    assert refusal(asked("P1", "NL/CPA", None, "locations", R, owner="NL/CPA")) == (200, 4001)


@pytest.mark.parametrize("to", NOBODY)
@pytest.mark.parametrize(
    ("platform_id", "sender", "module", "interface", "method"),
    [
        ("P1", "NL/CPA", "cdrs", R, "POST"),
        ("P1", "NL/CPA", "cdrs", R, "GET"),
        ("P1", "NL/CPA", "sessions", R, "PUT"),
        ("P1", "NL/CPA", "sessions", R, "PATCH"),
        ("P1", "NL/CPA", "sessions", R, "GET"),
        ("P1", "NL/CPA", "tokens", S, "POST"),
        ("P1", "NL/CPA", "chargingprofiles", S, "PUT"),
        ("P2", "NL/EMA", "sessions", S, "PUT"),
        ("P2", "NL/EMA", "commands", R, "POST"),
        ("P2", "NL/EMA", "chargingprofiles", R, "GET"),
        ("P2", "NL/EMA", "chargingprofiles", R, "DELETE"),
    ],
)
def test_what_is_private_is_for_one_receiver(
    to: str | None, platform_id: str, sender: str, module: str, interface: Interface, method: str
) -> None:
    """S-053, T-31: never told to everybody."""
    owner = sender if (module, interface) == ("sessions", R) else None
    decision = asked(platform_id, sender, to, module, interface, method, owner=owner)

    assert isinstance(decision, Open)
    assert str(decision.sender) == sender


@pytest.mark.parametrize("to", NOBODY)
@pytest.mark.parametrize("is_list", [True, False])
@pytest.mark.parametrize("side", list(Interface))
def test_a_custom_module_needs_a_party(to: str | None, is_list: bool, side: Interface) -> None:
    """Ruling 16."""
    lenient = CHOICES._replace(lenient_lists=True)

    decision = asked("P3", None, to, "x-own", side, "GET", is_list=is_list, custom=True, choices=lenient)
    assert refusal(decision) == (200, 4001)


def test_a_company_may_write_to_itself() -> None:
    """T-25: TO equals FROM."""
    assert receiver(asked("P4", "FR/DUO", "fr/duo", "locations", R, "PUT", owner="FR/DUO"))[:2] == ("FR/DUO", "FR/DUO")
