"""URLs that lead back through the hub: next pages, asynchronous results, CDRs. What was stored or sealed when the URL
was handed out decides, not the headers (R-041, R-121, R-138).
"""

from hub.broker.callbacks import Callbacks
from hub.broker.cdr_locations import CdrLocations
from hub.broker.direct import DIRECT, DirectRouting
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.legs import BY_PLUGIN, Leg, Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.page_links import PageLinks
from hub.broker.registry import RegistryKeeper
from hub.domain.decisions import Direct, Refused, Request, not_connected
from hub.domain.routing import by_stored_url
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.plugin.exchange import Result
from hub.plugin.words import Kind
from hub.store.records import Callback, CdrLocation

CALLBACK = "callback"


class ReturningUrls:
    """Serves the three kinds of URL the hub hands out."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        direct: DirectRouting,
        callbacks: Callbacks,
        page_links: PageLinks,
        cdr_locations: CdrLocations,
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._direct = direct
        self._callbacks = callbacks
        self._page_links = page_links
        self._cdr_locations = cdr_locations

    async def next_page(self, exchange: Exchange) -> HubAnswer | None:
        """The page a link leads to; None when the query carries no link of the hub's."""
        page = self._page_links.opened(exchange)
        if page is None:
            return None
        if isinstance(page, Refused):
            return self._legs.refused(exchange, page, DIRECT)
        exchange.sender, exchange.receiver = page.sender, page.receiver
        direct = self._along(exchange, page.sender, page.platform_id, page.receiver)
        if isinstance(direct, Refused):
            return self._legs.refused(exchange, direct, DIRECT)
        if not self._registry.snapshot.owns_url(direct.platform, page.url):
            moved = Refused(200, StatusCode.HUB_ERROR, "The receiver has moved; start again")
            return self._legs.refused(exchange, moved, DIRECT)
        said = await self._asked(exchange, direct, Kind.DIRECT)
        if said is not None:
            return said
        result = await self._direct.send(exchange, direct, page.url, None)
        if result.relayed is not None and result.relayed.links:
            return self._direct.with_link(exchange, direct, page.url, result)
        self._legs.note(exchange, result.answer, DIRECT, result.word, result)
        return result.answer

    async def posted_cdr(self, exchange: Exchange) -> HubAnswer:
        """A CDR at the URL its poster was given (R-138)."""
        location = await self._cdr_locations.find(exchange, exchange.tail.strip("/"))
        if isinstance(location, Refused):
            return self._legs.refused(exchange, location, DIRECT)
        sender = self._registry.snapshot.hosted(exchange.platform, exchange.routing.sender or location.poster.party)
        exchange.sender = sender
        if sender is None:
            refusal = Refused(403, StatusCode.INVALID_PARAMETERS, "OCPI-from is not a party of your platform")
            return self._legs.refused(exchange, refusal, DIRECT)
        direct = self._along(exchange, sender, self._host_of(location), location.holder.party)
        if isinstance(direct, Refused):
            return self._legs.refused(exchange, direct, DIRECT)
        if not self._registry.snapshot.owns_url(direct.platform, location.url):
            refusal = Refused(200, StatusCode.HUB_ERROR, "The CDR is at a host that its receiver has not registered")
            return self._legs.refused(exchange, refusal, DIRECT)
        said = await self._asked(exchange, direct, Kind.DIRECT)
        if said is not None:
            return said
        result = await self._direct.send(exchange, direct, location.url, None)
        self._legs.note(exchange, result.answer, DIRECT, result.word, result)
        return result.answer

    async def result(self, exchange: Exchange) -> HubAnswer:
        """An asynchronous result on its way home (R-121, R-122, T-54). Agreements do not matter here: what was asked
        may be answered (ruling 19).
        """
        callback_id = exchange.tail.strip("/").rpartition("/")[2]
        callback = await self._callbacks.find(callback_id, exchange.platform, exchange.module)
        if isinstance(callback, Refused):
            return self._legs.refused(exchange, callback, CALLBACK)
        return await self.home(exchange, callback)

    async def home(self, exchange: Exchange, callback: Callback) -> HubAnswer:
        """Takes a result to whoever asked for it."""
        exchange.sender, exchange.receiver = callback.receiver.party, callback.issuer.party
        issuer = callback.issuer
        direct = self._along(exchange, callback.receiver.party, issuer.platform_id, issuer.party)
        if isinstance(direct, Refused):
            return self._legs.refused(exchange, direct, CALLBACK)
        problem = self._callbacks.problem(direct.platform, callback.response_url)
        if problem is not None:
            refusal = Refused(200, StatusCode.HUB_ERROR, f"The result cannot be delivered any more: {problem}")
            return self._legs.refused(exchange, refusal, CALLBACK)
        said = await self._asked(exchange, direct, Kind.CALLBACK)
        if said is not None:
            return said
        body = exchange.body
        watched = exchange.watched
        if watched is not None and watched.sees_results:
            result_seen = Result(
                callback.module,
                callback.operation,
                callback.correlation_id,
                callback.created_at,
                callback.issuer.party,
                callback.receiver.party,
                watched.result_content(body),
            )
            left = await watched.result(result_seen)
            if isinstance(left, HubAnswer):
                self._legs.note(exchange, left, CALLBACK, BY_PLUGIN)
                return left
            body = left or body
        timeout_s = self._legs.timeout_s(direct.platform, authorize=False, at_most=exchange.timeout_s)
        leg = Leg(
            direct.platform,
            direct.receiver,
            direct.sender,
            "POST",
            callback.response_url,
            body,
            CALLBACK,
            timeout_s,
            caused_by=callback.correlation_id,
            callback=callback,
        )
        result = await self._legs.send(exchange, leg)
        self._legs.note(exchange, result.answer, CALLBACK, result.word, result)
        return result.answer

    async def _asked(self, exchange: Exchange, direct: Direct, kind: Kind) -> HubAnswer | None:
        """What a plugin answers in the receiver's place. Where the URL leads is settled."""
        watched = exchange.watched
        if watched is None:
            return None
        said = await watched.routed(exchange, direct, kind=kind)
        if isinstance(said, HubAnswer):
            self._legs.note(exchange, said, BY_PLUGIN, BY_PLUGIN)
            return said
        await watched.enter(None)
        return None

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
