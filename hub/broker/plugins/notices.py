"""What becomes of what happens to plugins: lines, counts, alarms."""

from collections.abc import Callable

import structlog

from hub.broker.alarms import Alarms
from hub.metrics import Family, Metrics
from hub.plugin.inspecting import HOOKS

log = structlog.get_logger("hub.plugins")

# Tasks and routes have names that a plugin makes up; as labels they would grow without end.
OTHER = "other"
_NAMED = frozenset((*HOOKS, "start", "stop", "leave", "handle", "every", "call_at"))

TRIPPED = "plugin_tripped"
FAILED = "plugin_failed"
BLOCKED = "plugin_blocked"


def _nobody() -> None:
    """Nobody asked to be told."""


class Notices:
    """Is told by guards, timers and the watchdog. A failure is a line and a count; what an operator must act on is an
    alarm too.
    """

    def __init__(self, alarms: Alarms, metrics: Metrics) -> None:
        self.on_turn: Callable[[], None] = _nobody
        self._alarms = alarms
        self._failures = metrics.family(
            Family("ocpi_hub_plugin_failures", "Failures of plugins", "counter", ("plugin", "hook", "kind"))
        )
        self._trips = metrics.family(
            Family("ocpi_hub_plugin_trips", "Times a plugin was left alone for a while", "counter", ("plugin",))
        )

    def failed(self, plugin: str, hook: str, kind: str, text: str) -> None:
        self._failures.add(plugin=plugin, hook=hook if hook in _NAMED else OTHER, kind=kind)
        log.warning("a plugin failed", plugin=plugin, hook=hook, kind=kind, problem=text)
        if kind == "blocked":
            self._alarms.sound(BLOCKED, plugin, f"{hook} {text.partition(chr(10))[0]}; the log has its stack")

    def tripped(self, plugin: str, why: str) -> None:
        self._trips.add(plugin=plugin)
        self._alarms.sound(TRIPPED, plugin, f"left alone for a while: {why}", standing=True)
        self.on_turn()

    def recovered(self, plugin: str) -> None:
        self._alarms.clear(TRIPPED, plugin)
        self._alarms.clear(FAILED, plugin)
        log.info("a plugin is well again", plugin=plugin)
        self.on_turn()

    def left_out(self, plugin: str, why: str) -> None:
        """It does not run."""
        self._failures.add(plugin=plugin, hook="start", kind="raised")
        self._alarms.sound(FAILED, plugin, f"it could not be started and is tried again: {why}", standing=True)

    def set_aside(self, why: str) -> None:
        """What operators chose at run time cannot be used any more."""
        self._alarms.sound("plugin_choices", "plugins", f"set aside, the settings alone count: {why}", standing=True)

    def gone(self, plugin: str) -> None:
        """It was switched off."""
        self._alarms.clear(TRIPPED, plugin)
        self._alarms.clear(FAILED, plugin)
