"""Whose turn it is, who forbids pauses, and what overstating a need brings."""

from dataclasses import replace

import numpy as np
import pytest

from plugins.load_manager.allocation import NO_LIMIT_MW, Policy, Reason, Sessions, Tree, allocate
from tests.unit.plugins.load_manager.allocation.cars import AC1_16, AC3_16, AC3_32, KW, car, given


def test_the_one_with_the_least_time_to_spare_comes_first() -> None:
    later = replace(AC3_16, need_kwh=10, departure_h=9, key="a")
    sooner = replace(AC3_16, need_kwh=10, departure_h=2, key="b")
    assert given(5, [later, sooner]).amperes() == [0.0, 7.2]


def test_who_does_not_fit_is_stepped_over() -> None:
    """4.14 kW are not there after the first, but 1.38 are."""
    first = replace(AC3_16, need_kwh=4.6, departure_h=1, believed=True)
    assert given(7, [first, AC3_16, AC1_16]).amperes() == [8.0, 0.0, 6.4]


def test_whoever_was_just_switched_on_stays_on() -> None:
    fresh = replace(AC3_16, on=True, on_h=0.2)
    urgent = replace(AC3_16, need_kwh=20, departure_h=1, waiting_h=2)
    assert given(5, [fresh, urgent]).amperes() == [7.2, 0.0]
    assert given(5, [replace(fresh, on_h=0.25), urgent]).amperes() == [0.0, 7.2]
    assert given(5, [replace(fresh, min_on_h=0.1), urgent]).amperes() == [0.0, 7.2]


def test_after_half_an_hour_of_waiting_one_comes_before_those_with_more_time_to_spare() -> None:
    """The other has 1.1 h to spare, which is less than the 4 h of one who said nothing, waiting included."""
    charging = replace(AC3_16, need_kwh=11.04, departure_h=2.1, on=True, on_h=1)
    waiting = replace(AC3_16, waiting_h=0.5)
    assert given(5, [charging, waiting]).amperes() == [7.2, 0.0]
    assert given(5, [charging, replace(waiting, waiting_h=0.51)]).amperes() == [0.0, 7.2]


def test_one_with_hours_to_spare_does_not_starve_after_half_an_hour() -> None:
    charging = replace(AC3_16, need_kwh=11.04, departure_h=2.1, on=True, on_h=1)
    patient = replace(AC3_16, need_kwh=1, departure_h=10, waiting_h=3)
    assert given(5, [charging, patient]).amperes() == [7.2, 0.0]


def test_among_equals_whoever_is_on_for_longest_makes_room() -> None:
    """Otherwise the first of three would stay on for ever while the others take turns."""
    rows = [
        replace(AC3_16, on=True, on_h=0.5, key="a"),
        replace(AC3_16, on=True, on_h=0.25, key="b"),
        replace(AC3_16, waiting_h=0.25, key="c"),
    ]
    assert given(10, rows).amperes() == [0.0, 7.2, 7.2]


def test_ties_go_by_arrival_then_by_key() -> None:
    rows = [replace(AC3_16, arrived_s=5, key="a"), replace(AC3_16, arrived_s=4, key="c"), replace(AC3_16, arrived_s=5)]
    rows[2] = replace(rows[2], key="b")
    assert given(5, rows).amperes() == [0.0, 7.2, 0.0]
    assert given(9, rows).amperes() == [6.5, 6.5, 0.0]


URGENT = replace(AC3_16, need_kwh=20, departure_h=1, believed=True, key="u")


def test_where_all_minima_fit_nobody_is_paused_who_may_not_be() -> None:
    steady, other = replace(AC3_16, may_pause=False, key="s"), replace(AC3_16, key="o")
    assert given(13, [URGENT, steady, other]).amperes() == [12.8, 6.0, 0.0]


def test_nobody_gains_a_place_by_forbidding_pauses() -> None:
    """Where only some minima fit, the urgent one has its own first, and more only when nobody else fits."""
    steady = [replace(AC3_16, may_pause=False, key=f"s{k}") for k in range(2)]
    assert given(8, [URGENT, *steady]).amperes() == [11.5, 0.0, 0.0]
    assert given(9, [URGENT, *steady]).amperes() == [7.0, 6.0, 0.0]
    assert given(9, [URGENT, *(replace(row, may_pause=True) for row in steady)]).amperes() == [13.0, 0.0, 0.0]


def test_nor_does_one_gain_a_place_elsewhere_under_a_crowded_node() -> None:
    steady = replace(AC3_16, node=2, may_pause=False, key="s")
    assert given([8, 20, 20], [replace(URGENT, node=1), steady], Tree([-1, 0, 0])).amperes() == [11.5, 0.0]


