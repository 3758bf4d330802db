"""The plan of one tree.

Rules
- Where no limit can bind through the horizon, even with a car at every EVSE, sessions have no profile, and those that
  had one are released. Else every session under such a limit has one.
- Sessions that cannot be steered are counted; the limits are shared among the others. Those whose CPO consents no more
  are released.
- A car that draws more than it was told is told its fair limit all the same, as if it kept to it; then it is counted
  with what it draws, and the limits are shared among the others.
- Every profile ends at the fallback share of its EVSE: nothing for an EVSE that has no group of its own, and parts of
  it for several sessions at one EVSE.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import EvseKey, SessionKey
from plugins.load_manager.knowledge.known import Known, SessionRow, Uncontrolled
from plugins.load_manager.planning.circumstances import Circumstances, Inputs, Settings
from plugins.load_manager.planning.deciding import counted, decisions, group_plans
from plugins.load_manager.planning.endings import endings
from plugins.load_manager.planning.field import Field, Steered, field_of, scale_of
from plugins.load_manager.planning.plan import Plan, Release, Turn
from plugins.load_manager.planning.room import Room, room_of
from plugins.load_manager.planning.sharing import Shares, share
from plugins.load_manager.planning.turns import Turns, turns_now, turns_of
from plugins.load_manager.profiles import (
    MOST_PERIODS,
    Scale,
    StepProfile,
    at_most,
    highest,
    minimum,
    with_ending,
    written,
)
from plugins.load_manager.signals.capacity import Capacity


def plan(
    tree: str,
    model: GridModel,
    capacities: Mapping[str, Capacity],
    known: Known,
    steered: Steered,
    *,
    now: datetime,
    epoch: int,
    previous: Plan | None = None,
    circumstances: Circumstances | None = None,
    settings: Settings | None = None,
) -> Plan:
    """What every session under the root `tree` should have. `steered`: the sessions that can be told, or a question
    about one; `previous`: the last plan of this tree. KeyError when there is no such group.
    """
    inputs = Inputs(model, capacities, known, now, circumstances or Circumstances(), settings or Settings())
    return plan_of(field_of(tree, inputs, steered), inputs, epoch=epoch, previous=previous)


def plan_of(field: Field, inputs: Inputs, *, epoch: int, previous: Plan | None = None) -> Plan:
    """The same for a field that was taken from these inputs before."""
    drawn_mw = inputs.circumstances.drawn_mw
    over = [row for row in field.rows if row.key in drawn_mw]
    if not over:
        return _plan(field, inputs, epoch, previous)
    # Those that were paused to make room for it do not rest in this plan: else it would get their share.
    fair = _plan(field, replace(inputs, settings=replace(inputs.settings, min_off_s=0)), epoch, previous)
    told, counted = {}, {}
    for row in over:
        target, drawn = fair.targets[row.key], StepProfile.flat(0, drawn_mw[row.key])
        counted[row.key] = highest([drawn, StepProfile.flat(0, row.default_mw)])
        if isinstance(target, StepProfile):
            ending = minimum(target, drawn)  # the endings of the others leave no more for it
            target = written(with_ending(target, ending, inputs.until_s), scale_of(row))
            counted[row.key] = highest([drawn, target])
        told[row.key] = target
    held = {**inputs.circumstances.held, **counted}
    steered = tuple(each and row.key not in told for row, each in zip(field.rows, field.steered, strict=True))
    inputs = replace(inputs, circumstances=replace(inputs.circumstances, held=held))
    made = _plan(replace(field, steered=steered), inputs, epoch, previous)
    turns = {key: turn for key, turn in fair.turns.items() if key in told}
    said = hashlib.blake2b(f"{fair.inputs_hash} {made.inputs_hash}".encode(), digest_size=16).hexdigest()
    return replace(made, targets={**made.targets, **told}, turns={**made.turns, **turns}, inputs_hash=said)


def _plan(field: Field, inputs: Inputs, epoch: int, previous: Plan | None) -> Plan:
    settings, known = inputs.settings, inputs.known
    room = room_of(field, inputs)
    chosen = [row for row, told in zip(field.rows, field.steered, strict=True) if told]
    before = turns_now(chosen, previous, inputs.circumstances.told, inputs.now_s)
    shares = share(field, room, Turns(before, settings), inputs)
    turns = Turns(before, settings)
    turns.switch(shares.first.admitted, inputs.now_s)

    limited = _limited(field, room, chosen, settings)
    ends = endings(field, room, inputs) if any(limited.values()) else {}
    had = _had_profile(field.rows, known, previous)
    targets: dict[SessionKey, StepProfile | Release | None] = {}
    for row in field.rows:
        gone = row.uncontrolled is Uncontrolled.NO_CONSENT or not limited.get(row.key, True)
        targets[row.key] = Release.RELEASE if gone and row.key in had else None
    targets.update(_profiles(shares, limited, ends, inputs.until_s))
    why = decisions(field, room, shares, inputs, limited)
    return Plan(
        tree=field.groups[0],
        at=inputs.now,
        epoch=epoch,
        until_s=inputs.until_s,
        targets=targets,
        decisions=counted(field, inputs) | why,
        groups=group_plans(field, room, shares),
        turns=turns_of([row.key for row in chosen], turns),
        plan_again_at=_plan_again_at(field, room, shares, inputs),
        inputs_hash=_inputs_hash(field, room, before, ends, (settings, sorted(had))),
    )


def _limited(field: Field, room: Room, chosen: list[SessionRow], settings: Settings) -> dict[SessionKey, bool]:
    """Whether a limit above the session can bind, for those that are steered."""
    binding = room.binding.tolist()
    under = [any(binding[each] for each in field.tree.path(node)) for node in range(len(field.groups))]
    nodes = {row.key: node for row, node in zip(field.rows, field.nodes.tolist(), strict=True)}
    return {row.key: settings.always or under[nodes[row.key]] for row in chosen}


def _had_profile(rows: tuple[SessionRow, ...], known: Known, previous: Plan | None) -> set[SessionKey]:
    """Those that may have a profile of ours: by the plan before this one, or by what was confirmed of them."""
    found = set()
    for row in rows:
        learnt = known.learning.find(row.key)
        confirmed = learnt is not None and learnt.limited
        if confirmed or (previous is not None and previous.targets.get(row.key) is not None):
            found.add(row.key)
    return found


def _profiles(
    shares: Shares, limited: Mapping[SessionKey, bool], ends: Mapping[EvseKey, StepProfile], until_s: int
) -> dict[SessionKey, StepProfile]:
    beside = Counter(row.evse for row in shares.rows)
    nothing = StepProfile.flat(until_s, 0)
    found: dict[SessionKey, StepProfile] = {}
    alike: dict[tuple[object, ...], StepProfile] = {}  # most sessions of a group have the same profile
    for row, steps in zip(shares.rows, shares.steps(), strict=True):
        if not limited[row.key]:
            continue
        own = nothing if row.evse is None else ends.get(row.evse, nothing)
        scale = scale_of(row)
        key = (tuple(steps), own.periods, beside[row.evse], row.connector_mw, scale)
        if key not in alike:
            ending = own.each(partial(_part, parts=beside[row.evse], most_mw=row.connector_mw))
            alike[key] = _fitted(StepProfile.of(steps), ending, until_s, scale)
        found[row.key] = alike[key]
    return found


def _part(power_mw: int, parts: int, most_mw: int) -> int:
    return min(power_mw // parts, most_mw)


def _fitted(planned: StepProfile, ending: StepProfile, until_s: int, scale: Scale) -> StepProfile:
    """Both as they can be written. If there are too many periods the ending gives way, for it is not meant to come."""
    if len(planned.periods) + len(ending.periods) > MOST_PERIODS:
        planned = at_most(planned, MOST_PERIODS - min(2, len(ending.periods)))
        ending = at_most(ending.each(scale.rounded), max(2, MOST_PERIODS - len(planned.periods)))
    return written(with_ending(planned, ending, until_s), scale)


def _plan_again_at(field: Field, room: Room, shares: Shares, inputs: Inputs) -> datetime | None:
    moments = [room.next_edge_at(node) for node in range(len(field.groups))]
    if len(shares.stretches) > 1:
        moments.append(datetime.fromtimestamp(shares.stretches[1].start_s, UTC))
    for group_id in field.groups:
        group = inputs.model.groups[group_id]
        moments += [group.valid_from, group.valid_to]
    return min((moment for moment in moments if moment is not None and moment > inputs.now), default=None)


def _inputs_hash(field: Field, room: Room, turns: list[Turn], ends: Mapping[EvseKey, StepProfile], rest: object) -> str:
    """Of all that the targets follow from, the moment included."""
    rows = [
        (row.key, row.evse, row.minimum_mw, row.maximum_mw, row.connector_mw, row.weight_percent, row.need[:3])
        for row in field.rows
    ]
    scales = [(scale_of(row), row.pausable) for row in field.rows]
    said = (
        field.groups,
        field.nodes.tolist(),
        field.steered,
        rows,
        scales,
        room.marks,
        room.left_mw.tolist(),
        room.binding.tolist(),
    )
    seen = (turns, sorted(ends.items(), key=lambda item: item[0]), rest)
    return hashlib.blake2b(repr((said, seen)).encode(), digest_size=16).hexdigest()
