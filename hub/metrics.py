"""What the hub counts, in one place. The message path adds to plain numbers; the Prometheus text is made at a
scrape.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Upper bounds in seconds: one millisecond of hub work at one end, the forward deadline at the other.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)

MESSAGES = "ocpi_hub_messages_total"
LATENCY = "ocpi_hub_message_duration_seconds"
LEG_LATENCY = "ocpi_hub_leg_duration_seconds"
IN_FLIGHT = "ocpi_hub_in_flight"
ALARMS = "ocpi_hub_alarms_total"
BROADCAST_LEGS = "ocpi_hub_broadcast_legs_total"
GAUGES = {
    IN_FLIGHT: "Messages the hub is working on",
    "ocpi_hub_platforms": "Platforms by connection status",
    "ocpi_hub_log_lines_dropped": "Log lines of legs that were dropped because the buffer was full",
    "ocpi_hub_store_available": "1 while the store answers",
    "ocpi_hub_broadcast_legs_waiting": "Legs of broadcasts that wait for their turn",
    "ocpi_hub_receivers_behind": "Parties that missed broadcasts and have not fetched the list since",
    "ocpi_hub_routing_lessons_dropped": "Things open routing could have learnt but had no room for",
}


class _Histogram:
    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self.total_s += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        rows: list[tuple[str, float]] = []
        running = 0
        for bound, count in zip((*map(str, LATENCY_BUCKETS_S), "+Inf"), self.counts, strict=True):
            running += count
            rows.append((bound, float(running)))
        return rows


_MOST_ROWS = 1_000


class Family:
    """A metric of a plugin: `kind` is counter, gauge or histogram. Of label values beyond the first thousand only the
    sum is kept, under empty labels.
    """

    def __init__(
        self, name: str, text: str, kind: str, labels: tuple[str, ...] = (), bounds: tuple[float, ...] = ()
    ) -> None:
        self.name = name
        self._text = text
        self._kind = kind
        self._labels = labels
        self._bounds = tuple(sorted(bounds))
        self._values: dict[tuple[str, ...], float] = {}
        self._counts: dict[tuple[str, ...], list[int]] = {}

    def add(self, amount: float = 1.0, **labels: str) -> None:
        row = self._row(labels)
        self._values[row] = self._values.get(row, 0.0) + amount

    def set(self, value: float, **labels: str) -> None:
        self._values[self._row(labels)] = value

    def observe(self, value: float, **labels: str) -> None:
        row = self._row(labels)
        self._values[row] = self._values.get(row, 0.0) + value
        counts = self._counts.setdefault(row, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, value)] += 1

    def _row(self, labels: dict[str, str]) -> tuple[str, ...]:
        row = tuple(str(labels.get(name, "")) for name in self._labels)
        return row if row in self._values or len(self._values) < _MOST_ROWS else ("",) * len(self._labels)

    def collected(self) -> Metric:
        """What a scrape shows."""
        if self._kind == "histogram":
            family = HistogramMetricFamily(self.name, self._text, labels=self._labels)
            for row, counts in self._counts.items():
                running, buckets = 0, []
                for bound, count in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
                    running += count
                    buckets.append((bound, float(running)))
                family.add_metric(row, buckets, self._values[row])
            return family
        rows: CounterMetricFamily | GaugeMetricFamily = (
            CounterMetricFamily(self.name, self._text, labels=self._labels)
            if self._kind == "counter"
            else GaugeMetricFamily(self.name, self._text, labels=self._labels)
        )
        for row, value in self._values.items():
            rows.add_metric(row, value)
        return rows


class Metrics(Collector):
    """Counters and histograms of one hub. Not thread-safe: everything is counted on the event loop."""

    def __init__(self) -> None:
        self._messages: Counter[tuple[str, str, str]] = Counter()
        self._latency: dict[str, _Histogram] = {}
        self._legs: dict[str, _Histogram] = {}
        self._alarms: Counter[str] = Counter()
        self._broadcast_legs: Counter[str] = Counter()
        self._gauges: dict[str, Callable[[], dict[str, float] | float]] = {}
        self._families: dict[str, Family] = {}
        self._sources: list[Callable[[], Iterable[Family]]] = []
        self.in_flight = 0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count_message(self, mode: str, module: str, outcome: str, seconds: float, leg_seconds: float | None) -> None:
        """One exchange is over: its routing mode, module, outcome, time in the hub and time waited for the receiver."""
        self._messages[mode, module, outcome] += 1
        _of(self._latency, mode).observe(seconds)
        if leg_seconds is not None:
            _of(self._legs, mode).observe(leg_seconds)

    def count_broadcast_leg(self, outcome: str, seconds: float | None = None) -> None:
        """One leg of a broadcast is done; `seconds` is how long the receiver took, if it was sent."""
        self._broadcast_legs[outcome] += 1
        if seconds is not None:
            _of(self._legs, "broadcast").observe(seconds)

    def count_alarm(self, kind: str) -> None:
        self._alarms[kind] += 1

    def gauge(self, name: str, read: Callable[[], dict[str, float] | float]) -> None:
        """Registers a gauge of GAUGES that is read at a scrape; a dict gives one row per status."""
        self._gauges[name] = read

    def family(self, family: Family) -> Family:
        """Shows a metric at every scrape; the one that has its name already, if there is one."""
        return self._families.setdefault(family.name, family)

    def drop(self, family: Family) -> None:
        self._families.pop(family.name, None)

    def source(self, read: Callable[[], Iterable[Family]]) -> None:
        """Registers what gives metrics at a scrape, for numbers that are kept elsewhere."""
        self._sources.append(read)

    def expose(self) -> bytes:
        """The Prometheus text."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        messages = CounterMetricFamily(
            MESSAGES, "Messages by routing mode, module and outcome", labels=["mode", "module", "outcome"]
        )
        for labels, count in self._messages.items():
            messages.add_metric(labels, count)
        yield messages
        yield _histogram(LATENCY, "Time from request to answer", self._latency)
        yield _histogram(LEG_LATENCY, "Time a receiver took to answer", self._legs)
        alarms = CounterMetricFamily(ALARMS, "Alarms raised, by kind", labels=["kind"])
        for kind, count in self._alarms.items():
            alarms.add_metric([kind], count)
        yield alarms
        legs = CounterMetricFamily(BROADCAST_LEGS, "Legs of broadcasts by outcome", labels=["outcome"])
        for outcome, count in self._broadcast_legs.items():
            legs.add_metric([outcome], count)
        yield legs
        yield from self._collect_gauges()
        for family in self._families.values():
            yield family.collected()
        for read in self._sources:
            for family in read():
                yield family.collected()

    def _collect_gauges(self) -> Iterator[Metric]:
        in_flight = GaugeMetricFamily(IN_FLIGHT, GAUGES[IN_FLIGHT])
        in_flight.add_metric([], self.in_flight)
        yield in_flight
        for name, read in self._gauges.items():
            value = read()
            gauge = GaugeMetricFamily(name, GAUGES[name], labels=["status"] if isinstance(value, dict) else [])
            for labels, number in (
                [([key], v) for key, v in value.items()] if isinstance(value, dict) else [([], value)]
            ):
                gauge.add_metric(labels, number)
            yield gauge


def _of(table: dict[str, _Histogram], key: str) -> _Histogram:
    histogram = table.get(key)
    if histogram is None:
        histogram = table[key] = _Histogram()
    return histogram


def _histogram(name: str, text: str, table: dict[str, _Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=["mode"])
    for mode, histogram in table.items():
        family.add_metric([mode], histogram.cumulative(), histogram.total_s)
    return family
