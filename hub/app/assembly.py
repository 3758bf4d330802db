"""The whole hub, put together: routing, handshakes, client info, operations and doors."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from hub.app.core import Core
from hub.app.plugins import Given, Plugins, plugins
from hub.app.routing import Routing, routing
from hub.broker.agreements import AgreementOperations
from hub.broker.alarms import Alarms
from hub.broker.catalog_view import CatalogView
from hub.broker.ceremony import Ceremony
from hub.broker.client_info import ClientInfos
from hub.broker.client_info_list import ClientInfoList
from hub.broker.client_info_push import ClientInfoPush
from hub.broker.client_info_sight import Sights
from hub.broker.departures import Departures
from hub.broker.fan_out import FanOut
from hub.broker.identity import HubIdentity
from hub.broker.intake import Intake
from hub.broker.joining import Joining
from hub.broker.knowledge import Knowledge
from hub.broker.liveness import LivenessBoard
from hub.broker.operations import Operations
from hub.broker.peer_list import PeerLists
from hub.broker.peer_reports import PeerReports
from hub.broker.peers import Peers
from hub.broker.plugins.host import PluginHost
from hub.broker.pulls import Pulls
from hub.broker.registration import Registration
from hub.broker.registry import RegistryKeeper
from hub.broker.selftest import Selftest
from hub.broker.store_watch import StoreWatch
from hub.broker.version_info import VersionInfo
from hub.metrics import Metrics
from hub.net.forwarder import Forwarder
from hub.ocpi.token import new_token
from hub.settings import Settings
from hub.store.ports import Store
from hub.web.admin import AdminDoor, AdminParts
from hub.web.ocpi import OcpiDoor
from hub.web.ops import OpsDoor
from hub.web.plugin_routes import PluginRoutes
from hub.web.server import Doors


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that serves. `url` is where it listens, without a slash at the end; the rest is for operators and tests."""

    url: str
    settings: Settings
    identity: HubIdentity
    store: Store
    registry: RegistryKeeper
    liveness: LivenessBoard
    forwarder: Forwarder
    operations: Operations
    alarms: Alarms
    metrics: Metrics
    ops: OpsDoor
    client_info: ClientInfoPush
    broadcasts: FanOut
    known: Knowledge
    pulls: Pulls
    peers: Peers
    plugins: PluginHost


@dataclass(frozen=True, slots=True)
class Assembled:
    """The parts, the doors, and the work beside the traffic."""

    parts: RunningHub
    doors: Doors
    routing: Routing
    plugins: Plugins
    work: tuple[tuple[str, Callable[[], Coroutine[Any, Any, None]]], ...]


def assembled(core: Core, url: str, given: Given) -> Assembled:
    """Makes everything that serves; nothing runs yet."""
    settings, registry, liveness = core.settings, core.registry, core.liveness
    routes = routing(core)
    departures = Departures(registry, core.store.catalog, routes.fan_out, routes.knowledge)
    ceremony = Ceremony(
        core.identity,
        registry,
        core.outreach,
        core.forwarder,
        core.vault,
        core.fingerprints,
        core.store.callbacks,
        core.alarms,
        core.clock,
        departures,
        settings.registration_approval,
    )
    infos, sights = ClientInfos(registry, liveness, core.identity.party), Sights(registry)
    push = ClientInfoPush(
        infos=infos, sights=sights, registry=registry, liveness=liveness, outreach=core.outreach, clock=core.clock
    )
    peers = Peers(
        lists=PeerLists(registry, liveness, core.outreach, core.identity.party),
        registry=registry,
        liveness=liveness,
        alarms=core.alarms,
        clock=core.clock,
        departures=departures,
    )
    intake = Intake(registry, liveness, core.answers)
    runs = plugins(core, routes, intake, infos, departures, given)
    registry.on_change = liveness.on_flip = _each(push.changed, peers.changed, runs.news.changed)
    joining = Joining(ceremony, core.store.keys, liveness.reached)
    watch = StoreWatch(core.store, core.alarms, core.clock)
    core.metrics.gauge("ocpi_hub_store_available", lambda: float(watch.available))
    door = OcpiDoor(
        intake,
        routes.walk,
        Registration(ceremony, core.answers, liveness.reached),
        VersionInfo(core.identity, registry),
        ClientInfoList(infos, sights, core.identity, core.answers),
        PeerReports(registry, core.answers, core.clock, core.identity.party),
        core.watching,
        core.answers,
        core.metrics,
        core.clock,
        int(settings.max_body),
        settings.body_timeout,
    )
    ops = OpsDoor(core.metrics, lambda: registry.loaded, lambda: watch.available)
    operations = Operations(ceremony, joining, liveness, routes.pulls)
    own_routes = PluginRoutes(runs.host)
    admin = AdminDoor(_admin_parts(core, routes, operations, runs.host), own_routes)
    parts = RunningHub(
        url,
        settings,
        core.identity,
        core.store,
        registry,
        liveness,
        core.forwarder,
        operations,
        core.alarms,
        core.metrics,
        ops,
        push,
        routes.fan_out,
        routes.knowledge,
        routes.pulls,
        peers,
        runs.host,
    )
    work = (
        ("registry", registry.follow),
        ("liveness", liveness.watch),
        ("store", watch.watch),
        ("callbacks", routes.callbacks.prune),
        ("announcement", joining.announce),
        ("client info", push.run),
        ("peer hubs", peers.run),
        ("fan-out", routes.fan_out.run),
        ("open routing", routes.knowledge.run),
        ("pulls", routes.pulls.run),
        ("departures", departures.sweep),
        ("plugins", runs.host.run),
        ("party news", runs.news.run),
        ("catalog news", core.catalog_news.run),
    )
    return Assembled(parts, Doors(door, ops, admin, own_routes), routes, runs, work)


def _each(*calls: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        for one in calls:
            one()

    return call


def _admin_parts(core: Core, routes: Routing, operations: Operations, host: PluginHost) -> AdminParts:
    settings = core.settings
    selftest = Selftest(
        core.registry,
        core.outreach,
        core.forwarder,
        core.identity,
        core.clock,
        timeout_s=settings.connect_back_timeout,
        allow_http=settings.allow_http,
    )
    return AdminParts(
        token=settings.admin_token.get_secret_value() if settings.admin_token else new_token(),
        operations=operations,
        agreements=AgreementOperations(core.registry, core.liveness, routes.choices),
        catalog=CatalogView(core.store.catalog),
        pulls=routes.pulls,
        selftest=selftest,
        plugins=host,
        registry=core.registry,
        liveness=core.liveness,
        alarms=core.alarms,
        identity=core.identity,
        last_heard=core.liveness.last_heard,
        is_behind=routes.fan_out.is_behind,
        now=core.clock.now,
    )
