"""What fits together, where an EVSE belongs, and what a change may not do."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.ocpi.party_id import PartyId
from plugins.load_manager.grid.group import GridRefused, Group, Member, PhaseModel, Scope
from plugins.load_manager.grid.model import GridModel
from tests.unit.plugins.load_manager.grid.grids import NOON, evse, group, location

HOUR = timedelta(hours=1)


def refused(*groups: Group) -> list[str]:
    with pytest.raises(GridRefused) as caught:
        GridModel(groups)
    return [str(problem) for problem in caught.value.problems]


FEEDER = (
    group("F7"),
    group("T1", "F7", location("LOC1")),
    group("T2", "F7", evse("A", "LOC2"), evse("B", "LOC2")),
    group("S1", "T1", evse("E3")),
    group("alone"),
)


def test_trees_paths_and_what_is_below() -> None:
    grid = GridModel(FEEDER)

    assert grid.trees() == (("F7", "T1", "T2", "S1"), ("alone",))
    assert grid.path("S1") == ("S1", "T1", "F7")
    assert grid.root("S1") == "F7"
    assert grid.children("F7") == ("T1", "T2")
    assert grid.below("T1") == ("T1", "S1")
    assert grid.members("T1") == (location("LOC1"), evse("E3"))
    with pytest.raises(KeyError):
        grid.path("nowhere")


def test_an_evses_own_place_wins_over_its_locations_and_case_is_nothing() -> None:
    grid = GridModel(FEEDER)

    def place(member: Member) -> str | None:
        found = grid.group_of(member, NOON)
        return None if found is None else found.id

    assert place(evse("E1")) == "T1"
    assert place(evse("E3")) == "S1"
    assert place(evse("a", "loc2")) == "T2"
    assert place(evse("C", "LOC2")) is None
    assert place(Member(PartyId("nl", "cpo"), "loc1", "e3")) == "S1"
    assert place(Member(PartyId("NL", "XXX"), "LOC1", "E3")) is None


def test_a_circle_is_told_once() -> None:
    assert refused(group("a", "b"), group("b", "c"), group("c", "a"), group("d", "a")) == [
        "group a: it is above itself: a > b > c > a"
    ]
    assert refused(group("own", "own")) == ["group own: it is above itself: own > own"]


def test_a_circle_of_thousands_is_no_hard_work() -> None:
    ring = [group(str(number), str((number + 1) % 20_000)) for number in range(20_000)]
    (problem,) = refused(*ring)
    assert problem.startswith("group 0: it is above itself")


def test_unknown_parents_and_ids_that_stand_twice() -> None:
    assert refused(group("a", "nobody"), group("b", "a"), group("b")) == [
        "group b: the id stands twice",
        "group a: its parent nobody is not known",
    ]


def test_eight_levels_are_the_most() -> None:
    chain = [group("1"), *(group(str(level), str(level - 1)) for level in range(2, 11))]
    assert GridModel(chain[:8]).path("8")[-1] == "1"
    assert refused(*chain) == ["group 9: it is on level 9, and 8 are the most"]
    assert refused(*reversed(chain)) == ["group 9: it is on level 9, and 8 are the most"]


def test_an_evse_has_one_place() -> None:
    assert refused(group("a", None, evse("E1")), group("b", None, evse("e1"))) == [
        "group b: EVSE E1 of location LOC1 of NL/CPO stands in group a too"
    ]
    assert refused(group("a", None, evse("E1"), evse("E1"))) == [
        "group a: EVSE E1 of location LOC1 of NL/CPO stands in it twice"
    ]
    assert refused(group("a", None, location()), group("b", None, location())) == [
        "group b: location LOC1 of NL/CPO stands in group a too"
    ]


def test_its_location_in_another_branch_is_a_second_place() -> None:
    (problem,) = refused(group("a", None, location()), group("b", None, evse("E1")))
    assert problem == (
        "group b: EVSE E1 of location LOC1 of NL/CPO stands in group a too, with its whole location, and neither group"
        " is above the other"
    )
    above = GridModel([group("b", None, evse("E1")), group("a", "b", location())])
    assert [each.id for uid in ("E1", "E2") if (each := above.group_of(evse(uid), NOON))] == ["b", "a"]


def test_a_move_at_a_stated_time() -> None:
    before = replace(group("T1", None, evse("E1")), valid_to=NOON)
    after = replace(group("T1b", None, evse("E1")), valid_from=NOON)
    grid = GridModel([before, after])

    assert grid.group_of(evse("E1"), NOON - HOUR) == before
    assert grid.group_of(evse("E1"), NOON) == after
    assert refused(before, replace(after, valid_from=NOON - HOUR)) == [
        "group T1b: EVSE E1 of location LOC1 of NL/CPO stands in group T1 too"
    ]


def test_nobody_counts_while_the_parent_does_not() -> None:
    child = replace(group("T1", "F7"), valid_from=NOON, valid_to=NOON + HOUR)
    GridModel([replace(group("F7"), valid_from=NOON), child])
    assert refused(replace(group("F7"), valid_to=NOON + HOUR / 2), child) == [
        "group T1: it counts at times when its parent F7 does not"
    ]
    assert refused(replace(child, parent=None, valid_to=NOON)) == ["group T1: valid_to is not after valid_from"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"static_capacity_mw": -1}, "static_capacity_kw is negative"),
        ({"fallback_capacity_mw": -1}, "fallback_capacity_kw is negative"),
        ({"arrival_reserve_mw": -1}, "arrival_reserve_kw is negative"),
        ({"static_capacity_mw": 10**16}, "static_capacity_kw is above ten gigawatts"),
        ({"margin": Decimal(1)}, "margin is a share from 0 to below 1, such as 0.02"),
        ({"margin": Decimal("-0.1")}, "margin is a share from 0 to below 1, such as 0.02"),
        (
            {"ramp_up": Decimal(10)},
            "ramp_up is a share of the static capacity a minute, above 0 and up to 1, such as 0.1",
        ),
        (
            {"ramp_up": Decimal(0)},
            "ramp_up is a share of the static capacity a minute, above 0 and up to 1, such as 0.1",
        ),
        (
            {"scope": Scope.TOTAL},
            "scope TOTAL needs a meter for what is no charging, which is not supported: EV_ONLY is",
        ),
        ({"phase_model": PhaseModel.PER_PHASE}, "phase_model PER_PHASE is not supported: SUM is"),
    ],
)
def test_a_group_alone(changed: dict[str, object], sentence: str) -> None:
    assert refused(replace(group("T1"), **changed)) == [f"group T1: {sentence}"]  # type: ignore[arg-type]


def test_a_group_with_somebody_under_it_does_not_vanish() -> None:
    grid = GridModel(FEEDER)
    with pytest.raises(GridRefused) as caught:
        grid.without_group("T1")
    assert [str(problem) for problem in caught.value.problems] == [
        "group T1: groups hang on it: S1; give them another parent first",
        "group T1: it has 1 members; put them into another group or take them out first",
    ]
    assert "alone" not in grid.without_group("alone").groups
    with pytest.raises(KeyError):
        grid.without_group("nowhere")


def test_a_change_tells_who_is_left_out_and_leaves_the_old_grid_alone() -> None:
    grid = GridModel(FEEDER)
    changed = grid.with_group(group("T2", "F7", evse("B", "LOC2")))

    assert grid.left_out(changed) == (evse("A", "LOC2"),)
    assert grid == GridModel(FEEDER)
    assert grid.left_out(grid.with_group(group("T2", "F7", location("LOC2")))) == ()
    with pytest.raises(GridRefused):
        grid.with_group(group("F7", "S1"))


def test_of_thousands_of_problems_a_hundred_are_told() -> None:
    problems = refused(*(group(str(number), "nobody") for number in range(5000)))
    assert len(problems) == 101
    assert problems[-1] == "4900 problems more"
