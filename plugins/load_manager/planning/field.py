"""The part of the field that lies under one tree of the grid: its groups, the EVSEs in them, the sessions, and the cars
that charge without one.

Rules
- A session stands in the group of its EVSE. When its EVSE is in no group but its location has some, it stands in the
  lowest group above all of them.
- An EVSE that charges while no session is known to charge there is a hidden car.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

import numpy as np

from hub.ocpi.v221.charging_profiles import ChargingRateUnit
from hub.ocpi.v221.location_enums import Status
from plugins.load_manager.allocation import Tree
from plugins.load_manager.allocation.arrays import Ints
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.connectors import UNKNOWN
from plugins.load_manager.knowledge.keys import EvseKey, LocationKey, SessionKey, location_key
from plugins.load_manager.knowledge.known import Known, SessionRow, default_mw
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.planning.circumstances import Inputs
from plugins.load_manager.profiles import Scale
from plugins.load_manager.strides import Strides, at_once

Steered = Collection[SessionKey] | Callable[[SessionKey], bool]

_TENTH_A_MA = 100
_WHOLE_UNITS = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """An EVSE of the tree, the index of its group, and what a car there takes: at least, at most, and by default."""

    key: EvseKey
    node: int
    minimum_mw: int
    maximum_mw: int
    default_mw: int
    charging: bool


@dataclass(frozen=True, slots=True)
class Field:
    """`tree` has the groups' indexes in `groups`; `nodes` has the index of the group of each of `rows`. `steered` says
    whether a row is planned for; the others are counted. `demand_mw` is, for each group, what all its connectors could
    draw with a car at each; for `Capacity` too.
    """

    groups: tuple[str, ...]
    tree: Tree
    spots: dict[EvseKey, Spot]
    rows: tuple[SessionRow, ...]
    nodes: Ints
    steered: tuple[bool, ...]
    hidden: tuple[Spot, ...]
    demand_mw: Ints

    def totals(self, nodes: Sequence[int] | Ints, values: Sequence[int] | Ints) -> Ints:
        """For each group the sum of values that stand at these nodes, in it and below it."""
        return _totals(self.tree, nodes, values)

    def largest(self, nodes: Sequence[int], values: Sequence[int]) -> Ints:
        """For each group the largest of values that stand at these nodes, in it and below it; 0 where there is none."""
        found: Ints = np.zeros(len(self.tree), dtype=np.int64)
        np.maximum.at(found, np.asarray(nodes, dtype=np.int64), np.asarray(values, dtype=np.int64))
        for level in reversed(self.tree.levels[1:]):
            np.maximum.at(found, self.tree.parents[level], found[level])
        return found


def affected(
    model: GridModel, now: datetime, groups: Iterable[str] = (), sessions: Iterable[Session] = ()
) -> frozenset[str]:
    """The trees to plan again after something changed in these groups or about these sessions, by their roots."""
    places = _Places(model, now)
    of_groups = (model.root(group_id) for group_id in groups if group_id in model.groups)
    return frozenset(of_groups).union(*(places.trees_of(session) for session in sessions))


def by_tree(model: GridModel, known: Known, now: datetime) -> dict[str, list[tuple[SessionKey, Session]]]:
    """The running sessions of every tree by its root, for `Circumstances.sessions`: one walk, however many trees."""
    places = _Places(model, now)
    found: dict[str, list[tuple[SessionKey, Session]]] = {}
    for key, session in known.sessions.running():
        for root in places.trees_of(session):
            found.setdefault(root, []).append((key, session))
    return found


class _Places:
    """In which trees sessions are, by the rules above."""

    def __init__(self, model: GridModel, now: datetime) -> None:
        self._model = model
        self._now = now

    def trees_of(self, session: Session) -> Collection[str]:
        if session.location_id is None:
            return ()
        group = self._model.group_of(Member(session.owner, session.location_id, session.evse_uid), self._now)
        if group is not None:
            return {self._model.root(group.id)}
        return self._at_location.get(location_key(session.owner, session.location_id), ())

    @cached_property
    def _at_location(self) -> dict[LocationKey, set[str]]:
        found: dict[LocationKey, set[str]] = {}
        for group in self._model.groups.values():
            for member in group.members:
                at = location_key(member.party, member.location_id)
                found.setdefault(at, set()).add(self._model.root(group.id))
        return found


def field_of(root: str, inputs: Inputs, steered: Steered) -> Field:
    """What lies under the group `root`. KeyError when it is not known."""
    return at_once(taking(root, inputs, steered))


def taking(root: str, inputs: Inputs, steered: Steered) -> Strides[Field]:
    """The same in strides."""
    groups = inputs.model.below(root)
    index = {group_id: node for node, group_id in enumerate(groups)}
    tree = Tree([-1, *(index[inputs.model.groups[each].parent or root] for each in groups[1:])])
    spots, locations = yield from _spots(inputs, index)
    held = inputs.circumstances.held
    chosen = steered if callable(steered) else steered.__contains__
    rows: list[SessionRow] = []
    nodes: list[int] = []
    told: list[bool] = []
    cars: dict[EvseKey | None, int] = {}
    demands = [(spot.node, spot.maximum_mw) for spot in spots.values()]
    for found in _placed(inputs, index, tree, locations):
        yield
        if found is None:
            continue
        row, node = found
        rows.append(row)
        nodes.append(node)
        told.append(row.uncontrolled is None and row.key not in held and chosen(row.key))
        beside = cars[row.evse] = cars.get(row.evse, 0) + 1
        spot = spots.get(row.evse) if row.evse is not None else None
        if spot is None:
            demands.append((node, row.connector_mw))
        elif beside > 1:
            demands.append((spot.node, spot.maximum_mw))
    return Field(
        groups,
        tree,
        spots,
        tuple(rows),
        np.array(nodes, dtype=np.int64),
        tuple(told),
        tuple(spot for spot in spots.values() if spot.charging and spot.key not in cars),
        _totals(tree, *zip(*demands, strict=True)) if demands else np.zeros(len(tree), dtype=np.int64),
    )


def _totals(tree: Tree, nodes: Sequence[int] | Ints, values: Sequence[int] | Ints) -> Ints:
    sums: Ints = np.zeros(len(tree), dtype=np.int64)
    np.add.at(sums, np.asarray(nodes, dtype=np.int64), np.asarray(values, dtype=np.int64))
    for level in reversed(tree.levels[1:]):
        np.add.at(sums, tree.parents[level], sums[level])
    return sums


def scale_of(row: SessionRow) -> Scale:
    """How the session's limits are written. Watts are whole ones: the quantum of a CPO is about amperes."""
    return _scale(row.unit, row.phases, row.minimum_mw, row.quantum_ma, row.voltage_v)


