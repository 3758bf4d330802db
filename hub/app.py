"""The composition root: settings in, running hub out. The only file that knows every concrete class."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import structlog

from hub.broker.alarms import Alarms
from hub.broker.answer import Answers
from hub.broker.callbacks import Callbacks
from hub.broker.cdr_locations import CdrLocations
from hub.broker.ceremony import Ceremony
from hub.broker.client_info import ClientInfoList, ClientInfos
from hub.broker.client_info_push import ClientInfoPush
from hub.broker.direct import DirectRouting
from hub.broker.identity import HubIdentity
from hub.broker.intake import Intake
from hub.broker.joining import Joining
from hub.broker.legs import LEG_FIELDS, Legs, Limits
from hub.broker.liveness import LivenessBoard
from hub.broker.operations import Operations
from hub.broker.outreach import Outreach
from hub.broker.page_links import PageLinks
from hub.broker.registration import Registration
from hub.broker.registry import RegistryKeeper
from hub.broker.selftest import Selftest
from hub.broker.store_watch import StoreWatch
from hub.broker.version_info import VersionInfo
from hub.clock import Clock, SystemClock
from hub.logs import LegLog, console_leg
from hub.metrics import Metrics
from hub.net.client import PooledForwarder
from hub.net.egress import EgressGuard
from hub.net.forwarder import Forwarder
from hub.net.tls import Trust
from hub.ocpi import codec
from hub.ocpi.names import ConnectionStatus
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import new_token
from hub.settings import Settings
from hub.store.open import create
from hub.store.ports import Store
from hub.store.vault import Fingerprints, LinkSeal, Vault, own_key
from hub.web.admin import AdminDoor, AdminParts
from hub.web.ocpi import OcpiDoor
from hub.web.ops import OpsDoor
from hub.web.server import Doors, ServerLimits, serving

log = structlog.get_logger("hub")

# Young objects die by reference count; what is left for the collector are cycles of error paths, which can wait.
_GC_THRESHOLDS = (50_000, 20, 50)
# Seconds the hub gives connections to end when it has no deadline of its own to wait for.
_LEAST_DRAIN_S = 1.0


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


async def serve(settings: Settings, *, legs_to: BinaryIO | None = None) -> None:
    """Runs a hub until SIGTERM or SIGINT, then drains for at most the forward deadline."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, legs_to=legs_to) as hub:
        log.info("hub is ready", url=hub.url, public_url=settings.public_url, store=settings.database_shown)
        settle_heap()
        await stop.wait()
        hub.ops.draining = True
        log.info("hub is draining", in_flight=hub.metrics.in_flight)
    log.info("hub has stopped")


def settle_heap() -> None:
    """Sets the heap of the start aside: the collector would walk it for every few messages and find nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock | None = None, store: Store | None = None, legs_to: BinaryIO | None = None
) -> AsyncIterator[RunningHub]:
    """A hub with everything it owns, serving; stopped in reverse order at the end. Secrets must be set
    (`ensure_secrets`).

    Raises StoreUnavailable, KeyUnusable or OSError (the port is taken) when it cannot start.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(settings.host, settings.port))
        settings = _with_port(settings, listener.getsockname()[1])
        store = store or create(settings.database_url, settings.mongodb_driver, settings.data_dir)
        await store.open()
        stack.push_async_callback(store.close)
        memory = await _memory(settings, store, clock)
        hub = _assembled(settings, store, clock, memory=memory, legs_to=legs_to or sys.stdout.buffer, stack=stack)
        await memory.registry.load()
        hub.parts.liveness.restore()
        hub.parts.client_info.start()
        stack.push_async_callback(memory.registry.close)
        stack.push_async_callback(hub.parts.forwarder.close)
        tasks = await stack.enter_async_context(_owned_tasks())
        for name, work in (
            ("registry", memory.registry.follow()),
            ("liveness", hub.parts.liveness.watch()),
            ("store", hub.watch.watch()),
            ("callbacks", hub.callbacks.prune()),
            ("announcement", hub.joining.announce()),
            ("client info", hub.parts.client_info.run()),
        ):
            tasks.append(asyncio.create_task(_told_of(name, work, hub.parts.alarms), name=name))
        limits = ServerLimits(
            int(settings.max_body), int(settings.header_limit), max(settings.forward_timeout, _LEAST_DRAIN_S)
        )
        await stack.enter_async_context(serving(hub.doors, listener, limits))
        yield hub.parts


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024, reuse_port=False)


def _with_port(settings: Settings, port: int) -> Settings:
    """With PORT 0 the system chose one, and a PUBLIC_URL nobody set follows it."""
    if settings.port == port:
        return settings
    changes: dict[str, object] = {"port": port}
    if "public_url" not in settings.model_fields_set:
        changes["public_url"] = _url(settings.host, port)
    return settings.model_copy(update=changes)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class _Memory:
    """What needs keys out of the store before anything else can be made."""

    vault: Vault
    fingerprints: Fingerprints
    links: LinkSeal
    trust: Trust
    registry: RegistryKeeper


async def _memory(settings: Settings, store: Store, clock: Clock) -> _Memory:
    vault = Vault([key.get_secret_value() for key in settings.secret_key])
    fingerprints = Fingerprints(await own_key(store.keys, vault, "fingerprints"))
    links = LinkSeal(await own_key(store.keys, vault, "page_links"))
    registry = RegistryKeeper(store.platforms, vault, fingerprints, clock, settings.platform_connections)
    trust = await asyncio.to_thread(Trust, settings.ca_file)
    return _Memory(vault, fingerprints, links, trust, registry)


