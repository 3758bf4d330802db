"""Which version, which roles, which endpoints are enough."""

from collections.abc import Iterable

import pytest

from hub.domain.handshake import (
    Flaw,
    best_version,
    endpoints_of,
    find_endpoint,
    judge_endpoints,
    judge_roles,
    wanted_version,
)
from hub.domain.platform import Endpoint, Platform
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.configuration import BusinessDetails, CredentialsRole, EndpointRow, Version, VersionDetails
from hub.ocpi.names import Interface, Role
from hub.ocpi.status import StatusCode
from tests.unit.domain.platforms import HUB, R, S, hosted, platform, reserved


def row(version: str, path: str = "") -> Version:
    return Version(version=version, url=f"https://x.test/{version}{path}")


def claim(role: Role, text: str) -> CredentialsRole:
    country_code, party_id = text.split("/")
    return CredentialsRole(
        role=role, country_code=country_code, party_id=party_id, business_details=BusinessDetails(name="A")
    )


def test_the_best_version_is_the_highest_that_both_have() -> None:
    assert best_version([row("2.1.1"), row("2.2.1"), row("2.3.0")]) == row("2.2.1")


@pytest.mark.parametrize("offered", [[], ["2.1.1"], ["2.2", "2.3.0"], ["2.2.1 ", "v2.2.1"]])
def test_no_common_version(offered: list[str]) -> None:
    flaw = best_version([row(version) for version in offered])

    assert isinstance(flaw, Flaw)
    assert flaw.code is StatusCode.UNSUPPORTED_VERSION
    assert "2.2.1" in flaw.message


def test_the_wanted_version_must_be_offered_exactly() -> None:
    assert wanted_version([row("2.1.1"), row("2.2.1")], "2.2.1") == row("2.2.1")
    flaw = wanted_version([row("2.2"), row("2.2.1.1")], "2.2.1")
    assert isinstance(flaw, Flaw)
    assert flaw.code is StatusCode.UNSUPPORTED_VERSION


def test_endpoints_are_kept_as_they_were_listed() -> None:
    rows = [
        EndpointRow(identifier="credentials", url="https://x.test/c"),
        EndpointRow(identifier="nltnm-own", role=R, url="https://x.test/o"),
    ]

    assert endpoints_of(VersionDetails(version="2.2.1", endpoints=rows)) == (
        Endpoint("credentials", None, "https://x.test/c"),
        Endpoint("nltnm-own", R, "https://x.test/o"),
    )


def endpoints(*offered: tuple[str, Interface | None]) -> list[Endpoint]:
    return [Endpoint(module, side, f"https://x.test/{module}") for module, side in offered]


@pytest.mark.parametrize(
    ("role", "endpoint"),
    [
        (Role.CPO, ("locations", S)),
        (Role.CPO, ("tokens", R)),
        (Role.CPO, ("commands", R)),
        (Role.EMSP, ("tokens", S)),
        (Role.EMSP, ("locations", R)),
        (Role.EMSP, ("cdrs", R)),
        (Role.NSP, ("locations", R)),
        (Role.NAP, ("tariffs", S)),
        (Role.SCSP, ("chargingprofiles", S)),
        (Role.SCSP, ("sessions", R)),
        (Role.OTHER, ("tokens", R)),
        (Role.OTHER, ("cdrs", R)),
        (Role.HUB, ("sessions", S)),
    ],
)
def test_one_useful_endpoint_is_enough(role: Role, endpoint: tuple[str, Interface]) -> None:
    assert judge_endpoints([role, role], endpoints(("credentials", None), endpoint)) is None


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.CPO, []),
        (Role.CPO, [("credentials", S), ("hubclientinfo", R)]),
        (Role.CPO, [("locations", R)]),
        (Role.CPO, [("locations", None)]),  # T-09
        (Role.EMSP, [("tokens", R), ("sessions", S)]),
        (Role.NSP, [("tokens", R)]),
        (Role.SCSP, [("locations", R)]),
        (Role.OTHER, [("x-own", R)]),
        (Role.HUB, [("credentials", S)]),
    ],
)
def test_a_platform_without_any_is_of_no_use(role: Role, offered: list[tuple[str, Interface | None]]) -> None:
    flaw = judge_endpoints([role], endpoints(*offered))

    assert flaw is not None
    assert flaw.code is StatusCode.NO_MATCHING_ENDPOINTS
    assert role.value in flaw.message


