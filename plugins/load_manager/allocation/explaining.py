"""Why one session has what it has: values for a log or a page, and the sentence people read."""

import math
from dataclasses import dataclass

from plugins.load_manager.allocation.allocating import Allocation
from plugins.load_manager.allocation.arrays import Ints
from plugins.load_manager.allocation.reasons import Reason
from plugins.load_manager.allocation.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Explanation:
    """`node` is the one that holds the session back, None if none does; `limit_mw`, `level` and `sharing` are that
    node's. `shortfall_kwh` is what it would lack at its departure if nothing changed, nan when that is not known.
    """

    reason: Reason
    power_mw: int
    floor_mw: int
    node: int | None
    limit_mw: int
    level: float
    sharing: int
    shortfall_kwh: float


def explain(allocation: Allocation, limits_mw: Ints, sessions: Sessions, session: int) -> Explanation:
    """The explanation of the session at this index; limits and sessions are those the allocation was made from."""
    node = int(allocation.bound_by[session])
    bound = node >= 0
    power_mw = int(allocation.power_mw[session])
    shortfall_kwh = float(sessions.need_kwh[session] - sessions.departure_h[session] * power_mw / 1e6)
    return Explanation(
        reason=Reason(int(allocation.reason[session])),
        power_mw=power_mw,
        floor_mw=int(allocation.floor_mw[session]),
        node=node if bound else None,
        limit_mw=int(limits_mw[node]) if bound else 0,
        level=float(allocation.level[node]) if bound else math.nan,
        sharing=int(allocation.sharing[node]) if bound else 0,
        shortfall_kwh=shortfall_kwh if math.isnan(shortfall_kwh) else max(0.0, shortfall_kwh),
    )


def sentence(explanation: Explanation, group: str = "") -> str:
    """What to tell people; `group` is the name of the node that holds the session back."""
    kw = f"{explanation.power_mw / 1e6:.1f} kW"
    shared = f"{explanation.limit_mw / 1e6:.4g} kW shared by {explanation.sharing}"
    match explanation.reason:
        case Reason.FULL:
            return f"not limited: {kw} is all it can draw"
        case Reason.SHARED:
            return f"limited to {kw} by group {group} ({shared})"
        case Reason.FLOOR:
            return f"limited to {kw} by group {group} ({shared}): more than its share, as it cannot do with less"
        case Reason.MET:
            return f"limited to {kw} by group {group} ({shared}): its need is met, others come first"
        case Reason.WAITING:
            return f"paused by group {group} ({shared}): no room for its minimum, it waits for its turn"
        case Reason.NO_CAPACITY:
            return f"paused by group {group}: {explanation.limit_mw / 1e6:.4g} kW is less than its minimum"
        case Reason.UNABLE:
            return "paused: the most it can draw is below the least it can draw"
