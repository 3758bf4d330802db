"""What a question is answered with: the ruling, what the hub would do, and a sentence that says both."""

import pytest

from hub.domain.agreements import Agreement, Agreements, Side
from hub.domain.decisions import Broadcast, Choices, Direct, GetAll, HubCopy, Open, Refused
from hub.domain.explaining import ByUrl, Explanation, Question, explain
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import ConnectionStatus, Interface, Role
from tests.unit.domain.platforms import HUB, R, S, behind, hosted, party, platform, reserved

CPO_SIDE = [("locations", S), ("tariffs", S), ("tokens", R), ("commands", R), ("x-own", R)]
EMSP_SIDE = [("locations", R), ("tariffs", R), ("tokens", S), ("commands", S), ("cdrs", R)]
P1 = platform("P1", [hosted(Role.CPO, "NL/Cpa"), hosted(Role.CPO, "BE/CPB", suspended=True)], CPO_SIDE)
P2 = platform("P2", [hosted(Role.EMSP, "NL/EMA"), hosted(Role.EMSP, "DE/EMB")], EMSP_SIDE)
P3 = platform("P3", [hosted(Role.EMSP, "NL/CPA")], EMSP_SIDE)
P4 = platform("P4", endpoints=None, approved=[reserved(Role.EMSP, "IT/EMN")], was_registered=False)
P5 = platform("P5", [hosted(Role.CPO, "DE/SUS")], CPO_SIDE, suspended=True)
P6 = platform("P6", [hosted(Role.CPO, "DE/GON")], None)
H1 = platform("H1", [hosted(Role.HUB, "ES/HB1")], [*CPO_SIDE, *EMSP_SIDE], reported=[behind(Role.CPO, "ES/CPS")])
PLATFORMS = (P1, P2, P3, P4, P5, P6, H1)
CHOICES = Choices(HUB)


def asked(
    origin: str,
    target: str | None,
    module: str = "locations",
    interface: Interface = S,
    method: str = "GET",
    *,
    agreements: Agreements | None = None,
    choices: Choices = CHOICES,
    offline: tuple[str, ...] = (),
    **roles: Role,
) -> Explanation:
    question = Question(party(origin), None if target is None else party(target), module, interface, method, **roles)
    return explain(RegistrySnapshot(PLATFORMS, agreements=agreements), choices, offline, question)


def refused(explanation: Explanation) -> tuple[int, int]:
    assert isinstance(explanation.would, Refused)
    return explanation.would.http, int(explanation.would.code)


def agreement(agreement_id: str, origin: Side, target: Side, *, allow: bool, modules: str | None = None) -> Agreement:
    return Agreement(agreement_id, origin, target, None if modules is None else frozenset({modules}), allow)


def test_by_default_everybody_may() -> None:
    found = asked("nl/ema", "nl/cpa")

    assert isinstance(found.would, Direct)
    assert (found.platform, found.allowed) == (P2, True)
    assert found.ruling is not None
    assert found.ruling.agreement is None
    assert found.receiver is not None
    assert (found.receiver.platform, found.receiver.status) == (P1, ConnectionStatus.CONNECTED)
    assert found.sentence == (
        "nl/ema may turn to nl/cpa about locations, by default: no agreement fits, and the hub is open; "
        "the hub would send it to NL/Cpa on platform P1 (P1)."
    )


def test_the_agreement_that_decides_is_named() -> None:
    strong = agreement("no-locations", Side("NL"), Side(role=Role.CPO), allow=False, modules="locations")
    weak = agreement("all-emsps", Side(role=Role.EMSP), Side(), allow=True)

    found = asked("NL/EMA", "NL/CPA", agreements=Agreements([weak, strong]))
    other = asked("DE/EMB", "NL/CPA", agreements=Agreements([weak, strong]))

    assert (found.allowed, refused(found)) == (False, (200, 4001))
    assert found.ruling is not None
    assert found.ruling.agreement == strong
    assert "may not turn to NL/CPA about locations, by agreement no-locations; " in found.sentence
    why = "NL/CPA is not known to this hub, or NL/EMA may not reach it about locations"
    assert found.sentence.endswith(f"the hub would answer HTTP 200 with 4001: {why}.")
    assert other.allowed
    assert other.ruling is not None
    assert other.ruling.agreement == weak


