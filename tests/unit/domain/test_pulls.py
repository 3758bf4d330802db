"""What is pulled, and what stands in the way."""

from typing import Any

import pytest

from hub.domain.platform import Platform, PlatformSettings
from hub.domain.pulls import owners_on, pull_name, pulls_of, still_wanted
from hub.domain.registry import RegistrySnapshot
from hub.ocpi import names
from hub.ocpi.names import Role
from tests.unit.domain.platforms import S, hosted, party, platform

PULLED = PlatformSettings(pull={names.LOCATIONS: 900.0, names.TOKENS: 60.0, names.SESSIONS: 60.0, "made-up": 1.0})
OFFERED = ((names.LOCATIONS, S), (names.TOKENS, S), (names.SESSIONS, S))


def registry(*platforms: Platform) -> RegistrySnapshot:
    return RegistrySnapshot(platforms)


def test_every_owner_of_every_module_that_is_switched_on() -> None:
    roles = [hosted(Role.CPO, "NL/CPA"), hosted(Role.NAP, "NL/CPA"), hosted(Role.CPO, "BE/CPB")]
    one = platform("P1", [*roles, hosted(Role.EMSP, "FR/DUO"), hosted(Role.SCSP, "SE/SCS")], OFFERED, settings=PULLED)
    found = pulls_of(registry(one, platform("P2", roles, OFFERED)))
    assert {(pull.module, str(pull.owner)): (pull.interval_s, pull.obstacle) for pull in found.values()} == {
        (names.LOCATIONS, "NL/CPA"): (900.0, None),
        (names.LOCATIONS, "BE/CPB"): (900.0, None),
        (names.TOKENS, "FR/DUO"): (60.0, None),
    }
    assert all(key == pull.key and pull.platform_id == "P1" for key, pull in found.items())
    assert all(still_wanted(registry(one), pull) for pull in found.values())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"suspended": True}, "The platform is SUSPENDED"),
        ({"endpoints": None}, "The platform is SUSPENDED"),
        ({"endpoints": None, "was_registered": False}, "The platform is PLANNED"),
        ({"roles": [hosted(Role.CPO, "NL/CPA", suspended=True)]}, "NL/CPA is SUSPENDED"),
        ({"endpoints": [(names.TARIFFS, S)]}, "The platform does not offer locations with interface role SENDER"),
    ],
)
def test_what_stands_in_the_way(changes: dict[str, Any], why: str) -> None:
    settings = PlatformSettings(pull={names.LOCATIONS: 900.0})
    wanted: dict[str, Any] = {"roles": [hosted(Role.CPO, "NL/CPA")], "endpoints": OFFERED, "settings": settings}
    (before,) = pulls_of(registry(platform("P1", **wanted))).values()
    hindered = registry(platform("P1", **(wanted | changes)))
    (pull,) = pulls_of(hindered).values()
    assert pull.obstacle == why
    assert not still_wanted(hindered, before)


def test_one_suspended_role_of_two_is_no_obstacle() -> None:
    roles = [hosted(Role.CPO, "NL/CPA", suspended=True), hosted(Role.NAP, "NL/CPA")]
    (pull,) = pulls_of(
        registry(platform("P1", roles, OFFERED, settings=PlatformSettings(pull={names.LOCATIONS: 900.0})))
    ).values()
    assert pull.obstacle is None


def test_what_was_switched_off_or_is_gone_is_not_wanted() -> None:
    one = platform("P1", [hosted(Role.CPO, "NL/CPA")], OFFERED, settings=PULLED)
    (pull,) = pulls_of(registry(one)).values()
    assert not still_wanted(registry(platform("P1", [hosted(Role.CPO, "NL/CPA")], OFFERED)), pull)
    assert not still_wanted(registry(platform("P1", [hosted(Role.CPO, "NL/CPX")], OFFERED, settings=PULLED)), pull)
    assert not still_wanted(registry(), pull)


def test_an_owner_on_two_platforms_is_pulled_from_one() -> None:
    first = platform("P1", [hosted(Role.CPO, "NL/CPA")], OFFERED, settings=PULLED)
    second = platform("P2", [hosted(Role.NAP, "nl/cpa")], OFFERED, settings=PULLED)
    found = pulls_of(registry(first, second))
    assert [pull.obstacle for pull in found.values()] == [None, "locations of nl/cpa are pulled from platform P1"]
    alone = pulls_of(registry(platform("P1", [hosted(Role.CPO, "NL/CPA")], None, settings=PULLED), second))
    assert [pull.obstacle for pull in alone.values()] == ["The platform is SUSPENDED", None]


def test_owners_by_module() -> None:
    roles = [hosted(Role.CPO, "NL/CPA"), hosted(Role.EMSP, "NL/EMA"), hosted(Role.NAP, "NL/NAP")]
    one = platform("P1", [*roles, hosted(Role.HUB, "BE/HB2"), hosted(Role.OTHER, "SE/OTH")])
    expected = {
        names.LOCATIONS: ["NL/CPA", "NL/NAP"],
        names.TARIFFS: ["NL/CPA", "NL/NAP"],
        names.TOKENS: ["NL/EMA", "SE/OTH"],
        names.SESSIONS: [],
        names.CDRS: [],
    }
    assert {module: [str(owner) for owner in owners_on(one, module)] for module in expected} == expected


def test_the_name_of_a_pull_has_one_spelling() -> None:
    assert pull_name("p", party("nl/cpa"), names.TARIFFS) == pull_name("p", party("NL/CPA"), names.TARIFFS)
    assert pull_name("p", party("nl/cpa"), names.TARIFFS) == "p NL/CPA tariffs"
