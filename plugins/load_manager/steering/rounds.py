"""One look at a tree: what is in force, who is there, what the plan wants of them, and what is to be sent."""

from datetime import datetime

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
    field_of,
    plan_of,
    scale_of,
)
from plugins.load_manager.profiles import maximum_over, second
from plugins.load_manager.steering.apart import MOST_AT_HAND, Parts, plan_apart
from plugins.load_manager.steering.scene import NOWHERE, Scene, Tree


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
        """Plans the tree and tells its board; None for the board of sessions that stand nowhere."""
        tree, scene = self._scene.tree(root), self._scene
        tree.board.settings = self._dispatch
        self._end(tree.board)
        if root == NOWHERE:
            tree.board.limit({})
            return None
        inputs = Inputs(scene.model, scene.capacities, scene.known, now, self._circumstances(root, now), self._planning)
        field = field_of(root, inputs, _everybody)
        self._look_at_capacities(field, tree.board, now)
        self._see(field, tree.board)
        self._allow_rates(tree.board)
        plan = await self._plan(field, inputs, tree)
        tree.plan = plan
        tree.board.limit({group_id: group.room for group_id, group in plan.groups.items()})
        return plan

    async def _plan(self, field: Field, inputs: Inputs, tree: Tree) -> Plan:
        epoch, previous = tree.board.state.epoch, tree.plan
        if len(field.rows) > MOST_AT_HAND:
            try:
                return await self._hub.compute(plan_apart, Parts(field, inputs, epoch, previous))
            except NotComputed as failed:
                self._hub.log.warning("a large tree is planned here after all", tree=field.groups[0], error=str(failed))
        return plan_of(field, inputs, epoch=epoch, previous=previous)

    def decide(self, root: str, now: datetime) -> list[Action]:
        """What is to be sent by the last plan."""
        tree = self._scene.tree(root)
        if tree.plan is not None:
            for key, target in tree.plan.targets.items():
                if isinstance(target, Release):
                    tree.board.release(key)
                elif target is not None:
                    tree.board.aim(key, Target(target, tree.plan.until_s))
        return tree.board.decide(now, self.rates)

    def _circumstances(self, root: str, now: datetime) -> Circumstances:
        tree, now_s = self._scene.tree(root), second(now)
        end_s = now_s + self._planning.horizon_s
        ceilings_mw: dict[SessionKey, int] = {}
        for key, row in tree.board.state.rows.items():
            bounds = [each for each in (row.theirs, row.reported) if each is not None]
            if bounds:
                ceilings_mw[SessionKey(key)] = min(maximum_over(each, now_s, end_s) for each in bounds)
        held = {SessionKey(key): profile for key, profile in tree.board.held(now).items()}
        drawn_mw = {SessionKey(key): power_mw for key, power_mw in tree.board.overdrawn(now).items()}
        return Circumstances(
            held=held,
            drawn_mw=drawn_mw,
            ceilings_mw=ceilings_mw,
            arrivals_per_h=arrivals_per_h(root, self._scene.model, self._scene.known.arrivals, now),
            sessions=list(tree.sessions.items()),
        )

    def _look_at_capacities(self, field: Field, board: Board, now: datetime) -> None:
        scene = self._scene
        lifted = []
        for group_id, demand_mw in zip(field.groups, field.demand_mw().tolist(), strict=True):
            scene.demand_mw[group_id] = demand_mw
            group = scene.model.groups[group_id]
            capacity = scene.capacities[group_id] = scene.capacities[group_id].looked_at(group, now, demand_mw)
            if capacity.standing.ramp is None:
                self._ramping.discard(group_id)
            elif group_id not in self._ramping:
                self._ramping.add(group_id)
                lifted.append(group_id)
        if lifted:
            board.lifted(now, lifted)

    def _see(self, field: Field, board: Board) -> None:
        for row, node in zip(field.rows, field.nodes.tolist(), strict=True):
            path = self._scene.model.path(field.groups[node])
            seen = Session(
                row.key, str(row.session.owner), path, row.connector_mw, scale_of(row), default_mw=row.default_mw
            )
            known = board.state.rows.get(row.key)
            if known is None or known.session != seen:
                board.seen(seen)

    def _allow_rates(self, board: Board) -> None:
        for cpo in {row.session.cpo for row in board.state.rows.values()}:
            self.rates.allow(cpo, self._scene.known.cpos.of(owner(cpo)).rate_per_s)

    def _end(self, board: Board) -> None:
        for key in list(board.state.rows):
            session = self._scene.known.sessions.find(SessionKey(key))
            if session is None or session.ended:
                board.ended(key)


def _everybody(_: SessionKey) -> bool:
    return True
