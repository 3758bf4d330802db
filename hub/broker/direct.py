"""A request on its way to one party, named or found: what must be stored first, the leg, and the URLs in its answer
(R-064 to R-070).
"""

from hub.broker.answer import Answers
from hub.broker.callbacks import Callbacks
from hub.broker.cdr_locations import CdrLocations
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.knowledge import Knowledge
from hub.broker.legs import Leg, LegResult, Legs
from hub.broker.page_links import PageLinks
from hub.broker.registry import RegistryKeeper
from hub.domain.decisions import Direct, Refused
from hub.domain.open_routing import Message, decoded, lessons
from hub.ocpi import envelope, headers, names, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId

DIRECT = "direct"
_ACCEPTED = "ACCEPTED"
# What never teaches open routing anything.
_DULL = frozenset({names.TARIFFS, names.CDRS})


class DirectRouting:
    """Forwards to one receiver. `mode` is the word for logs: direct or open routing."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        legs: Legs,
        answers: Answers,
        callbacks: Callbacks,
        page_links: PageLinks,
        cdr_locations: CdrLocations,
        knowledge: Knowledge,
    ) -> None:
        self._registry = registry
        self._legs = legs
        self._answers = answers
        self._callbacks = callbacks
        self._page_links = page_links
        self._cdr_locations = cdr_locations
        self._knowledge = knowledge

    async def forward(self, exchange: Exchange, direct: Direct, facts: Facts, mode: str = DIRECT) -> HubAnswer:
        """Sends the request to its receiver, once, and gives the receiver's answer back."""
        exchange.receiver = direct.receiver
        body, query, callback = exchange.body, exchange.query, None
        if exchange.match is not None and exchange.match.table.takes_response_url:
            substituted = await self._callbacks.substitute(exchange, direct, facts)
            if isinstance(substituted, Refused):
                return self._legs.refused(exchange, substituted, mode)
            body, query, callback = substituted.body, substituted.query, substituted.callback
        posts_cdr = exchange.method == "POST" and exchange.module == names.CDRS
        if posts_cdr:
            refusal = await self._cdr_locations.may_post()
            if refusal is not None:
                return self._legs.refused(exchange, refusal, mode)
        url = urls.join(direct.endpoint, "" if posts_cdr else exchange.tail, query)
        result = await self.send(exchange, direct, url, body, mode)
        if result.taken is not None and exchange.module not in _DULL:
            self._learn(exchange, direct, facts, result)
        if posts_cdr and result.taken is not None:
            location = await self._cdr_locations.rewritten(exchange, direct, url, result.taken)
            if location is not None:
                result.answer.headers[headers.LOCATION] = location
        elif result.relayed is not None:
            if callback is not None:
                await self._callbacks.note_answer(callback, result.relayed)
            if result.relayed.links and exchange.method == "GET":
                return self.with_link(exchange, direct, url, result, mode)
        self._legs.note(exchange, result.answer, mode, result.word, result)
        return result.answer

    async def send(
        self, exchange: Exchange, direct: Direct, url: str, body: bytes | None, mode: str = DIRECT
    ) -> LegResult:
        """One leg with the deadline that fits it."""
        timeout_s = self._legs.timeout_s(direct.platform, authorize=_authorizes(exchange), at_most=exchange.timeout_s)
        leg = Leg(direct.platform, direct.receiver, direct.sender, exchange.method, url, body, mode, timeout_s)
        return await self._legs.send(exchange, leg)

    def with_link(
        self, exchange: Exchange, direct: Direct, url: str, result: LegResult, mode: str = DIRECT
    ) -> HubAnswer:
        """The answer with its `Link` led through the hub; a link that cannot be is an error, not a last page (T-41)."""
        answer = result.answer
        link = self._page_links.rewritten(exchange, direct, url, result.relayed) if result.relayed else None
        if isinstance(link, Refused):
            if answer.rest is not None:
                answer.rest.close()
            answer = self._answers.refused(exchange, link)
            self._legs.note(exchange, answer, mode, "R-044", result)
            return answer
        if link is not None:
            answer.headers[headers.LINK] = link
        self._legs.note(exchange, answer, mode, result.word, result)
        return answer

    def _learn(self, exchange: Exchange, direct: Direct, facts: Facts, result: LegResult) -> None:
        """What this message, which its receiver took, teaches for later ones."""
        if exchange.match is None or not exchange.match.segments:
            return
        accepted = False
        if exchange.match.table.takes_response_url:
            verdict = envelope.verdict_of(result.answer.body)
            accepted = verdict is not None and verdict[0] == _ACCEPTED
        message = message_of(exchange, direct.sender, frozenset(), facts)
        roles = self._registry.snapshot.roles_of(direct.platform, direct.receiver)
        self._knowledge.learn(lessons(message, direct.receiver, roles, accepted=accepted))


def message_of(exchange: Exchange, sender: PartyId, roles: frozenset[Role], facts: Facts) -> Message:
    """The exchange as open routing looks at it; `roles` are the sender's."""
    segments = () if exchange.match is None else decoded(exchange.match.segments)
    return Message(exchange.module, exchange.interface, exchange.method, segments, exchange.query, facts, sender, roles)


def _authorizes(exchange: Exchange) -> bool:
    return exchange.module == names.TOKENS and exchange.method == "POST" and exchange.interface is Interface.SENDER
