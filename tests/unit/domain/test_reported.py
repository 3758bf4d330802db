"""What a peer hub may report, and how much."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from string import ascii_uppercase

import pytest

from hub.domain.reported import MAX_REPORTED, Fate, merged, replaced, reported_party
from hub.ocpi.configuration import ClientInfo
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import HUB, behind

INFO = ClientInfo(
    party_id="CPS",
    country_code="ES",
    role=Role.CPO,
    status=ConnectionStatus.CONNECTED,
    last_updated="2026-01-01T01:00:00+01:00",
)


def test_a_report_names_party_role_status_and_time() -> None:
    report = reported_party(INFO, HUB)

    assert not isinstance(report, str)
    assert (str(report.party), report.role, report.status) == ("ES/CPS", Role.CPO, ConnectionStatus.CONNECTED)
    assert report.last_updated == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"country_code": "ESP"},
        {"country_code": "E1"},
        {"party_id": ""},
        {"party_id": "C/S"},
        {"last_updated": "yesterday"},
        {"role": Role.HUB},
        {"country_code": "nl", "party_id": "hub"},
    ],
)
def test_what_is_no_report(change: dict[str, object]) -> None:
    assert isinstance(reported_party(INFO.model_copy(update=change), HUB), str)


def test_a_hub_reports_a_bounded_number_of_parties() -> None:
    names = [
        f"{country}/{''.join(letters)}" for country in ("ES", "PT") for letters in product(ascii_uppercase, repeat=3)
    ]
    parties = [behind(Role.CPO, name) for name in names[: MAX_REPORTED + 1]]
    reported, fates = merged((), parties)

    assert reported == tuple(parties[:-1])
    assert fates[-2:] == [Fate.NEW, Fate.ONE_TOO_MANY]
    again = replace(parties[0], status=ConnectionStatus.OFFLINE)
    assert merged(reported, [again]).reported[0] == again
    assert len(replaced(reported, {}, parties[-1:], whole=False)) == MAX_REPORTED
