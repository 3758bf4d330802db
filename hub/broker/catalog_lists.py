"""What the hub serves out of its catalog: GET ALL, page by page, and single objects (R-032 to R-039, R-087 to R-092,
rulings 14 and 15).
"""

import re

from hub.broker.answer import Answers
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.fan_out import FanOut
from hub.broker.identity import HubIdentity
from hub.broker.legs import Legs
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.decisions import GetAll, HubCopy, Refused, invalid, nobody
from hub.domain.open_routing import decoded, token_type
from hub.domain.push_paths import push_at
from hub.domain.pushes import part_of
from hub.errors import StoreUnavailable
from hub.ocpi import envelope, headers, names, paging, urls
from hub.ocpi.names import Interface
from hub.ocpi.paging import Page
from hub.ocpi.party_id import PartyId, parse_party
from hub.ocpi.status import StatusCode
from hub.store.ports import CatalogStore, Wanted
from hub.store.records import CatalogEntry

GET_ALL = "get_all"
# The query member of the hub's own page links: offset, sequence to go on behind, and the party that asks. Nothing in it
# is secret or trusted: a client that makes its own gets what it may see, from where it says.
POSITION = "hub_at"
_POSITION = re.compile(r"(\d{1,12})\.(\d{1,18})\.([^.]{1,16})")
_PAGE_MEMBERS = frozenset({"offset", "limit", POSITION})
_UNKNOWN = {names.LOCATIONS: StatusCode.UNKNOWN_LOCATION, names.TOKENS: StatusCode.UNKNOWN_TOKEN}
# A page may weigh this much, or hold one object (R-034: the limit is a maximum).
MOST_BYTES = 8 * 1024 * 1024
# As many as `CatalogStore.find` gives at most.
_NAMESAKES = 100
_AWAY = Refused(200, StatusCode.HUB_ERROR, "The hub's store is away; try again")


