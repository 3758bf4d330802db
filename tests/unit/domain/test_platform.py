"""What a platform says of itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.platform import Platform, PlatformSettings, RoleName
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import NOW, hosted, party, platform, reserved

CONNECTED = ConnectionStatus.CONNECTED
PLANNED, SUSPENDED = ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED


@pytest.mark.parametrize("reachable", [True, False])
@pytest.mark.parametrize("suspended", [True, False])
@pytest.mark.parametrize("was_registered", [True, False])
@pytest.mark.parametrize("connected", [True, False])
def test_the_life_of_a_platform(connected: bool, was_registered: bool, suspended: bool, reachable: bool) -> None:
    """R-193, R-202: PLANNED before the first handshake, SUSPENDED after the last. OFFLINE is for liveness to say."""
    there = platform(
        "P1",
        [hosted(Role.CPO, "NL/CPA")],
        () if connected else None,
        was_registered=was_registered,
        suspended=suspended,
        reachable=reachable,
    )

    if suspended or (was_registered and not connected):
        assert there.status is SUSPENDED
    elif not connected:
        assert there.status is PLANNED
    else:
        assert there.status is CONNECTED
    assert there.status_of(there.roles[0]) is there.status
    assert there.status_of(replace(there.roles[0], suspended=True)) is SUSPENDED


def test_a_platform_begins_invited_with_nothing() -> None:
    new = Platform("p", "P", NOW, NOW, NOW)

    assert (new.revision, new.status, new.reachable, new.open_roles) == (1, PLANNED, True, False)
    assert (new.roles, new.tokens, new.held_keys) == ((), (), ())
    assert new.settings == PlatformSettings()


def test_triples_it_holds_or_reserves_without_repeats() -> None:
    there = platform(
        "P1",
        [hosted(Role.CPO, "NL/CPA"), hosted(Role.EMSP, "NL/CPA")],
        approved=[reserved(Role.CPO, "nl/cpa"), reserved(Role.CPO, "BE/CPB")],
    )

    assert there.held_keys == ("CPO*nl*cpa", "EMSP*nl*cpa", "CPO*be*cpb")


def test_a_change_is_the_next_revision() -> None:
    before = platform("P1")
    later = NOW + timedelta(hours=1)
    after = before.changed(later, reachable=False)

    assert (after.revision, after.updated_at, after.reachable) == (before.revision + 1, later, False)
    assert before.reachable


def test_a_role_has_a_party_a_key_and_a_text() -> None:
    name = RoleName(Role.CPO, "Nl", "cPa", "Charge Point Alliance")

    assert name.party == party("NL/CPA")
    assert name.key == hosted(Role.CPO, "NL/CPA").key
    assert str(name) == "CPO Nl/cPa"
