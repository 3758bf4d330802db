"""The plugin: what the hub calls goes to the room that it is about."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from hub.ocpi.names import CHARGING_PROFILES, LOCATIONS, SESSIONS, ConnectionStatus, Interface, Role
from hub.plugin import (
    Answer,
    Body,
    CatalogChange,
    Change,
    Delivery,
    Exchange,
    Gap,
    Health,
    HubApi,
    Kind,
    Leg,
    LocalParty,
    NotAllowed,
    Panel,
    PartyChange,
    PartyRequest,
    Phase,
    Plugin,
    Reject,
    Result,
    Route,
    Take,
    Watch,
)
from plugins.load_manager import doors
from plugins.load_manager.config import LoadManagerConfig
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.oscp import AdminRoutes, CapacityProviders
from plugins.load_manager.steering.composing import Composing
from plugins.load_manager.steering.facts import CpoReached, LocationsRead, Missed, ResultCame
from plugins.load_manager.steering.intake import fact_for, fact_of, result_in
from plugins.load_manager.steering.listening import Listening
from plugins.load_manager.steering.node import Node
from plugins.load_manager.steering.operating import GridOperating
from plugins.load_manager.steering.registering import only_reachable
from plugins.load_manager.steering.viewing import panel_rows

_ENDPOINTS = (
    (SESSIONS, Interface.RECEIVER),
    (CHARGING_PROFILES, Interface.SENDER),
)


class LoadManager(Plugin[LoadManagerConfig]):
    """Keeps charging sessions under the limits of the grid."""

    name = "load_manager"
    Config = LoadManagerConfig

    def __init__(self, config: LoadManagerConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.node = Node(hub, config)
        self.providers = CapacityProviders(hub, Listening(self.node), config.public_url or "")
        self.operating = GridOperating(hub, self.node, self.providers)
        self._composing = Composing(hub, self.node)

    # --- life ---

    async def start(self) -> None:
        await self.providers.open()
        await self.node.open(self.providers)

    async def leave(self) -> None:
        await self.node.leave()

    async def stop(self) -> None:
        self.providers.unwatch()

    def parties(self) -> Iterable[LocalParty]:
        config = self.config
        yield LocalParty(Role.SCSP, config.country_code, config.party_id, "Grid-aware load manager", _ENDPOINTS)

    # --- the message flow ---

    def watches(self) -> Iterable[Watch]:
        """Watches are fixed while a plugin runs, so they are there without groups too; then hooks return at once."""
        finished, direct = {Phase.FINISHED}, {Kind.DIRECT, Kind.OPEN}
        told = {"PUT", "PATCH"}
        receiver, lossless, read = Interface.RECEIVER, Delivery.LOSSLESS, Body.READ
        yield Watch(finished, modules={SESSIONS}, interface=receiver, methods=told, request=read, delivery=lossless)
        yield Watch(
            finished,
            modules={SESSIONS},
            interface=Interface.SENDER,
            methods={"PUT"},
            request=read,
            response=read,
            delivery=lossless,
        )
        yield Watch(finished, modules={LOCATIONS}, interface=receiver, methods=told, delivery=lossless)
        profiles = {CHARGING_PROFILES}
        yield Watch({Phase.ROUTED}, direct, profiles, receiver, {"DELETE"})
        yield Watch({Phase.FORWARDING}, direct, profiles, receiver, {"PUT"}, request=Body.CHANGE)
        yield Watch({Phase.ANSWERED}, direct, profiles, receiver, {"PUT"}, response=read)
        yield Watch({Phase.RESULT}, modules=profiles, request=read)

    async def on_finished(self, exchange: Exchange) -> None:
        if self.node.grid.groups:
            fact = fact_of(exchange, self.config.party)
            if fact is not None:
                with suppress(NotAllowed):  # too much waits for the node that steers: it asks CPOs itself
                    await self.node.tell(fact)

    async def on_gap(self, gap: Gap) -> None:
        await self.node.tell(Missed(gap.why))

    async def on_routed(self, exchange: Exchange) -> Take | None:
        return await self._composing.delete(exchange) if self.node.grid.groups else None

    async def on_forwarding(self, exchange: Exchange, leg: Leg) -> Change | Reject | None:
        return await self._composing.put(exchange, leg) if self.node.grid.groups else None

    async def on_answered(self, exchange: Exchange, leg: Leg) -> None:
        if self.node.grid.groups:
            await self._composing.answered(exchange, leg)

    async def on_result(self, exchange: Exchange, result: Result) -> None:
        if self.node.grid.groups and result.operation == "PUT":
            await self._composing.resulted(result)

    # --- beside it ---

    async def on_callback(self, context: Any, result: Result) -> None:
        found = result_in(result)
        if found is not None and "epoch" in context:  # else of a command: the CPO tells the session's end anyway
            await self.node.tell(ResultCame(SessionKey(context["session"]), context["epoch"], context["seq"], found))

    async def on_party_changed(self, change: PartyChange) -> None:
        # Who can be reached is a matter of the node that sends.
        if change.role is Role.CPO and self.node.lead is not None:
            connected = change.status is ConnectionStatus.CONNECTED
            await self.node.tell(CpoReached(str(change.party), connected))

    async def on_catalog_changed(self, change: CatalogChange) -> None:
        if change.module == LOCATIONS and self.node.grid.groups:
            ids = None if change.objects is None else sorted(change.objects)
            await self.node.tell(LocationsRead(str(change.owner), ids))

    async def handle(self, request: PartyRequest) -> Answer:
        fact = fact_for(request)
        if isinstance(fact, Answer):
            return fact
        if self.node.grid.groups:
            await self.node.tell(fact)
        return Answer()

    # --- for people ---

    def routes(self) -> Iterable[Route]:
        yield from self.providers.routes()
        yield from only_reachable(AdminRoutes(self.providers).routes(), self.config.public_url)
        yield from doors.routes(self.operating, self.providers.native_of)

    def panels(self) -> Iterable[Panel]:
        columns = ("group", "state", "limit kW", "given kW", "measured kW", "sessions", "paused")
        yield Panel("groups", columns, lambda: panel_rows(self.node.lead.scene) if self.node.lead else [])

    def health(self) -> Health:
        groups = len(self.node.grid.groups)
        if not groups:
            return Health(text="There are no groups of the grid")
        lead = self.node.lead
        if lead is None:
            return Health(text="Another node steers", facts={"groups": groups, "steers": False})
        sessions = sum(1 for _ in lead.scene.rows())
        text = "Plans and sends nothing" if lead.scene.mode.shadow else f"Steers {sessions} sessions"
        if lead.scene.leaving:
            text = "Takes back what it has sent to sessions"
        return Health(text=text, facts={"groups": groups, "sessions": sessions, "steers": True})
