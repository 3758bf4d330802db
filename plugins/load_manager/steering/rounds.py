"""One look at a tree: what is in force, who is there, what the plan wants of them, and what is to be sent."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from hub.ocpi.party_id import PartyId
from hub.plugin import HubApi, NotComputed
from plugins.load_manager.dispatch import Action, Board, Rates, Session, Target
from plugins.load_manager.dispatch import Settings as DispatchSettings
from plugins.load_manager.knowledge.keys import SessionKey, owner
from plugins.load_manager.planning import (
    Circumstances,
    Field,
    Inputs,
    Plan,
    Release,
    Settings,
    arrivals_per_h,
    plan_of,
    scale_of,
    taking,
)
from plugins.load_manager.profiles import StepProfile, maximum_over, second
from plugins.load_manager.steering.apart import MOST_AT_HAND, Parts, plan_apart
from plugins.load_manager.steering.scene import NOWHERE, Scene, Tree
from plugins.load_manager.strides import Strides, unhurried

T = TypeVar("T")


class Rounds:
    """Looks at trees of the scene. `rates` are those of all boards."""

    def __init__(self, hub: HubApi, scene: Scene, planning: Settings, dispatch: DispatchSettings) -> None:
        self.rates = Rates()
        self._hub = hub
        self._scene = scene
        self._planning = planning
        self._dispatch = dispatch
        self._ramping: set[str] = set()

    async def look(self, root: str, now: datetime) -> Plan | None:
        """Plans the tree and tells its board; None for the board of sessions that stand nowhere, when nobody is steered
        any more, and when the grid became another one meanwhile.
        """
        tree, scene = self._scene.tree(root), self._scene
        tree.board.settings = self._dispatch
        await self._unhurried(self._end(tree.board))
        if root == NOWHERE or scene.leaving:
            self._allow_rates({owner(row.session.cpo) for row in tree.board.state.rows.values()})
            tree.board.limit({})
            return None
        circumstances = await self._unhurried(self._circumstances(root, now))
        inputs = Inputs(scene.model, scene.capacities, scene.known, now, circumstances, self._planning)
        field = await self._unhurried(taking(root, inputs, _everybody))
        await self._unhurried(self._look_at_capacities(field, tree.board, now))
        await self._unhurried(self._see(field, tree.board))
        plan = await self._plan(field, inputs, tree)
        if scene.model is not inputs.model:
            return None  # another grid since: every tree of it is looked at anew
        tree.plan = plan
        tree.board.limit({group_id: group.room for group_id, group in plan.groups.items()})
        return plan

    async def decide(self, root: str, now: datetime) -> list[Action]:
        """What is to be sent by the last plan."""
        tree = self._scene.tree(root)
        if self._scene.leaving:
            tree.board.let_go()
        elif tree.plan is not None:
            await self._unhurried(_aim(tree.board, tree.plan))
        return await self._unhurried(tree.board.deciding(now, self.rates))

    async def _plan(self, field: Field, inputs: Inputs, tree: Tree) -> Plan:
        epoch, previous = tree.board.state.epoch, tree.plan
        if len(field.rows) > MOST_AT_HAND:
            try:
                parts = await self._unhurried(Parts.of(field, inputs, epoch, previous))
                return await self._hub.compute(plan_apart, parts)
            except NotComputed as failed:
                self._hub.log.warning("a large tree is planned here after all", tree=field.groups[0], error=str(failed))
        return plan_of(field, inputs, epoch=epoch, previous=previous)

    async def _unhurried(self, strides: Strides[T]) -> T:
        return await unhurried(strides, self._hub.sleep)

    def _allow_rates(self, cpos: Iterable[PartyId]) -> None:
        for party in cpos:
            self.rates.allow(str(party), self._scene.known.cpos.of(party).rate_per_s)

    def _circumstances(self, root: str, now: datetime) -> Strides[Circumstances]:
        tree, now_s = self._scene.tree(root), second(now)
        end_s = now_s + self._planning.horizon_s
        ceilings_mw: dict[SessionKey, int] = {}
        held: dict[SessionKey, StepProfile] = {}
        told: dict[SessionKey, StepProfile] = {}
        drawn_mw: dict[SessionKey, int] = {}
        for name, row in list(tree.board.state.rows.items()):
            yield
            key = SessionKey(name)
            bounds = [each for each in (row.theirs, row.reported) if each is not None]
            if bounds:
                ceilings_mw[key] = min(maximum_over(each, now_s, end_s) for each in bounds)
            if row.held(tree.board.state.offline, now):
                held[key] = row.booked
            elif row.excess is not None:
                drawn_mw[key] = row.excess.mw
            if tree.plan is None and row.newest_until_s is not None:
                told[key] = row.newest
        return Circumstances(
            held=held,
            drawn_mw=drawn_mw,
            ceilings_mw=ceilings_mw,
            told=told,
            arrivals_per_h=arrivals_per_h(root, self._scene.model, self._scene.known.arrivals, now),
            sessions=list(tree.sessions.items()),
        )

    def _look_at_capacities(self, field: Field, board: Board, now: datetime) -> Strides[None]:
        scene = self._scene
        lifted = []
        for group_id, demand_mw in zip(field.groups, field.demand_mw.tolist(), strict=True):
            yield
            group = scene.model.groups.get(group_id)
            if group is None:
                continue
            scene.demand_mw[group_id] = demand_mw
            capacity = scene.capacities[group_id] = scene.capacities[group_id].looked_at(group, now, demand_mw)
            if capacity.standing.ramp is None:
                self._ramping.discard(group_id)
            elif group_id not in self._ramping:
                self._ramping.add(group_id)
                lifted.append(group_id)
        if lifted:
            board.lifted(now, lifted)

    def _see(self, field: Field, board: Board) -> Strides[None]:
        known = self._scene.known
        paths = [self._scene.model.path(group_id) for group_id in field.groups]
        cpos = set()
        for row, node in zip(field.rows, field.nodes.tolist(), strict=True):
            yield
            session = known.sessions.find(row.key)
            if session is None or session.ended:
                continue  # since the field was taken
            cpos.add(session.owner)
            cpo = str(session.owner)
            seen = Session(row.key, cpo, paths[node], row.connector_mw, scale_of(row), default_mw=row.default_mw)
            before = board.state.rows.get(row.key)
            if before is None or before.session != seen:
                board.seen(seen)
        self._allow_rates(cpos)

    def _end(self, board: Board) -> Strides[None]:
        for key in list(board.state.rows):
            yield
            session = self._scene.known.sessions.find(SessionKey(key))
            if session is None or session.ended:
                board.ended(key)


def _aim(board: Board, plan: Plan) -> Strides[None]:
    for key, target in plan.targets.items():
        yield
        if isinstance(target, Release):
            board.release(key)
        elif target is not None:
            board.aim(key, Target(target, plan.until_s))


def _everybody(_: SessionKey) -> bool:
    return True
