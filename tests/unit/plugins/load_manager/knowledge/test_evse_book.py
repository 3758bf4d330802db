"""The EVSEs of the catalog: what their connectors allow, and that parts of locations may come in any order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sandbox import objects
from plugins.load_manager.knowledge.connectors import UNKNOWN, Bounds, Evse
from plugins.load_manager.knowledge.evse_book import EvseBook
from plugins.load_manager.knowledge.keys import evse_key, location_key
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, at, location, part, spoilt


def known(book: EvseBook, uid: str = "E1") -> Evse:
    found = book.evse(evse_key(ABC, "LOC1", uid))
    assert found is not None
    return found


def bounds(**connector: object) -> Bounds:
    book = EvseBook()
    book.put_location(ABC, "LOC1", location(connector=connector), NOON)
    return known(book).bounds("1")


@pytest.mark.parametrize(
    ("power_type", "volts", "amperes", "minimum_kw", "maximum_kw", "unit"),
    [
        ("AC_1_PHASE", 230, 16, "1.38", "3.68", "A"),
        ("AC_1_PHASE", 230, 32, "1.38", "7.36", "A"),
        ("AC_2_PHASE", 230, 16, "2.76", "7.36", "A"),
        ("AC_3_PHASE", 230, 16, "4.14", "11.04", "A"),
        ("AC_3_PHASE", 230, 32, "4.14", "22.08", "A"),
        ("AC_3_PHASE", 400, 16, "4.14", "11.04", "A"),
        ("AC_2_PHASE_SPLIT", 120, 40, "1.44", "9.6", "A"),
        ("AC_1_PHASE", 230, 4, "0.92", "0.92", "A"),
        ("DC", 400, 125, "5", "50", "W"),
    ],
)
def test_what_a_connector_allows(
    power_type: str, volts: int, amperes: int, minimum_kw: str, maximum_kw: str, unit: str
) -> None:
    found = bounds(power_type=power_type, max_voltage=volts, max_amperage=amperes)
    assert found.lowest_mw() == int(float(minimum_kw) * 1000 + 0.5) * 1000
    assert found.highest_mw() == int(float(maximum_kw) * 1000 + 0.5) * 1000
    assert found.unit == unit


def test_the_power_a_connector_states_bounds_it_and_phases_learnt_do() -> None:
    found = bounds(power_type="AC_3_PHASE", max_voltage=230, max_amperage=32, max_electric_power=11_000)
    assert (found.lowest_mw(), found.highest_mw()) == (4_140_000, 11_000_000)
    assert (found.lowest_mw(1), found.highest_mw(1)) == (1_380_000, 7_360_000)
    assert found.at_current_mw(6_000) == 4_140_000
    assert found.at_current_mw(20_000) == 11_000_000


def test_what_nobody_can_read_is_the_largest_usual_socket() -> None:
    assert UNKNOWN.highest_mw() == 22_080_000
    assert bounds(power_type="AC_9", max_voltage="230", max_amperage=0) == UNKNOWN


def test_a_connector_that_is_not_named_is_the_largest_of_its_evse() -> None:
    book = EvseBook()
    whole = location()
    whole["evses"][0]["connectors"] = [
        objects.connector("1") | {"max_amperage": 16},
        objects.connector("b") | {"power_type": "DC", "max_voltage": 500, "max_amperage": 200},
    ]
    book.put_location(ABC, "LOC1", whole, NOON)
    assert known(book).bounds("1").highest_mw() == 11_040_000
    assert known(book).bounds("B").highest_mw() == 100_000_000
    assert known(book).bounds(None).highest_mw() == 100_000_000
    assert known(book).bounds("7").highest_mw() == 100_000_000


def test_parts_change_what_they_name() -> None:
    book = EvseBook()
    book.put_location(ABC, "LOC1", location(), NOON)
    assert (known(book).status, known(book).steerable) == ("AVAILABLE", True)

    book.told_evse(ABC, "loc1", "e1", part(5, status="CHARGING"), now=at(5), whole=False)
    book.told_connector(ABC, "LOC1", "E1", "1", part(6, max_amperage=16), now=at(6), whole=False)
    assert (known(book).status, known(book).steerable) == ("CHARGING", True)
    assert known(book).bounds("1").highest_mw() == 11_040_000

    book.told_evse(ABC, "LOC1", "E1", part(4, status="BLOCKED"), now=at(7), whole=False)
    assert known(book).status == "CHARGING"

    bare = objects.evse("E1", last_updated=at(8))
    del bare["capabilities"]
    book.told_evse(ABC, "LOC1", "E1", bare, now=at(8), whole=True)
    assert (known(book).status, known(book).steerable) == ("AVAILABLE", False)


def test_an_evse_that_the_list_does_not_name_any_more_is_gone() -> None:
    book = EvseBook()
    book.put_location(ABC, "LOC1", location(0, evses=3), NOON)
    book.put_location(ABC, "LOC1", location(5, evses=1), at(5))
    book.told_evse(ABC, "LOC1", "E2", objects.evse("E2", last_updated=at(4)), now=at(6), whole=True)
    book.put_location(ABC, "LOC1", location(3, evses=3), at(7))
    assert [evse.uid for _, _, evse in book.evses()] == ["E1"]

    book.told_evse(ABC, "LOC1", "E2", objects.evse("E2", last_updated=at(8)), now=at(8), whole=True)
    assert [evse.uid for _, _, evse in book.evses()] == ["E1", "E2"]

    book.patch_location(ABC, "LOC1", part(9, name="Station"), at(9))
    book.patch_location(ABC, "LOC1", part(9, evses=[]), at(9))
    assert list(book.evses()) == []


def test_an_evse_older_than_the_list_that_names_it_first_is_there() -> None:
    book = EvseBook()
    book.put_location(ABC, "LOC1", location(5, evses=1), at(5))
    whole = location(6, evses=2)
    for evse in whole["evses"]:
        evse["last_updated"] = "2024-01-01T00:00:00Z"
    book.put_location(ABC, "LOC1", whole, at(6))
    assert [evse.uid for _, _, evse in book.evses()] == ["E1", "E2"]


def test_one_change_is_one_document() -> None:
    book = EvseBook()
    for number in range(20):
        book.put_location(ABC, f"LOC{number}", location(), NOON)
    assert len(book.changes()) == 20
    book.told_evse(ABC, "LOC7", "E1", part(5, status="CHARGING"), now=at(5), whole=False)
    book.removed(ABC, "LOC8")
    changes = book.changes()
    assert set(changes) == {"location/nl*abc/loc7", "location/nl*abc/loc8"}
    assert changes["location/nl*abc/loc8"] is None
    assert location_key(ABC, "LOC8") not in book


def test_it_never_grows_beyond_its_bound() -> None:
    book = EvseBook(most=3)
    for number in range(9):
        book.put_location(ABC, f"LOC{number}", location(), NOON)
    assert (len(book), book.refused) == (3, 6)


@settings(max_examples=100)
@given(st.data())
def test_the_order_of_coming_does_not_matter(data: st.DataObject) -> None:
    statuses = st.sampled_from(["AVAILABLE", "CHARGING", "BLOCKED"])
    tellings: list[tuple[str, Any]] = []
    for minute in data.draw(st.lists(st.integers(1, 40), max_size=8, unique=True)):
        kind = data.draw(st.sampled_from(["location", "evse", "evse part", "connector part"]))
        evse = objects.evse("E1", status=data.draw(statuses), last_updated=at(minute))
        body: dict[str, Any] = {
            "location": location(minute) | {"evses": [evse]},
            "evse": evse,
            "evse part": part(minute, status=evse["status"]),
            "connector part": part(minute, max_amperage=data.draw(st.integers(6, 63))),
        }[kind]
        tellings.append((kind, body))

    in_order, shuffled = EvseBook(), EvseBook()
    for book, those in ((in_order, tellings), (shuffled, data.draw(st.permutations(tellings)))):
        book.put_location(ABC, "LOC1", location(0), at(60))
        for kind, body in those:
            if kind == "location":
                book.put_location(ABC, "LOC1", body, at(60))
            elif kind == "connector part":
                book.told_connector(ABC, "LOC1", "E1", "1", body, now=at(60), whole=False)
            else:
                book.told_evse(ABC, "LOC1", "E1", body, now=at(60), whole=kind == "evse")
    assert in_order.to_json() == shuffled.to_json()


@settings(max_examples=60, deadline=None)
@given(spoilt(location(evses=2)), spoilt(objects.evse()), spoilt(objects.connector()), st.text(max_size=9))
def test_no_body_is_too_strange(whole: object, evse: object, connector: object, name: str) -> None:
    book = EvseBook()
    book.put_location(ABC, name, whole, NOON)
    book.patch_location(ABC, name, whole, NOON)
    book.told_evse(ABC, name, "E1", evse, now=NOON, whole=True)
    book.told_connector(ABC, name, "E1", name, connector, now=NOON, whole=False)
    for _, _, found in book.evses():
        allowed = found.bounds("1")
        assert 0 < allowed.lowest_mw() <= allowed.highest_mw()
    again = EvseBook()
    again.from_json(book.to_json())
    assert again.to_json() == book.to_json()
