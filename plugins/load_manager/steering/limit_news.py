"""What capacity providers and operators say, as it changes the capacities of groups."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.judging import SignalRefused
from plugins.load_manager.signals.signal import CapacitySignal
from plugins.load_manager.steering import facts
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.stir import Stir


class LimitNews:
    """Tells the scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def signal(self, signal: CapacitySignal, now: datetime, *, contact: bool) -> Stir:
        """Raises SignalRefused, and nothing has changed but that the message may come again."""
        group_id, scene = signal.group_id, self._scene
        group = scene.model.groups.get(group_id)
        if group is None:
            return Stir()
        if not scene.heard.first_time(signal.sender, signal.message_id, now):
            return Stir(repeated=True)
        demand_mw = scene.demand_mw.get(group_id, 0)
        provider = signal.capacity_provider
        before = scene.capacities[group_id]
        try:
            after = (before.contact(group, now, demand_mw) if contact else before).received(
                signal, group, now, demand_mw
            )
        except SignalRefused:
            scene.heard.forget(signal.sender, signal.message_id)
            raise
        if contact and provider is not None:
            self._each_of(provider, lambda one, other: one.contact(other, now, scene.demand_mw.get(other.id, 0)))
        scene.capacities[group_id] = after
        return Stir(
            {scene.model.root(group_id)}, at_once=True, capacities=self._groups(provider) | {group_id}, heard=True
        )

    def contact(self, fact: facts.ContactChanged, now: datetime) -> Stir:
        demand_mw = self._scene.demand_mw
        if fact.online:
            self._each_of(
                fact.capacity_provider, lambda one, group: one.contact(group, now, demand_mw.get(group.id, 0))
            )
        else:
            self._each_of(fact.capacity_provider, lambda one, group: one.lost(group, now, demand_mw.get(group.id, 0)))
        groups = self._groups(fact.capacity_provider)
        return Stir(self._roots(groups), at_once=True, capacities=groups)

    def mode(self, fact: facts.ModeChanged, now: datetime) -> Stir:
        scene = self._scene
        if fact.shadow is not None:
            scene.mode.shadow = fact.shadow
        if fact.stopped is not None and fact.stopped != scene.mode.stopped:
            scene.mode.stopped = fact.stopped
            for group_id, group in scene.model.groups.items():
                demand_mw = scene.demand_mw.get(group_id, 0)
                scene.capacities[group_id] = scene.capacities[group_id].stopped(fact.stopped, group, now, demand_mw)
        return Stir(set(scene.trees), at_once=True, capacities=set(scene.capacities), mode=True)

    def settled(self, fact: facts.SignalSettled, now: datetime) -> Stir:
        signal, scene = fact.signal, self._scene
        group = scene.model.groups.get(signal.group_id)
        if group is None:
            return Stir()
        before, demand_mw = scene.capacities[group.id], scene.demand_mw.get(group.id, 0)
        if fact.take:
            after = before.confirmed(signal, group, now, demand_mw)
        else:
            after = before.dropped(signal.source, signal.message_id, group, now, demand_mw)
        scene.capacities[group.id] = after
        return Stir({scene.model.root(group.id)}, at_once=True, capacities={group.id})

    def lifted(self, fact: facts.LimitLifted, now: datetime) -> Stir:
        scene = self._scene
        group = scene.model.groups.get(fact.group_id)
        if group is None:
            return Stir()
        demand_mw = scene.demand_mw.get(group.id, 0)
        before = scene.capacities[group.id].looked_at(group, now, demand_mw)
        without = replace(before, limits=before.limits.without_source(fact.source))
        after = without.looked_at(group, now, demand_mw)
        if after.standing.in_force_mw > before.standing.in_force_mw and not after.standing.cut_off:
            after = replace(without, standing=before.standing.lifted(group, now)).looked_at(group, now, demand_mw)
        scene.capacities[group.id] = after
        return Stir({scene.model.root(group.id)}, at_once=True, capacities={group.id})

    def _each_of(self, provider: str, change: Callable[[Capacity, Group], Capacity]) -> None:
        for group in self._scene.model.of_provider(provider):
            self._scene.capacities[group.id] = change(self._scene.capacities[group.id], group)

    def _groups(self, provider: str | None) -> set[str]:
        return set() if provider is None else {group.id for group in self._scene.model.of_provider(provider)}

    def _roots(self, groups: Iterable[str]) -> set[str]:
        return {self._scene.model.root(each) for each in groups}
