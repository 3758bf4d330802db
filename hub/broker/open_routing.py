"""Open routing at work: finding the one receiver a message leads to, or asking all of them where that is allowed
(R-082 to R-086, R-143).
"""

import asyncio
from typing import NamedTuple

from hub.broker.answer import Answers
from hub.broker.direct import message_of
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.knowledge import Knowledge
from hub.broker.legs import Leg, LegResult, Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.registry import RegistryKeeper
from hub.domain.decisions import Direct, Open, Refused, Request, nobody
from hub.domain.open_routing import clues
from hub.domain.opposites import acting_roles
from hub.domain.receivers import one_of, one_receiver
from hub.domain.registry import RegistrySnapshot
from hub.errors import StoreUnavailable
from hub.ocpi import names, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.status import StatusCode, is_success

AUTHORIZE_ALL = "authorize_all"
# As many as `KnownStore.find` gives at most.
MOST_FOUND = 20
# eMSPs asked at most when nobody knows whose a token is.
MOST_ASKED = 200


class Asking(NamedTuple):
    """Nobody can be named: everybody has to be asked."""

    request: Request


class OpenRouting:
    """Finds receivers. `ask_all`: an authorization nobody can place goes to every eMSP that may be asked (R-143)."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        answers: Answers,
        knowledge: Knowledge,
        ask_all: bool,
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._answers = answers
        self._knowledge = knowledge
        self._ask_all = ask_all

    async def receiver(self, exchange: Exchange, decision: Open, facts: Facts) -> Direct | HubAnswer | Refused:
        """The one receiver of a message that names none, or the answer where all were asked."""
        found = await self.located(exchange, decision, facts)
        if isinstance(found, Asking):
            return await self._ask_everybody(exchange, decision, self._registry.snapshot, found.request)
        return found

    async def located(self, exchange: Exchange, decision: Open, facts: Facts) -> "Direct | Asking | Refused":
        """The one receiver of a message that names none, as far as it can be known without asking anybody."""
        snapshot, platform = self._registry.snapshot, exchange.platform
        roles = snapshot.roles_of(platform, decision.sender)
        found = clues(message_of(exchange, decision.sender, roles, facts))
        try:
            candidates = await self._knowledge.find(found)
        except StoreUnavailable:
            return Refused(200, StatusCode.HUB_ERROR, "The hub cannot look up the receiver now; name it in OCPI-to")
        request = Request(platform.id, None, decision.sender, exchange.module, exchange.interface)
        if len(candidates) >= MOST_FOUND:
            # There may be more than were found, so that even one that fits may not be the only one.
            return nobody("More than one party fits: name the receiver in OCPI-to-country-code and OCPI-to-party-id")
        if not candidates and self._ask_all and exchange.module == names.TOKENS:
            return Asking(request)
        return one_of(snapshot, platform, decision.sender, candidates, request)

    async def _ask_everybody(
        self, exchange: Exchange, decision: Open, snapshot: RegistrySnapshot, request: Request
    ) -> HubAnswer | Refused:
        """Asks every eMSP at once; the first that knows the token answers, if none does it is unknown (R-143)."""
        _, asked = acting_roles(request.module, request.interface)
        parties = dict.fromkeys(seat.party for seat in snapshot.seats if seat.role.role in asked)
        reachable = [
            direct
            for party in parties
            if isinstance(direct := one_receiver(snapshot, exchange.platform, decision.sender, party, request), Direct)
            and direct.platform.id not in self._liveness.offline
            and not direct.platform.is_peer
        ][:MOST_ASKED]
        if not reachable:
            return nobody("No receiver can be determined: nobody can be asked about this token")
        asking = {asyncio.create_task(self._ask(exchange, direct)) for direct in reachable}
        try:
            unknown = await self._first_that_knows(exchange, asking)
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        if isinstance(unknown, HubAnswer):
            return unknown
        if unknown:
            return Refused(404, StatusCode.UNKNOWN_TOKEN, "No eMSP knows this token")
        return nobody("No receiver can be determined: not every eMSP answered, and none that did knows this token")

    async def _first_that_knows(self, exchange: Exchange, asking: set["asyncio.Task[LegResult]"]) -> HubAnswer | bool:
        """The answer of the first that knows the token; else whether every one said that it does not."""
        every_one_said_no = True
        for finished in asyncio.as_completed(asking):
            result = await finished
            code = result.answer.code
            if code is not None and is_success(code):
                exchange.receiver = result.leg.receiver
                self._legs.note(exchange, result.answer, AUTHORIZE_ALL, result.word, result)
                return result.answer
            if result.answer.rest is not None:
                result.answer.rest.close()
            every_one_said_no &= result.answer.http == 404 or code == StatusCode.UNKNOWN_TOKEN
        return every_one_said_no

    async def _ask(self, exchange: Exchange, direct: Direct) -> LegResult:
        timeout_s = self._legs.timeout_s(direct.platform, authorize=True, at_most=exchange.timeout_s)
        url = urls.join(direct.endpoint, exchange.tail, exchange.query)
        leg = Leg(
            direct.platform,
            direct.receiver,
            direct.sender,
            exchange.method,
            url,
            exchange.body,
            AUTHORIZE_ALL,
            timeout_s,
        )
        return await self._legs.send(exchange, leg)
