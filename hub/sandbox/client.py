"""Requests a simulated platform sends: ids, token and routing headers on them, and an `Answer` for whatever happens."""

import ssl
import time
from collections.abc import Mapping
from uuid import uuid4

import aiohttp
from yarl import URL

from hub.ocpi import codec, token, urls
from hub.ocpi import headers as ocpi
from hub.ocpi.names import Interface
from hub.sandbox.answer import Answer, Crawl
from hub.sandbox.connection import Connection
from hub.sandbox.habits import Habits
from hub.sandbox.parties import PartyLike, maybe_party

HeaderChanges = Mapping[str, str | None]


class Client:
    """The sending half of a platform. `trust` verifies servers and may carry a client certificate."""

    def __init__(self, connection: Connection, habits: Habits, trust: ssl.SSLContext | None) -> None:
        self._connection = connection
        self._habits = habits
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(limit=1000, ssl=True if self._trust is None else self._trust)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # One call is one request on the wire: the library would send a GET again when a kept connection breaks, and
        # has no public switch for it (its own test client sets the same member).
        self._session._retry_connection = False

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        method: str,
        module: str,
        interface: Interface | None,
        tail: str = "",
        *,
        to: PartyLike | None = None,
        sender: PartyLike | None = None,
        query: str = "",
        body: bytes | object | None = None,
        headers: HeaderChanges | None = None,
        url: str | None = None,
    ) -> Answer:
        """One request to an endpoint of the other side, or to `url` as it is. Bytes go out verbatim, the rest as JSON.

        A party left out leaves its header pair out. `headers` win; None takes a header away.
        """
        counterpart = self._connection.counterpart
        if url is None:
            endpoint = None if counterpart is None else counterpart.url(module, interface)
            if endpoint is None:
                missing = f"the other side has no {module} {interface or ''}".rstrip()
                return _no_answer(method, "", "not registered" if counterpart is None else missing)
            url = urls.join(endpoint, tail, query)
        return await self.send(
            method,
            url,
            token_value=None if counterpart is None else counterpart.token,
            to=to,
            sender=sender,
            body=body,
            headers=headers,
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        token_value: str | None,
        to: PartyLike | None = None,
        sender: PartyLike | None = None,
        body: bytes | object | None = None,
        headers: HeaderChanges | None = None,
    ) -> Answer:
        """One request to any URL with any token."""
        content = body if isinstance(body, bytes) or body is None else codec.dumps(body)
        said: dict[str, str | None] = {
            ocpi.REQUEST_ID: str(uuid4()),
            ocpi.CORRELATION_ID: str(uuid4()),
            ocpi.AUTHORIZATION: None if token_value is None else token.authorization(token_value, self._habits.sends),
            ocpi.CONTENT_TYPE: ocpi.JSON if content is not None else None,
        }
        to_party, from_party = maybe_party(to), maybe_party(sender)
        if to_party is not None:
            said |= {ocpi.TO_COUNTRY: to_party.country_code, ocpi.TO_PARTY: to_party.party_id}
        if from_party is not None:
            said |= {ocpi.FROM_COUNTRY: from_party.country_code, ocpi.FROM_PARTY: from_party.party_id}
        replaced = {name.lower() for name in headers or {}}
        said = {name: value for name, value in said.items() if name.lower() not in replaced} | dict(headers or {})
        present = {name: value for name, value in said.items() if value is not None}
        return await self._exchange(method, url, present, content)

    async def _exchange(self, method: str, url: str, said: dict[str, str], content: bytes | None) -> Answer:
        if self._session is None:
            return _no_answer(method, url, "the platform is not started")
        started = time.monotonic()
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                headers=said,
                data=content,
                allow_redirects=False,
                skip_auto_headers=(ocpi.CONTENT_TYPE,),
                timeout=aiohttp.ClientTimeout(total=self._habits.call_timeout_s),
            ) as response:
                body = await self._read(response)
                links = tuple(response.headers.getall(ocpi.LINK, ()))
                elapsed_s = time.monotonic() - started
                return Answer(method, url, response.status, response.headers, body, elapsed_s, links)
        except TimeoutError:
            return _no_answer(method, url, f"no answer within {self._habits.call_timeout_s} s", started)
        except (aiohttp.ClientError, ValueError, OSError) as problem:
            return _no_answer(method, url, f"no answer: {type(problem).__name__}", started)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self._habits.max_body:
                raise ValueError("the answer is larger than this platform reads")
            pieces.append(piece)
        return b"".join(pieces)

    async def crawl(
        self,
        module: str,
        interface: Interface = Interface.SENDER,
        *,
        to: PartyLike | None = None,
        sender: PartyLike | None = None,
        query: str = "",
        repeat_routing: bool = True,
        max_pages: int = 1000,
    ) -> Crawl:
        """A whole list, following `Link` to the end. Without `repeat_routing` later pages carry no TO and FROM."""
        pages: list[Answer] = []
        url: str | None = None
        while True:
            page = await self.call("GET", module, interface, to=to, sender=sender, query=query, url=url)
            pages.append(page)
            url = page.next_url
            if not page.ok or url is None or len(pages) == max_pages:
                return Crawl(tuple(pages), complete=page.ok and url is None)
            if not repeat_routing:
                to = sender = None


def _no_answer(method: str, url: str, reason: str, started: float | None = None) -> Answer:
    elapsed_s = 0.0 if started is None else time.monotonic() - started
    return Answer(method, url, 0, {}, b"", elapsed_s, failure=reason)
