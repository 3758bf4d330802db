"""Who gets a floor (step A of the allocation): everybody if all needs fit, else in turn, whoever fits.

Only nodes that cannot carry all needs under them are looked at: the others never run out.
"""

from dataclasses import dataclass

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Ints
from plugins.load_manager.allocation.tree import Placement, Tree


@dataclass(frozen=True, slots=True)
class Asked:
    """What sessions ask for, in the order of the tree: `need_mw` at best, `minimum_mw` at least, both multiples of
    `quantum_mw`; both 0 for who cannot charge.
    """

    need_mw: Ints
    minimum_mw: Ints
    quantum_mw: Ints
    may_pause: Bools


@dataclass(frozen=True, slots=True)
class Admitted:
    """floor_mw: per session, 0 if it is paused. refused_by: the node that had no room for its minimum, else -1."""

    floor_mw: Ints
    refused_by: Ints


def admit(placed: Placement, room_mw: Ints, asked: Asked, turn: Ints) -> Admitted:
    """Floors that fit every node.

    room_mw: per node, not negative
    turn: places of sessions, the most urgent first; those outside a short node need not be in it
    """
    short = placed.total(asked.need_mw) > room_mw
    above = _short_above(placed.tree, short)
    touched = np.array([bool(path) for path in above], dtype=np.bool_)[placed.node] & (asked.need_mw > 0)
    walk = _Walk(room_mw, above, asked, placed.node)
    walk.floor_mw = np.where(touched, 0, asked.need_mw).tolist()
    turn = turn[touched[turn]]
    minimum_first = touched & _minimum_first(placed, room_mw, asked)
    if minimum_first.any():
        walk.grant(turn[minimum_first[turn]], asked.minimum_mw)
        turn = turn[~minimum_first[turn] | (np.array(walk.floor_mw)[turn] > 0)]
    walk.grant(turn, asked.need_mw)
    return Admitted(np.array(walk.floor_mw, dtype=np.int64), np.array(walk.refused_by, dtype=np.int64))


def _short_above(tree: Tree, short: Bools) -> list[tuple[int, ...]]:
    """For each node the short ones among it and those above it."""
    above: list[tuple[int, ...]] = [()] * len(tree)
    parents, is_short = tree.parents.tolist(), short.tolist()
    for nodes in tree.levels:
        for node in nodes.tolist():
            upper = above[parents[node]] if parents[node] >= 0 else ()
            above[node] = (node, *upper) if is_short[node] else upper
    return above


def _minimum_first(placed: Placement, room_mw: Ints, asked: Asked) -> Bools:
    """Who is admitted at the minimum before anybody gets more: sessions that may not be paused, and where the minima of
    all do not fit, everybody beside such a session. So nobody gains a place by forbidding pauses.
    """
    steady = ~asked.may_pause & (asked.minimum_mw > 0)
    if not steady.any():
        return steady
    crowded = (placed.total(asked.minimum_mw) > room_mw) & (placed.total(steady.astype(np.int64)) > 0)
    for nodes in placed.tree.levels[1:]:
        crowded[nodes] |= crowded[placed.tree.parents[nodes]]
    return steady | crowded[placed.node]


class _Walk:
    """Rooms and floors while sessions take their turn. Plain numbers: each decision depends on the one before."""

    def __init__(self, room_mw: Ints, above: list[tuple[int, ...]], asked: Asked, node: Ints) -> None:
        self._room: list[int] = room_mw.tolist()
        self._above = above
        self._asked = asked
        self._node = node
        self.floor_mw: list[int] = []
        self.refused_by: list[int] = [-1] * len(node)

    def grant(self, turn: Ints, wanted_mw: Ints) -> None:
        """Raises floors in turn to what is wanted, as far as there is room; below the minimum nobody gets any."""
        room, floors, above = self._room, self.floor_mw, self._above
        rows = (turn, self._node[turn], wanted_mw[turn], self._asked.minimum_mw[turn], self._asked.quantum_mw[turn])
        for place, node, wanted, minimum, quantum in zip(*(row.tolist() for row in rows), strict=True):
            path = above[node]
            floor = floors[place]
            more = wanted - floor
            tightest = -1
            for upper in path:
                if room[upper] < more:
                    more = room[upper]
                    tightest = upper
            if tightest >= 0:
                more -= more % quantum
                if floor + more < minimum:
                    self.refused_by[place] = tightest
                    continue
            for upper in path:
                room[upper] -= more
            floors[place] = floor + more
