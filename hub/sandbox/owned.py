"""SENDER endpoints of a party that owns objects: lists page by page, single objects, and charging preferences."""

from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import quote
from uuid import uuid4

from hub.ocpi import codec, headers, names, paging, times, urls
from hub.ocpi.paging import Page
from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book, Object, part_of
from hub.sandbox.habits import Habits, LinkStyle
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply

KEPT_CURSORS = 1000
_POSITION = frozenset({"offset", "limit", "cursor"})


class OwnedObjects:
    """Answers GETs about the objects of this platform's own parties; TO narrows them to one party."""

    def __init__(self, book: Book, habits: Habits, replies: Replies, base_url: Callable[[], str]) -> None:
        self._book = book
        self._habits = habits
        self._replies = replies
        self._base_url = base_url
        self._cursors: OrderedDict[str, str] = OrderedDict()
        self.charging_preferences: dict[str, Object] = {}  # by session id, as last received

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
        matching = [one for one in self._book.all(received.module or "", received.to) if _inside(page, one)]
        limit = min(page.limit, self._habits.page_limit)
        extra = {headers.TOTAL_COUNT: str(len(matching)), headers.LIMIT: str(self._habits.page_limit)}
        end = page.offset + limit
        if end < len(matching):
            extra[headers.LINK] = paging.render_next(self._next_url(received.path, query, end, limit))
        return self._replies.ok(matching[page.offset : end], extra=extra)

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
        found = self._book.find(names.LOCATIONS, received.to, location_id)
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
        if self._book.find(names.SESSIONS, received.to, session_id) is None:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "this session is not known", status=404)
        preferences = codec.loads(received.body)
        self.charging_preferences[session_id] = preferences
        return self._replies.ok(self._habits.charging_preferences)


def _inside(page: Page, value: Object) -> bool:
    changed = times.parse(str(value.get("last_updated", "")))
    return changed is None or page.includes(changed)
