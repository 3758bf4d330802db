"""The rows that the allocation works on, the cars that the hub does not see, and what goes to the shelf."""

from decimal import Decimal

import pytest
from hypothesis import given, settings

from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.keys import evse_key
from plugins.load_manager.knowledge.known import HiddenCar, Known, Uncontrolled
from plugins.load_manager.knowledge.learning import Limit
from plugins.load_manager.knowledge.register import GroupId
from plugins.load_manager.knowledge.session import Source
from tests.unit.plugins.load_manager.knowledge.telling import (
    ABC,
    NOON,
    S1,
    at,
    known_site,
    location,
    part,
    put,
    row,
    session,
    spoilt,
)


def agree(known: Known, **settings: object) -> None:
    known.cpos.change(ABC, cpo_settings.read({"consent": True, "reference": "contract 7"} | settings, NOON))


def test_a_row_has_what_the_allocation_needs() -> None:
    known = known_site(max_amperage=16)
    agree(known, default_current_a=6, quantum_a=1)
    put(known, 0)
    found = row(known, 10)
    assert (found.minimum_mw, found.maximum_mw, found.connector_mw) == (4_140_000, 11_040_000, 11_040_000)
    assert (found.default_mw, found.phases, found.voltage_v) == (4_140_000, 3, 230)
    assert (found.unit, found.quantum_ma, found.weight_percent, found.pausable) == ("A", 1_000, 100, True)
    assert (found.uncontrolled, found.late, found.evse) == (None, False, evse_key(ABC, "LOC1", "E1"))
    assert (found.session.emsp, found.on_since, found.waiting_s) == ("NL/EMA", NOON, 0)


def test_which_sessions_have_rows() -> None:
    known = known_site()
    for session_id, status in (
        ("A", "ACTIVE"),
        ("P", "PENDING"),
        ("R", "RESERVATION"),
        ("C", "COMPLETED"),
        ("I", "INVALID"),
    ):
        put(known, 0, session_id, status=status)
    assert [one.session.id for one in known.rows(NOON)] == ["A", "P"]


@pytest.mark.parametrize(
    ("ceiling_mw", "maximum_mw"), [(8_000_000, 8_000_000), (4_140_000, 4_140_000), (4_000_000, 0), (0, 0)]
)
def test_what_others_allow_bounds_it_and_below_the_minimum_there_is_a_pause(ceiling_mw: int, maximum_mw: int) -> None:
    known = known_site()
    put(known, 0)
    found = row(known, ceiling_mw=ceiling_mw)
    assert (found.minimum_mw, found.maximum_mw) == (4_140_000, maximum_mw)


def test_why_a_session_is_counted_and_not_steered() -> None:
    known = Known()
    put(known, 0)
    found = row(known)
    assert found.uncontrolled is Uncontrolled.NO_CONSENT
    assert found.maximum_mw == found.default_mw == 22_080_000

    agree(known)
    assert row(known).uncontrolled is Uncontrolled.UNKNOWN_EVSE
    other = objects.evse("E2", last_updated=NOON)
    other["connectors"][0]["max_amperage"] = 16
    known.evses.told_evse(ABC, "LOC1", "E2", other, now=NOON, whole=True)
    assert row(known).uncontrolled is Uncontrolled.UNKNOWN_EVSE
    assert row(known).maximum_mw == 11_040_000
    incapable = location(1)
    incapable["evses"][0]["capabilities"].remove("CHARGING_PROFILE_CAPABLE")
    known.evses.put_location(ABC, "LOC1", incapable, at(1))
    assert row(known).uncontrolled is Uncontrolled.NOT_CAPABLE
    known.evses.told_evse(ABC, "LOC1", "E1", part(2, capabilities=["CHARGING_PROFILE_CAPABLE"]), now=at(2), whole=False)
    assert row(known).uncontrolled is None

    agree(known, since="2026-01-01T12:30:00Z")
    assert row(known, 29).uncontrolled is Uncontrolled.NO_CONSENT
    assert row(known, 30).uncontrolled is None


def test_what_the_cpo_says_of_units_and_pauses() -> None:
    known = known_site(power_type="DC", max_voltage=500, max_amperage=100)
    put(known, 0)
    assert (row(known).unit, row(known).minimum_mw, row(known).maximum_mw) == ("W", 5_000_000, 50_000_000)
    agree(known, unit="A", allow_pause=False, default_current_a=6)
    assert (row(known).unit, row(known).pausable) == ("A", False)
    assert row(known).default_mw == 50_000_000
    known.dc_minimum_mw = 9_000_000
    assert row(known).minimum_mw == 9_000_000


def test_one_found_by_a_pull_is_late() -> None:
    known = known_site()
    known.sessions.pulled(ABC, session(0), NOON)
    assert row(known).late


