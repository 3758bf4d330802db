"""The walk of a functional request: which of the routing modes it is, and who serves it (matrix M).

Order: a URL the hub handed out; else the decision by headers, path and registry, what the body may say, and the mode.
"""

from hub.broker.broadcasting import Broadcasting
from hub.broker.catalog_lists import POSITION, CatalogLists
from hub.broker.direct import DIRECT, DirectRouting
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.legs import BY_PLUGIN, Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.loops import UnderWay
from hub.broker.open_routing import Asking, OpenRouting
from hub.broker.page_links import MEMBER
from hub.broker.plugins.taking import Taking
from hub.broker.plugins.watched import Taken, Watched
from hub.broker.plugins.watching import object_key
from hub.broker.registry import RegistryKeeper
from hub.broker.returning import ReturningUrls
from hub.domain.decisions import (
    Broadcast,
    Choices,
    Decision,
    Direct,
    GetAll,
    HubCopy,
    Open,
    Refused,
    Request,
    invalid,
    not_connected,
)
from hub.domain.routing import Router
from hub.ocpi import names
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId, party
from hub.ocpi.status import StatusCode

_ANSWERS_BY_URL = (names.COMMANDS, names.CHARGING_PROFILES)
OPEN = "open"


class Walk:
    """Serves every request to a functional module."""

    def __init__(
        self,
        *,
        choices: Choices,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        direct: DirectRouting,
        returning: ReturningUrls,
        broadcasting: Broadcasting,
        lists: CatalogLists,
        open_routing: OpenRouting,
        taking: Taking,
    ) -> None:
        self._router = Router(choices)
        self._hub = choices.hub
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._direct = direct
        self._returning = returning
        self._broadcasting = broadcasting
        self._lists = lists
        self._open = open_routing
        self._taking = taking
        self._under_way = UnderWay()

    async def serve(self, exchange: Exchange, facts: Facts) -> HubAnswer:
        """The answer to one exchange. `facts` is what a scan found in the body."""
        along = await self._along_url(exchange)
        if along is not None:
            return along
        decision = self._decide(exchange)
        if not isinstance(decision, Refused):
            exchange.sender = decision.sender
        openly = isinstance(decision, Open)
        if exchange.watched is not None:
            if isinstance(decision, Open):
                located = await self._open.located(exchange, decision, facts)
                if not isinstance(located, Asking):  # where it leads is what plugins have a say about
                    decision = located
            led = await self._led_by_plugins(exchange.watched, exchange, decision, facts)
            if isinstance(led, HubAnswer):
                return led
            decision = led
        if isinstance(decision, Direct):
            return await self._to_one(exchange, decision, facts, OPEN if openly else DIRECT)
        if isinstance(decision, Broadcast):
            return await self._broadcasting.serve(exchange, decision)
        if isinstance(decision, GetAll):
            return await self._from_hub(exchange, await self._lists.page(exchange, decision))
        if isinstance(decision, HubCopy):
            return await self._from_hub(exchange, await self._lists.one(exchange, decision))
        if isinstance(decision, Open):
            return await self._openly(exchange, decision, facts)
        return self._legs.refused(exchange, decision, OPEN if openly else DIRECT)

    async def _along_url(self, exchange: Exchange) -> HubAnswer | None:
        """The answer to a request along a URL that the hub handed out; None for any other."""
        if exchange.method == "GET":
            if MEMBER in exchange.query:
                return await self._returning.next_page(exchange)
            if exchange.module == names.CDRS and exchange.interface is Interface.RECEIVER:
                return await self._returning.posted_cdr(exchange)
        elif (
            exchange.method == "POST" and exchange.interface is Interface.SENDER and exchange.module in _ANSWERS_BY_URL
        ):
            return await self._returning.result(exchange)
        return None

    async def _led_by_plugins(
        self, watched: Watched, exchange: Exchange, decision: Decision, facts: Facts
    ) -> Decision | HubAnswer:
        """The decision as plugins leave it, or the answer of one that answers itself."""
        openly = exchange.routing.to is None and isinstance(decision, Direct)
        said = await watched.routed(exchange, decision, openly=openly)
        if isinstance(said, Taken):
            foreign = None if exchange.body is None else self._foreign_body(exchange, facts)
            if foreign is not None:
                return foreign
            said = await self._taking.taken(exchange, watched.facts.receivers[0], facts, said)
        if isinstance(said, HubAnswer):
            self._legs.note(exchange, said, BY_PLUGIN, BY_PLUGIN)
        elif not isinstance(said, Refused):
            await watched.enter(object_key(watched.facts))
        return said

    def _decide(self, exchange: Exchange) -> Decision:
        to, sender = exchange.routing
        match = exchange.match
        owner = _owner_in_path(exchange)
        method, is_list = "", False
        if to is None or to == self._hub:  # what follows matters only then, and there are fewer decisions to remember
            method, is_list = exchange.method, match is not None and match.is_list and exchange.method == "GET"
            if is_list and POSITION in exchange.query:
                to, sender = self._lists.named_in(exchange) or (to, sender)
        platform_id = exchange.platform.id
        request = Request(
            platform_id, to, sender, exchange.module, exchange.interface, owner, match is None, method, is_list
        )
        return self._router.decide(self._registry.snapshot, request)

    async def _to_one(self, exchange: Exchange, direct: Direct, facts: Facts, mode: str) -> HubAnswer:
        if exchange.body is not None and exchange.match is not None:
            refusal = self._foreign_body(exchange, facts)
            if refusal is not None:
                return self._legs.refused(exchange, refusal, mode)
        if direct.platform.id in self._liveness.offline:
            return await self._legs.unsent(exchange, direct, not_connected(direct.receiver), mode)
        if not (direct.platform.is_peer or exchange.platform.is_peer):
            return await self._direct.forward(exchange, direct, facts, mode)
        with self._under_way.once(exchange) as first:
            if first:
                return await self._direct.forward(exchange, direct, facts, mode)
            again = Refused(200, StatusCode.HUB_ERROR, "This request is under way through this hub already: hubs loop")
            return self._legs.refused(exchange, again, mode)

    async def _from_hub(self, exchange: Exchange, answer: HubAnswer) -> HubAnswer:
        """What the hub answers out of its catalog, as plugins leave it."""
        watched = exchange.watched
        if watched is None or exchange.sender is None:
            return answer
        seen = watched.begin_leg((exchange.sender, self._hub), "", exchange.method, exchange.version, None)
        seen.outcome = watched.facts.outcome
        return await watched.answered(seen, answer)

    async def _openly(self, exchange: Exchange, decision: Open, facts: Facts) -> HubAnswer:
        found = await self._open.receiver(exchange, decision, facts)
        if isinstance(found, Refused):
            return self._legs.refused(exchange, found, OPEN)
        if isinstance(found, HubAnswer):
            return found
        if exchange.watched is not None:
            exchange.watched.facts.receivers = (found.receiver,)
        return await self._to_one(exchange, found, facts, OPEN)

    def _foreign_body(self, exchange: Exchange, facts: Facts) -> Refused | None:
        """The owner in the body must be the one in the path, or at least the platform's own (T-23); so must the
        driver's token in a command (R-126).
        """
        owner = _owner_in_path(exchange)
        if owner is not None:
            named = _party(facts.owner)
            if named is not None and named != owner:
                return invalid(f"The body belongs to {named}, the path says {owner}")
        elif exchange.module == names.CDRS:
            return self._foreign(exchange, _party(facts.owner), "in the body is not a party of your platform")
        elif exchange.module == names.COMMANDS:
            return self._foreign(exchange, _party(facts.token_owner), "owns the token and is not of your platform")
        return None

    def _foreign(self, exchange: Exchange, named: PartyId | None, why: str) -> Refused | None:
        if named is None or self._registry.snapshot.hosted(exchange.platform, named) is not None:
            return None
        return invalid(f"{named} {why}")


def _owner_in_path(exchange: Exchange) -> PartyId | None:
    """The owner a client-owned object's path names (R-094)."""
    match = exchange.match
    return party(match.segments[0], match.segments[1]) if match is not None and match.shape.owned else None


def _party(named: tuple[str | None, str | None]) -> PartyId | None:
    country_code, party_id = named
    return party(country_code, party_id) if country_code and party_id else None
