"""Why sessions have what they have, and what became of the limit of each group, read off a finished allocation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isnan

import numpy as np

from plugins.load_manager.allocation import Reason
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import SessionRow
from plugins.load_manager.knowledge.needs import Told
from plugins.load_manager.planning.circumstances import Inputs
from plugins.load_manager.planning.field import Field, scale_of
from plugins.load_manager.planning.plan import Decision, GroupPlan, Standing
from plugins.load_manager.planning.room import Room
from plugins.load_manager.planning.sharing import Shares
from plugins.load_manager.planning.wording import Cause, sentence

_STANDINGS = {
    Reason.FULL: Standing.FULL,
    Reason.SHARED: Standing.LIMITED,
    Reason.FLOOR: Standing.LIMITED,
    Reason.MET: Standing.LIMITED,
    Reason.WAITING: Standing.WAITING,
    Reason.NO_CAPACITY: Standing.NO_CAPACITY,
    Reason.UNABLE: Standing.NO_CAPACITY,
}


def counted(field: Field, inputs: Inputs) -> dict[SessionKey, Decision]:
    """The decisions about sessions that are not steered."""
    found = {}
    for row, steered in zip(field.rows, field.steered, strict=True):
        if steered:
            continue
        held = inputs.circumstances.held.get(row.key)
        power_mw = row.default_mw if held is None else held.at(inputs.now_s)
        if row.uncontrolled is not None:
            why = f"not steered, {row.uncontrolled.value}"
        elif row.key in inputs.circumstances.drawn_mw:
            why = "it draws more than it was told"
        else:
            why = f"not steered, {'it is not to be' if held is None else 'no other limit can be brought to it'}"
        text = f"{why}: counted with {power_mw / 1e6:.1f} kW"
        found[row.key] = Decision(Standing.COUNTED, power_mw, text)
    return found


def decisions(
    field: Field,
    room: Room,
    shares: Shares,
    inputs: Inputs,
    limited: Mapping[SessionKey, bool],
) -> dict[SessionKey, Decision]:
    """The decisions about sessions that are."""
    causes: dict[int, Cause] = {}
    first = shares.first
    present = field.totals(shares.sessions.node, np.ones(len(shares.rows), dtype=np.int64))
    powers = first.power_mw.tolist()
    bound_by, reasons, resting = first.bound_by.tolist(), first.reason.tolist(), shares.resting.tolist()
    shortfalls = shares.shortfall_kwh().tolist()
    turns = _turns(shares)
    found = {}
    for index, row in enumerate(shares.rows):
        standing = Standing.RESTING if resting[index] else _STANDINGS[Reason(reasons[index])]
        if not limited[row.key]:
            standing = Standing.UNLIMITED
        node = -1 if standing in {Standing.RESTING, Standing.UNLIMITED} else bound_by[index]
        if node >= 0 and node not in causes:
            causes[node] = _cause(field, room, inputs, node, (int(first.sharing[node]), int(present[node])))
        turn_at = turns.get(index) if standing.paused else None
        found[row.key] = Decision(
            standing,
            powers[index],
            sentence(standing, powers[index], scale_of(row), causes.get(node), turn_at),
            field.groups[node] if node >= 0 else None,
            turn_at,
            _shortfall_kwh(row, shortfalls[index]),
        )
    return found


def group_plans(field: Field, room: Room, shares: Shares) -> dict[str, GroupPlan]:
    """What becomes of the limit of each group."""
    first = shares.first
    present = field.totals(shares.sessions.node, np.ones(len(shares.rows), dtype=np.int64))
    return {
        group_id: GroupPlan(
            limit_mw=room.steps[node][0].force.limit_mw,
            rule=room.steps[node][0].force.rule,
            message_id=room.steps[node][0].force.message_id,
            effective_mw=int(room.left_mw[node, 0]),
            allocated_mw=int(first.total_mw[node]),
            uncontrolled_mw=int(room.uncontrolled_mw[node]),
            reserve_mw=int(room.reserve_mw[node]),
            deficit_mw=int(first.deficit_mw[node]),
            admitted=int(first.sharing[node]),
            paused=int(present[node] - first.sharing[node]),
            binding=bool(room.binding[node]),
            next_edge_at=room.next_edge_at(node),
            room=room.rooms[node],
        )
        for node, group_id in enumerate(field.groups)
    }


def _turns(shares: Shares) -> dict[int, datetime]:
    """By index, when those that are paused go on."""
    found: dict[int, datetime] = {}
    for stretch in shares.stretches[1:]:
        moment = datetime.fromtimestamp(stretch.start_s, UTC)
        for index in np.flatnonzero(stretch.power_mw > 0).tolist():
            found.setdefault(index, moment)
    return found


def _cause(field: Field, room: Room, inputs: Inputs, node: int, counts: tuple[int, int]) -> Cause:
    group = inputs.model.groups[field.groups[node]]
    return Cause(
        group.id,
        room.steps[node][0].force,
        room.next_edge_at(node),
        group.capacity_provider or "its capacity provider",
        inputs.capacity(group).standing.stopped,
        int(room.left_mw[node, 0]),
        *counts,
    )


def _shortfall_kwh(row: SessionRow, shortfall_kwh: float) -> float | None:
    stated = row.need.energy_by is Told.DRIVER and row.need.left_by is Told.DRIVER
    return shortfall_kwh if stated and not isnan(shortfall_kwh) else None