def test_cars_that_the_hub_does_not_see() -> None:
    """Of four EVSEs that charge one has a session, one had one; the fourth is free."""
    known = known_site(evses=4, max_amperage=16)
    for uid in ("E1", "E2", "E3"):
        known.evses.told_evse(ABC, "LOC1", uid, part(1, status="CHARGING"), now=at(1), whole=False)
    put(known, 2, "S1", evse_uid="e1")
    put(known, 2, "S2", evse_uid="E2", status="COMPLETED")
    put(known, 2, "S3", evse_uid="E3", status="RESERVATION")
    hidden = [HiddenCar(evse_key(ABC, "LOC1", uid), "LOC1", uid, 11_040_000, False) for uid in ("E2", "E3")]
    assert known.hidden_cars() == hidden

    agree(known, default_current_a=Decimal("6.5"))
    assert {(one.booked_mw, one.by_default) for one in known.hidden_cars()} == {(4_485_000, True)}
    put(known, 3, "S4", evse_uid="E2")
    assert [one.evse_uid for one in known.hidden_cars()] == ["E3"]


def everything() -> Known:
    known = known_site(evses=2)
    put(known, 0)
    put(known, 5, kwh=Decimal("2.25"))
    known.preferences.asked("c1", S1, objects.charging_preferences(), Decimal("1.25"), NOON)
    known.preferences.answered("c1", "ACCEPTED", NOON)
    known.learning.confirmed(S1, Limit(at(5), 10_000))
    for minutes, kwh in ((6, "2.25"), (11, "2.45"), (16, "2.65"), (21, "2.85")):
        put(known, minutes, kwh=Decimal(kwh), charging_periods=[])
    known.registers.measure(GroupId("F7"), known.sessions.items(), at(21))
    return known


def test_all_of_it_comes_back_from_the_shelf() -> None:
    known = everything()
    shelf = codec.loads(codec.dumps(known.to_json()))
    again = Known()
    again.from_json(shelf)
    assert again.to_json() == known.to_json()
    assert list(again.rows(at(21))) == list(known.rows(at(21)))
    assert row(again, 21).phases == 1
    assert again.changes() == {}
    assert sorted(shelf) == [
        "cpo/nl*abc",
        "learnt/nl*abc/s1",
        "location/nl*abc/loc1",
        "preference/nl*abc/s1",
        "register/F7",
        "session/nl*abc/s1",
    ]


def test_saving_the_changes_one_by_one_ends_in_the_same_shelf() -> None:
    known = everything()
    shelf = {key: document for key, document in known.changes().items() if document is not None}
    assert shelf == known.to_json()

    put(known, 30, kwh=Decimal("3.5"), charging_periods=[])
    changes = known.changes()
    assert set(changes) == {"session/nl*abc/s1", "learnt/nl*abc/s1"}
    assert len(codec.dumps(changes)) < 2_500
    shelf |= {key: document for key, document in changes.items() if document is not None}
    assert shelf == known.to_json()


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="first_seen"):
        Known().from_json({"session/nl*abc/s1": {"party": "NL/ABC", "id": "S1"}})


def test_what_is_known_of_a_session_goes_with_it() -> None:
    known = everything()
    put(known, 40, status="COMPLETED")
    known.changes()
    known.prune(at(101))
    assert (len(known.sessions), len(known.preferences), len(known.learning)) == (0, 0, 0)
    gone = {"session/nl*abc/s1": None, "preference/nl*abc/s1": None, "learnt/nl*abc/s1": None}
    assert known.changes() == gone


@settings(max_examples=40, deadline=None)
@given(spoilt(session(0)), spoilt(location()), spoilt(session(5)))
def test_rows_come_of_whatever_was_told(first: object, place: object, second: object) -> None:
    known = Known()
    agree(known)
    known.evses.put_location(ABC, "LOC1", place, at(9))
    for body in (first, second):
        known.sessions.put(ABC, "S1", body, Source.ROUTED, at(9))
        known.learn(S1)
    known.hidden_cars()
    known.registers.measure(GroupId("F7"), known.sessions.items(), at(9))
    for found in known.rows(at(9)):
        assert 0 < found.minimum_mw <= found.maximum_mw <= found.connector_mw
        assert found.waiting_s == 0


def test_other_parties_with_the_same_ids_are_others() -> None:
    known = known_site()
    put(known, 0)
    known.sessions.put(PartyId("DE", "ABC"), "S1", objects.session("DE/ABC"), Source.ROUTED, NOON)
    assert len(known.sessions) == 2
    assert {one.uncontrolled for one in known.rows(NOON)} == {None, Uncontrolled.NO_CONSENT}
