"""Parties behind peer hubs: how they are reached and how they speak (R-204 to R-208, rulings 19 and 24)."""

from dataclasses import replace

import pytest

from hub.domain.agreements import Agreement, Agreements, Side
from hub.domain.decisions import Broadcast, Decision, GetAll, Request
from hub.domain.platform import ReportedParty
from hub.domain.registry import RegistrySnapshot
from hub.domain.routing import by_stored_url
from hub.ocpi.names import ConnectionStatus, Interface, Role
from tests.unit.domain.platforms import R, S, behind, hosted, party, platform, reserved, url_of
from tests.unit.domain.reference_world import (
    CHOICES,
    CPO_ENDPOINTS,
    EMSP_ENDPOINTS,
    H2,
    P1,
    P2,
    REGISTRY,
    asked,
    receiver,
    refusal,
)

PLANNED, SUSPENDED, OFFLINE = ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED, ConnectionStatus.OFFLINE
EVERYTHING = [*CPO_ENDPOINTS, *EMSP_ENDPOINTS]


def reporting(*reported: ReportedParty) -> RegistrySnapshot:
    """The world in which the peer hub reports these."""
    return REGISTRY.replacing(replace(H2, reported=reported))


def get(to: str, registry: RegistrySnapshot = REGISTRY, platform_id: str = "P2", sender: str = "NL/EMA") -> Decision:
    return asked(platform_id, sender, to, "locations", S, registry=registry)


def test_a_party_behind_a_peer_is_reached_through_it() -> None:
    """S-071, RT6: TO and FROM are the two parties, the URL is the peer's."""
    assert receiver(get("es/cps")) == ("NL/EMA", "ES/CPS", url_of("H2", "locations", S))


def test_a_peer_speaks_for_its_parties() -> None:
    """R-205; R-056 for all others."""
    assert receiver(asked("H2", "es/cps", "NL/EMA", "locations", R, "PUT", owner="ES/CPS"))[0] == "ES/CPS"
    assert receiver(asked("H2", None, "NL/EMA", "locations", R, "PUT", owner="ES/CPS"))[0] == "ES/CPS"
    assert receiver(asked("H2", None, "NL/CPA", "locations", S))[0] == "BE/HB2"
    assert refusal(asked("H2", "ES/XXX", "NL/EMA", "locations", R, "PUT", owner="ES/CPS")) == (403, 2001)
    assert refusal(asked("H2", "ES/CPS", "NL/EMA", "locations", R, "PUT", owner="NL/CPA")) == (404, 2001)


def test_who_is_no_hub_speaks_for_nobody_else() -> None:
    liar = replace(P1, reported=(behind(Role.CPO, "ES/NEW"),))
    registry = REGISTRY.replacing(liar)

    assert refusal(get("ES/NEW", registry)) == (200, 4001)
    assert refusal(asked("P1", "ES/NEW", "NL/EMA", "locations", R, "PUT", registry=registry)) == (403, 2001)


def test_a_party_that_is_here_is_not_behind_a_peer() -> None:
    """Ruling 24: neither reached there nor spoken for."""
    registry = reporting(behind(Role.CPO, "nl/cpa"))

    assert receiver(get("NL/CPA", registry))[2] == url_of("P1", "locations", S)
    assert refusal(asked("H2", "NL/CPA", "NL/EMA", "locations", R, "PUT", registry=registry)) == (403, 2001)
    gone = registry.replacing(replace(P1, connection=None))
    assert refusal(get("NL/CPA", gone)) == (200, 4003)


@pytest.mark.parametrize("status", [PLANNED, SUSPENDED, OFFLINE])
def test_what_a_peer_reports_as_away_is_away(status: ConnectionStatus) -> None:
    assert refusal(get("ES/CPS", reporting(behind(Role.CPO, "ES/CPS", status)))) == (200, 4003)


def test_behind_a_peer_that_is_away_everybody_is() -> None:
    assert refusal(get("ES/CPS", REGISTRY.replacing(replace(H2, suspended=True)))) == (200, 4003)
    assert refusal(get("ES/CPS", REGISTRY.replacing(replace(H2, connection=None)))) == (200, 4003)


