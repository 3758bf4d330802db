"""Endpoints of modules OCPI does not know: any of the five methods, objects kept under the path they came with."""

from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book, Key
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply


class CustomModules:
    """Keeps what it gets and gives it back; nothing is read into the content."""

    def __init__(self, book: Book, replies: Replies) -> None:
        self._book = book
        self._replies = replies

    def serve(self, received: Received) -> Reply:
        """GET without a path lists, GET with one finds, PUT and PATCH keep, DELETE forgets, POST only answers."""
        module = received.module or ""
        tail = "/".join(received.segments)
        key: Key = ("", "", tail.casefold(), "")
        found = self._book.at(module, key)
        if received.method == "POST":
            return self._replies.ok()
        if received.method == "GET" and not tail:
            return self._replies.ok(self._book.all(module))
        if received.method == "PUT":
            return self._replies.ok(status=201 if self._book.put(module, received.data, key) else 200)
        if found is None:
            return self._replies.refused(StatusCode.CLIENT_ERROR, "nothing is kept under this path", status=404)
        if received.method == "GET":
            return self._replies.ok(found)
        if received.method == "PATCH":
            found.update(received.data)
        else:
            self._book.remove(module, found)
        return self._replies.ok()
