"""What drivers wish counts once the CPO accepted it; what they still need is reckoned from then on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from hub.sandbox import objects
from plugins.load_manager.knowledge.keys import SessionKey, location_key, session_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.needs import LocationClass, Need, Told
from plugins.load_manager.knowledge.preferences import PreferenceBook
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, S1, anything, at, known_site, put, row, spoilt

KWH = Decimal("1.25")


def wish(
    known: Known,
    minutes: float,
    key: SessionKey = S1,
    *,
    hours: float | None = None,
    kwh: str | None = None,
    kind: str = "REGULAR",
) -> None:
    """A wish that is accepted at once: to leave in so many hours with so many kWh more."""
    body: dict[str, object] = {"profile_type": kind}
    if hours is not None:
        body["departure_time"] = at(minutes + hours * 60).isoformat()
    if kwh is not None:
        body["energy_need"] = Decimal(kwh)
    session = known.sessions.find(key)
    known.preferences.asked("c1", key, body, session.kwh if session else None, at(minutes))
    assert known.preferences.answered("c1", "ACCEPTED", at(minutes)) == key


def test_two_wishes_with_deadlines() -> None:
    """Scenario 7: S1 needs 20 kWh in 2 h, S2 10 kWh in 10 h; after 1.81 h at 11.04 kW S1 has what it needs."""
    known = known_site(evses=2, max_amperage=16)
    put(known, 0, "S1", kwh=Decimal("3.5"))
    put(known, 0, "S2", kwh=Decimal(0), evse_uid="E2")
    wish(known, 0, hours=2, kwh="20")
    wish(known, 0, session_key(ABC, "S2"), hours=10, kwh="10")

    needs = {one.session.id: one.need for one in known.rows(NOON)}
    assert needs["S1"] == Need(20_000, 7_200, False, Told.DRIVER, Told.DRIVER)
    assert needs["S2"] == Need(10_000, 36_000, False, Told.DRIVER, Told.DRIVER)

    put(known, 60, "S1", kwh=Decimal("3.5") + Decimal("11.04"))
    assert row(known, 60).need == Need(8_960, 3_600, False, Told.DRIVER, Told.DRIVER)

    put(known, 109, "S1", kwh=Decimal("23.556"))
    assert row(known, 109).need == Need(0, 660, True, Told.DRIVER, Told.DRIVER)


def test_a_need_that_is_met_does_not_end_the_session() -> None:
    """Scenario 8: S1 has received its `energy_need`, S2 has not; both may still have all their connectors give."""
    known = known_site(evses=2, max_amperage=16)
    put(known, 0, "S1", kwh=Decimal(0))
    put(known, 0, "S2", kwh=Decimal(0), evse_uid="E2")
    wish(known, 0, kwh="5")
    wish(known, 0, session_key(ABC, "S2"), kwh="30")
    put(known, 60, "S1", kwh=Decimal("5.2"))
    put(known, 60, "S2", kwh=Decimal("5.2"), evse_uid="E2")

    rows = {one.session.id: one for one in known.rows(at(60))}
    assert {key: one.need.satisfied for key, one in rows.items()} == {"S1": True, "S2": False}
    assert {(one.minimum_mw, one.maximum_mw) for one in rows.values()} == {(4_140_000, 11_040_000)}


def test_what_was_delivered_before_the_wish_does_not_count() -> None:
    known = known_site()
    put(known, 0, kwh=Decimal(9))
    wish(known, 1, kwh="10")
    put(known, 10, kwh=Decimal("9.0005"))
    assert row(known, 10).need.energy_wh == 10_000
    put(known, 20, kwh=Decimal(12))
    assert row(known, 20).need.energy_wh == 7_000


def test_a_wish_before_the_session_is_told_counts_from_what_is_told_first() -> None:
    known = known_site()
    wish(known, 0, kwh="10")
    put(known, 1, kwh=Decimal(2))
    put(known, 9, kwh=Decimal(5))
    assert row(known, 9).need.energy_wh == 7_000


def test_a_departure_that_has_passed_was_a_wrong_guess() -> None:
    known = known_site()
    put(known, 0)
    wish(known, 0, hours=1, kwh="10")
    assert row(known, 59).need.left_s == 60
    assert (row(known, 60).need.left_s, row(known, 60).need.left_by) == (None, Told.NOBODY)


def test_nobody_said_so_the_kind_of_place_does_until_it_is_past_it() -> None:
    known = known_site()
    known.classes = {location_key(ABC, "loc1"): LocationClass.VISITOR}
    put(known, 0, kwh=Decimal("1.5"), start_date_time="2026-01-01T12:00:00Z")
    assert row(known, 30).need == Need(6_500, 5_760 - 1_800, False, Told.PRIOR, Told.PRIOR)

    put(known, 96, kwh=Decimal(8))
    assert row(known, 120).need == Need()

    wish(known, 120, kwh="4")
    assert row(known, 120).need == Need(4_000, None, False, Told.DRIVER, Told.NOBODY)


def test_nobody_said_and_no_kind_of_place_is_unknown() -> None:
    known = known_site()
    put(known, 0)
    assert row(known).need == Need()


def test_the_kind_of_profile_is_the_weight() -> None:
    known = known_site()
    put(known, 0)
    assert row(known).weight_percent == 100
    for kind, percent in (("FAST", 200), ("CHEAP", 50), ("GREEN", 100), ("REGULAR", 100)):
        wish(known, 1, kind=kind)
        assert row(known, 1).weight_percent == percent


@pytest.mark.parametrize(
    "answer", ["DEPARTURE_REQUIRED", "ENERGY_NEED_REQUIRED", "NOT_POSSIBLE", "PROFILE_TYPE_NOT_SUPPORTED", None, {}, 5]
)
def test_a_wish_that_is_not_accepted_does_not_count(answer: object) -> None:
    book = PreferenceBook()
    book.asked("c1", S1, objects.charging_preferences(), KWH, NOON)
    assert book.find(S1) is None
    assert book.answered("c1", answer, NOON) is None
    assert book.answered("c1", "ACCEPTED", NOON) is None
    assert book.find(S1) is None


def test_a_wish_is_kept_whole() -> None:
    book = PreferenceBook()
    asked = book.asked("c1", S1, objects.charging_preferences() | {"discharge_allowed": True}, KWH, NOON)
    assert book.answered("c1", "ACCEPTED", at(1)) == S1
    found = book.find(S1)
    assert found is not None
    assert found == asked
    assert (found.profile_type, found.departure_at, found.need_kwh) == ("CHEAP", at(360), Decimal("12.5"))
    assert (found.discharge_allowed, found.asked_kwh, found.asked_at) == (True, KWH, NOON)

    again = PreferenceBook()
    again.from_json(book.to_json())
    assert again.find(S1) == found


def test_the_wish_asked_for_last_counts_whichever_answer_comes_last() -> None:
    book = PreferenceBook()
    book.asked("c1", S1, {"profile_type": "FAST"}, KWH, NOON)
    book.asked("c2", S1, {"profile_type": "GREEN"}, KWH, at(1))
    assert book.answered("c2", "ACCEPTED", at(1.1)) == S1
    assert book.answered("c1", "ACCEPTED", at(1.2)) is None
    found = book.find(S1)
    assert found is not None
    assert found.profile_type == "GREEN"


def test_answers_that_never_come_are_not_waited_for() -> None:
    book = PreferenceBook(most=2, most_waiting=3)
    for number in range(5):
        book.asked(f"c{number}", S1, {"profile_type": "FAST"}, KWH, NOON)
    assert book.waiting == 3
    assert book.answered("c0", "ACCEPTED", NOON) is None
    assert book.answered("c4", "ACCEPTED", NOON + timedelta(minutes=3)) is None
    assert book.waiting == 0

    for number in range(4):
        book.asked("c", session_key(ABC, f"S{number}"), {"profile_type": "FAST"}, KWH, NOON)
        book.answered("c", "ACCEPTED", NOON)
    assert [key for key, _ in book.items()] == ["nl*abc/s2", "nl*abc/s3"]


@settings(max_examples=100)
@given(spoilt(objects.charging_preferences()), anything)
def test_no_wish_is_too_strange(body: object, answer: object) -> None:
    known = known_site()
    put(known, 0)
    known.preferences.asked("c1", S1, body, KWH, NOON)
    known.preferences.answered("c1", answer, NOON)
    known.preferences.asked("c2", S1, body, KWH, NOON)
    known.preferences.answered("c2", "ACCEPTED", NOON)
    again = PreferenceBook()
    again.from_json(known.preferences.to_json())
    assert again.find(S1) == known.preferences.find(S1)
    found = row(known).need
    assert found.energy_wh is None or found.energy_wh >= 0
    assert found.left_s is None or found.left_s > 0
