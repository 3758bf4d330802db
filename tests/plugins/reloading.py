"""Plugins whose configuration changes while they run."""

from collections.abc import Iterable
from typing import Any

from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Answer,
    Audience,
    Exchange,
    HttpRequest,
    HttpResponse,
    HubApi,
    LocalParty,
    Phase,
    Plugin,
    PluginConfig,
    Route,
    Secret,
    StoreUnavailable,
    Term,
    TermOver,
    Watch,
)


class CountingConfig(PluginConfig):
    step: int = 1
    refuses_to_start: bool = False


class Counting(Plugin[CountingConfig]):
    """Counts messages, by as much as its configuration says, and hands the count over."""

    name = "counting"
    Config = CountingConfig

    def __init__(self, config: CountingConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.count = 0
        self.stopped = 0

    async def start(self) -> None:
        if self.config.refuses_to_start:
            raise ConnectionError("it does not want to")

    async def stop(self) -> None:
        self.stopped += 1

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED})

    async def on_routed(self, exchange: Exchange) -> None:
        self.count += self.config.step

    def export_state(self) -> int:
        return self.count

    def import_state(self, state: int) -> None:
        self.count = state


class Steady(Plugin[PluginConfig]):
    """Its configuration never changes."""

    name = "steady"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED})

    def on_routed(self, exchange: Exchange) -> None:
        return None


class SecretiveConfig(PluginConfig):
    password: Secret


class Secretive(Plugin[SecretiveConfig]):
    """Needs a secret, and answers to whoever shows it."""

    name = "secretive"
    Config = SecretiveConfig

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/secretive/{part}", self.show, Audience.PLUGIN)
        yield Route("GET", "/open", self.public, Audience.PUBLIC)
        yield Route("POST", "/secretive", self.admin, Audience.ADMIN)
        yield Route("GET", "/secretive", self.away, Audience.ADMIN)

    async def show(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("authorization") != f"Bearer {self.config.password.get_secret_value()}":
            return HttpResponse(401, {"title": "who are you?"})
        return HttpResponse(body={"part": request.params["part"], "query": dict(request.query)})

    async def public(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=sorted(request.headers))

    async def admin(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(201, {"got": request.json(), "authorization": request.headers.get("authorization")})

    async def away(self, request: HttpRequest) -> HttpResponse:
        raise StoreUnavailable("the store is away")


class Holder(Plugin[PluginConfig]):
    """Wants a duty, and says whether it has it."""

    name = "holder"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.term: Term | None = None
        self.events: list[Any] = []

    async def start(self) -> None:
        self.hub.spawn(self.hold(), name="hold")

    async def hold(self) -> None:
        while True:
            async with self.hub.duty("steering") as term:
                self.term = term
                async for event in term.events():
                    self.events.append(event)

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.SCSP, "NL", "HLD", "Holder")

    async def save(self, value: int) -> bool:
        """Whether it went through."""
        try:
            await self.hub.shelf.save("plan", value, term=self.term)
        except TermOver:
            return False
        return True

    async def steer(self) -> Answer | None:
        """None when it may not."""
        profile = {"charging_profile": {"charging_rate_unit": "A"}}
        try:
            return await self.hub.send(
                PartyId("NL", "CPA"), "chargingprofiles", Interface.RECEIVER, "PUT", "S1", profile, term=self.term
            )
        except TermOver:
            return None