def test_in_a_role_that_is_connected_a_party_is_reached_whatever_its_others_are() -> None:
    """F4 is about the role that serves: all that fit must be away."""
    fitting = [behind(Role.NSP, "ES/EMS", PLANNED), behind(Role.EMSP, "ES/EMS")]
    other = behind(Role.CPO, "ES/EMS", SUSPENDED)

    for reported in (fitting, fitting[::-1]):
        registry = reporting(*reported, other)
        push = asked("P1", "NL/CPA", "ES/EMS", "locations", R, "PUT", owner="NL/CPA", registry=registry)
        assert receiver(push)[1] == "ES/EMS"
    assert refusal(get("ES/EMS", reporting(*fitting, other))) == (200, 4003)


def test_along_a_stored_url_one_connected_role_is_enough_too() -> None:
    request = Request("P1", party("ES/EMS"), party("NL/CPA"), "locations", R)

    def result(*reported: ReportedParty) -> Decision:
        return by_stored_url(reporting(*reported), (P1, party("NL/CPA")), ("H2", party("ES/EMS")), request)

    away, there = behind(Role.NSP, "ES/EMS", PLANNED), behind(Role.EMSP, "ES/EMS")
    assert receiver(result(away, there))[1] == "ES/EMS"
    assert refusal(result(away, behind(Role.CPO, "ES/EMS"))) == (200, 4003)


def test_who_is_expected_here_is_not_behind_a_peer() -> None:
    """Ruling 24: reserved for a platform that has not registered yet."""
    invited = platform("P9", endpoints=None, approved=[reserved(Role.CPO, "es/cps")], was_registered=False)
    reported = (*H2.reported, behind(Role.EMSP, "ES/CPS"))
    registry = reporting(*reported).replacing(invited)
    across = CHOICES._replace(broadcast_across_hubs=True)

    assert refusal(get("ES/CPS", registry)) == (200, 4003)
    assert refusal(asked("H2", "ES/CPS", "NL/EMA", "locations", R, "PUT", registry=registry)) == (403, 2001)
    seen = asked("P2", "NL/EMA", "NL/HUB", "locations", S, is_list=True, registry=registry)
    assert isinstance(seen, GetAll)
    assert "es*cps" not in seen.owners
    push = asked("P1", "NL/CPA", "NL/HUB", "locations", R, "PUT", owner="NL/CPA", registry=registry, choices=across)
    assert isinstance(push, Broadcast)
    assert "H2" not in {leg.platform.id for leg in push.receivers}


def test_nothing_goes_back_to_the_hub_it_came_from() -> None:
    """R-207."""
    registry = reporting(behind(Role.CPO, "ES/CPS"), behind(Role.EMSP, "ES/EMS"))

    assert refusal(get("ES/CPS", registry, "H2", "ES/EMS")) == (200, 4000)
    assert receiver(get("BE/HB2", registry))[1] == "BE/HB2"


def test_of_two_hubs_that_lead_there_the_older_connected_one_is_used() -> None:
    h3 = platform("H3", [hosted(Role.HUB, "FR/HB3")], EVERYTHING, reported=[behind(Role.CPO, "es/cps")])
    registry = REGISTRY.replacing(h3)

    def through(snapshot: RegistrySnapshot) -> str:
        return receiver(get("ES/CPS", snapshot))[2]

    assert through(registry) == url_of("H2", "locations", S)
    assert through(registry.replacing(replace(H2, suspended=True))) == url_of("H3", "locations", S)
    lacking = replace(platform("H2", H2.roles, [("tariffs", S)]), reported=H2.reported)
    assert through(registry.replacing(lacking)) == url_of("H3", "locations", S)


def test_agreements_hold_behind_peers_too() -> None:
    closed = Agreements(
        [Agreement("a", Side(role=Role.EMSP), Side("ES", role=Role.CPO), None, True)], default_open=False
    )

    assert receiver(get("ES/CPS", REGISTRY.under(closed)))[1] == "ES/CPS"
    assert refusal(asked("H2", "ES/CPS", "NL/EMA", "locations", R, "PUT", agreements=closed)) == (200, 4001)


def test_a_party_that_is_reported_as_suspended_does_not_speak() -> None:
    only_cpos = Agreements([Agreement("a", Side(role=Role.CPO), Side(), None, True)], default_open=False)
    registry = reporting(behind(Role.EMSP, "ES/EMS", SUSPENDED)).under(only_cpos)

    assert refusal(get("NL/CPA", registry, "H2", "ES/EMS")) == (403, 2000)


