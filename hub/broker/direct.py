"""Direct routing: a request for one party, and the three kinds of URL that lead back through the hub (R-064 to R-070).

Order of the walk: page link, result or CDR by their URLs; else sender, owner and receiver, what must be stored first,
the leg, and the URLs in its answer.
"""

from hub.broker.answer import Answers
from hub.broker.callbacks import Callbacks
from hub.broker.cdr_locations import CdrLocations
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.legs import Leg, LegResult, Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.page_links import MEMBER, PageLinks
from hub.broker.registry import RegistryKeeper
from hub.domain.routing import Direct, Refused, Request, Router, by_stored_url, not_connected, speaker
from hub.ocpi import headers, names, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId, party
from hub.ocpi.status import StatusCode
from hub.store.records import CdrLocation

DIRECT = "direct"
CALLBACK = "callback"
_ANSWERS_BY_URL = (names.COMMANDS, names.CHARGING_PROFILES)


class DirectRouting:
    """Serves every functional request that reaches one party. `hub` is the hub's own party."""

    def __init__(
        self,
        *,
        hub: PartyId,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        answers: Answers,
        callbacks: Callbacks,
        page_links: PageLinks,
        cdr_locations: CdrLocations,
    ) -> None:
        self._router = Router(hub)
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._answers = answers
        self._callbacks = callbacks
        self._page_links = page_links
        self._cdr_locations = cdr_locations

    async def serve(self, exchange: Exchange, facts: Facts) -> HubAnswer:
        """The answer to one exchange. `facts` is what a scan found in the body."""
        if exchange.method == "GET":
            if MEMBER in exchange.query:
                return await self._next_page(exchange)
            if exchange.module == names.CDRS and exchange.interface is Interface.RECEIVER:
                return await self._posted_cdr(exchange)
        elif (
            exchange.method == "POST" and exchange.interface is Interface.SENDER and exchange.module in _ANSWERS_BY_URL
        ):
            return await self._result(exchange)
        return await self._direct(exchange, facts)

    def _refused(self, exchange: Exchange, refusal: Refused, mode: str = DIRECT) -> HubAnswer:
        if exchange.sender is None:
            exchange.sender = speaker(self._registry.snapshot, exchange.platform, exchange.routing.sender)
        answer = self._answers.refused(exchange, refusal)
        self._legs.note(exchange, answer, mode, str(int(refusal.code)))
        return answer

    # --- a request for a party ---

    async def _direct(self, exchange: Exchange, facts: Facts) -> HubAnswer:
        decision = self._decide(exchange, facts)
        if isinstance(decision, Refused):
            return self._refused(exchange, decision)
        exchange.receiver = decision.receiver
        body, query, callback = exchange.body, exchange.query, None
        if exchange.match is not None and exchange.match.table.takes_response_url:
            substituted = await self._callbacks.substitute(exchange, decision, facts)
            if isinstance(substituted, Refused):
                return self._refused(exchange, substituted)
            body, query, callback = substituted.body, substituted.query, substituted.callback
        posts_cdr = exchange.method == "POST" and exchange.module == names.CDRS
        if posts_cdr:
            refusal = await self._cdr_locations.may_post()
            if refusal is not None:
                return self._refused(exchange, refusal)
        url = urls.join(decision.endpoint, "" if posts_cdr else exchange.tail, query)
        result = await self._send(exchange, decision, url, body)
        if posts_cdr and result.taken is not None:
            location = await self._cdr_locations.rewritten(exchange, decision, url, result.taken)
            if location is not None:
                result.answer.headers[headers.LOCATION] = location
        elif result.relayed is not None:
            if callback is not None:
                await self._callbacks.note_answer(callback, result.relayed)
            if result.relayed.links and exchange.method == "GET":
                return self._with_link(exchange, decision, url, result)
        self._legs.note(exchange, result.answer, DIRECT, result.word, result)
        return result.answer

    def _decide(self, exchange: Exchange, facts: Facts) -> Direct | Refused:
        to, claimed = exchange.routing
        owner = _owner_in_path(exchange)
        request = Request(
            exchange.platform.id, to, claimed, exchange.module, exchange.interface, owner, exchange.match is None
        )
        decision = self._router.decide(self._registry.snapshot, request)
        if isinstance(decision, Refused):
            return decision
        exchange.sender = decision.sender
        if exchange.body is not None and exchange.match is not None:
            refusal = self._foreign_body(exchange, owner, facts)
            if refusal is not None:
                return refusal
        if decision.platform.id in self._liveness.offline:
            return not_connected(decision.receiver)
        return decision

    def _foreign_body(self, exchange: Exchange, owner: PartyId | None, facts: Facts) -> Refused | None:
        """The owner in the body must be the one in the path, or at least the platform's own (T-23); so must the
        driver's token in a command (R-126).
        """
        if owner is not None:
            named = _party(facts.owner)
            if named is not None and named != owner:
                message = f"The body belongs to {named}, the path says {owner}"
                return Refused(200, StatusCode.INVALID_PARAMETERS, message)
        elif exchange.module == names.CDRS:
            return self._foreign(exchange, _party(facts.owner), "in the body is not a party of your platform")
        elif exchange.module == names.COMMANDS:
            return self._foreign(exchange, _party(facts.token_owner), "owns the token and is not of your platform")
        return None

    def _foreign(self, exchange: Exchange, named: PartyId | None, why: str) -> Refused | None:
        if named is None or self._registry.snapshot.hosted(exchange.platform, named) is not None:
            return None
        return Refused(200, StatusCode.INVALID_PARAMETERS, f"{named} {why}")

    async def _send(self, exchange: Exchange, direct: Direct, url: str, body: bytes | None) -> LegResult:
        timeout_s = self._legs.timeout_s(direct.platform, authorize=_authorizes(exchange))
        leg = Leg(direct.platform, direct.receiver, direct.sender, exchange.method, url, body, DIRECT, timeout_s)
        return await self._legs.send(exchange, leg)

    def _with_link(self, exchange: Exchange, direct: Direct, url: str, result: LegResult) -> HubAnswer:
        """The answer with its `Link` led through the hub; a link that cannot be is an error, not a last page (T-41)."""
        answer = result.answer
        link = self._page_links.rewritten(exchange, direct, url, result.relayed) if result.relayed else None
        if isinstance(link, Refused):
            if answer.rest is not None:
                answer.rest.close()
            answer = self._answers.refused(exchange, link)
            self._legs.note(exchange, answer, DIRECT, "R-044", result)
            return answer
        if link is not None:
            answer.headers[headers.LINK] = link
        self._legs.note(exchange, answer, DIRECT, result.word, result)
        return answer

    # --- URLs that lead back through the hub ---

    async def _next_page(self, exchange: Exchange) -> HubAnswer:
        page = self._page_links.opened(exchange)
        if page is None:
            return await self._direct(exchange, Facts.none())
        if isinstance(page, Refused):
            return self._refused(exchange, page)
        exchange.sender, exchange.receiver = page.sender, page.receiver
        direct = self._along(exchange, page.sender, page.platform_id, page.receiver)
        if isinstance(direct, Refused):
            return self._refused(exchange, direct)
        if not self._registry.snapshot.owns_url(direct.platform, page.url):
            return self._refused(exchange, Refused(200, StatusCode.HUB_ERROR, "The receiver has moved; start again"))
        result = await self._send(exchange, direct, page.url, None)
        if result.relayed is not None and result.relayed.links:
            return self._with_link(exchange, direct, page.url, result)
        self._legs.note(exchange, result.answer, DIRECT, result.word, result)
        return result.answer

    async def _posted_cdr(self, exchange: Exchange) -> HubAnswer:
        location = await self._cdr_locations.find(exchange, exchange.tail.strip("/"))
        if isinstance(location, Refused):
            return self._refused(exchange, location)
        sender = self._registry.snapshot.hosted(exchange.platform, exchange.routing.sender or location.poster.party)
        exchange.sender = sender
        if sender is None:
            refusal = Refused(403, StatusCode.INVALID_PARAMETERS, "OCPI-from is not a party of your platform")
            return self._refused(exchange, refusal)
        holder = location.holder
        direct = self._along(exchange, sender, self._host_of(location), holder.party)
        if isinstance(direct, Refused):
            return self._refused(exchange, direct)
        if not self._registry.snapshot.owns_url(direct.platform, location.url):
            refusal = Refused(200, StatusCode.HUB_ERROR, "The CDR is at a host that its receiver has not registered")
            return self._refused(exchange, refusal)
        result = await self._send(exchange, direct, location.url, None)
        self._legs.note(exchange, result.answer, DIRECT, result.word, result)
        return result.answer

    async def _result(self, exchange: Exchange) -> HubAnswer:
        """An asynchronous result on its way home; the stored callback decides, not the headers (R-121, R-122, T-54)."""
        callback = await self._callbacks.find(_last_segment(exchange.tail), exchange.platform, exchange.module)
        if isinstance(callback, Refused):
            return self._refused(exchange, callback, CALLBACK)
        exchange.sender, exchange.receiver = callback.receiver.party, callback.issuer.party
        issuer = callback.issuer
        direct = self._along(exchange, callback.receiver.party, issuer.platform_id, issuer.party)
        if isinstance(direct, Refused):
            return self._refused(exchange, direct, CALLBACK)
        problem = self._callbacks.problem(direct.platform, callback.response_url)
        if problem is not None:
            refusal = Refused(200, StatusCode.HUB_ERROR, f"The result cannot be delivered any more: {problem}")
            return self._refused(exchange, refusal, CALLBACK)
        timeout_s = self._legs.timeout_s(direct.platform, authorize=False)
        leg = Leg(
            direct.platform,
            direct.receiver,
            direct.sender,
            "POST",
            callback.response_url,
            exchange.body,
            CALLBACK,
            timeout_s,
            caused_by=callback.correlation_id,
        )
        result = await self._legs.send(exchange, leg)
        self._legs.note(exchange, result.answer, CALLBACK, result.word, result)
        return result.answer

    def _along(self, exchange: Exchange, sender: PartyId, platform_id: str, receiver: PartyId) -> Direct | Refused:
        """Where a stored URL leads now."""
        request = Request(exchange.platform.id, receiver, sender, exchange.module, exchange.interface)
        direct = by_stored_url(self._registry.snapshot, (exchange.platform, sender), (platform_id, receiver), request)
        if isinstance(direct, Direct) and direct.platform.id in self._liveness.offline:
            return not_connected(direct.receiver)
        return direct

    def _host_of(self, location: CdrLocation) -> str:
        """The platform that has the CDR: the one that took it, or the one its party has moved to with its host."""
        snapshot = self._registry.snapshot
        if snapshot.platform(location.holder.platform_id) is not None:
            return location.holder.platform_id
        for seat in snapshot.seats_of(location.holder.party):
            if snapshot.owns_url(seat.platform, location.url):
                return seat.platform.id
        return location.holder.platform_id


def _owner_in_path(exchange: Exchange) -> PartyId | None:
    """The owner a client-owned object's path names (R-094)."""
    match = exchange.match
    return party(match.segments[0], match.segments[1]) if match is not None and match.shape.owned else None


def _party(named: tuple[str | None, str | None]) -> PartyId | None:
    country_code, party_id = named
    return party(country_code, party_id) if country_code and party_id else None


def _authorizes(exchange: Exchange) -> bool:
    return exchange.module == names.TOKENS and exchange.method == "POST"


def _last_segment(tail: str) -> str:
    return tail.strip("/").rpartition("/")[2]
