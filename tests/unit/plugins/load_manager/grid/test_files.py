"""A grid goes out and comes back the same, and a file with a mistake is not taken at all."""

from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from plugins.load_manager.grid.files import read_csv, read_json, write_csv, write_json
from plugins.load_manager.grid.group import GapPolicy, GridRefused, Group, Member
from plugins.load_manager.grid.model import GridModel
from tests.unit.plugins.load_manager.grid.grids import CPO, evse, group, location

ids = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)
power = st.integers(0, 10**12)
shares = st.decimals(Decimal("0.000001"), Decimal("0.99"), places=6)
moments = st.datetimes(timezones=st.just(UTC))


@st.composite
def grids(draw: st.DrawFn) -> GridModel:
    names = draw(st.lists(ids, unique=True, max_size=5))
    uids = iter(draw(st.lists(ids, unique_by=str.casefold, min_size=10, max_size=10)))
    starts = draw(st.none() | moments)
    made: list[Group] = []
    for name in names:
        parent = draw(st.none() | st.sampled_from([each.id for each in made])) if made else None
        made.append(
            Group(
                id=name,
                static_capacity_mw=draw(power),
                parent=parent,
                capacity_provider=draw(st.none() | ids),
                fallback_capacity_mw=draw(st.none() | power),
                margin=draw(shares),
                arrival_reserve_mw=draw(st.none() | power),
                ramp_up=draw(shares),
                gap_policy=draw(st.sampled_from(GapPolicy)),
                members=tuple(
                    Member(PartyId("nL", "A1b"), 'LÖC,"1', next(uids)) for _ in range(draw(st.integers(0, 2)))
                ),
                valid_from=starts,
            )
        )
    return GridModel(made)


@settings(max_examples=60, deadline=None)
@given(grids())
def test_json_and_csv_come_back_the_same(grid: GridModel) -> None:
    assert read_json(write_json(grid)) == grid
    assert read_csv(write_csv(grid)) == grid


def problems(text: str, form: str = "csv") -> list[str]:
    with pytest.raises(GridRefused) as caught:
        read_csv(text) if form == "csv" else read_json(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_table_as_a_spreadsheet_writes_it() -> None:
    grid = read_csv(
        "\ufeffid,parent,static_capacity_kw,country_code,party_id,location_id,evse_uid\r\n"
        "F7,,45,,,,\r\n"
        "T1,F7,30.5,NL,CPO,LOC1,E1\r\n"
        "T1,F7,30.5,NL,CPO,LOC1,E2\r\n"
        ",,,,,,\r\n"
        "T1,,,NL,CPO,LOC2,\r\n"
    )
    assert grid.groups["T1"].static_capacity_mw == 30_500_000
    assert grid.members("F7") == (evse("E1"), evse("E2"), location("LOC2"))


def test_mistakes_are_told_with_their_lines() -> None:
    table = (
        "id,parent,static_capacity_kw,margin,country_code,party_id,location_id\n"
        "F7,,45,,,,\n"
        "T1,F7,NaN,,NL,CPO,LOC1\n"
        "T2,F7,30,2 %,,,\n"
        "T3,F7,30,,NLD,CPO,LOC1\n"
    )
    assert problems(table) == [
        "line 3: group T1: static_capacity_kw is a number of kilowatts",
        "line 4: group T2: margin is a share such as 0.02, with at most 9 digits",
        "line 5: group T3: members[0]: country_code has two letters and party_id one to three letters or digits",
    ]
    assert problems("id,static_capacity_kw\nF7,45\nF7,30\nT1\nT2,-5\n") == [
        "line 3: group F7: the id stands on line 2 already",
        "line 4: it has 1 cells, and the first line has 2",
    ]
    assert problems("id,static_capacity_kw,parent\nF7,-45,\nT1,30,F8\n") == [
        "line 2: group F7: static_capacity_kw is negative",
        "line 3: group T1: its parent F8 is not known",
    ]


def test_a_table_without_its_columns() -> None:
    assert problems("id;static_capacity_kw\nF7;45\n") == [
        "line 1: id;static_capacity_kw is no column",
        "line 1: the column id is missing",
        "line 1: the column static_capacity_kw is missing",
    ]
    assert problems("") == ["line 1: the column id is missing", "line 1: the column static_capacity_kw is missing"]
    assert problems('id,static_capacity_kw\n"F7,45\n')[0].startswith("line 2: this is no CSV")


def test_json_with_mistakes() -> None:
    assert problems(
        '{"groups": [{"id": "F7", "static_capacity_kw": 45}, {"id": "T1", "static_capacity_kw": 1e999999}]}', "json"
    ) == ["groups[1]: group T1: static_capacity_kw is above ten gigawatts"]
    assert problems('{"groups": [{"id": "T1", "static_capacity_kw": NaN}]}', "json")[0].startswith("this is no JSON")
    assert problems("[]", "json") == ['an object with a list is expected: {"groups": [...]}']
    assert problems('{"groups": [7, {"id": "a", "static_capacity_kw": 1, "parent": "b"}]}', "json") == [
        "groups[0]: a group is an object"
    ]
    assert problems('{"groups": [{"id": "a", "static_capacity_kw": 1, "parent": "b"}]}', "json") == [
        "groups[0]: group a: its parent b is not known"
    ]


def test_an_empty_grid_is_a_grid() -> None:
    assert read_json('{"groups": []}') == GridModel() == read_csv(write_csv(GridModel()))
    assert group("x") not in GridModel().groups.values()
    assert CPO.key == "nl*cpo"


def test_more_problems_than_are_told_are_counted() -> None:
    groups = [{"id": f"g{number}", "parent": "nobody", "static_capacity_kw": 1} for number in range(150)]
    with pytest.raises(GridRefused) as refused:
        read_json(codec.dumps({"groups": groups}))
    assert len(refused.value.problems) == 101
    assert "50 problems more" in str(refused.value.problems[-1])