class CatalogLists:
    """Serves lists and objects of the catalog to those who may see them."""

    def __init__(
        self,
        *,
        catalog: CatalogStore,
        registry: RegistryKeeper,
        identity: HubIdentity,
        legs: Legs,
        answers: Answers,
        fan_out: FanOut,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._registry = registry
        self._identity = identity
        self._legs = legs
        self._answers = answers
        self._fan_out = fan_out
        self._clock = clock

    def named_in(self, exchange: Exchange) -> tuple[PartyId | None, PartyId | None] | None:
        """TO and FROM of a request along one of the hub's own page links, which may come without them (T-40)."""
        position = _POSITION.fullmatch(urls.query_value(exchange.query, POSITION) or "")
        asker = None if position is None else parse_party(position[3])
        if asker is None:
            return None
        return self._identity.party, exchange.routing.sender or asker

    async def page(self, exchange: Exchange, decision: GetAll) -> HubAnswer:
        """One page of a list, in the order in which objects were first seen (R-090)."""
        most = exchange.platform.settings.page_limit or paging.MAX_LIMIT
        page = paging.read_page(exchange.query, most)
        if isinstance(page, str):
            return self._legs.refused(exchange, invalid(page), GET_ALL)
        try:
            total, entries, more = await self._entries(exchange, decision, page)
        except StoreUnavailable:
            return self._legs.refused(exchange, _AWAY, GET_ALL)
        body = envelope.render_list([entry.raw for entry in entries], self._clock.now())
        answer = HubAnswer(200, body, int(StatusCode.OK), self._answers.from_hub(decision.sender))
        answer.headers |= {headers.TOTAL_COUNT: str(total), headers.LIMIT: str(most)}
        if more:
            following = page.offset + len(entries)
            answer.headers[headers.LINK] = self._link(exchange, decision, page, following, entries[-1].sequence)
        if page.date_to is None:  # whoever asks for the past only has not caught up
            self._fan_out.caught_up(exchange.platform.id, decision.sender)
        self._legs.note(exchange, answer, GET_ALL, str(int(StatusCode.OK)))
        return answer

    async def _entries(self, exchange: Exchange, decision: GetAll, page: Page) -> tuple[int, list[CatalogEntry], bool]:
        """How many objects there are to see, those of the page, and whether any come after them: the store is asked for
        one more, since the number may change while somebody reads page after page (R-039).
        """
        shown = [
            owner
            for owner in await self._catalog.owners(exchange.module)
            if owner.shown and owner.owner.key in decision.owners
        ]
        wanted = Wanted(
            exchange.module,
            frozenset(owner.owner.key for owner in shown),
            page.limit + 1,
            after=_after(exchange.query, page.offset),
            offset=page.offset,
            date_from=page.date_from,
            date_to=page.date_to,
        )
        if not wanted.owners:
            return 0, [], False
        if page.date_from is None and page.date_to is None:
            total = sum(owner.count for owner in shown)
        else:
            total = await self._catalog.count(wanted)
        found = await self._catalog.page(wanted)
        shown_now = _within_bytes(found[: page.limit])
        return total, shown_now, len(found) > len(shown_now)

    def _link(self, exchange: Exchange, decision: GetAll, page: Page, offset: int, sequence: int) -> str:
        """The next page: all filters, offset and limit, and the position that makes a deep page as cheap as the first
        (R-037, ruling 15).
        """
        base = self._identity.module_url(exchange.version, exchange.module, exchange.interface)
        asker = f"{decision.sender.country_code}*{decision.sender.party_id}"
        members = (
            urls.without_members(exchange.query, _PAGE_MEMBERS),
            f"offset={offset}",
            f"limit={page.limit}",
            f"{POSITION}={offset}.{sequence}.{asker}",
        )
        return paging.render_next(f"{base}?{'&'.join(member for member in members if member)}")

    async def _of_any_owner(self, exchange: Exchange, decision: HubCopy, object_id: str) -> bytes | Refused | None:
        """The one object with this id that the requester may see."""
        entries = await self._catalog.find(exchange.module, object_id)
        hidden = {owner.owner.key for owner in await self._catalog.owners(exchange.module) if not owner.shown}
        fitting = [
            entry
            for entry in entries
            if entry.owner.key in decision.owners
            and entry.owner.key not in hidden
            and (not entry.kind or entry.kind == token_type(exchange.query).upper())
        ]
        # What was found may not be all there is when so many share the id.
        if len(fitting) > 1 or len(entries) >= _NAMESAKES:
            return nobody(f"Several owners have {object_id}: name the one you mean in OCPI-to")
        return fitting[0].raw if fitting else None

    async def one(self, exchange: Exchange, decision: HubCopy) -> HubAnswer:
        """A single object or a part of a location."""
        assert exchange.match is not None  # noqa: S101 - the catalog holds no custom module
        segments = decoded(exchange.match.segments)
        if exchange.interface is Interface.RECEIVER:
            segments = segments[2:]
        object_id, parts = segments[0], segments[1:]
        found: bytes | Refused | None
        try:
            if exchange.interface is Interface.RECEIVER:
                push = push_at(exchange.module, exchange.method, exchange.match.segments, exchange.query, None)
                found = await self._catalog.get(push.key)
            else:
                found = await self._of_any_owner(exchange, decision, object_id)
        except StoreUnavailable:
            return self._legs.refused(exchange, _AWAY, GET_ALL)
        if isinstance(found, Refused):
            return self._legs.refused(exchange, found, GET_ALL)
        text = None if found is None else part_of(found, parts)
        if text is None:
            code = _UNKNOWN.get(exchange.module, StatusCode.INVALID_PARAMETERS)
            return self._legs.refused(exchange, Refused(404, code, "The hub does not hold this object"), GET_ALL)
        body = envelope.render_object(text, self._clock.now())
        answer = HubAnswer(200, body, int(StatusCode.OK), self._answers.from_hub(decision.sender))
        self._legs.note(exchange, answer, GET_ALL, str(int(StatusCode.OK)))
        return answer


def _within_bytes(entries: list[CatalogEntry]) -> list[CatalogEntry]:
    """As many of the first entries as a page may weigh, and at least one (R-034)."""
    size = 0
    for position, entry in enumerate(entries):
        size += len(entry.raw)
        if size > MOST_BYTES and position:
            return entries[:position]
    return entries


def _after(query: str, offset: int) -> int | None:
    """The sequence to go on behind, if the link was left as it was: a client may have put its own offset in (T-40)."""
    position = _POSITION.fullmatch(urls.query_value(query, POSITION) or "")
    return int(position[2]) if position is not None and int(position[1]) == offset else None
