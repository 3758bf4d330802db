"""The laws of the allocation on random forests, and an oracle that knows only its definition."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.load_manager.allocation import (
    NO_LIMIT_MW,
    Allocation,
    Policy,
    Reason,
    Session,
    Sessions,
    Tree,
    allocate,
    explain,
)
from plugins.load_manager.allocation.allocating import BELIEVED_SHARES
from tests.properties import allocation_oracle as oracle

NAN = math.nan
HOURS = st.sampled_from([0.0, 0.05, 0.25, 0.5, 0.75, 1.0, 3.0])


@dataclass(frozen=True)
class World:
    parents: list[int]
    limits: list[int]
    rows: list[Session]

    def allocated(self, policy: Policy = Policy.FAIR) -> Allocation:
        return allocate(Tree(self.parents), np.array(self.limits, dtype=np.int64), Sessions.of(self.rows), policy)

    def powers(self, policy: Policy = Policy.FAIR) -> list[int]:
        return [int(power) for power in self.allocated(policy).power_mw]


@st.composite
def sessions(draw: st.DrawFn, nodes: int, number: int, *, plain: bool = False) -> Session:
    """One of a few kinds, so that ties and equal shares are common. plain: it said nothing and is not satisfied."""
    quantum = draw(st.sampled_from([1, 7, 10, 23, 69]))
    minimum = draw(st.sampled_from([0, 1, 20, 60])) * quantum + draw(st.sampled_from([0, 0, 0, 3]))
    maximum = minimum + draw(st.sampled_from([-1, 0, 1, 50, 50, 100, 100, 260, 260])) * quantum
    told = not plain and draw(st.booleans())
    on = draw(st.booleans())
    return Session(
        node=draw(st.integers(0, nodes - 1)),
        minimum_mw=minimum,
        maximum_mw=max(0, maximum),
        quantum_mw=quantum,
        weight_percent=draw(st.sampled_from([100, 100, 200, 50, 1, 1024])),
        need_kwh=draw(st.sampled_from([0.0, 0.0005, 0.005, 0.02, 5.0])) if told else NAN,
        departure_h=draw(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 10.0])) if told else NAN,
        satisfied=not plain and draw(st.sampled_from([False, False, True])),
        may_pause=draw(st.sampled_from([True, True, False])),
        believed=draw(st.booleans()),
        on=on,
        on_h=draw(HOURS) if on else 0.0,
        waiting_h=0.0 if on else draw(HOURS),
        arrived_s=draw(st.sampled_from([10, 20, number])),
        key=f"s{number}",
    )


@st.composite
def worlds(draw: st.DrawFn, *, plain: bool = False, most: int = 9) -> World:
    """Limits are drawn around what the sessions under a node could use, so that they often hold somebody back."""
    nodes = draw(st.integers(1, 7))
    parents = [-1, *(draw(st.integers(-1, node - 1)) for node in range(1, nodes))]
    count = draw(st.integers(0, most))
    rows = [draw(sessions(nodes, number, plain=plain)) for number in range(count)]
    limits = []
    for node in range(nodes):
        below = [oracle.bounds(row) for row in rows if node in oracle.paths(parents)[row.node]]
        minima, maxima = sum(least for least, _ in below), sum(most for _, most in below)
        kind = draw(st.sampled_from(["between", "between", "few", "edge", "none", "little"]))
        limits.append(
            {
                "between": minima + (maxima - minima) * draw(st.integers(0, 100)) // 100,
                "few": minima * draw(st.integers(20, 100)) // 100,
                "edge": minima + draw(st.integers(-2, 2)),
                "none": NO_LIMIT_MW,
                "little": draw(st.integers(-50, 100)),
            }[kind]
        )
    return World(parents, limits, rows)


@st.composite
def roomy(draw: st.DrawFn) -> World:
    """Worlds where all minima fit everywhere and nobody has said what it needs."""
    world = draw(worlds(plain=True))
    paths = oracle.paths(world.parents)
    limits = list(world.limits)
    for node in range(len(limits)):
        minima = sum(oracle.bounds(row)[0] for row in world.rows if node in paths[row.node])
        limits[node] = max(0, limits[node]) + minima
    return replace(world, limits=limits)


def under(world: World, node: int) -> list[int]:
    paths = oracle.paths(world.parents)
    return [index for index, row in enumerate(world.rows) if node in paths[row.node]]


def slack(world: World, powers: Sequence[int], node: int) -> int:
    return max(0, world.limits[node]) - sum(powers[index] for index in under(world, node))


@settings(max_examples=150)
@given(worlds(), st.sampled_from(Policy))
def test_i1_i3_i4_limits_hold_values_are_allowed_and_nothing_usable_is_left(world: World, policy: Policy) -> None:
    powers = world.powers(policy)
    paths = oracle.paths(world.parents)
    left = [slack(world, powers, node) for node in range(len(world.parents))]
    quanta = [
        sum(world.rows[index].quantum_mw for index in under(world, node) if powers[index])
        for node in range(len(world.parents))
    ]
    assert min(left) >= 0
    for row, power in zip(world.rows, powers, strict=True):
        least, most = oracle.bounds(row)
        assert power == 0 or row.minimum_mw <= least <= power <= most <= row.maximum_mw
        assert power % row.quantum_mw == 0
        if power == 0 < most:
            assert any(left[node] < least for node in paths[row.node])
        elif power < most:
            assert any(left[node] < quanta[node] for node in paths[row.node])


@settings(max_examples=150)
@given(worlds())
def test_i5_the_same_as_by_the_definition(world: World) -> None:
    """Floors to the milliwatt; powers before rounding differ by the width of a level, after it by at most a quantum."""
    world = replace(world, rows=[replace(row, believed=True) for row in world.rows])
    allocation = world.allocated()
    room = [max(0, limit) for limit in world.limits]
    assert allocation.floor_mw.tolist() == oracle.floors(world.parents, room, world.rows)
    exact = oracle.allocate(world.parents, world.limits, world.rows)
    for row, power, wanted in zip(world.rows, allocation.power_mw.tolist(), exact, strict=True):
        tolerance = row.quantum_mw + 2 * len(world.rows)
        assert abs(power - wanted) <= tolerance


@settings(max_examples=60)
@given(worlds())
def test_nobody_gains_a_floor_above_three_fair_shares_by_what_it_says(world: World) -> None:
    room = [max(0, limit) for limit in world.limits]
    places = [(row.node, row.weight_percent) for row in world.rows]
    most = [oracle.bounds(row)[1] for row in world.rows]
    shares = oracle.max_min(world.parents, room, places, [0] * len(most), most)
    for row, floor, share in zip(world.rows, world.allocated().floor_mw.tolist(), shares, strict=True):
        if not row.believed:
            least = oracle.bounds(row)[0]
            assert floor <= max(least, BELIEVED_SHARES * max(share + len(world.rows), Fraction(least)))


@settings(max_examples=60)
@given(roomy(), st.data())
def test_i6_more_room_lowers_nobody_under_it(world: World, data: st.DataObject) -> None:
    before = world.powers()
    node = data.draw(st.integers(0, len(world.parents) - 1))
    limits = list(world.limits)
    limits[node] += data.draw(st.integers(1, 10_000))
    after = replace(world, limits=limits).powers()
    helped = range(len(world.rows)) if world.parents.count(-1) == 1 and node == 0 else under(world, node)
    assert all(after[index] >= before[index] for index in helped)


@settings(max_examples=60)
@given(roomy(), st.data())
def test_i7_a_session_that_leaves_lowers_nobody(world: World, data: st.DataObject) -> None:
    if not world.rows:
        return
    before = world.powers()
    gone = data.draw(st.integers(0, len(world.rows) - 1))
    after = replace(world, rows=[*world.rows[:gone], *world.rows[gone + 1 :]]).powers()
    del before[gone]
    assert all(late >= early for early, late in zip(before, after, strict=True))


@settings(max_examples=60)
@given(worlds(), st.sampled_from(Policy), st.data())
def test_i8_the_order_of_sessions_does_not_matter(world: World, policy: Policy, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(world.rows))))
    first, second = world.allocated(policy), replace(world, rows=[world.rows[k] for k in order]).allocated(policy)
    for name in ("power_mw", "floor_mw", "reason", "bound_by"):
        assert [getattr(first, name)[k] for k in order] == getattr(second, name).tolist()
    assert np.array_equal(first.level, second.level, equal_nan=True)


@settings(max_examples=60)
@given(worlds(), st.sampled_from([2, 8, 64]))
def test_i8_powers_have_no_natural_size(world: World, k: int) -> None:
    """In powers of two, so that what was said in floating point scales without an error of its own."""
    rows = [replace(row, believed=True) for row in world.rows]
    scaled = [
        replace(
            row,
            minimum_mw=row.minimum_mw * k,
            maximum_mw=row.maximum_mw * k,
            quantum_mw=row.quantum_mw * k,
            need_kwh=row.need_kwh * k,
        )
        for row in rows
    ]
    small = replace(world, rows=rows).allocated()
    limits = [limit if limit == NO_LIMIT_MW else limit * k for limit in world.limits]
    large = World(world.parents, limits, scaled).allocated()
    assert (small.floor_mw * k).tolist() == large.floor_mw.tolist()
    for row, one, other in zip(scaled, small.power_mw.tolist(), large.power_mw.tolist(), strict=True):
        assert abs(one * k - other) <= row.quantum_mw + 2 * k * len(rows)


@settings(max_examples=60)
@given(worlds(), st.sampled_from(Policy), st.data())
def test_i14_names_do_not_matter(world: World, policy: Policy, data: st.DataObject) -> None:
    """Not at all where nobody came at the same moment; among sessions that are equal in all else they choose which."""
    rows = [replace(row, arrived_s=number) for number, row in enumerate(world.rows)]
    names = data.draw(st.permutations([row.key for row in rows]))
    renamed = [replace(row, key=name) for row, name in zip(rows, names, strict=True)]
    assert replace(world, rows=rows).powers(policy) == replace(world, rows=renamed).powers(policy)

    twins = [replace(world.rows[0], key=name) for name in names] if world.rows else []
    turned = [replace(row, key=name) for row, name in zip(twins, reversed(names), strict=True)]
    one, other = replace(world, rows=twins).powers(policy), replace(world, rows=turned).powers(policy)
    assert Counter(one) == Counter(other)
    assert dict(zip(names, one, strict=True)) == dict(zip(reversed(names), other, strict=True))


@settings(max_examples=60)
@given(worlds())
def test_trees_do_not_know_of_each_other(world: World) -> None:
    """Two copies of a world side by side are allocated as each alone."""
    count = len(world.parents)
    parents = world.parents + [parent + count if parent >= 0 else -1 for parent in world.parents]
    copies = [replace(row, node=row.node + count, key=f"t{row.key}") for row in world.rows]
    assert World(parents, world.limits * 2, world.rows + copies).powers() == world.powers() * 2


@settings(max_examples=60)
@given(worlds())
def test_who_may_not_be_paused_is_paused_only_where_minima_do_not_fit(world: World) -> None:
    paths = oracle.paths(world.parents)
    for row, power in zip(world.rows, world.powers(), strict=True):
        least = oracle.bounds(row)[0]
        if least and not row.may_pause and not power:
            minima = [
                (sum(oracle.bounds(world.rows[index])[0] for index in under(world, node)), world.limits[node])
                for node in paths[row.node]
            ]
            assert any(needed > max(0, limit) for needed, limit in minima)


@settings(max_examples=60)
@given(worlds(), st.sampled_from(Policy))
def test_reasons_say_what_is_true(world: World, policy: Policy) -> None:
    allocation = world.allocated(policy)
    paths = oracle.paths(world.parents)
    limits, arrays = np.array(world.limits, dtype=np.int64), Sessions.of(world.rows)
    for index, row in enumerate(world.rows):
        said = explain(allocation, limits, arrays, index)
        least, most = oracle.bounds(row)
        assert said.reason.paused == (said.power_mw == 0)
        assert (said.node is None) == (said.reason in (Reason.FULL, Reason.UNABLE))
        if said.node is None:
            assert said.power_mw == most
            continue
        assert said.node in paths[row.node]
        if said.reason is Reason.NO_CAPACITY:
            assert said.limit_mw < least
        elif said.reason is Reason.WAITING:
            assert all(max(0, world.limits[node]) >= least for node in paths[row.node])
        else:
            assert said.floor_mw <= said.power_mw <= most
            assert said.sharing == sum(1 for other in under(world, said.node) if allocation.power_mw[other])


@settings(max_examples=20)
@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([1, 3, 5, 15]),
    st.integers(0, 59),
    st.permutations(range(12)),
)
def test_i9_equal_sessions_take_turns(count: int, room: int, every_min: int, spare: int, names: list[int]) -> None:
    """Minute by minute for four hours, with a new allocation every few minutes, and some room beyond whole minima."""
    tree, limits = Tree([-1]), np.array([room * 60 + spare])
    at_once = min(room, count)
    on_since: list[int | None] = [None] * count
    off_since = [0] * count
    longest = 0
    for now in range(0, 241, every_min):
        rows = [
            Session(
                node=0,
                minimum_mw=60,
                maximum_mw=160,
                on=since is not None,
                on_h=(now - since) / 60 if since is not None else 0.0,
                waiting_h=(now - off_since[index]) / 60 if since is None else 0.0,
                key=names[index],
            )
            for index, since in enumerate(on_since)
        ]
        powers = allocate(tree, limits, Sessions.of(rows)).power_mw.tolist()
        assert sum(1 for power in powers if power) == at_once
        for index, power in enumerate(powers):
            since = on_since[index]
            if power and since is None:
                longest = max(longest, now - off_since[index])
                on_since[index] = now
            elif not power and since is not None:
                assert now - since >= 15
                on_since[index] = None
                off_since[index] = now
            elif not power:
                longest = max(longest, now - off_since[index])
    assert longest <= (math.ceil(count / at_once) - 1) * 15 + every_min