def test_a_closed_hub_forbids_by_default() -> None:
    found = asked("NL/EMA", "NL/CPA", agreements=Agreements(default_open=False))

    assert not found.allowed
    assert "by default: no agreement fits, and the hub is closed" in found.sentence


def test_a_receiver_that_is_away() -> None:
    away = asked("NL/EMA", "NL/CPA", offline=("P1",))
    suspended = asked("NL/EMA", "BE/CPB")
    planned = asked("NL/CPA", "IT/EMN", "tokens")
    unknown = asked("NL/CPA", "XX/ZZZ")

    assert [refused(one) for one in (away, suspended, planned, unknown)] == [(200, 4003)] * 3 + [(200, 4001)]
    assert [one.receiver and one.receiver.status for one in (away, suspended, planned, unknown)] == [
        ConnectionStatus.OFFLINE,
        ConnectionStatus.SUSPENDED,
        ConnectionStatus.PLANNED,
        None,
    ]
    # Being away is no matter of agreements.
    assert all(one.allowed for one in (away, suspended, planned, unknown))


@pytest.mark.parametrize(
    ("origin", "answer", "why"),
    [
        ("XX/ZZZ", (403, 2001), "XX/ZZZ is not a party of any platform here"),
        ("IT/EMN", (403, 2001), "IT/EMN has not registered yet"),
        ("NL/HUB", (403, 2001), "NL/HUB is the hub itself"),
        ("DE/GON", (401, 2000), "not registered any more"),
        ("DE/SUS", (403, 2000), "suspended at this hub"),
        ("BE/CPB", (403, 2000), "BE/CPB is suspended"),
    ],
)
def test_an_origin_that_cannot_send(origin: str, answer: tuple[int, int], why: str) -> None:
    found = asked(origin, "NL/EMA", "locations", R, "PUT")

    assert refused(found) == answer
    assert why in found.sentence


def test_agreements_are_explained_before_anybody_registers() -> None:
    coming = agreement("coming", Side("IT", "EMN"), Side("AT", "NEW"), allow=False)
    no_scsp = agreement("no-scsp", Side(role=Role.SCSP), Side(), allow=False)

    found = asked("IT/EMN", "AT/NEW", "commands", R, "POST", agreements=Agreements([coming]))
    maybe = asked("IT/EMN", "NL/CPA", "commands", R, "POST", agreements=Agreements([no_scsp]))
    as_emsp = asked("IT/EMN", "NL/CPA", "commands", R, "POST", agreements=Agreements([no_scsp]), origin_role=Role.EMSP)

    assert not found.allowed
    assert found.ruling is not None
    assert found.ruling.agreement == coming
    # Nobody knows yet what it will be.
    assert (maybe.allowed, as_emsp.allowed) == (False, True)


def test_the_hub_as_receiver_is_one_of_the_other_modes() -> None:
    broadcast = asked("NL/CPA", "nl/hub", "locations", R, "PUT", origin_role=Role.CPO)
    get_all = asked("NL/EMA", "NL/HUB")
    copy = asked("NL/CPA", "NL/HUB", "locations", R, origin_role=Role.CPO)
    openly = asked("NL/EMA", None, "commands", R, "POST")

    assert [type(one.would) for one in (broadcast, get_all, copy, openly)] == [Broadcast, GetAll, HubCopy, Open]
    assert [one.ruling for one in (broadcast, get_all, copy, openly)] == [None] * 4
    assert [one.receiver for one in (broadcast, get_all, copy, openly)] == [None] * 4
    assert {str(one) for one in broadcast.parties} == {"NL/EMA", "DE/EMB"}
    assert "tell 2 parties" in broadcast.sentence
    assert [str(one) for one in get_all.parties] == ["ES/CPS", "NL/Cpa"]  # BE/CPB is suspended
    assert [str(one) for one in copy.parties] == ["NL/Cpa"]
    assert "NL/EMA names no receiver for commands; the hub would find the receiver" in openly.sentence


