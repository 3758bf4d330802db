"""The snapshot's look-ups, and snapshots made from snapshots."""

from dataclasses import replace

import pytest

from hub.domain.agreements import Agreements
from hub.domain.platform import Endpoint, InboundToken, PlatformSettings, TokenPurpose
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import NOW, R, S, behind, hosted, party, platform, reserved, url_of

TOKEN = InboundToken("f1", TokenPurpose.CREDENTIALS, NOW)
P1 = replace(
    platform("P1", [hosted(Role.CPO, "NL/Cpa"), hosted(Role.CPO, "BE/CPB")], [("locations", S), ("tariffs", None)]),
    tokens=(TOKEN,),
)
P2 = platform("P2", [hosted(Role.EMSP, "NL/CPA"), hosted(Role.EMSP, "NL/EMA")], [("locations", R)])
P3 = platform("P3", endpoints=None, approved=[reserved(Role.CPO, "AT/NEW")], was_registered=False)
REGISTRY = RegistrySnapshot([P1, P2, P3], generation=7)


def test_platforms_by_id_and_token() -> None:
    assert REGISTRY.platform("P1") is P1
    assert REGISTRY.platform("p1") is None
    assert REGISTRY.by_fingerprint("f1") == (P1, TOKEN)
    assert REGISTRY.by_fingerprint("f2") is None
    assert REGISTRY.platforms == (P1, P2, P3)
    assert (REGISTRY.generation, RegistrySnapshot().generation) == (7, 0)


def test_seats_of_a_party_in_any_case_on_every_platform() -> None:
    seats = REGISTRY.seats_of(party("nl/CPa"))

    assert [(seat.platform.id, seat.role.role, str(seat.party)) for seat in seats] == [
        ("P1", Role.CPO, "NL/Cpa"),
        ("P2", Role.EMSP, "NL/CPA"),
    ]
    assert REGISTRY.seats_of(party("XX/ZZZ")) == ()


def test_all_seats_in_order_of_party() -> None:
    assert [(str(seat.party), seat.role.role.value) for seat in REGISTRY.seats] == [
        ("BE/CPB", "CPO"),
        ("NL/Cpa", "CPO"),
        ("NL/CPA", "EMSP"),
        ("NL/EMA", "EMSP"),
    ]


def test_a_hosted_party_comes_back_in_its_registered_spelling() -> None:
    assert str(REGISTRY.hosted(P1, party("nl/cpa"))) == "NL/Cpa"
    assert str(REGISTRY.hosted(P2, party("nl/cpa"))) == "NL/CPA"
    assert REGISTRY.hosted(P1, party("NL/EMA")) is None


def test_who_holds_or_reserves_a_triple() -> None:
    assert REGISTRY.holder_of("CPO*nl*cpa") == "P1"
    assert REGISTRY.holder_of("EMSP*nl*cpa") == "P2"
    assert REGISTRY.holder_of("CPO*at*new") == "P3"
    assert REGISTRY.holder_of("CPO*nl*ema") is None


def test_a_reserved_party_is_planned_until_its_platform_registers() -> None:
    assert REGISTRY.is_planned(party("at/new"))
    assert not REGISTRY.is_planned(party("NL/CPA"))
    registered = replace(P3, was_registered=True, connection=P2.connection)
    assert not REGISTRY.replacing(registered).is_planned(party("AT/NEW"))
    assert not REGISTRY.replacing(replace(P3, suspended=True)).is_planned(party("AT/NEW"))


def test_endpoints_need_an_interface() -> None:
    assert REGISTRY.endpoint(P1, "locations", S) == url_of("P1", "locations", S)
    assert REGISTRY.endpoint(P1, "locations", R) is None
    assert REGISTRY.endpoint(P1, "tariffs", S) is None
    assert REGISTRY.endpoint(P3, "locations", S) is None
    assert REGISTRY.endpoint(platform("P9"), "locations", S) is None
    assert REGISTRY.advertises(P1) == {("locations", S)}


def test_what_anybody_offers() -> None:
    assert REGISTRY.is_offered("locations", S)
    assert REGISTRY.is_offered("locations", R)
    assert not REGISTRY.is_offered("tariffs", S)
    assert not REGISTRY.without("P2").is_offered("locations", R)


def test_of_an_endpoint_listed_twice_the_first_counts() -> None:
    assert P1.connection is not None
    rows = (*P1.connection.endpoints, Endpoint("locations", S, "https://other.test/"))
    twice = replace(P1, connection=replace(P1.connection, endpoints=rows))

    assert RegistrySnapshot([twice]).endpoint(twice, "locations", S) == url_of("P1", "locations", S)


