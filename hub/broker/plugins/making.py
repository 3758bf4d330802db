"""Making instances of plugins, with everything they have of the hub; and knowing which source file is whose."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import structlog

from hub.broker.plugins.clockwork import Clockwork
from hub.broker.plugins.duties import Duties
from hub.broker.plugins.facade import HubOfPlugin, Services
from hub.broker.plugins.incarnation import Incarnation, NotStarted
from hub.broker.plugins.metering import PluginMetrics
from hub.broker.plugins.notices import Notices
from hub.broker.plugins.outgoing import GuardedHttp
from hub.metrics import Metrics
from hub.net.egress import EgressGuard
from hub.net.forwarder import Forwarder
from hub.plugin.api import Plugin
from hub.plugin.guard import Guard, told
from hub.plugin.loader import Chosen

log = structlog.get_logger("hub.plugins")

_LONGEST_SHOWN = 120


class Sources:
    """Which code is whose: by source file, and where several plugins share one, by class."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, str]] = {}
        self._folders: dict[str, str] = {}

    def add(self, name: str, plugin: type[Plugin[Any]]) -> None:
        """A plugin's file, or the whole folder of its package when that is its own."""
        file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
        if file is None:
            return
        if plugin.__module__.rpartition(".")[0].rpartition(".")[2] == name:
            self._folders[f"{Path(file).parent}{os.sep}"] = name
        else:
            self._files.setdefault(file, {})[plugin.__qualname__] = name

    def owner(self, code: CodeType) -> str | None:
        """The plugin that a function belongs to."""
        classes = self._files.get(code.co_filename)
        if classes is not None:
            found = classes.get(code.co_qualname.rpartition(".")[0])
            return found or (next(iter(classes.values())) if len(classes) == 1 else None)
        return next((name for folder, name in self._folders.items() if code.co_filename.startswith(folder)), None)


class Maker:
    """Makes instances."""

    def __init__(
        self,
        services: Services,
        *,
        metrics: Metrics,
        forwarder: Forwarder,
        guard: EgressGuard,
        notices: Notices,
        node_id: str,
        allow_http: bool,
        trace: bool,
    ) -> None:
        self.sources = Sources()
        self._services = services
        self._metrics = metrics
        self._forwarder = forwarder
        self._guard = guard
        self._notices = notices
        self._node_id = node_id
        self._allow_http = allow_http
        self._trace = trace
        self._own_metrics: dict[str, PluginMetrics] = {}

    def made(self, chosen: Chosen, before: Incarnation | None) -> Incarnation:
        """An instance. Raises NotStarted when its `__init__` fails."""
        name, clock = chosen.name, self._services.clock
        guard = Guard(name, chosen.config, clock, self._notices)
        if before is not None:
            guard.standing.timings = before.guard.standing.timings
        if self._trace:
            guard.trace = _traced
        clockwork = Clockwork(name, clock, self._notices)
        duties = Duties(self._services.store.duties, clock, self._node_id, name)
        metrics = self._own_metrics.setdefault(name, PluginMetrics(self._metrics, name))
        http = GuardedHttp(name, self._forwarder, self._guard, allow_http=self._allow_http)
        hub = HubOfPlugin(name, self._services, http=http, duties=duties, clockwork=clockwork, metrics=metrics)
        self.sources.add(name, chosen.plugin)
        try:
            plugin = chosen.plugin(chosen.config, hub)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - the boundary to the plugin
            raise NotStarted(f"it cannot be made: {told(raised)}") from None
        return Incarnation(chosen, plugin, guard, hub, clockwork, duties)


def _traced(plugin: str, hook: str, about: Sequence[Any], verdict: object, seconds: float) -> None:
    """A line for every call of a hook (PLUGIN_TRACE)."""
    exchange = about[0]
    said = "None" if verdict is None else repr(verdict)[:_LONGEST_SHOWN]
    log.info(
        "hook",
        plugin=plugin,
        hook=hook,
        verdict=said,
        ms=round(seconds * 1000, 3),
        correlation_id=getattr(exchange, "correlation_id", None),
        module=getattr(exchange, "module", None),
        method=getattr(exchange, "method", None),
    )
