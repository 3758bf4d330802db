"""What is kept free in each group for cars that arrive before they can be told.

Rules
- A group may state it. Else it follows from how many cars are expected, and from what a car takes before it was told.
- It is never more than cars at all free EVSEs would take, and gives way to what cannot be told: nobody is in breach of
  a limit because of it.
- What was not stated is no more than a quarter of the limit, and gives way to the least that the cars that are there
  can draw: nobody pauses for a car that may come.
"""

from datetime import datetime
from decimal import Decimal

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Ints
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.arrivals import ArrivalBook
from plugins.load_manager.knowledge.register import GroupId
from plugins.load_manager.planning.circumstances import Inputs
from plugins.load_manager.planning.field import Field
from plugins.load_manager.signals.effective import arrival_reserve_mw


def arrivals_per_h(root: str, model: GridModel, arrivals: ArrivalBook, now: datetime) -> dict[str, Decimal]:
    """How many cars are expected in each group of a tree, those below it included."""
    below = model.below(root)
    found = dict.fromkeys(below, Decimal(0))
    for group_id in reversed(below):  # children come after their parents
        group = model.groups[group_id]
        if group.members:
            found[group_id] += arrivals.per_h(GroupId(group_id), now)
        if group_id != root and group.parent is not None:
            found[group.parent] += found[group_id]
    return found


def reserve_mw(field: Field, inputs: Inputs, whole_mw: Ints, counted_mw: Ints) -> Ints:
    """By group and mark, as the others are: what all sessions may take, and what is counted for those that are not
    steered.
    """
    wanted_mw, stated = _wanted(field, inputs)
    left_mw = whole_mw - counted_mw
    least_mw = field.totals(
        field.nodes,
        [min(row.minimum_mw, row.maximum_mw) * told for row, told in zip(field.rows, field.steered, strict=True)],
    )
    learnt_mw = np.minimum(whole_mw // 4, left_mw - least_mw[:, np.newaxis])
    most_mw = np.where(stated[:, np.newaxis], left_mw, learnt_mw)
    kept: Ints = np.clip(wanted_mw[:, np.newaxis], 0, np.maximum(most_mw, 0))
    return kept


def _wanted(field: Field, inputs: Inputs) -> tuple[Ints, Bools]:
    """What would be kept if there were room enough, and whether the group states it."""
    taken = {row.evse for row in field.rows} | {spot.key for spot in field.hidden}
    free = [spot for spot in field.spots.values() if spot.key not in taken]
    nodes, powers_mw = [spot.node for spot in free], [spot.default_mw for spot in free]
    counts = field.totals(nodes, [1] * len(free)).tolist()
    sums_mw = field.totals(nodes, powers_mw).tolist()
    largest_mw = field.largest(nodes, powers_mw).tolist()
    groups = [inputs.model.groups[group_id] for group_id in field.groups]
    wanted = []
    for group, count, sum_mw, car_mw in zip(groups, counts, sums_mw, largest_mw, strict=True):
        power_mw = group.arrival_reserve_mw
        if power_mw is None:
            per_h = inputs.circumstances.arrivals_per_h.get(group.id, Decimal(0))
            power_mw = arrival_reserve_mw(per_h, car_mw, count)
        wanted.append(min(power_mw, sum_mw))
    stated = [group.arrival_reserve_mw is not None for group in groups]
    return np.array(wanted, dtype=np.int64), np.array(stated, dtype=np.bool_)