def test_every_role_must_be_of_use() -> None:
    flaw = judge_endpoints([Role.EMSP, Role.CPO], endpoints(("tokens", S)))

    assert flaw is not None
    assert "CPO" in flaw.message
    assert judge_endpoints([Role.EMSP, Role.CPO], endpoints(("tokens", S), ("tokens", R))) is None


OTHERS = RegistrySnapshot(
    [
        platform("P1", [hosted(Role.CPO, "NL/CPA")]),
        platform("P9", endpoints=None, approved=[reserved(Role.EMSP, "IT/EMN")], was_registered=False),
    ]
)


def judged(there: Platform, claims: Iterable[CredentialsRole], *, approval_needed: bool = False) -> Flaw | None:
    registry = OTHERS.replacing(there)
    return judge_roles(there, list(claims), registry, HUB, approval_needed=approval_needed)


INVITED = platform("P3", endpoints=None, approved=[reserved(Role.EMSP, "DE/EMB")], was_registered=False)
OPEN = platform("P3", endpoints=None, open_roles=True, was_registered=False)
REGISTERED = platform("P3", [hosted(Role.EMSP, "DE/EMB")], open_roles=True)


@pytest.mark.parametrize("approval_needed", [True, False])
def test_approved_and_already_hosted_roles_pass_in_any_case(approval_needed: bool) -> None:
    for there in (INVITED, REGISTERED):
        assert judged(there, [claim(Role.EMSP, "de/emb")], approval_needed=approval_needed) is None


def test_a_free_role_passes_only_where_the_invitation_named_none_and_approval_is_off() -> None:
    free = [claim(Role.CPO, "LU/CPL")]

    assert judged(OPEN, free) is None
    assert judged(REGISTERED, free) is None
    for refused in (judged(INVITED, free), judged(OPEN, free, approval_needed=True)):
        assert refused is not None
        assert refused.code is StatusCode.INVALID_PARAMETERS
        assert not refused.alarm
        assert "LU/CPL" in refused.message


def test_an_approved_party_is_not_approved_in_another_role() -> None:
    assert judged(INVITED, [claim(Role.CPO, "DE/EMB")]) is not None


@pytest.mark.parametrize("approval_needed", [True, False])
@pytest.mark.parametrize(
    "taken",
    [claim(Role.CPO, "nl/CPA"), claim(Role.EMSP, "IT/emn"), claim(Role.HUB, "NL/HUB"), claim(Role.CPO, "nl/hub")],
)
def test_a_claim_on_what_others_hold_or_on_the_hub_is_an_alarm(taken: CredentialsRole, approval_needed: bool) -> None:
    """Hosted elsewhere, reserved for another invitation, or the hub's own party (ruling 2) in whatever role."""
    for there in (INVITED, OPEN, REGISTERED):
        flaw = judged(there, [taken], approval_needed=approval_needed)
        assert flaw is not None
        assert (flaw.code, flaw.alarm) == (StatusCode.INVALID_PARAMETERS, True)


def test_the_same_party_in_another_role_is_no_conflict() -> None:
    assert judged(OPEN, [claim(Role.EMSP, "NL/CPA"), claim(Role.CPO, "IT/EMN")]) is None


def test_a_triple_listed_twice_is_refused_a_role_with_two_parties_is_not() -> None:
    twice = judged(OPEN, [claim(Role.EMSP, "DE/EMB"), claim(Role.CPO, "DE/EMB"), claim(Role.EMSP, "de/emb")])

    assert twice is not None
    assert (twice.code, twice.alarm) == (StatusCode.INVALID_PARAMETERS, False)
    assert judged(OPEN, [claim(Role.EMSP, "DE/EMB"), claim(Role.EMSP, "DE/EMC"), claim(Role.CPO, "DE/EMB")]) is None


def test_endpoints_are_found_by_identifier_and_interface() -> None:
    rows = [
        Endpoint("credentials", None, "https://x.test/c"),
        Endpoint("credentials", R, "https://x.test/c2"),
        Endpoint("tokens", S, "https://x.test/t"),
    ]

    assert find_endpoint(rows, "credentials") == "https://x.test/c"
    assert find_endpoint(rows, "credentials", R) == "https://x.test/c2"
    assert find_endpoint(rows, "tokens", R) is None
    assert find_endpoint(rows, "Tokens") is None
