"""What came of something that an operator asked for: kept on the shelf until the node that was asked has seen it."""

from dataclasses import dataclass
from datetime import datetime

from plugins.load_manager.grid.group import Member, Problem
from plugins.load_manager.grid.model import GridModel


@dataclass(frozen=True, slots=True)
class Outcome:
    """It was done at this moment, or refused for its `problems`. `created`: something is there that was not;
    `left_out` are members that have no place in the grid any more.
    """

    at: datetime
    created: bool = False
    left_out: tuple[Member, ...] = ()
    problems: tuple[Problem, ...] = ()


def of_change(before: GridModel, after: GridModel, now: datetime) -> Outcome:
    """What a change of the grid did."""
    return Outcome(now, not before.groups.keys() >= after.groups.keys(), before.left_out(after))
