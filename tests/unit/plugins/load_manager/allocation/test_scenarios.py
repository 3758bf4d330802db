"""The acceptance scenarios of load management that are about allocation alone, with their numbers."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from plugins.load_manager.allocation import FAST, Reason, Session, Sessions, Tree, allocate, explain
from tests.unit.plugins.load_manager.allocation.cars import AC1_16, AC3_16, AC3_32, KW, car, given


def keyed(rows: Sequence[Session]) -> list[Session]:
    return [replace(row, key=f"S{number}") for number, row in enumerate(rows, 1)]


def test_1_no_constraint() -> None:
    three = given(100, [AC3_16] * 3)
    assert three.amperes() == [16.0, 16.0, 16.0]
    assert sum(three.kw()) == pytest.approx(33.12)
    assert three.allocation.bound_by.tolist() == [-1, -1, -1]
    assert np.isnan(three.allocation.level).all()


def test_2_equal_share() -> None:
    three = given(30, [AC3_16] * 3)
    assert three.amperes() == [14.4, 14.4, 14.4]
    assert three.allocation.level.tolist() == [10 * KW]
    assert three.allocation.total_mw.tolist() == [29_808_000]


def test_3_bounds() -> None:
    mixed = given(30, [AC1_16, AC3_16, AC3_32])
    assert mixed.amperes() == [16.0, 16.0, 22.1]
    assert mixed.kw()[:2] == [3.68, 11.04]
    assert mixed.allocation.level.tolist() == [15_280_000]


def test_4_fast_weighs_twice() -> None:
    three = given(18, [replace(AC3_32, weight_percent=FAST), AC3_32, AC3_32])
    assert three.amperes() == [13.0, 6.5, 6.5]
    assert three.allocation.level.tolist() == [4_500_000]


def test_5_below_the_minimum_turns_rotate() -> None:
    """10 kW for four: two are on, every 15 minutes the pair changes, after an hour everybody has been on for 30."""
    since_min = [0] * 4
    on = [False] * 4
    minutes_on = [0] * 4
    pairs = []
    for now in range(0, 60, 5):
        rows = [
            replace(AC3_16, key=f"S{k}", on=on[k], on_h=age / 60 if on[k] else 0, waiting_h=0 if on[k] else age / 60)
            for k, age in enumerate(now - since for since in since_min)
        ]
        amperes = given(10, rows).amperes()
        assert sorted(amperes) == [0.0, 0.0, 7.2, 7.2]
        for k, current in enumerate(amperes):
            if on[k] != (current > 0):
                since_min[k] = now
            on[k] = current > 0
            minutes_on[k] += 5 * on[k]
        pairs.append(tuple(on))
    assert minutes_on == [30, 30, 30, 30]
    assert [pair == other for pair, other in pairwise(pairs)] == ([True, True, False] * 4)[:-1]


def test_6_nested_bottleneck() -> None:
    feeder = Tree([-1, 0, 0])
    four = given([45, 30, 30], [car(3, 32, 1)] * 3 + [car(3, 32, 2)], feeder)
    assert four.amperes() == [14.4, 14.4, 14.4, 21.7]
    assert four.allocation.level.tolist()[:2] == [15 * KW, 10 * KW]
    assert four.allocation.bound_by.tolist() == [1, 1, 1, 0]


TWO_DEADLINES = keyed([replace(AC3_16, need_kwh=20, departure_h=2), replace(AC3_16, need_kwh=10, departure_h=10)])


def test_7_deadline() -> None:
    assert given(11.04, TWO_DEADLINES).amperes() == [16.0, 0.0]

    done_after_h = 20 / 11.04
    assert done_after_h == pytest.approx(1.81, abs=0.005)
    rows = [
        replace(TWO_DEADLINES[0], need_kwh=0, departure_h=2 - done_after_h, satisfied=True, maximum_mw=0),
        replace(TWO_DEADLINES[1], departure_h=10 - done_after_h, waiting_h=done_after_h),
    ]
    assert given(11.04, rows).amperes() == [0.0, 16.0]
    assert 10 - done_after_h > 10 / 11.04


def test_7_deadline_without_voluntary_pause() -> None:
    steady = [replace(row, may_pause=False) for row in TWO_DEADLINES]
    two = given(11.04, steady)
    assert two.amperes() == [10.0, 6.0]
    limits = np.array(two.limits_mw)
    first, second = (explain(two.allocation, limits, Sessions.of(steady), session) for session in (0, 1))
    assert first.shortfall_kwh == pytest.approx(6.2)
    assert second.shortfall_kwh == 0.0
    assert (first.reason, first.node) == (Reason.FLOOR, 0)


def test_8_need_met() -> None:
    two = given(11.04, [replace(AC3_16, satisfied=True), AC3_16])
    assert two.amperes() == [6.0, 10.0]
    assert two.allocation.reason.tolist() == [Reason.MET, Reason.SHARED]


def test_8_need_met_takes_what_the_others_leave() -> None:
    assert given(13, [replace(AC3_16, satisfied=True), AC1_16]).amperes() == [13.5, 16.0]


def test_11_sudden_drop() -> None:
    six = keyed([replace(AC3_16, on=True, on_h=2)] * 6)
    assert given(60, six).amperes() == [14.4] * 6
    dropped = given(24, six)
    assert sorted(dropped.amperes()) == [0.0] + [6.9] * 5
    assert dropped.allocation.total_mw.tolist() == [23_805_000]


def test_12_zero_and_less() -> None:
    for limit_kw, deficit_mw in ((0, 0), (-1.04, 1_040_000)):
        none = given(limit_kw, [AC3_16] * 3)
        assert none.amperes() == [0.0] * 3
        assert none.allocation.deficit_mw.tolist() == [deficit_mw]
        assert none.allocation.reason.tolist() == [Reason.NO_CAPACITY] * 3


def test_22_targets_of_two_that_come_one_after_the_other() -> None:
    reserve_kw = 4.14
    assert given(22 - reserve_kw, [AC3_32]).amperes() == [25.8]
    both = given(22, [AC3_32, AC3_32])
    assert both.amperes() == [15.9, 15.9]
    assert both.allocation.total_mw.tolist() == [21_942_000]


@pytest.mark.parametrize(("limit_kw", "current_a"), [(20, 14.4), (20.3, 14.7), (19.9, 14.4), (19.8, 14.3)])
def test_26_small_steps(limit_kw: float, current_a: float) -> None:
    assert given(limit_kw, [AC3_16] * 2).amperes() == [current_a] * 2


def test_26_session_end() -> None:
    assert given(19.8, [AC3_16]).amperes() == [16.0]


def test_30_the_laws_hold_at_size() -> None:
    """2,000 sessions at 100 sites in four levels, short at every node: sums fit, values are allowed, little is left."""
    rng = np.random.default_rng(1)
    parents = [-1, *[0] * 5, *(1 + k % 5 for k in range(20)), *(6 + k % 20 for k in range(100))]
    kinds = [AC1_16, car(1, 32), AC3_16, AC3_32]
    rows = [replace(kinds[k % 4], node=int(rng.integers(26, 126)), key=k) for k in range(2_000)]
    maxima = np.zeros(len(parents))
    for row in rows:
        node = row.node
        while node >= 0:
            maxima[node] += row.maximum_mw
            node = parents[node]
    depth = np.array([0, *[1] * 5, *[2] * 20, *[3] * 100])
    limits = (maxima * (0.4 + 0.05 * depth)).astype(np.int64)
    allocation = allocate(Tree(parents), limits, Sessions.of(rows))
    assert (allocation.total_mw <= limits).all()
    assert allocation.total_mw.sum() > 0.99 * limits[0]
    for row, power in zip(rows, allocation.power_mw.tolist(), strict=True):
        assert power == 0 or row.minimum_mw <= power <= row.maximum_mw
        assert power % row.quantum_mw == 0
