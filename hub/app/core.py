"""What everything else stands on: keys, registry, wires, liveness, alarms, legs."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import BinaryIO

from hub.broker.alarms import Alarms
from hub.broker.answer import Answers
from hub.broker.identity import HubIdentity
from hub.broker.legs import LEG_FIELDS, Legs, Limits
from hub.broker.liveness import LivenessBoard
from hub.broker.outreach import Outreach
from hub.broker.plugins.catalog_news import CatalogNews
from hub.broker.plugins.spoken import Spoken
from hub.broker.plugins.watching import Watching
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.logs import LegLog, console_leg
from hub.metrics import Metrics
from hub.net.client import PooledForwarder
from hub.net.egress import EgressGuard
from hub.net.forwarder import Forwarder
from hub.net.tls import Trust
from hub.ocpi import codec
from hub.ocpi.names import ConnectionStatus
from hub.ocpi.party_id import PartyId
from hub.settings import Settings
from hub.store.ports import Store
from hub.store.vault import Fingerprints, LinkSeal, Vault, own_key


@dataclass(frozen=True, slots=True)
class Core:
    """Made once, before anything that serves."""

    settings: Settings
    store: Store
    clock: Clock
    identity: HubIdentity
    vault: Vault
    fingerprints: Fingerprints
    links: LinkSeal
    metrics: Metrics
    alarms: Alarms
    registry: RegistryKeeper
    forwarder: Forwarder
    outreach: Outreach
    liveness: LivenessBoard
    answers: Answers
    legs: Legs
    guard: EgressGuard
    spoken: Spoken
    watching: Watching
    catalog_news: CatalogNews
    plugin_secrets: Vault


async def core(settings: Settings, store: Store, clock: Clock, *, legs_to: BinaryIO, stack: AsyncExitStack) -> Core:
    """Reads the hub's own keys out of the store, then makes the rest. What must be closed is put on the stack."""
    vault = Vault([key.get_secret_value() for key in settings.secret_key])
    fingerprints = Fingerprints(await own_key(store.keys, vault, "fingerprints"))
    links = LinkSeal(await own_key(store.keys, vault, "page_links"))
    plugin_secrets = Vault([(await own_key(store.keys, vault, "plugin_secrets")).hex()])
    trust = await asyncio.to_thread(Trust, settings.ca_file)
    metrics = Metrics()
    alarms = Alarms(clock, metrics)
    registry = RegistryKeeper(
        store.platforms,
        store.agreements,
        vault,
        fingerprints,
        clock,
        connections=settings.platform_connections,
        open_by_default=settings.agreements_default == "open",
    )
    registry.alarms = alarms
    guard = EgressGuard(settings.allowed_networks)
    forwarder = PooledForwarder(
        guard,
        connect_timeout_s=settings.connect_timeout,
        in_flight=settings.in_flight,
        trust=trust,
        proxy=settings.egress_proxy,
        clock=clock,
    )
    outreach = Outreach(
        registry, forwarder, guard, timeout_s=settings.connect_back_timeout, allow_http=settings.allow_http
    )
    liveness = LivenessBoard(
        registry=registry,
        outreach=outreach,
        alarms=alarms,
        clock=clock,
        idle_s=settings.alive_check_interval,
        spacing_s=settings.probe_spacing,
    )
    identity = _identity(settings)
    answers = Answers(clock, identity.party)
    log = LegLog(
        LEG_FIELDS,
        legs_to,
        codec.dumps if settings.log_format == "json" else console_leg,
        capacity=settings.log_buffer,
    )
    stack.push_async_callback(asyncio.to_thread, log.close)
    legs = Legs(
        registry=registry,
        liveness=liveness,
        forwarder=forwarder,
        answers=answers,
        alarms=alarms,
        metrics=metrics,
        log=log,
        clock=clock,
        limits=Limits(
            settings.forward_timeout, settings.authorize_timeout, int(settings.max_body), int(settings.stream_above)
        ),
    )
    spoken = Spoken(answers, clock)
    metrics.gauge("ocpi_hub_platforms", lambda: _by_status(registry, liveness))
    metrics.gauge("ocpi_hub_log_lines_dropped", lambda: log.dropped)
    return Core(
        settings=settings,
        store=store,
        clock=clock,
        identity=identity,
        vault=vault,
        fingerprints=fingerprints,
        links=links,
        metrics=metrics,
        alarms=alarms,
        registry=registry,
        forwarder=forwarder,
        outreach=outreach,
        liveness=liveness,
        answers=answers,
        legs=legs,
        guard=guard,
        spoken=spoken,
        watching=Watching(spoken, registry, clock),
        catalog_news=CatalogNews(),
        plugin_secrets=plugin_secrets,
    )


def _identity(settings: Settings) -> HubIdentity:
    party = PartyId(settings.country_code, settings.party_id)
    website = settings.website or settings.public_url
    logo = settings.logo or f"{settings.public_url}/logo.svg"
    return HubIdentity(settings.name, party, settings.public_url, website, logo)


def _by_status(registry: RegistryKeeper, liveness: LivenessBoard) -> dict[str, float]:
    counts = {status.value: 0.0 for status in ConnectionStatus}
    for platform in registry.snapshot.platforms:
        counts[liveness.status(platform).value] += 1
    return counts
