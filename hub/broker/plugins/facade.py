"""`HubApi` for one plugin: what it asks of the hub, led to the part that does it."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from structlog.typing import FilteringBoundLogger

from hub.broker.alarms import Alarms
from hub.broker.client_info import ClientInfos
from hub.broker.plugins.clockwork import Clockwork
from hub.broker.plugins.computing import Computing
from hub.broker.plugins.duties import Duties
from hub.broker.plugins.metering import PluginMetrics
from hub.broker.plugins.outgoing import GuardedHttp
from hub.broker.plugins.plugin_records import PluginRecords
from hub.broker.plugins.sending import Request, Sending
from hub.broker.plugins.shelves import PluginShelf
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.catalog import ObjectKey
from hub.ocpi.names import BROADCAST_MODULES, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin.hub_api import (
    Counter,
    Gauge,
    HeldObject,
    Histogram,
    HttpAnswer,
    NotAllowed,
    PartySeen,
    Records,
    Secrets,
    Shelf,
    Term,
    Timer,
)
from hub.plugin.verdicts import Answer
from hub.store.ports import CatalogStore, Store, Wanted
from hub.store.vault import Fingerprints, Vault

T = TypeVar("T")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Services:
    """What all plugins share of the hub. `sealed` is the vault of their secrets, whose own key outlives a rotation."""

    store: Store
    registry: RegistryKeeper
    infos: ClientInfos
    sending: Sending
    computing: Computing
    alarms: Alarms
    clock: Clock
    fingerprints: Fingerprints
    sealed: Vault


class PluginSecrets:
    """Sealing for one plugin: its fingerprints are of no use to another."""

    def __init__(self, vault: Vault, fingerprints: Fingerprints, plugin: str) -> None:
        self._vault = vault
        self._fingerprints = fingerprints
        self._plugin = plugin

    def seal(self, text: str) -> str:
        return self._vault.seal(text)

    def open(self, sealed: str) -> str:
        return self._vault.open(sealed)

    def fingerprint(self, text: str) -> str:
        return self._fingerprints.of(f"plugin {self._plugin}\0{text}")


class HubOfPlugin:
    """The hub as one plugin has it."""

    log: FilteringBoundLogger
    shelf: Shelf
    secrets: Secrets

    def __init__(
        self,
        plugin: str,
        services: Services,
        *,
        http: GuardedHttp,
        duties: Duties,
        clockwork: Clockwork,
        metrics: PluginMetrics,
    ) -> None:
        self._plugin = plugin
        self._services = services
        self._http = http
        self._duties = duties
        self._clockwork = clockwork
        self._metrics = metrics
        self._closed = False
        self.log = structlog.get_logger("hub.plugin").bind(plugin=plugin)
        self.shelf = PluginShelf(services.store.shelf, plugin)
        self.secrets = PluginSecrets(services.sealed, services.fingerprints, plugin)

    def close(self) -> None:
        """The plugin has stopped: it says nothing any more."""
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise NotAllowed("the plugin has stopped")

    # --- time ---

    def now(self) -> datetime:
        return self._services.clock.now()

    def monotonic(self) -> float:
        return self._services.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._services.clock.sleep(seconds)

    def call_at(self, at: datetime, call: Callable[[], object]) -> Timer:
        return self._clockwork.call_at(at, call)

    def every(self, seconds: float, call: Callable[[], object]) -> Timer:
        return self._clockwork.every(seconds, call)

    def spawn(self, work: Coroutine[Any, Any, object], *, name: str) -> Timer:
        return self._clockwork.spawn(work, name=name)

    # --- registry and catalog ---

    def parties(self, role: Role | None = None) -> Sequence[PartySeen]:
        snapshot = self._services.registry.snapshot
        found = []
        for info in self._services.infos.every():
            platform = snapshot.platform(info.host)
            if platform is None or (role is not None and info.role is not role):
                continue
            details = next((one.business_details for one in platform.roles if one.key == info.key), {})
            version = platform.connection.version if platform.connection else None
            name = str(details.get("name", ""))
            found.append(PartySeen(info.party, info.role, info.status, info.host, name, version))
        return found

    async def objects(self, module: str, owner: PartyId | None = None) -> AsyncIterator[HeldObject]:
        catalog = self._catalog(module)
        owners = frozenset(
            row.owner.key for row in await catalog.owners(module) if row.shown and owner in (None, row.owner)
        )
        after = -1
        while owners:
            page = await catalog.page(Wanted(module, owners, _PAGE, after=after))
            for entry in page:
                yield HeldObject(module, entry.owner, entry.object_id, entry.kind, entry.raw)
            if len(page) < _PAGE:
                return
            after = page[-1].sequence

    async def held(self, module: str, owner: PartyId, object_id: str, kind: str = "") -> HeldObject | None:
        raw = await self._catalog(module).get(ObjectKey(module, owner, object_id, kind))
        return None if raw is None else HeldObject(module, owner, object_id, kind, raw)

    def _catalog(self, module: str) -> CatalogStore:
        if module not in BROADCAST_MODULES:
            raise NotAllowed(f"the catalog holds {', '.join(sorted(BROADCAST_MODULES))}, not {module}")
        return self._services.store.catalog

    # --- messages ---

    async def send(  # noqa: PLR0917 - as in HubApi
        self,
        to: PartyId | None,
        module: str,
        interface: Interface,
        method: str,
        path: str = "",
        body: object = None,
        *,
        query: str = "",
        as_party: PartyId | None = None,
        context: object = None,
        term: Term | None = None,
        timeout: float | None = None,
    ) -> Answer:
        self._open()
        if term is not None:
            await self._duties.check(term)
        request = Request(to, module, interface, method, path)
        request.query, request.body, request.context, request.timeout_s = query, body, context, timeout
        return await self._services.sending.send(self._plugin, as_party, request)

    async def deliver(self, handle: str, result: object) -> Answer:
        self._open()
        return await self._services.sending.deliver(self._plugin, handle, result)

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 10.0,
        max_body: int = 1024 * 1024,
    ) -> HttpAnswer:
        self._open()
        return await self._http.request(method, url, headers=headers, body=body, timeout_s=timeout, max_body=max_body)

    # --- what lasts, several nodes ---

    def records(self, kind: str) -> Records:
        return PluginRecords(self._services.store.plugin_records, self._plugin, kind)

    def duty(self, name: str) -> AbstractAsyncContextManager[Term]:
        return self._duties.duty(name)

    async def to_duty(self, name: str, event: object) -> None:
        await self._duties.to_duty(name, event)

    async def compute(self, work: Callable[..., T], *args: Any) -> T:
        return await self._services.computing.run(work, *args)

    # --- what operators see ---

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return self._metrics.counter(name, text, labels)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return self._metrics.gauge(name, text, labels)

    def histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        return self._metrics.histogram(name, text, bounds, labels)

    def alarm(self, kind: str, subject: str, text: str, *, standing: bool = False) -> None:
        self._services.alarms.sound(kind, subject, f"{self._plugin}: {text}", standing=standing)

    def clear_alarm(self, kind: str, subject: str) -> None:
        self._services.alarms.clear(kind, subject)
