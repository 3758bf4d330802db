"""Plugins whose verdicts and exceptions are nasty, not only wrong."""

from collections.abc import Iterable
from typing import Any

from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Answer,
    Body,
    Delivery,
    Exchange,
    HttpRequest,
    HttpResponse,
    HubApi,
    Leg,
    LocalParty,
    PartyRequest,
    Phase,
    Plugin,
    PluginConfig,
    Route,
    Take,
    Watch,
)

PROFILE = {"charging_profile": {"charging_rate_unit": "A"}}


class Odd(Exception):
    """It cannot even be shown."""

    def __str__(self) -> str:
        raise TypeError("not even this")


class Says(Plugin[PluginConfig]):
    """Says what a test wants, in any phase; an exception is raised."""

    name = "says"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.saying: dict[Phase, Any] = {}

    def watches(self) -> Iterable[Watch]:
        phases = {Phase.RECEIVED, Phase.ROUTED, Phase.FORWARDING, Phase.ANSWERED}
        yield Watch(phases=phases, request=Body.CHANGE, response=Body.CHANGE)

    def _say(self, phase: Phase) -> Any:
        said = self.saying.get(phase)
        if isinstance(said, BaseException):
            raise said
        return said

    def on_received(self, exchange: Exchange) -> Any:
        return self._say(Phase.RECEIVED)

    async def on_routed(self, exchange: Exchange) -> Any:
        return self._say(Phase.ROUTED)

    def on_forwarding(self, exchange: Exchange, leg: Leg) -> Any:
        return self._say(Phase.FORWARDING)

    async def on_answered(self, exchange: Exchange, leg: Leg) -> Any:
        return self._say(Phase.ANSWERED)


class Takes(Plugin[PluginConfig]):
    """Takes every charging profile over."""

    name = "takes"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED}, modules={"chargingprofiles"}, interface=Interface.RECEIVER)

    def on_routed(self, exchange: Exchange) -> Take:
        return Take(Answer(data={"result": "ACCEPTED", "timeout": 30}))


class Sends(Plugin[PluginConfig]):
    """Sends a charging profile from within its hook, and waits for the answer."""

    name = "sends"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED}, modules={"sessions"})

    async def on_routed(self, exchange: Exchange) -> None:
        await self.hub.send(PartyId("NL", "CPA"), "chargingprofiles", Interface.RECEIVER, "PUT", "S1", PROFILE)

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.SCSP, "NL", "SND", "Sends")


class Sees(Plugin[PluginConfig]):
    """Sees every charging profile, in order."""

    name = "sees"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.outcomes: list[str] = []

    def watches(self) -> Iterable[Watch]:
        yield Watch({Phase.FINISHED}, modules={"chargingprofiles"}, methods={"PUT"}, delivery=Delivery.LOSSLESS)

    def on_finished(self, exchange: Exchange) -> None:
        self.outcomes.append(exchange.outcome)


class Echoes(Plugin[PluginConfig]):
    """Sends because of everything it sees; a second one would answer it for ever."""

    name = "echoes"
    party_id = "EC1"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.sent = 0

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.FINISHED}, modules={"locations"})

    async def on_finished(self, exchange: Exchange) -> None:
        self.sent += 1
        await self.hub.send(PartyId("NL", "CPA"), "locations", Interface.SENDER, "GET", "L1")

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.NSP, "NL", self.party_id, "Echoes")


class Answers(Echoes):
    name = "answers_echoes"
    party_id = "EC2"


class SwapConfig(PluginConfig):
    parties: tuple[str, ...] = ()
    fails: bool = False


class Left(Plugin[SwapConfig]):
    """Plays the parties that its configuration names."""

    name = "left"
    Config = SwapConfig

    async def start(self) -> None:
        if self.config.fails:
            raise ConnectionError("not today")

    def parties(self) -> Iterable[LocalParty]:
        for party in self.config.parties:
            yield LocalParty(Role.SCSP, "NL", party, party)

    async def handle(self, request: PartyRequest) -> Answer:
        return Answer(data={"by": self.name, "kwh": request.body.value["kwh"]})

    def routes(self) -> Iterable[Route]:
        yield Route("GET", f"/{self.name}", self.look)

    async def look(self, request: HttpRequest) -> HttpResponse:
        raise KeyError("the caller left something out")


class Right(Left):
    name = "right"


class Exits(Plugin[PluginConfig]):
    """Ends the process, it thinks, wherever it is asked."""

    name = "exits"
    where = ""

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self._exit("__init__")

    def _exit(self, where: str) -> None:
        if type(self).where == where:
            raise SystemExit(3)

    def watches(self) -> Iterable[Watch]:
        self._exit("watches")
        return ()

    async def start(self) -> None:
        self._exit("start")

    async def stop(self) -> None:
        self._exit("stop")

    def export_state(self) -> int:
        self._exit("export_state")
        return 1
