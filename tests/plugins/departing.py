"""Plugins that have something to put in order before they are taken out."""

import asyncio
from collections.abc import Iterable

from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import Answer, Exchange, HubApi, LocalParty, Phase, Plugin, PluginConfig, Term, Watch


class TidyConfig(PluginConfig):
    number: int = 0


class Tidy(Plugin[TidyConfig]):
    """Tells its CPO that it leaves, and then does so when it is let."""

    name = "tidy"
    Config = TidyConfig

    def __init__(self, config: TidyConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.life: list[str] = []
        self.seen = 0
        self.said: Answer | None = None
        self.may_go = asyncio.Event()

    async def start(self) -> None:
        self.life.append("start")

    async def leave(self) -> None:
        self.life.append("leave")
        self.said = await self.hub.send(PartyId("NL", "CPA"), "locations", Interface.SENDER, "GET", "LOC1")
        await self.may_go.wait()
        self.life.append("left")

    async def stop(self) -> None:
        self.life.append("stop")

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.EMSP, "NL", "TDY", "Tidy")

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED})

    def on_routed(self, exchange: Exchange) -> None:
        self.seen += 1


class Abrupt(Plugin[PluginConfig]):
    """Fails when it is to leave."""

    name = "abrupt"

    async def leave(self) -> None:
        raise ConnectionError("nobody is there to say goodbye to")


class Dutiful(Plugin[PluginConfig]):
    """Holds a duty, and gives it back when it leaves."""

    name = "dutiful"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.terms: list[Term] = []
        self.left_with: list[bool] = []
        self._leaves = asyncio.Event()
        self._given_back = asyncio.Event()

    async def start(self) -> None:
        self.hub.spawn(self.hold(), name="hold")

    async def hold(self) -> None:
        async with self.hub.duty("work") as term:
            self.terms.append(term)
            await self._leaves.wait()
        self._given_back.set()

    async def leave(self) -> None:
        self.left_with.append(any(not term.over for term in self.terms))
        self._leaves.set()
        if self.terms:
            await self._given_back.wait()
