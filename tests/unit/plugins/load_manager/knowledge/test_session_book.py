"""The book of sessions ends in one state whatever the order of what is told, and stays small."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.session import Source
from plugins.load_manager.knowledge.session_book import SessionBook
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, S1, at, part, period, session, spoilt


def told(book: SessionBook, minutes: float, body: object, session_id: str = "S1", *, whole: bool = True) -> bool:
    tell = book.put if whole else book.patch
    return tell(ABC, session_id, body, Source.PUSHED, at(minutes)) is not None


def test_a_session_is_where_its_object_says_and_is_its_drivers() -> None:
    book = SessionBook()
    assert told(book, 1, session(1))

    one = book.find(S1)
    assert one is not None
    assert (one.status, one.kwh, one.emsp) == ("ACTIVE", Decimal("1.2500"), "NL/EMA")
    assert (one.location_id, one.evse_uid, one.connector_id) == ("LOC1", "E1", "1")
    assert (one.owner, one.id, one.first_seen, one.late) == (ABC, "S1", at(1), False)
    assert str(one.kwh) == "1.2500"


def test_case_does_not_matter_and_the_first_spelling_stays() -> None:
    book = SessionBook()
    told(book, 0, session(0, "aB1"), "aB1")
    book.patch(PartyId("nl", "abc"), "Ab1", part(1, kwh=2), Source.ROUTED, at(1))

    ((key, one),) = book.items()
    assert (key, one.id, one.kwh) == (session_key(ABC, "AB1"), "aB1", Decimal(2))


def test_a_patch_changes_what_it_names_and_nothing_goes_back_in_time() -> None:
    book = SessionBook()
    told(book, 0, session(0))
    assert told(book, 5, part(5, kwh=Decimal("4.5"), status="COMPLETED"), whole=False)
    assert not told(book, 6, part(3, status="ACTIVE"), whole=False)
    told(book, 7, session(4))

    one = book.find(S1)
    assert one is not None
    assert (one.status, one.kwh, one.location_id) == ("COMPLETED", Decimal("4.5"), "LOC1")
    assert one.told_at == at(5)


def test_what_is_older_but_new_is_taken() -> None:
    book = SessionBook()
    told(book, 5, part(5, kwh=4), whole=False)
    assert [key for key, _ in book.unclear()] == [S1]

    assert told(book, 6, session(3))
    one = book.find(S1)
    assert one is not None
    assert (one.kwh, one.location_id) == (Decimal(4), "LOC1")
    assert one.status == "ACTIVE"
    assert book.unclear() == []


def test_a_whole_object_without_periods_has_none_and_a_patch_without_them_leaves_them() -> None:
    book = SessionBook()
    told(book, 0, session(0, charging_periods=[period(-5, STATE_OF_CHARGE="42")]))
    told(book, 1, part(1, kwh=2, charging_periods=[]), whole=False)
    one = book.find(S1)
    assert one is not None
    assert one.soc_percent == 42

    whole = session(2)
    del whole["charging_periods"]
    told(book, 2, whole)
    assert one.soc_percent is None


def test_not_assigned_is_nowhere_and_a_reservation_takes_no_power() -> None:
    book = SessionBook()
    told(book, 0, session(0, status="RESERVATION", evse_uid="#NA", connector_id="#NA"))
    one = book.find(S1)
    assert one is not None
    assert (one.evse_uid, one.connector_id, one.location_id) == (None, None, "LOC1")
    assert not one.drawing

    told(book, 1, part(1, status="ACTIVE", evse_uid="E1", connector_id="1"), whole=False)
    assert one.drawing
    assert one.evse_uid == "E1"


def test_without_a_believable_time_nothing_is_taken() -> None:
    book = SessionBook()
    for stamp in (None, "soon", 5, "2031-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        assert not told(book, 0, session(0, last_updated=stamp))
    assert len(book) == 0
    assert book.refused == 5


def test_a_session_found_by_a_pull_is_late_and_those_of_others_are_not_taken() -> None:
    book = SessionBook()
    book.pulled(ABC, session(), at(1))
    assert book.pulled(ABC, objects.session("NL/XYZ", "S2"), at(1)) is None
    told(book, 2, session(2))

    ((key, one),) = book.items()
    assert (key, one.late) == (S1, True)


def test_the_sessions_that_changed_during_a_stop_are_asked_for_from_a_little_before_it() -> None:
    """Scenario 27: 500 sessions are on the shelf; what the stop hid is found by GET with `date_from`."""
    before = SessionBook()
    for number in range(500):
        told(before, number / 60, session(number / 60, f"S{number}"), f"S{number}")
    after = SessionBook()
    after.from_json(before.to_json())

    assert len(after) == 500
    assert after.changes() == {}
    assert after.date_from(ABC, at(40)) == at(499 / 60) - timedelta(seconds=60)
    assert after.date_from(PartyId("NL", "XYZ"), at(40)) == at(40) - timedelta(hours=24, seconds=60)

    after.pulled(ABC, session(30, "S7", status="COMPLETED"), at(40))
    after.pulled(ABC, session(31, "S900"), at(40))
    assert sorted(after.changes()) == ["session/nl*abc/s7", "session/nl*abc/s900"]
    assert after.date_from(ABC, at(41)) == at(30)


def test_one_that_is_silent_is_listed() -> None:
    book = SessionBook()
    told(book, 0, session(0))
    told(book, 20, session(20, "S2"), "S2")
    assert [key for key, _ in book.silent(at(25), timedelta(minutes=15))] == [S1]


def test_those_that_ended_are_kept_for_an_hour() -> None:
    book = SessionBook()
    told(book, 0, session(0, status="COMPLETED"))
    told(book, 0, session(0, "S2"), "S2")
    book.changes()

    assert book.prune(at(60)) == []
    assert [one.id for one in book.of(ABC)] == ["S2"]
    assert book.prune(at(61)) == [S1]
    assert book.prune(at(61)) == []
    assert book.changes() == {"session/nl*abc/s1": None}


def test_a_party_that_tells_of_too_many_loses_its_own() -> None:
    book = SessionBook(most=3, most_ended=2)
    book.put(PartyId("NL", "XYZ"), "X1", objects.session("NL/XYZ", "X1"), Source.PUSHED, NOON)
    for number in range(10):
        told(book, number, session(number, f"S{number}"), f"S{number}")
        told(book, number, session(number, f"E{number}", status="INVALID"), f"E{number}")

    assert [one.id for one in book.of(ABC)] == ["S7", "S8", "S9"]
    assert len(book) == 1 + 3 + 2
    assert book.crowded_out == 7
    assert session_key(ABC, "S0") in book.prune(at(10))


def test_who_was_heard_of_longest_ago_is_known_after_a_restart() -> None:
    book = SessionBook(most=2)
    told(book, 0, session(0, "S1"), "S1")
    told(book, 1, session(1, "S0"), "S0")
    again = SessionBook(most=2)
    again.from_json(book.to_json())
    told(again, 2, session(2, "S2"), "S2")
    assert [one.id for one in again.of(ABC)] == ["S0", "S2"]


def test_what_was_not_saved_after_all_is_a_change_again() -> None:
    book = SessionBook()
    told(book, 0, session(0))
    changes = book.changes()
    assert book.changes() == {}
    book.unsaved(changes)
    assert book.changes() == changes


parts = st.fixed_dictionaries(
    {},
    optional={
        "kwh": st.integers(0, 50).map(Decimal),
        "status": st.sampled_from(["PENDING", "ACTIVE", "COMPLETED", "INVALID"]),
        "evse_uid": st.sampled_from(["E1", "E2", "#NA"]),
        "charging_periods": st.sampled_from([[], [period(-5, POWER="3.68")], [period(-2, CURRENT="16", POWER="7.4")]]),
    },
)


@settings(max_examples=150)
@given(st.data(), st.lists(st.tuples(st.booleans(), parts), min_size=1, max_size=12))
def test_the_order_of_coming_does_not_matter(data: st.DataObject, news: list[tuple[bool, dict[str, object]]]) -> None:
    """PUTs and PATCHes with different times, some less than a minute apart and more of them than samples are kept."""
    minutes = data.draw(st.lists(st.integers(0, 40), min_size=len(news), max_size=len(news), unique=True))
    bodies = [
        (whole, session(when / 2) | members if whole else part(when / 2, **members))
        for when, (whole, members) in zip(minutes, news, strict=True)
    ]
    in_order, shuffled = SessionBook(), SessionBook()
    for book, those in ((in_order, bodies), (shuffled, data.draw(st.permutations(bodies)))):
        for whole, body in those:
            told(book, 60, body, whole=whole)
    assert in_order.to_json() == shuffled.to_json()


@settings(max_examples=80, deadline=None)
@given(spoilt(session(0)), spoilt(part(1, kwh=2)), st.text(max_size=40))
def test_no_body_is_too_strange(whole: object, piece: object, session_id: str) -> None:
    book = SessionBook()
    book.put(ABC, session_id, whole, Source.ROUTED, NOON)
    book.patch(ABC, session_id, piece, Source.PUSHED, NOON)
    book.pulled(ABC, whole, NOON)
    again = SessionBook()
    again.from_json(book.to_json())
    assert again.to_json() == book.to_json()
    assert len(book) <= 2
    for _, one in book.running():
        one.readings(230, 3)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["ACTIVE", "COMPLETED"])), max_size=60))
def test_it_never_grows_beyond_its_bounds(news: list[tuple[int, str]]) -> None:
    book = SessionBook(most=5, most_ended=4)
    for when, (number, status) in enumerate(news):
        told(book, when, session(when, f"S{number}", status=status), f"S{number}")
        assert len(book.of(ABC)) <= 5
        assert len(book) <= 9
