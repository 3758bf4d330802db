"""The body of a group, field by field."""

from decimal import Decimal

import pytest

from hub.ocpi import codec
from plugins.load_manager.grid.files import body_of
from plugins.load_manager.grid.group import GapPolicy, GridRefused, Group
from plugins.load_manager.grid.power import current_tenths_a, kilowatts, milliwatts, of_current
from plugins.load_manager.grid.reading import read_group
from tests.unit.plugins.load_manager.grid.grids import evse, location

BODY = """{
    "parent": "F7", "capacity_provider": "dso-x", "static_capacity_kw": 30.25, "fallback_capacity_kw": 12,
    "members": [
        {"country_code": "NL", "party_id": "CPO", "location_id": "LOC1"},
        {"country_code": "NL", "party_id": "CPO", "location_id": "LOC2", "evse_uid": "E1"}
    ],
    "margin": 0, "arrival_reserve_kw": 8.3, "ramp_up": 0.2, "gap_policy": "event"
}"""


def test_every_field_of_the_contract() -> None:
    assert read_group(codec.loads(BODY), "T1") == Group(
        id="T1",
        parent="F7",
        capacity_provider="dso-x",
        static_capacity_mw=30_250_000,
        fallback_capacity_mw=12_000_000,
        margin=Decimal(0),
        arrival_reserve_mw=8_300_000,
        ramp_up=Decimal("0.2"),
        gap_policy=GapPolicy.EVENT,
        members=(location("LOC1"), evse("E1", "LOC2")),
    )


def test_what_is_left_out_has_its_default() -> None:
    group = read_group({"static_capacity_kw": 30, "parent": None, "members": None}, "T1")
    assert group == Group(id="T1", static_capacity_mw=30_000_000)
    assert (group.margin, group.ramp_up, group.gap_policy) == (Decimal("0.02"), Decimal("0.1"), GapPolicy.SCHEDULE)
    assert read_group(body_of(group)) == group


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ({}, ["static_capacity_kw is required, a number of kilowatts"]),
        ({"static_capacity_kw": 30.5}, ["static_capacity_kw is a number of kilowatts"]),
        ({"static_capacity_kw": True}, ["static_capacity_kw is a number of kilowatts"]),
        ({"static_capacity_kw": "30"}, ["static_capacity_kw is a number of kilowatts"]),
        ({"static_capacity_kw": Decimal("NaN")}, ["static_capacity_kw is a number of kilowatts"]),
        ({"static_capacity_kw": Decimal("-Infinity")}, ["static_capacity_kw is a number of kilowatts"]),
        ({"static_capacity_kw": Decimal("1E+999999")}, ["static_capacity_kw is above ten gigawatts"]),
        (
            {"static_capacity_kw": 1, "static_capacity": 1},
            ["static_capacity is no field of a group; static_capacity_kw is"],
        ),
        ({"static_capacity_kw": 1, "id": "T2"}, ["id says T2"]),
        ({"static_capacity_kw": 1, "gap_policy": "EVENT"}, ["gap_policy is one of schedule, event"]),
        (
            {"static_capacity_kw": 1, "margin": Decimal("1E-999")},
            ["margin is a share such as 0.02, with at most 9 digits"],
        ),
        (
            {"static_capacity_kw": 1, "valid_from": "2026-01-31T12:00:00"},
            ["valid_from is a time with its offset, such as 2026-01-31T12:00:00Z"],
        ),
        (
            {"static_capacity_kw": 1, "parent": " F7"},
            ["parent is a text of 1 to 100 characters that can be printed, no blanks at its ends"],
        ),
        ({"static_capacity_kw": 1, "members": {}}, ["members is a list"]),
        (
            {"static_capacity_kw": 1, "members": [{"country_code": "NL", "party_id": "CPO"}, {"evse": 1}]},
            [
                "members[0]: location_id is required, the id of a location",
                "members[1]: a member is an object of country_code, party_id, location_id, evse_uid",
            ],
        ),
    ],
)
def test_every_mistake_has_a_sentence(body: dict[str, object], sentences: list[str]) -> None:
    with pytest.raises(GridRefused) as caught:
        read_group(body, "T1")
    assert [problem.text for problem in caught.value.problems] == sentences
    assert {problem.group_id for problem in caught.value.problems} == {"T1"}


def test_powers_and_currents_are_whole_numbers() -> None:
    assert milliwatts(Decimal("30.0000019"), 1_000_000) == 30_000_001
    assert milliwatts(Decimal("1E-999999"), 1_000_000) == 1
    assert str(kilowatts(60_000_000)) == "60"
    assert str(kilowatts(57_500_000)) == "57.5"
    assert str(kilowatts(1)) == "0.000001"
    assert [current_tenths_a(mw, 3) for mw in (10_000_000, 15_280_000, 12_000_000, 6_250_000)] == [144, 221, 173, 90]
    assert of_current(160, 3) == 11_040_000
