"""Requests under way to or from peer hubs, so that one that comes round again is refused (R-207, ruling 24)."""

from collections.abc import Iterator
from contextlib import contextmanager

from hub.broker.exchange import Exchange

Mark = tuple[object, ...]


class UnderWay:
    """Remembers requests while they are in flight; there are never more than requests in flight."""

    def __init__(self) -> None:
        self._marks: set[Mark] = set()

    @contextmanager
    def once(self, exchange: Exchange) -> Iterator[bool]:
        """Whether this request is not under way already; it counts as under way inside the block."""
        mark: Mark = (
            exchange.correlation_id,
            exchange.method,
            exchange.module,
            exchange.interface,
            exchange.tail,
            exchange.routing,
        )
        if mark in self._marks:
            yield False
            return
        self._marks.add(mark)
        try:
            yield True
        finally:
            self._marks.discard(mark)