def test_a_full_car_that_may_not_be_paused_changes_nothing() -> None:
    full = replace(AC3_16, maximum_mw=0, may_pause=False, key="f")
    rows = [URGENT, replace(AC3_16, key="a"), replace(AC3_16, key="b")]
    assert given(9, [*rows, full]).amperes() == [*given(9, rows).amperes(), 0.0] == [13.0, 0.0, 0.0, 0.0]


def test_forbidding_pauses_is_felt_only_where_capacity_is_shared() -> None:
    tree = Tree([-1, 0, 0])
    here = [replace(URGENT, node=1), replace(AC3_16, node=1, key="b")]
    there = [replace(AC3_16, node=2, may_pause=False, key="c")]
    assert given([100, 9, 3], here + there, tree).amperes() == [13.0, 0.0, 0.0]


def test_an_overstated_need_brings_three_fair_shares_and_no_more() -> None:
    liar = replace(AC3_32, need_kwh=75, departure_h=1)
    honest = [replace(AC3_16, key=f"h{k}") for k in range(3)]
    assert given(20, [liar, *honest]).allocation.floor_mw.tolist()[0] == 14_973_000  # three shares of 5 kW, in 69 W
    believed = given(20, [replace(liar, believed=True), *honest])
    assert believed.amperes() == [28.9, 0.0, 0.0, 0.0]


def test_need_is_a_wish_and_no_cap() -> None:
    assert given(30, [replace(AC3_16, need_kwh=1, departure_h=10)]).amperes() == [16.0]


def test_a_departure_that_has_passed_asks_for_everything() -> None:
    late = replace(AC3_16, need_kwh=5, departure_h=-3, believed=True)
    assert given(12, [late, AC3_16]).amperes() == [16.0, 0.0]


def test_limits_at_one_node_say_nothing_about_others() -> None:
    tree = Tree([-1, -1, 1])
    rows = [car(3, 16, 0), car(3, 16, 0), car(3, 16, 2)]
    assert given([3, NO_LIMIT_MW / KW, 50], rows, tree).amperes() == [0.0, 0.0, 16.0]


def test_sessions_may_stand_under_inner_nodes() -> None:
    tree = Tree([-1, 0])
    assert given([12, 5], [car(3, 16, 0), car(3, 16, 1)], tree).amperes() == [10.1, 7.2]


def test_slack_gives_more_to_who_has_less_time_to_spare() -> None:
    rows = [
        replace(AC3_16, need_kwh=16, departure_h=3.0, believed=True),
        replace(AC3_16, need_kwh=10, departure_h=2.6, believed=True),
        AC3_16,
    ]
    slack = given(25, rows, policy=Policy.SLACK)
    assert slack.amperes() != given(25, rows).amperes()
    laxities = [3.0 - 16 / 11.04, 2.6 - 10 / 11.04, 4.0]
    level = slack.allocation.level[0]
    for current, laxity, floor in zip(slack.kw(), laxities, slack.allocation.floor_mw / KW, strict=True):
        exact = min(11.04, max(floor, 11.04 * min(1.0, max(0.0, level - laxity))))
        assert current == pytest.approx(exact, abs=0.069)


def test_a_minimum_is_at_least_a_quantum_and_a_multiple_of_it() -> None:
    odd = replace(AC3_16, minimum_mw=4_100_000, maximum_mw=11_100_000)
    none = replace(AC3_16, minimum_mw=0)
    assert given(4.139, [odd]).amperes() == [0.0]
    assert given(4.14, [odd]).amperes() == [6.0]
    assert given(100, [odd]).amperes() == [16.0]
    assert given(0.069, [none]).amperes() == [0.1]
    assert given(0.068, [none]).allocation.reason.tolist() == [Reason.NO_CAPACITY]


def test_a_full_car_takes_no_part() -> None:
    full = replace(AC3_16, maximum_mw=0, may_pause=False)
    two = given(5, [full, AC3_16])
    assert two.amperes() == [0.0, 7.2]
    assert two.allocation.reason.tolist() == [Reason.UNABLE, Reason.SHARED]
    assert two.allocation.sharing.tolist() == [1]


def test_nothing_to_allocate() -> None:
    assert given([5, 3], [], Tree([-1, 0])).allocation.total_mw.tolist() == [0, 0]
    assert given([], [], Tree([])).kw() == []


def test_limits_are_one_per_node() -> None:
    with pytest.raises(ValueError, match="one limit per node"):
        allocate(Tree([-1]), np.array([1, 2]), Sessions.of([AC3_16]))
    for node in (1, -1):
        with pytest.raises(IndexError):
            given(5, [replace(AC3_16, node=node)])