def test_nobody_named_where_somebody_must_be() -> None:
    assert refused(asked("NL/EMA", None)) == (200, 4001)
    assert refused(asked("NL/EMA", "NL/HUB", "sessions")) == (200, 2001)
    lenient = asked("NL/EMA", None, choices=Choices(HUB, lenient_lists=True))
    assert isinstance(lenient.would, GetAll)


def test_a_peer_hub_speaks_for_those_behind_it() -> None:
    kept = asked("ES/CPS", "NL/HUB", "locations", R, "PUT")
    back = asked("NL/EMA", "ES/CPS")

    assert isinstance(kept.would, Broadcast)
    assert kept.would.stored_only
    assert "tell nobody" in kept.sentence
    assert (kept.platform, back.receiver and back.receiver.platform) == (H1, H1)


@pytest.mark.parametrize(
    ("module", "interface", "method", "answer", "why"),
    [
        ("locations", S, "PUT", (405, 2000), "takes GET"),
        ("locations", R, "DELETE", (405, 2000), "takes GET, PUT, PATCH"),
        ("location", S, "GET", (404, 2000), "Nobody offers location"),
        ("x-own", S, "GET", (404, 2000), "Nobody offers x-own with interface role SENDER"),
        ("x-own", R, "HEAD", (405, 2000), "takes GET, POST, PUT, PATCH, DELETE"),
        ("credentials", S, "GET", (200, 4001), "never routed"),
    ],
)
def test_what_the_hub_does_not_serve(
    module: str, interface: Interface, method: str, answer: tuple[int, int], why: str
) -> None:
    found = asked("NL/EMA", "NL/CPA", module, interface, method)

    assert refused(found) == answer
    assert why in found.sentence


def test_a_custom_module_needs_a_receiver() -> None:
    assert isinstance(asked("DE/EMB", "ES/CPS", "x-own", R, "PATCH").would, Direct)
    assert refused(asked("NL/EMA", "NL/HUB", "x-own", R, "PATCH")) == (200, 4001)


@pytest.mark.parametrize(
    ("module", "interface", "method"), [("commands", S, "POST"), ("chargingprofiles", S, "POST"), ("cdrs", R, "GET")]
)
def test_what_goes_along_a_url_the_hub_handed_out(module: str, interface: Interface, method: str) -> None:
    closed = Agreements(default_open=False)

    found = asked("NL/CPA", "NL/EMA", module, interface, method, agreements=closed, origin_role=Role.CPO)

    assert isinstance(found.would, ByUrl)
    assert (found.ruling, found.allowed) == (None, True)
    assert "whatever agreements say by now" in found.sentence


def test_a_role_says_which_of_two_parties_of_one_name() -> None:
    cpos = Agreements([agreement("no-cpos", Side(role=Role.CPO), Side(), allow=False)])

    assert asked("NL/CPA", "NL/EMA", "locations", R, "PUT").platform == P1
    as_emsp = asked("NL/CPA", "NL/EMA", "locations", R, "PUT", agreements=cpos, origin_role=Role.EMSP)
    assert (as_emsp.platform, as_emsp.allowed) == (P3, True)
    assert not asked("NL/CPA", "NL/EMA", "locations", R, "PUT", agreements=cpos, origin_role=Role.CPO).allowed
    targets = Agreements([agreement("no-emsp", Side(), Side(role=Role.EMSP), allow=False)])
    assert asked("DE/EMB", "NL/CPA", agreements=targets).allowed  # for locations it is the CPO that is meant
    assert not asked("DE/EMB", "NL/CPA", agreements=targets, target_role=Role.EMSP).allowed
    # So what is forbidden towards CPOs is not allowed because it is an EMSP too.
    towards_cpos = Agreements([agreement("no-cpo", Side(), Side(role=Role.CPO), allow=False)])
    assert not asked("DE/EMB", "NL/CPA", agreements=towards_cpos).allowed