def test_a_push_from_a_peer_is_kept_and_told_no_further() -> None:
    """R-208, T-26: whoever it is from, as long as the owner is behind that peer."""
    for sender in ("BE/HB2", "ES/CPS"):
        for to in ("NL/HUB", None):
            decision = asked("H2", sender, to, "locations", R, "PUT", owner="ES/CPS")
            assert isinstance(decision, Broadcast)
            assert (str(decision.sender), str(decision.owner)) == (sender, "ES/CPS")
            assert decision.stored_only
            assert decision.receivers == ()
    assert refusal(asked("H2", "BE/HB2", "NL/HUB", "locations", R, "PUT", owner="NL/CPA")) == (404, 2001)
    assert refusal(asked("H2", "BE/HB2", "NL/HUB", "locations", R, "PUT", owner="BE/HB2")) == (200, 2001)
    assert refusal(asked("H2", "ES/CPS", "NL/HUB", "tokens", R, "PUT", owner="ES/CPS")) == (200, 2001)


def test_what_comes_from_a_hubs_platform_does_not_go_back_behind_it() -> None:
    """R-207, whatever the operator chose."""
    hub = platform(
        "H3",
        [hosted(Role.HUB, "FR/HB3"), hosted(Role.CPO, "ES/ONE"), hosted(Role.EMSP, "ES/TWO")],
        EVERYTHING,
        reported=[behind(Role.EMSP, "ES/EMS")],
    )
    wide = CHOICES._replace(broadcast_own_platform=True, broadcast_across_hubs=True)
    registry = RegistrySnapshot([hub])

    push = asked("H3", "ES/ONE", "NL/HUB", "locations", R, "PUT", owner="ES/ONE", registry=registry, choices=wide)
    assert isinstance(push, Broadcast)
    assert [str(leg.receiver) for leg in push.receivers] == ["ES/TWO"]


def test_what_a_platform_is_here_does_not_grow_by_what_it_reports() -> None:
    """Ruling 24: ES/ONE is a CPO here, so the report that it is an eMSP as well says nothing."""
    hub = platform(
        "H3",
        [hosted(Role.HUB, "FR/HB3"), hosted(Role.CPO, "ES/ONE")],
        EVERYTHING,
        reported=[behind(Role.EMSP, "ES/ONE")],
    )
    registry = REGISTRY.replacing(hub)

    assert registry.roles_of(hub, hub.roles[1].party) == {Role.CPO}
    decision = asked("H3", "ES/ONE", "NL/HUB", "tokens", R, "PUT", owner="ES/ONE", registry=registry)
    assert refusal(decision) == (200, 2001)


def test_a_push_is_told_to_parties_behind_peers_only_if_the_operator_wants_it() -> None:
    """R-208: one push per party, FROM the hub; nobody who is here is told behind a peer too."""
    reported = [
        behind(Role.EMSP, "ES/EMS"),
        behind(Role.EMSP, "nl/ema"),
        behind(Role.EMSP, "ES/OFF", OFFLINE),
        *H2.reported,
    ]
    registry = reporting(*reported)

    def told(across: bool) -> list[tuple[str, str]]:
        choices = CHOICES._replace(broadcast_across_hubs=across)
        push = asked(
            "P1", "NL/CPA", "NL/HUB", "locations", R, "PUT", owner="NL/CPA", registry=registry, choices=choices
        )
        assert isinstance(push, Broadcast)
        return [(str(leg.receiver), str(leg.sender)) for leg in push.receivers if leg.platform.id == "H2"]

    assert told(across=False) == []
    assert told(across=True) == [("ES/EMS", "NL/HUB")]


def test_what_a_peer_pushed_is_seen_here_and_not_by_the_peer_itself() -> None:
    def owners(platform_id: str, sender: str, registry: RegistrySnapshot) -> frozenset[str]:
        decision = asked(platform_id, sender, "NL/HUB", "locations", S, is_list=True, registry=registry)
        assert isinstance(decision, GetAll)
        return decision.owners

    registry = reporting(*H2.reported, behind(Role.EMSP, "ES/EMS"))
    assert "es*cps" in owners("P2", "NL/EMA", registry)
    assert owners("H2", "ES/EMS", registry) == {"nl*cpa", "be*cpb", "fr*duo"}
    hidden = reporting(behind(Role.CPO, "ES/CPS", SUSPENDED))
    assert "es*cps" not in owners("P2", "NL/EMA", hidden)
    away = reporting(behind(Role.CPO, "ES/CPS", OFFLINE))
    assert "es*cps" in owners("P2", "NL/EMA", away)


