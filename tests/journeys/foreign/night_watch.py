"""A plugin as somebody else would write it: the test makes a distribution of this file and installs it beside the
hub.
"""

from collections.abc import Iterable
from typing import Any

from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Answer,
    Body,
    Change,
    Exchange,
    HttpRequest,
    HttpResponse,
    Kind,
    Leg,
    LocalParty,
    Narrow,
    PartyRequest,
    Phase,
    Plugin,
    PluginConfig,
    Reject,
    Reroute,
    Result,
    Route,
    RoutedVerdict,
    Take,
    Watch,
)


class NightWatchConfig(PluginConfig):
    """What the test sets."""

    greeting: str = "hello"


class NightWatch(Plugin[NightWatchConfig]):
    """Does one thing of every kind, told apart by the id in the path."""

    name = "night_watch"
    Config = NightWatchConfig

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED}, kinds={Kind.DIRECT, Kind.BROADCAST})
        yield Watch(phases={Phase.FORWARDING}, modules={"sessions"}, request=Body.CHANGE)
        yield Watch(phases={Phase.ANSWERED}, modules={"sessions"}, methods={"GET"}, response=Body.CHANGE)

    async def on_routed(self, exchange: Exchange) -> RoutedVerdict | None:
        match exchange.object_id:
            case "VETO":
                return Reject(2001, "not at night")
            case "MINE":
                return Answer(data={"said": self.config.greeting})
            case "NARROW":
                return Narrow([PartyId("NL", "EMA")])
            case "ELSEWHERE":
                return Reroute(PartyId("FR", "DUO"))
        if exchange.module == "commands":
            take = Take(Answer(data={"result": "ACCEPTED", "timeout": 60}))
            await self.hub.shelf.save("owed", {"handle": take.handle, "for": str(exchange.sender)})
            return take
        return None

    async def on_forwarding(self, exchange: Exchange, leg: Leg) -> Change | None:
        if leg.body.absent:
            return None
        return Change({**leg.body.value, "seen_by": self.name})

    def on_answered(self, exchange: Exchange, leg: Leg) -> Change | None:
        value = leg.answer.value
        return Change({**value, "status_message": "seen on its way back"})

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.SCSP, "NL", "NWP", "Night watch")

    async def handle(self, request: PartyRequest) -> Answer:
        return Answer(data={"path": request.path, "from": str(request.sender), "kwh": request.body.value["kwh"]})

    async def on_callback(self, context: Any, result: Result) -> None:
        await self.hub.shelf.save("result", {"context": context, "result": result.body.value})

    def routes(self) -> Iterable[Route]:
        yield Route("POST", "/night-watch/deliver", self.deliver, summary="Delivers what is owed")
        yield Route("POST", "/night-watch/limit", self.limit, summary="Sends a charging profile of its own")
        yield Route("GET", "/night-watch/result", self.result, summary="What came of it")

    async def deliver(self, request: HttpRequest) -> HttpResponse:
        owed = await self.hub.shelf.load("owed")
        assert owed is not None
        answer = await self.hub.deliver(owed.value["handle"], {"result": "REJECTED"})
        return HttpResponse(body={"status_code": answer.status_code, "http": answer.http})

    async def limit(self, request: HttpRequest) -> HttpResponse:
        profile = {"charging_profile": {"charging_rate_unit": "A"}}
        answer = await self.hub.send(
            PartyId("NL", "CPA"),
            "chargingprofiles",
            Interface.RECEIVER,
            "PUT",
            "S1",
            profile,
            context={"session": "S1", "amps": 6},
        )
        return HttpResponse(body={"ok": answer.ok, "data": answer.read()})

    async def result(self, request: HttpRequest) -> HttpResponse:
        kept = await self.hub.shelf.load("result")
        return HttpResponse(body=None if kept is None else kept.value, status=404 if kept is None else 200)
