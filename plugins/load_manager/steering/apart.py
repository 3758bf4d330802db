"""The plan of a large tree, made in a process of its own so that messages do not wait for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.ocpi import codec
from plugins.load_manager.grid.group import Group
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.shelving import Documents
from plugins.load_manager.planning import Circumstances, Field, Inputs, Plan, Settings, plan_of
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.strides import Strides

MOST_AT_HAND = 150
"""So many sessions are planned for in a few milliseconds, faster than they go to another process and back."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan follows from, in parts that travel between processes; sessions are in the field."""

    field: Field
    groups: Sequence[Group]
    capacities: Mapping[str, Capacity]
    documents: Documents
    circumstances: Circumstances
    settings: Settings
    now: datetime
    epoch: int
    previous: Plan | None

    @staticmethod
    def of(field: Field, inputs: Inputs, epoch: int, previous: Plan | None) -> Strides["Parts"]:
        """Taken in strides."""
        documents: Documents = {}
        for row in field.rows:
            yield
            learnt = inputs.known.learning.find(row.key)
            if learnt is not None:
                documents[f"learnt/{row.key}"] = codec.to_plain(learnt)
        return Parts(
            field,
            [inputs.model.groups[each] for each in field.groups],
            {each: inputs.capacities[each] for each in field.groups if each in inputs.capacities},
            documents,
            replace(inputs.circumstances, sessions=None),
            inputs.settings,
            inputs.now,
            epoch,
            None if previous is None else replace(previous, decisions={}, groups={}),
        )


def plan_apart(parts: Parts) -> Plan:
    """The plan, in whichever process this runs."""
    known = Known()
    known.from_json(parts.documents)
    model = GridModel(parts.groups)
    inputs = Inputs(model, parts.capacities, known, parts.now, parts.circumstances, parts.settings)
    return plan_of(parts.field, inputs, epoch=parts.epoch, previous=parts.previous)
