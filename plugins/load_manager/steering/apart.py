"""The plan of a large tree, made in a process of its own so that messages do not wait for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.ocpi import codec
from plugins.load_manager.grid.group import Group
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.planning import Circumstances, Field, Inputs, Plan, Settings, plan_of
from plugins.load_manager.signals.capacity import Capacity

MOST_AT_HAND = 150
"""So many sessions are planned for in a few milliseconds, faster than they go to another process and back."""


class Parts:
    """What a plan follows from, in parts that travel between processes."""

    def __init__(self, field: Field, inputs: Inputs, epoch: int, previous: Plan | None) -> None:
        self.field = field
        self.groups: Sequence[Group] = [inputs.model.groups[each] for each in field.groups]
        self.capacities: Mapping[str, Capacity] = {
            each: inputs.capacities[each] for each in field.groups if each in inputs.capacities
        }
        self.documents = {
            f"learnt/{row.key}": codec.to_plain(learnt)
            for row in field.rows
            if (learnt := inputs.known.learning.find(row.key)) is not None
        }
        # Sessions are in the field already.
        self.circumstances: Circumstances = replace(inputs.circumstances, sessions=None)
        self.settings: Settings = inputs.settings
        self.now = inputs.now
        self.epoch = epoch
        self.previous = None if previous is None else replace(previous, decisions={}, groups={})


def plan_apart(parts: Parts) -> Plan:
    """The plan, in whichever process this runs."""
    known = Known()
    known.from_json(parts.documents)
    model = GridModel(parts.groups)
    inputs = Inputs(model, parts.capacities, known, parts.now, parts.circumstances, parts.settings)
    return plan_of(parts.field, inputs, epoch=parts.epoch, previous=parts.previous)
