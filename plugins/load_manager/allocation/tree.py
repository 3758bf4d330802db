"""The grid groups as a forest, and the sessions laid out along it.

Nodes and sessions are put in depth-first order, so that what is under a node is one slice and a sum over it is the
difference of two running sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plugins.load_manager.allocation.arrays import Ints

MAX_LEVELS = 8
NO_LIMIT_MW = 2**60  # the limit of a node that has none; sums of powers stay far below it


class Tree:
    """A forest of nodes, each named by its index; made once per topology.

    parents: for each node the index of its parent, -1 for a root
    Raises ValueError for a parent that does not exist, for a circle, and for more than `MAX_LEVELS` levels.
    """

    def __init__(self, parents: Sequence[int] | Ints) -> None:
        self.parents: Ints = np.array(parents, dtype=np.int64).reshape(-1)
        count = len(self.parents)
        if count and not -1 <= int(self.parents.min()) <= int(self.parents.max()) < count:
            raise ValueError("a parent is the index of a node, or -1")
        depth = _depths(self.parents)
        self.levels: tuple[Ints, ...] = tuple(np.flatnonzero(depth == d) for d in range(int(depth.max(initial=-1)) + 1))
        self.first, self.past = _slices(self.parents, self.levels)

    def __len__(self) -> int:
        return len(self.parents)

    def path(self, node: int) -> list[int]:
        """The node and all above it, the root last."""
        path = []
        while node >= 0:
            path.append(node)
            node = int(self.parents[node])
        return path


@dataclass(frozen=True, slots=True)
class Placement:
    """Sessions in the order of the tree: `order[k]` is the one at place k, which stands under `node[k]`, and all those
    under a node have the places `start[node]` to `stop[node]`.
    """

    tree: Tree
    order: Ints
    node: Ints
    start: Ints
    stop: Ints

    @classmethod
    def of(cls, tree: Tree, node: Ints) -> "Placement":
        """node: for each session the index of its node. Raises IndexError for a node that is not in the tree."""
        if len(node) and int(node.min()) < 0:
            raise IndexError("a session stands under a node of the tree")
        rank = tree.first[node]
        order = np.argsort(rank, kind="stable")
        in_order = rank[order]
        return cls(
            tree, order, node[order], np.searchsorted(in_order, tree.first), np.searchsorted(in_order, tree.past)
        )

    def total(self, values: Ints) -> Ints:
        """For each node the sum over the sessions under it; values are in the order of the tree."""
        running = np.zeros(len(values) + 1, dtype=np.int64)
        np.cumsum(values, out=running[1:])
        return running[self.stop] - running[self.start]


def _depths(parents: Ints) -> Ints:
    depth = np.zeros(len(parents), dtype=np.int64)
    above = parents
    for _ in range(MAX_LEVELS):
        if not (above >= 0).any():
            return depth
        depth += above >= 0
        above = np.where(above >= 0, parents[above], -1)
    raise ValueError(f"a tree has at most {MAX_LEVELS} levels and no circles")


def _slices(parents: Ints, levels: tuple[Ints, ...]) -> tuple[Ints, Ints]:
    size = np.ones(len(parents), dtype=np.int64)
    for nodes in reversed(levels[1:]):
        np.add.at(size, parents[nodes], size[nodes])
    first = np.zeros(len(parents), dtype=np.int64)
    for depth, nodes in enumerate(levels):
        above = parents[nodes]
        siblings = nodes[np.argsort(above, kind="stable")]
        above = parents[siblings]
        before = np.cumsum(size[siblings]) - size[siblings]
        eldest = before[np.searchsorted(above, above)]
        first[siblings] = before - eldest + (first[above] + 1 if depth else 0)
    return first, first + size