def test_the_operators_override_comes_before_what_is_advertised() -> None:
    settings = PlatformSettings(
        endpoint_overrides={"locations/SENDER": "http://10.0.0.1/l", "x-own/RECEIVER": "http://10.0.0.1/x"}
    )
    overridden = replace(P1, settings=settings)
    registry = REGISTRY.replacing(overridden)

    assert registry.endpoint(overridden, "locations", S) == "http://10.0.0.1/l"
    assert registry.advertises(overridden) == {("locations", S), ("x-own", R)}
    # The platform still speaks of itself under its own host.
    assert registry.owns_url(overridden, "https://p1.test/any")
    assert registry.owns_url(overridden, "http://10.0.0.1/any")


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://p1.test/elsewhere?a=1", True),
        ("https://P1.TEST:443/", True),
        ("http://p1.test/", False),
        ("https://p1.test:8443/", False),
        ("https://p1.test.evil.test/", False),
        ("https://p1.test@evil.test/", False),
        ("https://p2.test/", False),
        ("/relative", False),
        ("", False),
    ],
)
def test_urls_on_hosts_a_platform_registered(url: str, owned: bool) -> None:
    assert REGISTRY.owns_url(P1, url) is owned
    assert not REGISTRY.owns_url(P3, url)


def test_hosts_of_endpoints_without_a_role_count_too_and_that_of_the_versions() -> None:
    assert P1.connection is not None
    rows = (Endpoint("credentials", None, "https://login.p1.test/c"),)
    other = replace(P1, connection=replace(P1.connection, endpoints=rows))
    registry = RegistrySnapshot([other])

    assert registry.owns_url(other, "https://login.p1.test/x")
    assert registry.owns_url(other, "https://p1.test/x")  # where its versions are


def test_a_new_snapshot_leaves_the_old_one_alone() -> None:
    moved = replace(P1, roles=(hosted(Role.CPO, "LU/CPL"),), tokens=())
    after = REGISTRY.replacing(moved, generation=8)

    assert after.platforms == (moved, P2, P3)
    assert after.generation == 8
    assert REGISTRY.replacing(moved).generation == 7
    assert after.by_fingerprint("f1") is None
    assert [seat.platform.id for seat in after.seats_of(party("NL/CPA"))] == ["P2"]
    assert after.holder_of("CPO*nl*cpa") is None
    assert REGISTRY.holder_of("CPO*nl*cpa") == "P1"
    assert [there.id for there in after.replacing(platform("P4")).platforms] == ["P1", "P2", "P3", "P4"]


def test_without_a_platform_its_parties_are_free() -> None:
    after = REGISTRY.without("P1")

    assert after.platforms == (P2, P3)
    assert after.seats_of(party("BE/CPB")) == ()
    assert after.holder_of("CPO*be*cpb") is None
    assert after.generation == 7
    assert REGISTRY.without("P9").platforms == REGISTRY.platforms


HUB2 = platform(
    "H2",
    [hosted(Role.HUB, "BE/HB2")],
    [("locations", S)],
    reported=[
        behind(Role.CPO, "ES/Cps"),
        behind(Role.EMSP, "es/CPS", ConnectionStatus.SUSPENDED),
        behind(Role.EMSP, "nl/ema"),
    ],
)
PEERED = REGISTRY.replacing(HUB2)


def test_parties_behind_a_hub_have_seats_there() -> None:
    seats = PEERED.remote_seats_of(party("ES/cps"))

    assert [(seat.platform.id, seat.reported.role, str(seat.party)) for seat in seats] == [
        ("H2", Role.CPO, "ES/Cps"),
        ("H2", Role.EMSP, "es/CPS"),
    ]
    assert PEERED.seats_of(party("ES/CPS")) == ()
    assert len(PEERED.remote_seats) == 3
    assert PEERED.remote_seats_of(party("XX/ZZZ")) == ()
    assert PEERED.without("H2").remote_seats == ()


def test_what_somebody_reports_who_is_no_hub_means_nothing() -> None:
    liar = replace(P1, reported=HUB2.reported)

    assert REGISTRY.replacing(liar).remote_seats == ()
    assert REGISTRY.replacing(liar).hosted(liar, party("ES/CPS")) is None


def test_a_hub_speaks_for_those_behind_it_unless_they_are_here() -> None:
    assert str(PEERED.hosted(HUB2, party("es/cps"))) == "ES/Cps"
    assert str(PEERED.hosted(HUB2, party("be/hb2"))) == "BE/HB2"
    assert PEERED.hosted(HUB2, party("NL/EMA")) is None
    assert PEERED.hosted(P1, party("ES/CPS")) is None
    assert str(PEERED.without("P2").hosted(HUB2, party("NL/EMA"))) == "nl/ema"


def test_roles_that_are_suspended_do_not_speak() -> None:
    roles = (hosted(Role.CPO, "FR/DUO", suspended=True), hosted(Role.EMSP, "FR/DUO"), hosted(Role.NSP, "FR/NSP"))
    there = platform("P4", roles, [("locations", S)])
    registry = PEERED.replacing(there)

    assert registry.roles_of(there, party("fr/duo")) == {Role.EMSP}
    assert registry.roles_of(HUB2, party("es/cps")) == {Role.CPO}
    assert registry.roles_of(P1, party("fr/duo")) == frozenset()


def test_agreements_stay_when_platforms_change() -> None:
    agreements = Agreements(default_open=False)
    under = REGISTRY.under(agreements)

    assert REGISTRY.agreements.default_open
    assert under.platforms == REGISTRY.platforms
    assert under.generation == 7
    assert under.replacing(HUB2).agreements is agreements
    assert under.without("P1").agreements is agreements
