"""Small decreases cost CPOs messages and gain nobody anything, so they leave only where they are needed.

Rules
- A decrease is small where it is below an ampere and below a tenth at every moment.
- It is needed when a node above the session is over its limit with all that is booked, from now to the endings of the
  newest profiles, or when somebody below such a node waits for room to go up.
"""

from collections.abc import Collection, Iterable

from plugins.load_manager.dispatch.ledger import Ledger
from plugins.load_manager.dispatch.move import Move
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.dispatch.state import State
from plugins.load_manager.profiles import StepProfile, exceeds
from plugins.load_manager.strides import Strides


def small(row: Row, wanted: StepProfile, now_s: int, until_s: int) -> bool:
    """Whether `wanted` is less than an ampere and less than a tenth below the newest profile, up to `until_s`."""
    ampere_mw = row.session.scale.ampere_mw
    return not exceeds(row.newest, wanted, now_s, until_s, lambda power_mw: max(1, min(ampere_mw, power_mw // 10)))


def needed(
    spared: Collection[Move], others: Iterable[Move], short: Collection[str], state: State, now_s: int
) -> Strides[list[Move]]:
    """Those of the small decreases that have to leave. `others` leave anyway; below the nodes `short` somebody waits
    for room.
    """
    if not spared:
        return []
    moves = [*others, *spared]
    end_s = max(now_s + 1, *(move.target.until_s for move in moves))
    rows = list(state.rows.values())
    ahead = yield from Ledger.of(rows, state.limits, now_s, end_s, Row.booked_without_ending)
    for move in others:
        yield
        ahead.book(move.row, ahead.added(move.row, move.target.profile))
    nodes = {*short, *ahead.overloads()}
    return [move for move in spared if nodes.intersection(move.row.session.path)]
