"""Requests through aiohttp's ClientSession: the reference, and the way out where an egress proxy stands between."""

import io

from aiohttp import (
    ClientConnectionResetError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    hdrs,
)
from yarl import URL

from hub import __version__
from hub.net.broken import broken
from hub.net.targets import Target

# The hub looks into answers, so it asks for plain ones.
_OWN_HEADERS = {hdrs.USER_AGENT: f"ocpi-hub/{__version__}", hdrs.ACCEPT_ENCODING: "identity"}
# aiohttp adds a Content-Type of its own to these.
_TYPED = frozenset({"POST", "PUT", "PATCH"})
_NO_TYPE = (hdrs.CONTENT_TYPE,)
# aiohttp writes longer bytes in one go and warns about it; a file-like body goes out in pieces.
_ONE_PIECE = 1024 * 1024


class SessionRequests:
    """The requests of one pool."""

    def __init__(self, connector: TCPConnector, proxy: str | None) -> None:
        self._session = ClientSession(
            connector=connector,
            headers=_OWN_HEADERS,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=None),  # `Deadlines` and the connector see to it
            auto_decompress=False,
            proxy=proxy,
            middlewares=(_once,),
        )
        # `request` wraps `_request` for `async with`; without the wrapper an exchange costs a twentieth less CPU.
        self._request = getattr(self._session, "_request", self._session.request)

    async def ask(self, method: str, target: Target, headers: dict[str, str], body: bytes | None) -> ClientResponse:
        """Sends one request and reads the head of its answer."""
        untyped = hdrs.CONTENT_TYPE not in headers and (body is not None or method in _TYPED)
        answer: ClientResponse = await self._request(
            method,
            URL(target.origin + target.path, encoded=True),
            headers=headers,
            data=body if body is None or len(body) <= _ONE_PIECE else io.BytesIO(body),
            allow_redirects=False,
            skip_auto_headers=_NO_TYPE if untyped else None,
        )
        return answer

    async def close(self) -> None:
        await self._session.close()


async def _once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """A session repeats GET, PUT and DELETE by itself, maybe after the receiver had acted on them. Here a request goes
    out once; whether to repeat it is for the forwarder to say (R-068).
    """
    try:
        return await send(request)
    except (ClientOSError, ClientConnectionResetError, ServerDisconnectedError) as gone:
        raise broken(gone) from None
