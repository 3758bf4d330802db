"""Real-time authorization: what an eMSP answers when a CPO asks about a driver's token (R-140 to R-145)."""

from uuid import uuid4

from hub.ocpi import names, urls
from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book
from hub.sandbox.habits import Habits
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply


class Authorization:
    """Knows the tokens in the book of its own objects; what it says about a known one is a habit of the platform."""

    def __init__(self, book: Book, habits: Habits, replies: Replies) -> None:
        self._book = book
        self._habits = habits
        self._replies = replies

    def serve(self, received: Received) -> Reply:
        """POST `{token_uid}/authorize`: AuthorizationInfo; unknown tokens get 404 + 2004, a missing location 2002."""
        kind = urls.query_value(received.query, "type") or ""
        found = self._book.find(names.TOKENS, received.to, received.segments[0], kind)
        if found is None:
            return self._replies.refused(StatusCode.UNKNOWN_TOKEN, status=404)
        location = received.data if received.body else None
        if location is None and self._habits.authorize_needs_location:
            return self._replies.refused(StatusCode.NOT_ENOUGH_INFORMATION, "LocationReferences are needed")
        info = {"allowed": self._habits.authorize, "token": found, "authorization_reference": uuid4().hex}
        return self._replies.ok(info if location is None else info | {"location": location})