def test_custom_modules_reach_behind_peers() -> None:
    hub = platform("H3", [hosted(Role.HUB, "FR/HB3")], [("x-own", R)], reported=[behind(Role.OTHER, "ES/ONE")])
    decision = asked(
        P2.id, "NL/EMA", "ES/ONE", "x-own", Interface.RECEIVER, "PATCH", custom=True, registry=REGISTRY.replacing(hub)
    )

    assert receiver(decision)[2] == url_of("H3", "x-own", R)


def test_what_comes_from_a_hub_itself_is_told_no_further_even_of_its_own_parties() -> None:
    """T-26 looks at FROM. A CPO that a hub's platform hosts beside it publishes like any other."""
    hub = platform("H3", [hosted(Role.HUB, "FR/HB3"), hosted(Role.CPO, "ES/ONE")], EVERYTHING)
    registry = REGISTRY.replacing(hub)

    def pushed(sender: str) -> Decision:
        return asked("H3", sender, "NL/HUB", "locations", R, "PUT", owner="ES/ONE", registry=registry)

    by_hub, by_owner = pushed("FR/HB3"), pushed("ES/ONE")
    assert isinstance(by_hub, Broadcast)
    assert by_hub.stored_only
    assert by_hub.receivers == ()
    assert isinstance(by_owner, Broadcast)
    assert not by_owner.stored_only
    assert by_owner.receivers != ()


def test_only_a_hub_itself_pushes_what_another_owns() -> None:
    """R-079, T-23: FROM and owner agree, behind a peer as anywhere."""
    registry = reporting(behind(Role.CPO, "ES/CPS"), behind(Role.CPO, "ES/TWO"))

    decision = asked("H2", "ES/TWO", "NL/HUB", "locations", R, "PUT", owner="ES/CPS", registry=registry)
    assert refusal(decision) == (200, 2001)


def test_behind_two_hubs_a_party_is_told_once_through_one_that_leads_there() -> None:
    """R-208; like a message for it alone, which takes the first connected hub with the endpoint."""
    h2 = replace(H2, reported=(behind(Role.EMSP, "ES/EMS"),))
    h3 = platform("H3", [hosted(Role.HUB, "FR/HB3")], EVERYTHING, reported=[behind(Role.EMSP, "ES/EMS")])
    registry = REGISTRY.replacing(h2).replacing(h3)

    def through(snapshot: RegistrySnapshot) -> list[str]:
        across = CHOICES._replace(broadcast_across_hubs=True)
        push = asked("P1", "NL/CPA", "NL/HUB", "locations", R, "PUT", owner="NL/CPA", registry=snapshot, choices=across)
        assert isinstance(push, Broadcast)
        return [leg.platform.id for leg in push.receivers if str(leg.receiver) == "ES/EMS"]

    assert through(registry) == ["H2"]
    assert through(registry.replacing(replace(h2, suspended=True))) == ["H3"]
    assert through(registry.replacing(replace(h2, connection=None))) == ["H3"]
    lacking = replace(platform("H2", H2.roles, [("tariffs", R)]), reported=h2.reported)
    assert through(registry.replacing(lacking)) == ["H3"]
    # Two hubs may know it in one role each.
    other = replace(h2, reported=(behind(Role.CPO, "ES/EMS"),))
    assert through(registry.replacing(other)) == ["H3"]


def test_of_two_hubs_the_older_connected_one_publishes_for_a_party() -> None:
    h3 = platform("H3", [hosted(Role.HUB, "FR/HB3")], EVERYTHING, reported=H2.reported)
    registry = REGISTRY.replacing(h3)
    away = registry.replacing(replace(H2, suspended=True))

    def pushed(platform_id: str, sender: str, snapshot: RegistrySnapshot) -> Decision:
        return asked(platform_id, sender, "NL/HUB", "locations", R, "PUT", owner="ES/CPS", registry=snapshot)

    assert isinstance(pushed("H2", "BE/HB2", registry), Broadcast)
    assert refusal(pushed("H3", "FR/HB3", registry)) == (200, 2001)
    assert isinstance(pushed("H3", "FR/HB3", away), Broadcast)
    seen = asked("P2", "NL/EMA", "NL/HUB", "locations", S, is_list=True, registry=away)
    assert isinstance(seen, GetAll)
    assert "es*cps" in seen.owners
