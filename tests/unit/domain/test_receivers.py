"""Whom a push for everybody reaches, whose objects a party sees, and which candidate of open routing is left."""

from dataclasses import replace

import pytest

from hub.domain.agreements import Agreement, Agreements, Side
from hub.domain.decisions import Broadcast, Choices, Decision, Request
from hub.domain.platform import Platform, PlatformSettings
from hub.domain.receivers import one_of, one_of_everybody, visible_owners
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from tests.unit.domain.platforms import R, S, hosted, party, platform, reserved, url_of
from tests.unit.domain.reference_world import CHOICES, P1, P2, P4, REGISTRY, asked, receiver, refusal

EMSPS = Side(role=Role.EMSP)
CLOSED = Agreements(default_open=False)


def legs(registry: RegistrySnapshot = REGISTRY, choices: Choices = CHOICES) -> list[tuple[str, str, str]]:
    """FROM, TO and platform of the legs when NL/CPA publishes a location."""
    decision = asked(
        "P1", "NL/CPA", "NL/HUB", "locations", R, "PUT", owner="NL/CPA", registry=registry, choices=choices
    )
    assert isinstance(decision, Broadcast)
    return [(str(leg.sender), str(leg.receiver), leg.platform.id) for leg in decision.receivers]


def told(platform: Platform, choices: Choices = CHOICES) -> list[str]:
    """Which parties of this platform, beside P1, hear of a location of NL/CPA."""
    return [receiver for _, receiver, _ in legs(RegistrySnapshot([P1, platform]), choices)]


def test_every_leg_comes_from_the_hub() -> None:
    """S-049."""
    assert legs() == [
        ("NL/HUB", "BE/EMC", "P5"),
        ("NL/HUB", "DE/EMB", "P2"),
        ("NL/HUB", "FR/DUO", "P4"),
        ("NL/HUB", "NL/EMA", "P2"),
        ("NL/HUB", "NL/NSP", "P3"),
        ("NL/HUB", "SE/OTH", "P8"),
    ]


def test_who_asked_for_it_hears_from_the_owner() -> None:
    """T-24, one platform at a time."""
    direct = replace(P2, settings=PlatformSettings(broadcast_as_direct=True))

    assert [leg for leg in legs(REGISTRY.replacing(direct)) if leg[2] in ("P2", "P3")] == [
        ("NL/CPA", "DE/EMB", "P2"),
        ("NL/CPA", "NL/EMA", "P2"),
        ("NL/HUB", "NL/NSP", "P3"),
    ]


@pytest.mark.parametrize("role", list(Role))
def test_only_the_opposite_roles_hear_of_it(role: Role) -> None:
    """R-073: an SCSP too, if it takes locations."""
    expected = [] if role in (Role.CPO, Role.HUB) else ["SE/ONE"]

    assert told(platform("PX", [hosted(role, "SE/ONE")], [("locations", R)])) == expected


def test_who_is_not_connected_or_does_not_take_it_is_left_out() -> None:
    """R-074."""
    emsp = hosted(Role.EMSP, "SE/ONE")
    assert told(platform("PX", [emsp], [("locations", R)])) == ["SE/ONE"]
    assert told(platform("PX", [emsp], [("locations", S), ("tariffs", R)])) == []
    assert told(platform("PX", [emsp], None)) == []
    assert told(platform("PX", [emsp], [("locations", R)], suspended=True)) == []
    assert told(platform("PX", [replace(emsp, suspended=True)], [("locations", R)])) == []


def test_a_party_in_two_roles_hears_of_it_once_and_on_two_platforms_twice() -> None:
    both = [hosted(Role.EMSP, "SE/ONE"), hosted(Role.NSP, "se/one")]
    assert told(platform("PX", both, [("locations", R)])) == ["SE/ONE"]

    apart = [platform(name, [role], [("locations", R)]) for name, role in zip(("PX", "PY"), both, strict=True)]
    assert legs(RegistrySnapshot([P1, *apart])) == [("NL/HUB", "SE/ONE", "PX"), ("NL/HUB", "se/one", "PY")]


def test_it_does_not_come_back() -> None:
    """R-075: not to the party, wherever it is; to others of its platform only if the operator wants it."""
    here = [*P1.roles, hosted(Role.EMSP, "NL/CPA"), hosted(Role.EMSP, "LU/ONE")]
    own = platform("P1", here, [("locations", R)])
    elsewhere = platform("PX", [hosted(Role.NSP, "nl/cpa")], [("locations", R)])
    registry = RegistrySnapshot([own, elsewhere])

    assert legs(registry) == []
    assert legs(registry, CHOICES._replace(broadcast_own_platform=True)) == [("NL/HUB", "LU/ONE", "P1")]


