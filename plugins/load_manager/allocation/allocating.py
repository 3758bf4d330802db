"""The allocation of one period: admission, fill and rounding down, over the whole forest at once.

Laws, exact on the whole numbers it returns
- Under every node the powers sum to at most its limit, or to 0 where that is negative.
- A session has 0, or a multiple of its quantum between its minimum and its maximum.
- Who has less than its maximum has a node above it with less left than one quantum per session, or than its minimum.
- The order of sessions does not matter, and their keys only between two that are as urgent and came at one moment.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from plugins.load_manager.allocation import urgency
from plugins.load_manager.allocation.admission import Admitted, Asked, admit
from plugins.load_manager.allocation.arrays import Bools, Floats, Ints
from plugins.load_manager.allocation.fill import NO_LEVEL, Fair, Filled, Rule, Slack, fill
from plugins.load_manager.allocation.reasons import Reason
from plugins.load_manager.allocation.sessions import Sessions
from plugins.load_manager.allocation.tree import Placement, Tree

# Nobody gains more by overstating its need than a floor of so many fair shares, or minima where the share is below one.
# With two, drivers who tell the truth get too little (the simulator shows it); with three, they do not.
BELIEVED_SHARES = 3


class Policy(StrEnum):
    """How what is left above the floors is shared: equal power, or more for who has less time to spare."""

    FAIR = "fair"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Allocation:
    """Per session, in the order they came in: `power_mw`, `floor_mw` before the fill, `reason` (values of `Reason`) and
    `bound_by`, the node that keeps it below its maximum, else -1. Per node: `level` it grants (mW for weight 100; with
    the policy `slack` hours; nan where it holds nobody back), `sharing`, the sessions under it that draw, `power_mw` of
    all of them in `total_mw`, and `deficit_mw`, what its limit lacks to be 0.
    """

    power_mw: Ints
    floor_mw: Ints
    reason: Ints
    bound_by: Ints
    level: Floats
    sharing: Ints
    total_mw: Ints
    deficit_mw: Ints

    @property
    def admitted(self) -> Bools:
        """Which sessions draw power."""
        return self.power_mw > 0


def allocate(
    tree: Tree, limits_mw: Ints, sessions: Sessions, policy: Policy | Literal["fair", "slack"] = Policy.FAIR
) -> Allocation:
    """What each session may draw in this period.

    limits_mw: what the sessions under each node may draw together; negative where other load has more than all of it,
        `NO_LIMIT_MW` where there is no limit
    Raises ValueError when the limits are not one per node, IndexError when a session stands under no node.
    """
    limits_mw = np.asarray(limits_mw, dtype=np.int64)
    if len(limits_mw) != len(tree):
        raise ValueError("one limit per node")
    room_mw = np.maximum(limits_mw, 0)
    placed = Placement.of(tree, sessions.node)
    sessions = sessions.taken(placed.order)

    quantum = sessions.quantum_mw
    minimum = np.maximum(-(-sessions.minimum_mw // quantum), 1) * quantum
    maximum = sessions.maximum_mw // quantum * quantum
    maximum[maximum < minimum] = 0
    minimum = np.minimum(minimum, maximum)
    laxity = urgency.laxity_h(sessions, maximum)
    rule: Rule = Fair(sessions.weight_percent)
    need = urgency.need_mw(sessions, minimum, maximum)
    if (need > minimum).any():
        share = fill(placed, room_mw, rule, np.zeros_like(maximum), maximum).power_mw
        most = np.where(sessions.believed, need, BELIEVED_SHARES * np.maximum(share, minimum))
        need = np.maximum(np.minimum(need, most) // quantum * quantum, minimum)

    asked = Asked(need, minimum, quantum, sessions.may_pause)
    admitted = admit(placed, room_mw, asked, urgency.turn(sessions, laxity))
    floor = admitted.floor_mw
    upper = np.where(floor > 0, maximum, 0)
    if policy == Policy.SLACK:
        rule = Slack.of(maximum, laxity)
    filled = _in_two_passes(placed, room_mw, rule, floor, upper, last=sessions.satisfied & (floor > 0))
    power = filled.power_mw // quantum * quantum

    back = np.empty_like(placed.order)
    back[placed.order] = np.arange(len(back))
    reason, bound_by = _why(placed, room_mw, asked, admitted, filled, maximum=maximum, satisfied=sessions.satisfied)
    spoken = np.where(filled.level == NO_LEVEL, np.nan, rule.spoken(filled.level))
    return Allocation(
        power_mw=power[back],
        floor_mw=floor[back],
        reason=reason[back],
        bound_by=bound_by[back],
        level=spoken,
        sharing=placed.total((power > 0).astype(np.int64)),
        total_mw=placed.total(power),
        deficit_mw=np.maximum(-limits_mw, 0),
    )


def _in_two_passes(placed: Placement, room_mw: Ints, rule: Rule, floor: Ints, upper: Ints, *, last: Bools) -> Filled:
    """Those that want more first, then `last`, whose need is met."""
    first = fill(placed, room_mw, rule, floor, np.where(last, floor, upper))
    if not last.any():
        return first
    second = fill(placed, room_mw, rule, first.power_mw, np.where(last, upper, first.power_mw))
    return Filled(
        second.power_mw,
        np.where(last, second.bound_by, first.bound_by),
        np.where(first.level == NO_LEVEL, second.level, first.level),
    )


def _why(
    placed: Placement,
    room_mw: Ints,
    asked: Asked,
    admitted: Admitted,
    filled: Filled,
    *,
    maximum: Ints,
    satisfied: Bools,
) -> tuple[Ints, Ints]:
    """For each session the reason and the node that holds it back."""
    narrowest = _narrowest(placed.tree, room_mw)[placed.node]
    paused, able = admitted.floor_mw == 0, maximum > 0
    hopeless = paused & able & (room_mw[narrowest] < asked.minimum_mw)
    choices = (
        (~able, Reason.UNABLE),
        (hopeless, Reason.NO_CAPACITY),
        (paused, Reason.WAITING),
        (filled.power_mw == maximum, Reason.FULL),
        (satisfied, Reason.MET),
        (filled.power_mw == admitted.floor_mw, Reason.FLOOR),
    )
    reason = np.select([when for when, _ in choices], [int(then) for _, then in choices], int(Reason.SHARED))
    bound_by = np.where(paused, admitted.refused_by, filled.bound_by)
    return reason, np.where(hopeless, narrowest, bound_by)


def _narrowest(tree: Tree, room_mw: Ints) -> Ints:
    """For each node the one with the least room among it and those above it, the nearest of equals."""
    narrowest = np.arange(len(tree))
    for nodes in tree.levels[1:]:
        above = narrowest[tree.parents[nodes]]
        narrowest[nodes] = np.where(room_mw[above] < room_mw[nodes], above, nodes)
    return narrowest