@dataclass(frozen=True, slots=True)
class _Assembled:
    parts: RunningHub
    joining: Joining
    watch: StoreWatch
    callbacks: Callbacks
    doors: Doors


def _assembled(
    settings: Settings, store: Store, clock: Clock, *, memory: _Memory, legs_to: BinaryIO, stack: AsyncExitStack
) -> _Assembled:
    registry = memory.registry
    metrics = Metrics()
    registry.alarms = alarms = Alarms(clock, metrics)
    party = PartyId(settings.country_code, settings.party_id)
    website = settings.website or settings.public_url
    logo = settings.logo or f"{settings.public_url}/logo.svg"
    identity = HubIdentity(settings.name, party, settings.public_url, website, logo)
    guard = EgressGuard(settings.allowed_networks)
    forwarder = _forwarder(settings, guard, memory.trust, clock)
    outreach = Outreach(
        registry,
        forwarder,
        guard,
        timeout_s=settings.connect_back_timeout,
        allow_http=settings.allow_http,
    )
    liveness = LivenessBoard(
        registry=registry,
        outreach=outreach,
        alarms=alarms,
        clock=clock,
        idle_s=settings.alive_check_interval,
        spacing_s=settings.probe_spacing,
    )
    answers = Answers(clock, party)
    render = codec.dumps if settings.log_format == "json" else console_leg
    leg_log = LegLog(LEG_FIELDS, legs_to, render, capacity=settings.log_buffer)
    stack.push_async_callback(asyncio.to_thread, leg_log.close)
    limits = Limits(
        settings.forward_timeout, settings.authorize_timeout, int(settings.max_body), int(settings.stream_above)
    )
    legs = Legs(
        registry=registry,
        liveness=liveness,
        forwarder=forwarder,
        answers=answers,
        alarms=alarms,
        metrics=metrics,
        log=leg_log,
        clock=clock,
        limits=limits,
    )
    callbacks = Callbacks(
        store=store.callbacks,
        registry=registry,
        outreach=outreach,
        identity=identity,
        clock=clock,
        retention_s=settings.callback_retention,
    )
    direct = DirectRouting(
        hub=party,
        registry=registry,
        liveness=liveness,
        legs=legs,
        answers=answers,
        callbacks=callbacks,
        page_links=PageLinks(memory.links, registry, identity, clock),
        cdr_locations=CdrLocations(store, identity, clock),
    )
    ceremony = Ceremony(
        identity,
        registry,
        outreach,
        forwarder,
        memory.vault,
        memory.fingerprints,
        store.callbacks,
        alarms,
        clock,
        settings.registration_approval,
    )
    infos = ClientInfos(registry, liveness)
    push = ClientInfoPush(infos, registry, liveness, outreach, clock)
    registry.on_change = liveness.on_flip = push.changed
    joining = Joining(ceremony, store.keys, liveness.reached)
    watch = StoreWatch(store, alarms, clock)
    door = OcpiDoor(
        Intake(registry, liveness, answers),
        direct,
        Registration(ceremony, answers, liveness.reached),
        VersionInfo(identity, registry),
        ClientInfoList(infos, identity, answers),
        answers,
        metrics,
        clock,
        int(settings.max_body),
        settings.body_timeout,
    )
    ops = OpsDoor(metrics, lambda: registry.loaded, lambda: watch.available)
    metrics.gauge("ocpi_hub_platforms", lambda: _by_status(registry, liveness))
    metrics.gauge("ocpi_hub_log_lines_dropped", lambda: leg_log.dropped)
    metrics.gauge("ocpi_hub_store_available", lambda: float(watch.available))
    operations = Operations(ceremony, joining, liveness)
    selftest = Selftest(
        registry,
        outreach,
        forwarder,
        identity,
        clock,
        timeout_s=settings.connect_back_timeout,
        allow_http=settings.allow_http,
    )
    admin = AdminParts(
        token=settings.admin_token.get_secret_value() if settings.admin_token else new_token(),
        operations=operations,
        selftest=selftest,
        registry=registry,
        liveness=liveness,
        alarms=alarms,
        identity=identity,
        last_heard=liveness.last_heard,
    )
    parts = RunningHub(
        _url(settings.host, settings.port),
        settings,
        identity,
        store,
        registry,
        liveness,
        forwarder,
        operations,
        alarms,
        metrics,
        ops,
        push,
    )
    return _Assembled(parts, joining, watch, callbacks, Doors(door, ops, AdminDoor(admin)))


def _forwarder(settings: Settings, guard: EgressGuard, trust: Trust, clock: Clock) -> Forwarder:
    return PooledForwarder(
        guard,
        connect_timeout_s=settings.connect_timeout,
        in_flight=settings.in_flight,
        trust=trust,
        proxy=settings.egress_proxy,
        clock=clock,
    )


def _by_status(registry: RegistryKeeper, liveness: LivenessBoard) -> dict[str, float]:
    counts = {status.value: 0.0 for status in ConnectionStatus}
    for platform in registry.snapshot.platforms:
        counts[liveness.status(platform).value] += 1
    return counts


async def _told_of(name: str, work: Coroutine[Any, Any, None], alarms: Alarms) -> None:
    """Work that runs beside the traffic. It should never fail; if it does, an operator must know at once."""
    try:
        await work
    except Exception:
        log.exception("a background task failed", task=name)
        alarms.sound(
            "task_failed", name, "a background task of the hub failed; restart it and report the log", standing=True
        )


@asynccontextmanager
async def _owned_tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that run beside the traffic: cancelled and awaited at the end."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