def test_agreements_decide_who_hears_and_who_sees() -> None:
    allowed = Agreement("a", Side("NL", "CPA"), EMSPS, frozenset({"locations"}), allow=True)
    back = Agreement("b", Side("NL", "EMA"), Side("NL", "CPA"), None, allow=True)
    registry = REGISTRY.under(Agreements([allowed, back], default_open=False))

    assert {leg[1] for leg in legs(registry)} == {"BE/EMC", "DE/EMB", "FR/DUO", "NL/EMA"}
    assert visible_owners(registry, P2, party("NL/EMA"), "locations") == {"nl*cpa"}
    assert visible_owners(registry, P2, party("DE/EMB"), "locations") == frozenset()


def test_without_an_agreement_a_known_party_is_as_unknown_as_any() -> None:
    """F3 before F4: what state it is in is nobody's business either."""
    assert refusal(asked("P2", "NL/EMA", "NL/CPA", "locations", S, agreements=CLOSED)) == (200, 4001)
    gone = REGISTRY.replacing(platform("P1", P1.roles, None)).under(CLOSED)
    assert refusal(asked("P2", "NL/EMA", "NL/CPA", "locations", S, registry=gone)) == (200, 4001)


def test_one_that_is_only_reserved_is_away_for_those_who_may_reach_it_then() -> None:
    """R-193: and not known to others."""
    invited = platform("P9", endpoints=None, approved=[reserved(Role.CPO, "AT/NEW")], was_registered=False)
    registry = REGISTRY.replacing(invited)
    emsps_may = Agreements([Agreement("a", EMSPS, Side(role=Role.CPO), None, allow=True)], default_open=False)

    def get(agreements: Agreements | None) -> tuple[int, int]:
        return refusal(asked("P2", "NL/EMA", "at/new", "locations", S, registry=registry, agreements=agreements))

    assert get(None) == (200, 4003)
    assert get(emsps_may) == (200, 4003)
    assert get(CLOSED) == (200, 4001)


def test_an_agreement_about_a_role_holds_for_the_role_that_acts() -> None:
    """FR/DUO is both: as an eMSP it may, as a CPO it may not."""
    may = Agreements([Agreement("a", EMSPS, Side(role=Role.CPO), None, allow=True)], default_open=False)

    assert receiver(asked("P4", "FR/DUO", "NL/CPA", "locations", S, agreements=may))[1] == "NL/CPA"
    assert refusal(asked("P4", "FR/DUO", "NL/EMA", "locations", R, "PUT", owner="FR/DUO", agreements=may)) == (
        200,
        4001,
    )
    assert receiver(asked("P2", "NL/EMA", "FR/DUO", "locations", S, agreements=may))[1] == "FR/DUO"
    assert refusal(asked("P1", "NL/CPA", "FR/DUO", "tokens", S, "POST", agreements=may)) == (200, 4001)


def test_a_role_that_does_not_act_here_lends_no_rights() -> None:
    """FR/DUO pushes locations as a CPO, so what it may as an eMSP does not count."""
    emsps_may = Agreements([Agreement("a", EMSPS, Side(), None, allow=True)], default_open=False)

    push = asked("P4", "FR/DUO", "NL/EMA", "locations", R, "PUT", owner="FR/DUO", agreements=emsps_may)
    assert refusal(push) == (200, 4001)
    assert receiver(asked("P4", "FR/DUO", "NL/CPA", "locations", S, agreements=emsps_may))[1] == "NL/CPA"


def test_a_role_that_is_suspended_lends_no_rights() -> None:
    """SE/TWO is no CPO, who asks for tokens; it does so as what it is and may be."""
    two = platform("PX", [hosted(Role.NSP, "SE/TWO", suspended=True), hosted(Role.OTHER, "SE/TWO")], [])
    registry = REGISTRY.replacing(two)

    def found_by(role: Role) -> Decision:
        may = Agreements([Agreement("a", Side(role=role), Side(), None, allow=True)], default_open=False)
        return asked("PX", "SE/TWO", "NL/EMA", "tokens", S, registry=registry, agreements=may)

    assert receiver(found_by(Role.OTHER))[1] == "NL/EMA"
    assert refusal(found_by(Role.NSP)) == (200, 4001)


def test_what_is_seen() -> None:
    """R-089: of the opposite role, never of the own platform."""
    assert visible_owners(REGISTRY, P1, party("NL/CPA"), "tokens") == {"nl*ema", "de*emb", "fr*duo", "be*emc", "se*oth"}
    assert visible_owners(REGISTRY, P4, party("FR/DUO"), "locations") == {"nl*cpa", "be*cpb", "es*cps"}
    assert visible_owners(REGISTRY, P1, party("NL/CPA"), "locations") == frozenset()


