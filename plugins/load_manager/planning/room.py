"""How much the sessions under each group may take together over time, and which groups can bind at all.

A limit that falls within a second counts for all of it, one that rises only after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Ints
from plugins.load_manager.planning.circumstances import Inputs, Settings
from plugins.load_manager.planning.field import Field
from plugins.load_manager.planning.reserving import reserve_mw
from plugins.load_manager.profiles import StepProfile, second
from plugins.load_manager.signals.effective import Effective

_ALMOST_A_SECOND = timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True)
class Room:
    """Per group, in the field's order. `marks` are the seconds at which something changes, the first is now; `whole_mw`
    and `left_mw` (group, mark) are what may be taken by all sessions and by those that are steered. `uncontrolled_mw`
    is what is booked for the others now, hidden cars among them.
    """

    steps: tuple[tuple[Effective, ...], ...]
    until: datetime
    marks: tuple[int, ...]
    rooms: tuple[StepProfile, ...]
    left_mw: Ints
    reserve_mw: Ints
    uncontrolled_mw: Ints
    binding: Bools

    def left_at(self, moment_s: int) -> Ints:
        """What is left for those that are steered in that second."""
        return self.left_mw[:, max(0, int(np.searchsorted(self.marks, moment_s, side="right")) - 1)]

    def next_mark_s(self, moment_s: int, end_s: int) -> int:
        """The first mark after that second, `end_s` where there is none before."""
        position = int(np.searchsorted(self.marks, moment_s, side="right"))
        return min(end_s, self.marks[position]) if position < len(self.marks) else end_s

    def next_edge_at(self, node: int) -> datetime | None:
        """When the group's limit changes next."""
        end = self.steps[node][0].end
        return end if end < self.until else None


def room_of(field: Field, inputs: Inputs) -> Room:
    """The room of every group from now to the horizon."""
    now, circumstances = inputs.now, inputs.circumstances
    hidden_mw = field.totals([spot.node for spot in field.hidden], [spot.default_mw for spot in field.hidden])
    furthest = now + timedelta(seconds=inputs.settings.furthest_s)
    all_steps = []
    for node, group_id in enumerate(field.groups):
        group = inputs.model.groups[group_id]
        steps = inputs.capacity(group).effective(
            group,
            now,
            furthest,
            uncontrolled_mw=int(hidden_mw[node]) + circumstances.taken_mw.get(group_id, 0),
            measured=circumstances.measured.get(group_id, ()),
        )
        all_steps.append(steps)
    end = _horizon(all_steps, now, inputs.settings)
    rooms = tuple(_room([step for step in steps if step.start < end]) for steps in all_steps)
    held = [circumstances.held.get(row.key) for row in field.rows]
    changes = {moment_s for profile in (*rooms, *filter(None, held)) for moment_s in profile.seconds}
    now_s, end_s = second(now), second(end)
    marks = (now_s, *sorted(moment_s for moment_s in changes if now_s < moment_s < end_s))
    open_mw = np.array([[room.at(mark) for mark in marks] for room in rooms], dtype=np.int64)
    counted_mw = _counted_mw(field, held, marks)
    kept_mw = reserve_mw(field, inputs, open_mw, counted_mw)
    whole_mw = open_mw - kept_mw
    return Room(
        tuple(all_steps),
        furthest,
        marks,
        tuple(StepProfile.of(zip(marks, row, strict=True)) for row in whole_mw.tolist()),
        whole_mw - counted_mw,
        kept_mw[:, 0],
        counted_mw[:, 0] + hidden_mw,
        field.demand_mw > (open_mw + hidden_mw[:, np.newaxis]).min(axis=1),
    )


def _horizon(all_steps: Iterable[tuple[Effective, ...]], now: datetime, settings: Settings) -> datetime:
    """Up to where limits are looked at: past the next drop, if that is farther away than usual."""
    horizon = now + timedelta(seconds=settings.horizon_s)
    drops = [
        later.start
        for steps in all_steps
        for earlier, later in pairwise(steps)
        if later.effective_mw < earlier.effective_mw
    ]
    return max(horizon, min(drops) + timedelta(seconds=1)) if drops else horizon


def _room(steps: Iterable[Effective]) -> StepProfile:
    values: dict[int, int] = {}
    last_mw = None
    for step in steps:
        rises = last_mw is not None and step.effective_mw > last_mw
        at_s = second(step.start + _ALMOST_A_SECOND) if rises else second(step.start)
        values = {moment_s: value for moment_s, value in values.items() if moment_s <= at_s}
        values[at_s] = min(values.get(at_s, step.effective_mw), step.effective_mw)
        last_mw = step.effective_mw
    return StepProfile.of(sorted(values.items()))


def _counted_mw(field: Field, held: list[StepProfile | None], marks: tuple[int, ...]) -> Ints:
    """What is booked for the sessions that are not steered, by group and mark."""
    counted = [index for index, steered in enumerate(field.steered) if not steered]
    nodes = field.nodes[counted] if counted else field.nodes[:0]
    columns = []
    for mark in marks:
        powers = []
        for index in counted:
            profile = held[index]
            powers.append(field.rows[index].default_mw if profile is None else profile.at(mark))
        columns.append(field.totals(nodes, powers))
    return np.stack(columns, axis=1)
