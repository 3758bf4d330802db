"""Forests as slices, and sessions as arrays: what they accept and how they are laid out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.load_manager.allocation import Session, Sessions, Tree
from plugins.load_manager.allocation.tree import Placement


@given(st.data())
def test_what_is_under_a_node_is_one_slice(data: st.DataObject) -> None:
    parents = data.draw(
        st.lists(st.integers(-1, 6), max_size=8).map(lambda drawn: [min(p, k - 1) for k, p in enumerate(drawn)])
    )
    names = data.draw(st.permutations(range(len(parents))))
    shuffled = [-1] * len(parents)
    for node, parent in enumerate(parents):
        shuffled[names[node]] = names[parent] if parent >= 0 else -1
    tree = Tree(shuffled)
    nodes = np.array(
        data.draw(st.lists(st.integers(0, max(0, len(parents) - 1)), max_size=9 if parents else 0)), dtype=np.int64
    )
    placed = Placement.of(tree, nodes)
    totals = placed.total((10 ** np.arange(len(nodes)))[placed.order])
    for node in range(len(parents)):
        inside = [k for k, at in enumerate(nodes.tolist()) if node in tree.path(at)]
        assert totals[node] == sum(10**k for k in inside)


def test_eight_levels_and_no_more() -> None:
    assert len(Tree([-1, 0, 1, 2, 3, 4, 5, 6]).levels) == 8
    with pytest.raises(ValueError, match="8 levels"):
        Tree([-1, 0, 1, 2, 3, 4, 5, 6, 7])


@pytest.mark.parametrize("parents", [[0], [1, 0], [-1, 2, 1]])
def test_no_circles(parents: list[int]) -> None:
    with pytest.raises(ValueError, match="circles"):
        Tree(parents)


@pytest.mark.parametrize("parents", [[-2], [-1, 2]])
def test_a_parent_exists(parents: list[int]) -> None:
    with pytest.raises(ValueError, match="index of a node"):
        Tree(parents)


@pytest.mark.parametrize(
    "wrong",
    [{"quantum_mw": 0}, {"weight_percent": 0}, {"weight_percent": 1025}, {"maximum_mw": 2**32 + 1}, {"minimum_mw": -1}],
)
def test_sessions_lie_in_their_ranges(wrong: dict[str, int]) -> None:
    row = Session(0, 1, 2)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sessions.of([row, replace(row, **wrong)])  # type: ignore[arg-type]


def test_arrays_have_one_length() -> None:
    two = Sessions.of([Session(0, 1, 2, key="a"), Session(0, 1, 2, key="b")])
    with pytest.raises(ValueError, match="one length"):
        replace(two, on=two.on[:1])
    assert two.taken(np.array([1])).key.tolist() == ["b"]
