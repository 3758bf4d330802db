"""Metrics that plugins count themselves: named after the plugin, bounded in labels."""

from collections.abc import Sequence

from hub.errors import HubError
from hub.metrics import Family, Metrics

MOST_METRICS = 100


class TooManyMetrics(HubError):
    """A plugin asks for more metrics than anybody could look at."""


class PluginMetrics:
    """The metrics of one plugin: asking for one again gives the same."""

    def __init__(self, metrics: Metrics, plugin: str) -> None:
        self._metrics = metrics
        self._prefix = f"ocpi_hub_plugin_{plugin}_"
        self._known: dict[str, Family] = {}

    def counter(self, name: str, text: str, labels: Sequence[str]) -> Family:
        return self._family("counter", name, text, labels)

    def gauge(self, name: str, text: str, labels: Sequence[str]) -> Family:
        return self._family("gauge", name, text, labels)

    def histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str]) -> Family:
        return self._family("histogram", name, text, labels, bounds)

    def _family(self, kind: str, name: str, text: str, labels: Sequence[str], bounds: Sequence[float] = ()) -> Family:
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= MOST_METRICS:
                raise TooManyMetrics(f"a plugin has at most {MOST_METRICS} metrics")
            known = self._known[name] = self._metrics.family(
                Family(f"{self._prefix}{name}", text, kind, tuple(labels), tuple(bounds))
            )
        return known

    def close(self) -> None:
        """The plugin is gone for good."""
        for family in self._known.values():
            self._metrics.drop(family)
