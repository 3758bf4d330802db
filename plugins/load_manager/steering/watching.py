"""What operators see of steering: metrics, and the capacity providers that are told of it."""

from hub.plugin import HubApi
from plugins.load_manager.dispatch import Complied
from plugins.load_manager.oscp import CapacityProviders
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.sending import Message, Said

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
_COMPLIED_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 900.0)


class Watching:
    """Counts and shows."""

    def __init__(self, hub: HubApi, providers: CapacityProviders) -> None:
        self.providers = providers
        self._plans = hub.counter("plans", "Plans made of trees of the grid.")
        self._profiles = hub.counter("profiles", "Messages about charging profiles, by what the CPO said.", ["answer"])
        self._limit_kw = hub.gauge("limit_kw", "Limit in force of each group.", ["group"])
        self._allocated_kw = hub.gauge("allocated_kw", "Power given to sessions of each group.", ["group"])
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

    def answered(self, message: Message, said: Said) -> None:
        """A CPO has answered a message, or has not."""
        self._profiles.add(answer="none" if said.answer is None else said.answer.value)

    def complied(self, action: Complied) -> None:
        """A group is under its limit again."""
        self._complied_s.observe(action.took_s)
