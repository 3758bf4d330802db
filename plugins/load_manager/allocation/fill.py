"""Sharing what is left above the floors (step B of the allocation): the fullest level per node, from the leaves up.

Every node that has less than the sessions under it could draw gets a level, the largest whole number at which they fit;
a session draws what the lowest level above it grants, between its floor and its maximum. For the rule `Fair` that is
the weighted max-min fair point of the tree. Powers and levels are whole numbers, so sums never exceed a limit, and as a
session gains at most 1 mW per step of the level, less than 1 mW per session is left over.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plugins.load_manager.allocation.arrays import Floats, Ints, inside
from plugins.load_manager.allocation.tree import Placement

NO_LEVEL = -1
_GRID = 3_200  # powers worked out at once while a level is searched for: few sessions allow many levels a step


class Rule(Protocol):
    """What a level grants to each session: never less at a higher level."""

    def only(self, which: Ints) -> "Rule":
        """The rule for these sessions alone."""

    def lowest(self) -> int:
        """A level, not negative, at which nobody is granted anything."""

    def highest(self, upper_mw: Ints) -> int:
        """A level at which every session is granted its `upper_mw`."""

    def granted(self, level: Ints) -> Ints:
        """Powers in mW; the last axis runs over the sessions."""

    def spoken(self, level: Ints) -> Floats:
        """Levels as people know them."""


@dataclass(frozen=True, slots=True)
class Fair:
    """The same power per weight for everybody. A level is in 1/1024 mW per percent of weight, spoken in mW."""

    weight_percent: Ints

    def only(self, which: Ints) -> "Fair":
        return Fair(self.weight_percent[which])

    def lowest(self) -> int:
        return 0

    def highest(self, upper_mw: Ints) -> int:
        return int(np.max(-(-upper_mw * 1024 // self.weight_percent)))

    def granted(self, level: Ints) -> Ints:
        return self.weight_percent * level >> 10

    def spoken(self, level: Ints) -> Floats:
        return (level * 100 >> 10).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Slack:
    """More for who has less time to spare: full power at an hour below the level, nothing at the level. Levels count in
    2**-30 h from 1,000 h below nothing to spare; they are spoken in hours to spare.
    """

    maximum_mw: Ints
    laxity: Ints

    @classmethod
    def of(cls, maximum_mw: Ints, laxity_h: Floats) -> "Slack":
        """laxity_h: between -1,000 and 1,000."""
        return cls(maximum_mw, ((laxity_h + 1_000.0) * 2**30).astype(np.int64))

    def only(self, which: Ints) -> "Slack":
        return Slack(self.maximum_mw[which], self.laxity[which])

    def lowest(self) -> int:
        return int(self.laxity.min())

    def highest(self, upper_mw: Ints) -> int:
        return int(self.laxity.max()) + 2**30

    def granted(self, level: Ints) -> Ints:
        ahead: Ints = np.minimum(np.maximum(level - self.laxity, 0), 2**30)
        return self.maximum_mw * ahead >> 30

    def spoken(self, level: Ints) -> Floats:
        return level / 2**30 - 1_000.0


@dataclass(frozen=True, slots=True)
class Filled:
    """power_mw: per session. bound_by: per session the node that set its power, -1 if none did. level: per node, in the
    rule's units, `NO_LEVEL` where the node holds nobody back.
    """

    power_mw: Ints
    bound_by: Ints
    level: Ints


def fill(placed: Placement, room_mw: Ints, rule: Rule, floor_mw: Ints, upper_mw: Ints) -> Filled:
    """The largest powers by the rule that fit.

    room_mw: per node, at least the sum of the floors under it
    floor_mw, upper_mw: per session in the order of the tree, floor at most upper
    """
    power = upper_mw.copy()
    bound_by = np.full(len(power), -1, dtype=np.int64)
    level = np.full(len(placed.tree), NO_LEVEL, dtype=np.int64)
    for nodes in reversed(placed.tree.levels):
        short = nodes[placed.total(power)[nodes] > room_mw[nodes]]
        if len(short):
            short = short[np.argsort(placed.start[short])]
            start, stop = placed.start[short], placed.stop[short]
            which, counts = inside(start, stop), stop - start
            floor, upper, here = floor_mw[which], power[which], rule.only(which)
            level[short] = _levels(here, counts, room_mw[short], floor, upper)
            power[which] = _bounded(here, np.repeat(level[short], counts), floor, upper)
            lowered = power[which] < upper
            bound_by[which[lowered]] = np.repeat(short, counts)[lowered]
    return Filled(power, bound_by, level)


def _levels(rule: Rule, counts: Ints, room_mw: Ints, floor_mw: Ints, upper_mw: Ints) -> Ints:
    """For each group of `counts[k]` neighbouring sessions the largest level at which it fits its room. The search cuts
    the interval in as many parts as are cheap, for all groups at once.
    """
    groups = np.arange(len(counts))
    start = np.cumsum(counts) - counts
    low = np.full(len(counts), rule.lowest(), dtype=np.int64)
    high = np.full(len(counts), rule.highest(upper_mw), dtype=np.int64)
    cuts = max(1, min(63, _GRID // len(upper_mw)))
    parts = np.arange(1, cuts + 1, dtype=np.int64)[:, np.newaxis]
    while (low < high).any():
        grid = low + ((high - low) * parts + cuts) // (cuts + 1)
        power = _bounded(rule, np.repeat(grid, counts, axis=1), floor_mw, upper_mw)
        fitting = (np.add.reduceat(power, start, axis=1) <= room_mw).sum(axis=0)
        edges = np.concatenate([low[np.newaxis], grid, high[np.newaxis] + 1])
        low, high = edges[fitting, groups], edges[fitting + 1, groups] - 1
    return low


def _bounded(rule: Rule, level: Ints, floor_mw: Ints, upper_mw: Ints) -> Ints:
    power = rule.granted(level)
    np.minimum(power, upper_mw, out=power)
    return np.maximum(power, floor_mw, out=power)
