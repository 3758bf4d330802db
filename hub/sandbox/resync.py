"""How a platform that was away gets what it missed: a list of the other side is what it holds from then on (R-039)."""

from hub.ocpi import urls
from hub.ocpi.names import Interface
from hub.sandbox.answer import Crawl
from hub.sandbox.book import Book
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection
from hub.sandbox.parties import PartyLike, maybe_party

_DATES = ("date_from", "date_to")


class Resync:
    """Brings the objects of others that a platform holds up to date."""

    def __init__(self, held: Book, client: Client, connection: Connection) -> None:
        self._held = held
        self._client = client
        self._connection = connection

    async def resync(
        self, module: str, *, sender: PartyLike | None = None, to: PartyLike | None = None, query: str = ""
    ) -> Crawl:
        """Crawls the SENDER list of one owner, or of everybody when `to` is left out (GET ALL, R-087).

        A whole crawl takes the place of what was held, so what is not in it is forgotten; one with dates in its query
        only adds and replaces. An incomplete crawl changes nothing.
        """
        counterpart = self._connection.counterpart
        hub = None if counterpart is None else counterpart.hub_party
        owner = maybe_party(to)
        crawl = await self._client.crawl(module, Interface.SENDER, to=owner or hub, sender=sender, query=query)
        if not crawl.complete:
            return crawl
        if all(urls.query_value(query, name) is None for name in _DATES):
            self._held.forget(module, None if owner == hub else owner)
        for value in crawl.objects:
            self._held.put(module, value)
        return crawl
