"""What each session may draw over time: one allocation for each stretch in which nothing changes.

A stretch ends where a limit changes, and while sessions wait for their turn, where somebody may make room for them: at
slots of the clock, so that plans made at different moments agree about it. Energy that a stretch brings is taken off
the needs of the next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from plugins.load_manager.allocation import Allocation, Reason, Sessions, allocate
from plugins.load_manager.allocation.arrays import Bools, Floats, Ints
from plugins.load_manager.allocation.sessions import MAX_POWER_MW, MAX_WEIGHT_PERCENT
from plugins.load_manager.knowledge.known import SessionRow
from plugins.load_manager.knowledge.needs import Told
from plugins.load_manager.planning.circumstances import Inputs, Settings
from plugins.load_manager.planning.field import Field, scale_of
from plugins.load_manager.planning.room import Room
from plugins.load_manager.planning.turns import Turns
from plugins.load_manager.profiles import second

_S_PER_H = 3600.0
_WH_PER_KWH = 1000.0
_MW_PER_KW = 1e6


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start_s` to `end_s` every session has its `power_mw`."""

    start_s: int
    end_s: int
    power_mw: Ints


@dataclass(frozen=True, slots=True)
class Shares:
    """The stretches in order, and of the first one the allocation and who rests. `sessions` are those of `rows`."""

    rows: tuple[SessionRow, ...]
    sessions: Sessions
    stretches: tuple[Stretch, ...]
    first: Allocation
    resting: Bools

    def steps(self) -> list[list[tuple[int, int]]]:
        """For each session its (second, power in mW)."""
        starts = [stretch.start_s for stretch in self.stretches]
        powers = np.stack([stretch.power_mw for stretch in self.stretches], axis=1).tolist()
        return [list(zip(starts, row, strict=True)) for row in powers]

    def shortfall_kwh(self) -> Floats:
        """What each will lack at its departure if it goes on as it does from when it first draws power in these
        stretches, and at its most if it never does; nan when it is not known.
        """
        sessions = self.sessions
        left_s = sessions.departure_h * _S_PER_H
        start_s, end_s = self.stretches[0].start_s, self.stretches[-1].end_s
        brought = np.zeros(len(sessions))
        whole = np.zeros(len(sessions))
        drawn_s = np.zeros(len(sessions))
        for stretch in self.stretches:
            within_s = np.clip(left_s - (stretch.start_s - start_s), 0, stretch.end_s - stretch.start_s)
            brought += stretch.power_mw * within_s
            whole += stretch.power_mw * float(stretch.end_s - stretch.start_s)
            drawn_s = np.where((drawn_s == 0) & (stretch.power_mw > 0), end_s - stretch.start_s, drawn_s)
        later_mw = np.where(drawn_s > 0, whole / np.maximum(drawn_s, 1), sessions.maximum_mw)
        brought += later_mw * np.maximum(left_s - (end_s - start_s), 0)
        return np.maximum(sessions.need_kwh - brought / (_MW_PER_KW * _S_PER_H), 0.0)


def sessions_of(rows: Sequence[SessionRow], nodes: Ints, settings: Settings) -> Sessions:
    """The sessions for the allocation, without their turns."""
    nan = float("nan")
    count = len(rows)
    scales = [scale_of(row) for row in rows]
    needs = [row.need for row in rows]
    return Sessions(
        node=nodes,
        minimum_mw=_ints(min(row.minimum_mw, MAX_POWER_MW) for row in rows),
        maximum_mw=_ints(min(row.maximum_mw, MAX_POWER_MW) for row in rows),
        quantum_mw=_ints(scale.tenth_mw * scale.quantum for scale in scales),
        weight_percent=np.clip(_ints(row.weight_percent for row in rows), 1, MAX_WEIGHT_PERCENT),
        need_kwh=np.array([nan if need.energy_wh is None else need.energy_wh / _WH_PER_KWH for need in needs]),
        departure_h=np.array([nan if need.left_s is None else need.left_s / _S_PER_H for need in needs]),
        satisfied=np.array([need.satisfied for need in needs], dtype=np.bool_),
        may_pause=np.array([row.pausable for row in rows], dtype=np.bool_),
        believed=np.array([Told.DRIVER not in {need.energy_by, need.left_by} for need in needs], dtype=np.bool_),
        on=np.zeros(count, dtype=np.bool_),
        on_h=np.zeros(count),
        min_on_h=np.full(count, settings.min_on_s / _S_PER_H),
        waiting_h=np.zeros(count),
        arrived_s=_ints(second(row.session.started_at or row.session.first_seen) for row in rows),
        key=np.array([row.key for row in rows]) if rows else np.zeros(0, dtype="U1"),
    )