@lru_cache(maxsize=4096)
def _scale(unit: ChargingRateUnit, phases: int, minimum_mw: int, quantum_ma: int, voltage_v: int) -> Scale:
    if unit is ChargingRateUnit.W:
        return Scale("W", phases, minimum_mw, _WHOLE_UNITS, voltage_v)
    return Scale("A", phases, minimum_mw, quantum_ma // _TENTH_A_MA, voltage_v)


def _spots(inputs: Inputs, index: dict[str, int]) -> Strides[tuple[dict[EvseKey, Spot], dict[LocationKey, set[int]]]]:
    """The EVSEs of the groups, and in which groups each location has some."""
    model, known, now = inputs.model, inputs.known, inputs.now
    spots: dict[EvseKey, Spot] = {}
    locations: dict[LocationKey, set[int]] = {}
    for group_id, node in index.items():
        for member in model.groups[group_id].members:
            at = location_key(member.party, member.location_id)
            location = known.evses.find(at)
            listed = location.evses if location else {}
            uids = list(listed) if member.evse_uid is None else [member.evse_uid.casefold()]
            settings = known.cpos.of(member.party)
            own = model.group_of(member, now)
            if own is not None and own.id == group_id:
                locations.setdefault(at, set()).add(node)
            for uid in uids:
                yield
                evse = listed.get(uid)
                group = model.group_of(Member(member.party, member.location_id, uid), now)
                if group is None or group.id != group_id or (evse is not None and evse.status is Status.REMOVED):
                    continue
                bounds = evse.bounds(None, known.dc_minimum_mw) if evse else UNKNOWN
                charging = evse is not None and evse.status is Status.CHARGING
                key = EvseKey(at, uid)
                spots[key] = Spot(
                    key, node, bounds.lowest_mw(), bounds.maximum_mw, default_mw(settings, bounds), charging
                )
    return spots, locations


def _placed(
    inputs: Inputs, index: dict[str, int], tree: Tree, locations: dict[LocationKey, set[int]]
) -> Iterator[tuple[SessionRow, int] | None]:
    """Each running session with the index of its group; None for one that stands elsewhere."""
    known, now, circumstances = inputs.known, inputs.now, inputs.circumstances
    running = known.sessions.running() if circumstances.sessions is None else circumstances.sessions
    for key, session in running:
        node = None
        if session.drawing and session.location_id is not None:
            nodes = locations.get(location_key(session.owner, session.location_id))
            if nodes is not None:
                group = inputs.model.group_of(Member(session.owner, session.location_id, session.evse_uid), now)
                node = _lowest_above(tree, nodes) if group is None else index.get(group.id)
        yield None if node is None else (known.row(key, session, now, circumstances.ceilings_mw.get(key)), node)


def _lowest_above(tree: Tree, nodes: set[int]) -> int:
    return max(set[int].intersection(*(set(tree.path(node)) for node in nodes)))  # children come after their parents