def test_who_is_away_is_still_seen_who_is_suspended_or_gone_is_not() -> None:
    """R-091."""

    def seen(registry: RegistrySnapshot) -> bool:
        return "nl*cpa" in visible_owners(registry, P2, party("NL/EMA"), "locations")

    assert seen(REGISTRY.replacing(replace(P1, reachable=False)))
    assert not seen(REGISTRY.replacing(replace(P1, suspended=True)))
    suspended = [replace(role, suspended=str(role.party) == "NL/CPA") for role in P1.roles]
    assert not seen(REGISTRY.replacing(replace(P1, roles=tuple(suspended))))
    assert not seen(REGISTRY.replacing(replace(P1, connection=None)))
    assert not seen(REGISTRY.without("P1"))


def found(*candidates: str, registry: RegistrySnapshot = REGISTRY) -> Decision:
    """Whom NL/EMA's START_SESSION without TO goes to."""
    request = Request("P2", None, party("NL/EMA"), "commands", R, method="POST")
    return one_of(registry, P2, party("NL/EMA"), map(party, candidates), request)


def test_the_only_candidate_that_acts_is_the_receiver() -> None:
    """S-058, RT4."""
    assert receiver(found("be/cpb")) == ("NL/EMA", "BE/CPB", url_of("P1", "commands", R))
    # An eMSP takes no commands, and nobody is XX/ZZZ.
    assert receiver(found("BE/CPB", "DE/EMB", "XX/ZZZ", "be/CPB"))[1] == "BE/CPB"


def test_several_candidates_or_none_are_no_receiver() -> None:
    """S-059, S-060."""
    assert refusal(found()) == (200, 4001)
    assert refusal(found("DE/EMB", "XX/ZZZ")) == (200, 4001)
    assert refusal(found("NL/CPA", "FR/DUO")) == (200, 4001)


def test_a_candidate_that_may_not_be_reached_is_none() -> None:
    """R-085."""
    forbidden = Agreements([Agreement("a", EMSPS, Side("FR", "DUO"), None, allow=False)])

    assert receiver(found("NL/CPA", "FR/DUO", registry=REGISTRY.under(forbidden)))[1] == "NL/CPA"
    assert refusal(found("FR/DUO", registry=REGISTRY.under(forbidden))) == (200, 4001)


def test_one_that_is_suspended_does_not_make_another_doubtful() -> None:
    gone = REGISTRY.replacing(replace(P4, suspended=True))

    assert receiver(found("NL/CPA", "FR/DUO", registry=gone))[1] == "NL/CPA"
    both_gone = gone.replacing(replace(P1, suspended=True))
    assert refusal(found("NL/CPA", "FR/DUO", registry=both_gone)) == (200, 4001)


def test_a_candidate_that_is_away_is_still_the_one() -> None:
    gone = REGISTRY.replacing(replace(P1, suspended=True))

    assert refusal(found("NL/CPA", registry=gone)) == (200, 4003)


def waiting(registry: RegistrySnapshot, platform_id: str, to: PartyId) -> str | None:
    """FROM of a leg of NL/CPA's location that waited until now."""
    leg = one_of_everybody(registry, CHOICES, ("P1", party("NL/CPA")), (platform_id, to), "locations")
    assert leg is None or leg.endpoint == url_of(platform_id, "locations", R)
    return None if leg is None else str(leg.sender)


def test_a_leg_that_waited_is_sent_only_if_it_still_would_be() -> None:
    emsp = party("NL/EMA")
    assert waiting(REGISTRY, "P2", emsp) == "NL/HUB"
    assert waiting(
        REGISTRY.replacing(replace(P2, settings=PlatformSettings(broadcast_as_direct=True))), "P2", emsp
    ) == ("NL/CPA")
    assert waiting(REGISTRY, "P4", emsp) is None
    assert waiting(REGISTRY.without("P2"), "P2", emsp) is None
    assert waiting(REGISTRY.without("P1"), "P2", emsp) is None
    assert waiting(REGISTRY.replacing(replace(P2, suspended=True)), "P2", emsp) is None
    assert waiting(REGISTRY.replacing(replace(P2, roles=P2.roles[1:])), "P2", emsp) is None
    assert waiting(REGISTRY.replacing(platform("P2", P2.roles, [("tariffs", R)])), "P2", emsp) is None
    assert waiting(REGISTRY.under(CLOSED), "P2", emsp) is None
