"""SENDER endpoints of a party that owns objects: lists page by page, single objects, and charging preferences."""

from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import quote
from uuid import uuid4

from hub.ocpi import codec, headers, names, paging, times, urls
from hub.ocpi.paging import Page
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book, Object, part_of
from hub.sandbox.habits import Habits, LinkStyle, Listing
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply

KEPT_CURSORS = 1000
_POSITION = frozenset({"offset", "limit", "cursor"})
_GARBAGE: tuple[object, ...] = (None, 5, "nonsense", {"id": ["no text"]}, {})


class OwnedObjects:
    """Answers GETs about objects of this platform's own parties and of those behind it; TO narrows them to one party.

    `speaks_for_all` says of a TO party that it stands for every owner: that is a hub's own party (R-087).
    """

    def __init__(
        self,
        book: Book,
        habits: Habits,
        replies: Replies,
        base_url: Callable[[], str],
        speaks_for_all: Callable[[PartyId], bool],
    ) -> None:
        self._book = book
        self._habits = habits
        self._replies = replies
        self._base_url = base_url
        self._speaks_for_all = speaks_for_all
        self._cursors: OrderedDict[str, str] = OrderedDict()
        self.charging_preferences: dict[str, Object] = {}  # by session id, as last received

    def _owner(self, received: Received) -> PartyId | None:
        return None if received.to is None or self._speaks_for_all(received.to) else received.to

    def page(self, received: Received) -> Reply:
        """A list, oldest first, with the headers of pagination (R-032 to R-038)."""
        query = received.query
        cursor = urls.query_value(query, "cursor")
        if cursor is not None:
            if cursor not in self._cursors:
                return self._replies.refused(StatusCode.INVALID_PARAMETERS, "this cursor is not known", status=404)
            query = self._cursors[cursor]
        page = paging.read_page(query)
        if isinstance(page, str):
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, page)
        if received.module == names.SESSIONS and page.date_from is None:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "date_from is required for sessions")
        matching = [one for one in self._book.all(received.module or "", self._owner(received)) if _inside(page, one)]
        limit = min(page.limit, self._habits.page_limit)
        shown = matching[page.offset : page.offset + limit]
        following = self._following(page.offset, limit, len(matching))
        extra = self._counts(len(matching))
        if following is not None:
            extra[headers.LINK] = paging.render_next(self._next_url(received.path, query, following, limit))
        return self._replies.ok(self._spoilt(shown), extra=extra)

    def _counts(self, total: int) -> dict[str, str]:
        if not self._habits.says_total:
            return {}
        return {headers.TOTAL_COUNT: str(total), headers.LIMIT: str(self._habits.page_limit)}

    def _following(self, offset: int, limit: int, total: int) -> int | None:
        """The offset a Link leads to; None on the last page."""
        if self._habits.listing is Listing.TRUNCATED:
            return None
        if offset + limit < total or self._habits.listing is Listing.ENDLESS:
            return offset + limit
        return 0 if self._habits.listing is Listing.LOOPING else None

    def _spoilt(self, shown: list[Object]) -> list[object]:
        if self._habits.listing is Listing.TRUNCATED:
            return list(shown[: len(shown) // 2])
        if self._habits.listing is Listing.GARBAGE:
            return [*shown, *_GARBAGE]
        return list(shown)

    def _next_url(self, path: str, query: str, offset: int, limit: int) -> str:
        filters = urls.without_members(query, _POSITION)
        following = f"offset={offset}&limit={limit}" + (f"&{filters}" if filters else "")
        if self._habits.link_style is LinkStyle.RELATIVE:
            return f"{path}?{following}"
        if self._habits.link_style is LinkStyle.CURSOR:
            cursor = uuid4().hex
            self._cursors[cursor] = following
            if len(self._cursors) > KEPT_CURSORS:
                self._cursors.popitem(last=False)
            return f"{self._base_url()}{path}?cursor={quote(cursor)}"
        return f"{self._base_url()}{path}?{following}"

    def location(self, received: Received) -> Reply:
        """One location, EVSE or connector."""
        location_id, *parts = received.segments
        found = self._book.find(names.LOCATIONS, self._owner(received), location_id)
        if found is not None and parts:
            found = part_of(found, "evses", "uid", parts[0])
        if found is not None and len(parts) > 1:
            found = part_of(found, "connectors", "id", parts[1])
        if found is None:
            return self._replies.refused(StatusCode.UNKNOWN_LOCATION, status=404)
        return self._replies.ok(found)

    def prefer(self, received: Received) -> Reply:
        """PUT charging_preferences of a session (R-146)."""
        session_id = received.segments[0]
        if self._book.find(names.SESSIONS, self._owner(received), session_id) is None:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "this session is not known", status=404)
        preferences = codec.loads(received.body)
        self.charging_preferences[session_id] = preferences
        return self._replies.ok(self._habits.charging_preferences)


def _inside(page: Page, value: Object) -> bool:
    changed = times.parse(str(value.get("last_updated", "")))
    return changed is None or page.includes(changed)
