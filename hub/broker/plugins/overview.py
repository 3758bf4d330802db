"""What the host shows operators and scrapes of plugins: how each one is, what it is asked about, how its hooks fare."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum

from hub.broker.alarms import Alarms
from hub.broker.plugins.host import PluginHost
from hub.broker.plugins.incarnation import Incarnation
from hub.broker.plugins.notices import TRIPPED
from hub.broker.plugins.own_words import HealthView, health_of
from hub.metrics import Family
from hub.ocpi.names import Role
from hub.plugin.loader import Available
from hub.plugin.standing import Timing
from hub.plugin.web import Audience
from hub.plugin.words import Body, Delivery, Phase, Watch


class State(StrEnum):
    """RUNNING; LEAVING: it is taken out, and puts in order what it leaves behind; TRIPPED: left alone for a while;
    FAILED: it did not start and is tried again; OFF: nobody wants it to run; BROKEN: it cannot be loaded.
    """

    RUNNING = "RUNNING"
    LEAVING = "LEAVING"
    TRIPPED = "TRIPPED"
    FAILED = "FAILED"
    OFF = "OFF"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True)
class HookView:
    """One hook since the start of the hub. Milliseconds are those it took of the hub, or waited."""

    calls: int
    mean_ms: float
    most_ms: float
    suspended: int
    failures: int
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class InboxView:
    """Finished exchanges on their way to the plugin, and those that never reached it."""

    waiting: int = 0
    dropped: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class PlayedView:
    """A party that the plugin plays."""

    role: Role
    country_code: str
    party_id: str
    name: str


@dataclass(frozen=True, slots=True)
class RouteView:
    """A route of its own; one for `admin` is below `/admin/v1`."""

    method: str
    path: str
    audience: Audience
    summary: str


@dataclass(frozen=True, slots=True)
class PluginView:
    """One plugin. `place` is its place among those that run, and `order` the one among those asked in a phase; both
    count from 1. `failures` are those of all its hooks, `abandoned` its hooks that do not end, `leaked` the tasks that
    its instances left behind.
    """

    name: str
    state: State
    why: str
    origin: str
    api: str | None
    place: int | None = None
    order: Mapping[str, int] = field(default_factory=dict)
    watches: tuple[str, ...] = ()
    health: HealthView | None = None
    trips: int = 0
    failures: int = 0
    abandoned: int = 0
    leaked: int = 0
    inbox: InboxView = InboxView()
    hooks: Mapping[str, HookView] = field(default_factory=dict)
    parties: tuple[PlayedView, ...] = ()
    routes: tuple[RouteView, ...] = ()


def names(host: PluginHost) -> set[str]:
    """Every plugin that is there, whether it runs or not."""
    return {*host.found, *(one.name for one in host.running)}


def order(host: PluginHost) -> dict[str, list[str]]:
    """Who is asked in each phase, in order."""
    return {phase.value: asked for phase, asked in host.order().items()}


def view(host: PluginHost, alarms: Alarms, name: str) -> PluginView | None:
    """One plugin; None when there is none of this name."""
    one = host.one(name)
    if one is not None:
        return _running(host, alarms, one)
    found = host.found.get(name)
    return None if found is None else _not_running(host, found)


def _not_running(host: PluginHost, found: Available) -> PluginView:
    if found.plugin is None:
        return PluginView(found.name, State.BROKEN, found.problem or "", found.origin, None)
    off = "an operator switched it off" if found.name in host.choices.disabled else "the settings do not name it"
    return PluginView(found.name, State.OFF, off, found.origin, found.plugin.api)


def _running(host: PluginHost, alarms: Alarms, one: Incarnation) -> PluginView:
    state = State.LEAVING if one.name in host.leaving else state_of(one)
    inbox = host.inboxes.get(one.name)
    timings = one.guard.standing.timings
    return PluginView(
        name=one.name,
        state=state,
        why=one.failed or (_why_tripped(alarms, one.name) if state is State.TRIPPED else ""),
        origin=one.chosen.origin,
        api=one.chosen.plugin.api,
        place=host.running.index(one) + 1,
        order={phase: asked.index(one.name) + 1 for phase, asked in order(host).items() if one.name in asked},
        watches=tuple(in_words(watch) for watch in one.watches),
        health=health_of(one),
        trips=one.guard.standing.trips,
        failures=sum(timing.failures for timing in timings.values()),
        abandoned=one.guard.abandoned,
        leaked=host.leaked[one.name],
        inbox=InboxView() if inbox is None else InboxView(inbox.waiting, inbox.dropped, inbox.gaps),
        hooks={hook: _timed(timing) for hook, timing in timings.items()},
        parties=tuple(PlayedView(each.role, each.country_code, each.party_id, each.name) for each in one.parties),
        routes=tuple(RouteView(each.method, each.path, each.audience, each.summary) for each in one.routes),
    )


def _why_tripped(alarms: Alarms, name: str) -> str:
    told = (alarm.text for alarm in alarms.newest_first if (alarm.kind, alarm.subject) == (TRIPPED, name))
    return next(told, "left alone for a while")


def state_of(one: Incarnation) -> State:
    """How an instance is that is meant to run."""
    if one.failed is not None:
        return State.FAILED
    return State.TRIPPED if one.guard.tripped else State.RUNNING


def _timed(timing: Timing) -> HookView:
    return HookView(
        calls=timing.calls,
        mean_ms=round(timing.seconds / timing.calls * 1000, 3) if timing.calls else 0.0,
        most_ms=round(timing.most_s * 1000, 3),
        suspended=timing.suspended,
        failures=timing.failures,
        verdicts=dict(timing.verdicts),
    )


def in_words(watch: Watch) -> str:
    """`routed: PUT of sessions at RECEIVER; reads the request`."""
    phases = ", ".join(phase for phase in Phase if phase in watch.phases)
    what = f"{_listed(watch.methods, 'every method')} of {_listed(watch.modules, 'every module')}"
    if watch.interface is not None:
        what += f" at {watch.interface}"
    if watch.kinds is not None:
        what += f", {_listed(watch.kinds, '')} only"
    bodies = [f"{_DOES[body]} the {side}" for side, body in _sides(watch) if body is not Body.IGNORE]
    lossless = ["lossless"] if watch.delivery is Delivery.LOSSLESS else []
    return "; ".join([f"{phases}: {what}", *bodies, *lossless])


_DOES = {Body.BYTES: "takes the bytes of", Body.READ: "reads", Body.CHANGE: "may change"}


def _sides(watch: Watch) -> tuple[tuple[str, Body], ...]:
    return ("request", watch.request), ("answer", watch.response)


def _listed(chosen: AbstractSet[str] | None, every: str) -> str:
    return every if chosen is None else ", ".join(sorted(chosen))


# --- what a scrape shows


def families(host: PluginHost) -> Iterator[Family]:
    """Metrics of every plugin that is meant to run."""
    name, hook = ("plugin",), ("plugin", "hook")
    up = Family("ocpi_hub_plugin_up", "1 while the plugin runs, 0 while it is tripped or failed", "gauge", name)
    waiting = Family("ocpi_hub_plugin_waiting", "Finished exchanges that wait for the plugin", "gauge", name)
    dropped = Family("ocpi_hub_plugin_dropped", "Finished exchanges dropped, its inbox being full", "counter", name)
    gaps = Family("ocpi_hub_plugin_gaps", "Times the plugin was told it missed something", "counter", name)
    calls = Family("ocpi_hub_plugin_hook_calls", "Calls of hooks", "counter", hook)
    seconds = Family("ocpi_hub_plugin_hook_seconds", "Seconds hooks took or waited", "counter", hook)
    for one in host.running:
        up.set(float(state_of(one) is State.RUNNING), plugin=one.name)
        inbox = host.inboxes.get(one.name)
        if inbox is not None:
            waiting.set(inbox.waiting, plugin=one.name)
            dropped.set(inbox.dropped, plugin=one.name)
            gaps.set(inbox.gaps, plugin=one.name)
        for called, timing in one.guard.standing.timings.items():
            calls.set(timing.calls, plugin=one.name, hook=called)
            seconds.set(timing.seconds, plugin=one.name, hook=called)
    yield from (up, waiting, dropped, gaps, calls, seconds)
