"""What is told about a wrong body: where, in which words, and how much."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field

from hub.ocpi.v221.cdrs import CDR
from hub.ocpi.v221.credentials import Credentials
from hub.ocpi.v221.locations import EVSE, Connector, Location
from hub.ocpi.v221.sessions import ChargingPreferencesResponse, Session
from hub.ocpi.v221.tariffs import Tariff
from hub.ocpi.v221.tokens import Token
from hub.sandbox import objects
from plugins.schema_check.checking import Finding, findings

REQUIRED = "the field is required, and it is missing"


def changed(document: Any, **members: object) -> Any:
    return document | members


def test_nothing_is_told_about_what_is_right() -> None:
    assert findings(objects.location("NL/ABC"), Location) == []
    assert findings([], list[Location]) == []
    assert findings([objects.token("DE/XYZ")] * 3, list[Token]) == []
    assert findings("ACCEPTED", ChargingPreferencesResponse) == []
    assert findings(changed(objects.evse(), x_vendor={"any": [1, None]}), EVSE) == []


@pytest.mark.parametrize(
    ("member", "value", "problem", "kind"),
    [
        ("id", None, "a string was expected, but this is null", "type"),
        ("id", 7, "a string was expected, but this is a number", "type"),
        ("id", "x" * 37, "longer than the 36 characters allowed", "length"),
        ("id", "é", "has a character other than printable ASCII", "pattern"),
        ("city", "a\nb", "has a tab, a line break or another character that cannot be printed", "pattern"),
        ("publish", "true", "a boolean was expected, but this is a string", "type"),
        ("coordinates", [], "an object was expected, but this is a list", "type"),
        ("evses", {}, "a list was expected, but this is an object", "type"),
        ("evses", "E1", "a list was expected, but this is a string", "type"),
        ("parking_type", True, "a string was expected, but this is a boolean", "type"),
        (
            "parking_type",
            "ON_MOON",
            (
                "not one of the values allowed: 'ALONG_MOTORWAY', 'PARKING_GARAGE', 'PARKING_LOT', 'ON_DRIVEWAY', "
                "'ON_STREET' or 'UNDERGROUND_GARAGE'"
            ),
            "value",
        ),
        (
            "last_updated",
            "2026-01-01T12:00:00+01:00",
            "has an offset; a DateTime is UTC, with Z or nothing behind it",
            "pattern",
        ),
        ("last_updated", "yesterday", "does not have the form 2026-01-31T12:00:00Z", "pattern"),
        ("last_updated", "2026-02-30T12:00:00Z", "there is no such date or time of day", "value"),
        ("last_updated", "2026-01-01T12:00:00.123456Z", "longer than the 25 characters allowed", "length"),
    ],
)
def test_one_member_of_a_location(member: str, value: object, problem: str, kind: str) -> None:
    location = changed(objects.location("NL/ABC"), **{member: value})

    assert findings(location, Location) == [Finding(f"/{member}", problem, kind)]


def test_a_pointer_leads_to_the_member_inside() -> None:
    location = objects.location("NL/ABC", evses=3)
    location["evses"][1]["connectors"] = [
        objects.connector(),
        changed(objects.connector(), max_voltage=Decimal("230.5"), standard="NEW_PLUG"),
    ]
    location["evses"][2]["connectors"] = []
    location["opening_times"]["regular_hours"] = [{"weekday": 8, "period_begin": "8:00", "period_end": "20:00"}]
    location["coordinates"]["latitude"] = "52.1"
    del location["evses"][0]["status"]

    assert [(one.pointer, one.problem, one.kind) for one in findings(location, Location)] == [
        ("/coordinates/latitude", "does not have the form 52.123456, with five to seven decimals", "pattern"),
        ("/evses/0/status", REQUIRED, "missing"),
        ("/evses/1/connectors/1/standard", "not one of the values allowed", "value"),
        (
            "/evses/1/connectors/1/max_voltage",
            "a whole number without fraction or exponent was expected, but this is a number",
            "type",
        ),
        ("/evses/2/connectors", "the list is empty, at least one element is required", "length"),
        ("/opening_times/regular_hours/0/weekday", "must be 7 or less", "value"),
        (
            "/opening_times/regular_hours/0/period_begin",
            "does not have the form 18:30",
            "pattern",
        ),
    ]


def test_a_list_says_which_row() -> None:
    rows = [objects.tariff("NL/ABC"), changed(objects.tariff("NL/ABC"), currency=5), 7]

    assert findings(rows, list[Tariff]) == [
        Finding("/1/currency", "a string was expected, but this is a number", "type"),
        Finding("/2", "an object was expected, but this is a number", "type"),
    ]


@pytest.mark.parametrize(("value", "told"), [(None, "null"), ([], "a list"), ("x", "a string"), (5, "a number")])
def test_the_whole_may_be_something_else(value: object, told: str) -> None:
    assert findings(value, Location) == [Finding("", f"an object was expected, but this is {told}", "type")]
    if told != "a list":
        assert findings(value, list[Location]) == [Finding("", f"a list was expected, but this is {told}", "type")]


def test_a_bare_text_is_checked_as_well() -> None:
    (found,) = findings("MAYBE", ChargingPreferencesResponse)

    assert (found.pointer, found.kind) == ("", "value")
    assert "'DEPARTURE_REQUIRED'" in found.problem


def test_in_a_patch_its_own_fields_may_be_missing_but_not_when_it_changed() -> None:
    when = "2026-01-01T12:00:00Z"
    assert findings({"last_updated": when}, Location, partial=True) == []
    assert findings({"name": None, "evses": None, "last_updated": when}, Location, partial=True) == []
    assert findings({"status": "CHARGING"}, EVSE, partial=True) == [Finding("/last_updated", REQUIRED, "missing")]
    assert findings({"city": None, "id": 5, "last_updated": when}, Location, partial=True) == [
        Finding("/id", "a string was expected, but this is a number", "type"),
        Finding("/city", "a string was expected, but this is null", "type"),
    ]
    assert findings({"max_voltage": "230", "last_updated": when}, Connector, partial=True)[0].pointer == "/max_voltage"


def test_what_a_patch_replaces_is_whole() -> None:
    patch = {"total_cost": {"incl_vat": 1}, "charging_periods": [{}], "last_updated": "2026-01-01T12:00:00Z"}

    assert [one.pointer for one in findings(patch, Session, partial=True)] == [
        "/charging_periods/0/start_date_time",
        "/charging_periods/0/dimensions",
        "/total_cost/excl_vat",
    ]


class Cat(BaseModel):
    claws: int


class Dog(BaseModel):
    tail: int


class Zoo(BaseModel):
    """Nothing in 2.2.1 is a union, and no name there has to be escaped."""

    animals: list[Cat | Dog]
    odd: int = Field(alias="a/b~c")


def test_a_pointer_has_no_names_of_models_and_odd_names_are_escaped() -> None:
    zoo = {"animals": [{"claws": 1}, {"claws": "x"}], "a/b~c": "x"}

    assert {one.pointer for one in findings(zoo, Zoo)} == {"/animals/1/claws", "/animals/1/tail", "/a~1b~0c"}
    assert [one.pointer for one in findings({"animals": []}, Zoo)] == ["/a~1b~0c"]


def test_no_more_than_fifty_are_told() -> None:
    location = objects.location("NL/ABC") | {"evses": [{}] * 100}

    assert len(findings(location, Location)) == 50
    assert len(findings([5] * 100, list[Location])) == 50
    assert len(findings([{}] * 100, list[Token])) == 50
    assert len(findings([5] * 49, list[Location])) == 49


def test_only_so_many_rows_of_one_object_are_looked_at() -> None:
    """A body in which everything is wrong would take seconds and hundreds of megabytes."""
    evse = objects.evse()
    right = objects.location("NL/ABC") | {"evses": [evse] * 3000}
    late = objects.location("NL/ABC") | {"evses": [evse] * 3000 + [{}]}
    early = objects.location("NL/ABC") | {"evses": [evse] * 300 + [{}] + [evse] * 1000}

    assert findings(right, Location) == []  # the first connector of an EVSE stays: no list looks empty
    assert findings(late, Location) == []
    assert {one.pointer.rpartition("/")[0] for one in findings(early, Location)} == {"/evses/300"}


def test_a_check_changes_nothing() -> None:
    evses = [objects.evse()] * 3000
    location = objects.location("NL/ABC") | {"evses": evses}

    findings(location, Location)

    assert location["evses"] is evses
    assert len(evses) == 3000


def test_no_sentence_repeats_a_value() -> None:
    wrong = {"token": "no blanks here", "url": {"hidden": "x"}, "roles": ["hidden"]}
    told = str(findings(wrong, Credentials)) + str(findings(changed(objects.cdr("NL/ABC"), auth_method="hidden"), CDR))

    assert "blanks here" not in told
    assert "hidden" not in told
    assert "but this is an object" in told
