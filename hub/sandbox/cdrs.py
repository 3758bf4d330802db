"""The RECEIVER endpoint of CDRs: keeps each one under a URL of its own and says so in `Location` (R-136, R-138)."""

from collections.abc import Callable
from uuid import uuid4

from hub.ocpi import headers, names, urls
from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book, Key, key_of
from hub.sandbox.habits import CdrLocation, Habits
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply


class CdrInbox:
    """CDRs of others. The URL part is an id of this platform's own, so that nobody can guess it from the CDR."""

    def __init__(self, book: Book, habits: Habits, replies: Replies, endpoint_url: Callable[[], str]) -> None:
        self._book = book
        self._habits = habits
        self._replies = replies
        self._endpoint_url = endpoint_url
        self._keys: dict[str, Key] = {}

    def serve(self, received: Received) -> Reply:
        """POST to the bare endpoint (or, as some send it, below the owner), GET of a URL given before."""
        if received.method == "GET":
            key = self._keys.get(received.segments[0])
            found = None if key is None else self._book.at(names.CDRS, key)
            if found is None:
                return self._replies.refused(StatusCode.INVALID_PARAMETERS, "unknown CDR", status=404)
            return self._replies.ok(found)
        value = received.data
        if not isinstance(value, dict) or "id" not in value:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "a CDR was expected")
        own_id = uuid4().hex
        self._keys[own_id] = key_of(names.CDRS, value)
        self._book.put(names.CDRS, value)
        url = urls.join(self._endpoint_url(), own_id)
        if self._habits.cdr_location is CdrLocation.ABSENT:
            return self._replies.ok(status=201)
        if self._habits.cdr_location is CdrLocation.RELATIVE:
            url = "/" + url.split("/", 3)[3]
        return self._replies.ok(status=201, extra={headers.LOCATION: url})