def share(field: Field, room: Room, turns: Turns, inputs: Inputs) -> Shares:
    """The stretches from now to the endings. `turns` are those of the steered sessions; they are switched along."""
    now_s, until_s, settings = inputs.now_s, inputs.until_s, inputs.settings
    chosen = np.flatnonzero(np.array(field.steered, dtype=np.bool_))
    rows = tuple(field.rows[index] for index in chosen.tolist())
    sessions = sessions_of(rows, field.nodes[chosen], settings)
    stretches: list[Stretch] = []
    first: tuple[Allocation, Bools] | None = None
    given_kwh = np.zeros(len(rows))
    stated = np.array([row.need.energy_by is Told.DRIVER for row in rows], dtype=np.bool_)
    at_s = now_s
    while at_s < until_s:
        resting = turns.resting(at_s)
        passed_s = at_s // settings.slot_s * settings.slot_s - now_s  # so that needs do not change with every plan
        needs = _needs_after(sessions, stated, passed_s / _S_PER_H, given_kwh)
        on_h, waiting_h = turns.hours(at_s)
        maximum_mw = np.where(resting, 0, needs.maximum_mw)
        current = replace(needs, maximum_mw=maximum_mw, on=turns.on, on_h=on_h, waiting_h=waiting_h)
        limits_mw = room.left_at(at_s)
        if at_s % settings.slot_s and not turns.on.all():
            current = _keeping_places(field, limits_mw, current, settings)
        allocation = allocate(field.tree, limits_mw, current, settings.policy)
        first = first or (allocation, resting)
        turns.switch(allocation.admitted, at_s)
        end_s = room.next_mark_s(at_s, until_s)
        if resting.any():
            end_s = min(end_s, turns.next_rest_over_s(at_s, resting))
        if (allocation.reason == Reason.WAITING).any():
            end_s = min(end_s, turns.next_change_s(at_s))
        stretches.append(Stretch(at_s, end_s, allocation.power_mw))
        given_kwh = given_kwh + allocation.power_mw / _MW_PER_KW * ((end_s - at_s) / _S_PER_H)
        at_s = end_s
    if first is None:
        raise ValueError("a plan reaches beyond now")
    return Shares(rows, sessions, tuple(stretches), *first)


def _keeping_places(field: Field, limits_mw: Ints, sessions: Sessions, settings: Settings) -> Sessions:
    """The sessions between two slots: who is on and fits beside the others that are on makes room for nobody."""
    only_on = replace(sessions, maximum_mw=np.where(sessions.on, sessions.maximum_mw, 0))
    kept = allocate(field.tree, limits_mw, only_on, settings.policy).admitted
    return replace(sessions, min_on_h=np.where(kept, np.inf, sessions.min_on_h))


def _needs_after(sessions: Sessions, stated: Bools, passed_h: float, given_kwh: Floats) -> Sessions:
    """The sessions with what they will need then. A departure that has passed was a wrong guess, and so was an energy
    that is there and that no driver stated: then nothing is known any more.
    """
    need_kwh = sessions.need_kwh - given_kwh
    departure_h = sessions.departure_h - passed_h
    over = need_kwh <= 0
    return replace(
        sessions,
        need_kwh=np.where(over & ~stated, np.nan, np.maximum(need_kwh, 0.0)),
        departure_h=np.where(departure_h <= 0, np.nan, departure_h),
        satisfied=sessions.satisfied | (over & stated),
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
