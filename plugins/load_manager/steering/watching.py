"""What operators see of steering: metrics and warnings, and the capacity providers that are told of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import nan

from hub.ocpi import times
from hub.plugin import HubApi
from plugins.load_manager.dispatch import Complied
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.power import Drawn
from plugins.load_manager.oscp import CapacityProviders
from plugins.load_manager.signals.standing import State
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.sending import Message, Said

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
_COMPLIED_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 900.0)
_GAP_LOOKED_AT = timedelta(days=1)


class Watching:
    """Counts and shows."""

    def __init__(self, hub: HubApi, providers: CapacityProviders) -> None:
        self.providers = providers
        self._hub = hub
        self._gaps: dict[str, datetime] = {}
        self._plans = hub.counter("plans", "Plans made of trees of the grid.")
        self._profiles = hub.counter("profiles", "Messages about charging profiles, by what the CPO said.", ["answer"])
        self._limit_kw = hub.gauge("limit_kw", "Limit in force of each group.", ["group"])
        self._allocated_kw = hub.gauge("allocated_kw", "Power given to sessions of each group.", ["group"])
        self._measured_kw = hub.gauge("measured_kw", "Power that sessions of each group draw.", ["group"])
        self._measured: set[str] = set()
        self._planning_s = hub.histogram("planning_seconds", "Seconds that a look at a tree took.", _SECONDS)
        self._complied_s = hub.histogram(
            "complied_seconds", "Seconds from a limit that was exceeded to the last confirmation.", _COMPLIED_SECONDS
        )

    def planned(self, root: str, scene: Scene, took_s: float) -> None:
        """A tree was looked at."""
        self._plans.add()
        self._planning_s.observe(took_s)
        plan = scene.tree(root).plan
        for group_id, group in plan.groups.items() if plan is not None else ():
            self._limit_kw.set(group.limit_mw / 1e6, group=group_id)
            self._allocated_kw.set(group.allocated_mw / 1e6, group=group_id)
            self._look_for_gap(group_id, scene)

    def _look_for_gap(self, group_id: str, scene: Scene) -> None:
        """Warns once of each time that no limit covers although the capacity provider is there to say one."""
        group, capacity = scene.model.groups.get(group_id), scene.capacities.get(group_id)
        if group is None or capacity is None or capacity.standing.state is not State.STALE:
            self._gaps.pop(group_id, None)
            return
        since = capacity.standing.since
        if self._gaps.get(group_id) == since:
            return
        self._gaps[group_id] = since
        now = self._hub.now()
        steps = capacity.steps(group, now, now + _GAP_LOOKED_AT)
        until = next((step.start for step in steps if not step.force.gap), None)
        self._hub.log.warning(
            "a gap: no limit covers this time",
            group=group_id,
            until=None if until is None else times.render(until),
            limit_kw=kilowatts(steps[0].limit_mw),
            rule=steps[0].force.rule.value,
        )

    def drawn(self, drawn: Mapping[str, Drawn]) -> None:
        """What groups draw; of those that are missing nobody knows it."""
        for group_id in self._measured - drawn.keys():
            self._measured_kw.set(nan, group=group_id)
        self._measured = set(drawn)
        for group_id, one in drawn.items():
            self._measured_kw.set(one.power_mw / 1e6, group=group_id)

    def answered(self, message: Message, said: Said) -> None:
        """A CPO has answered a message, or has not."""
        self._profiles.add(answer="none" if said.answer is None else said.answer.value)

    def complied(self, action: Complied) -> None:
        """A group is under its limit again."""
        self._complied_s.observe(action.took_s)
