"""The sentences people read, and currents in tenths of an ampere."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from plugins.load_manager.allocation import Sessions, Tree, explain, power_mw, quantum_mw, tenths_of_ampere
from tests.unit.plugins.load_manager.allocation.cars import AC1_16, AC3_16, car, given


def test_sentences() -> None:
    assert given(30.1, [AC3_16] * 3).said(0) == "limited to 10.0 kW by group T1 (30.1 kW shared by 3)"
    assert given(100, [AC3_16]).said(0) == "not limited: 11.0 kW is all it can draw"
    two = given(11.04, [replace(AC3_16, satisfied=True), AC3_16])
    assert two.said(0) == "limited to 4.1 kW by group T1 (11.04 kW shared by 2): its need is met, others come first"
    pair = given(5, [replace(AC3_16, key=key) for key in "ab"])
    assert pair.said(1) == "paused by group T1 (5 kW shared by 1): no room for its minimum, it waits for its turn"
    assert given(3, [AC3_16]).said(0) == "paused by group T1: 3 kW is less than its minimum"
    assert (
        given(3, [replace(AC3_16, maximum_mw=0)]).said(0)
        == "paused: the most it can draw is below the least it can draw"
    )
    sure = given(8, [replace(AC3_16, need_kwh=5, departure_h=1, believed=True), AC1_16])
    assert sure.said(0) == (
        "limited to 5.9 kW by group T1 (8 kW shared by 2): more than its share, as it cannot do with less"
    )


def test_the_group_that_is_named_is_the_one_that_holds_it_back() -> None:
    """Feeder 20 kW over T1 12 kW with two and T2 with one: T1 binds its two, the feeder the third."""
    rows = [car(3, 16, 1), car(3, 16, 1), car(3, 32, 2)]
    three = given([20, 12, 50], rows, Tree([-1, 0, 0]))
    limits, sessions = np.array(three.limits_mw), Sessions.of(rows)
    found = [explain(three.allocation, limits, sessions, session) for session in range(3)]
    assert [one.node for one in found] == [1, 1, 0]
    assert [one.sharing for one in found] == [2, 2, 3]
    assert [one.level for one in found] == [6_000_000, 6_000_000, 8_000_000]
    assert all(np.isnan(one.shortfall_kwh) for one in found)


@pytest.mark.parametrize(
    ("limits_kw", "named"), [((3, 100, 2), 2), ((1, 100, 2), 0), ((2, 100, 2), 2), ((3, -1, 2), 1)]
)
def test_without_capacity_the_narrowest_group_is_named(limits_kw: Sequence[float], named: int) -> None:
    """The nearest of equals; node 2 stands under 1, which stands under 0."""
    rows = [car(3, 16, 2)]
    paused = given(limits_kw, rows, Tree([-1, 0, 1]))
    assert explain(paused.allocation, np.array(paused.limits_mw), Sessions.of(rows), 0).node == named


@pytest.mark.parametrize(
    ("power", "phases", "tenths"),
    [
        (10_000_000, 3, 144),
        (15_280_000, 3, 221),
        (9_935_999, 3, 143),
        (9_936_000, 3, 144),
        (3_680_000, 1, 160),
        (0, 3, 0),
    ],
)
def test_currents_are_rounded_down_in_whole_numbers(power: int, phases: int, tenths: int) -> None:
    assert tenths_of_ampere(power, phases) == tenths
    assert power_mw(tenths, phases) <= power < power_mw(tenths + 1, phases)
    assert power_mw(tenths, phases) % quantum_mw(phases) == 0


def test_another_voltage() -> None:
    assert tenths_of_ampere(4_400_000, 1, voltage_v=220) == 200
