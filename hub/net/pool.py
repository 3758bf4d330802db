"""One platform's connections: a tuned ClientSession of its own, so that nothing of one platform waits for another."""

import asyncio
import re
import ssl
from collections.abc import Callable

from aiohttp import (
    ClientConnectionResetError,
    ClientError,
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

from hub import __version__
from hub.domain.outcome import Unsent, UnsentReason
from hub.net.forwarder import Wire
from hub.net.tls import Trust, Unusable

# The hub looks into answers, so it asks for plain ones.
_OWN_HEADERS = {hdrs.USER_AGENT: f"ocpi-hub/{__version__}", hdrs.ACCEPT_ENCODING: "identity"}

# In TLS 1.3 the client is done before the server has judged its certificate, so the refusal comes after the request.
_CERTIFICATE_ALERT = re.compile(r"ALERT_[A-Z_]*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")

Connect = Callable[[ssl.SSLContext], TCPConnector]


class Broken(ClientError):
    """The connection broke after the request went out. `silent`: before any byte of an answer had come; `refused`: the
    peer's TLS ended it over the client certificate, before it let any request through.
    """

    def __init__(self, *, silent: bool, refused: bool = False) -> None:
        super().__init__("the connection broke")
        self.silent = silent
        self.refused = refused


class Pool:
    """The connections to one platform and the count of what is in flight on them.

    `used` is set by every request and cleared by the sweep that looks for idle pools.
    """

    def __init__(self, wire: Wire, trust: Trust, connect: Connect, proxy: str | None) -> None:
        self.certificate_pem = wire.certificate_pem
        self.key_pem = wire.key_pem
        self.in_flight = 0
        self.used = True
        self.session: ClientSession | None = None
        self._trust = trust
        self._connect = connect
        self._proxy = proxy
        self._unusable: Unsent | None = None
        self._opening = asyncio.Lock()

    def fits(self, wire: Wire) -> bool:
        """Whether the pool shows the certificate this wire asks for (the same texts, usually the same objects)."""
        return self.certificate_pem == wire.certificate_pem and self.key_pem == wire.key_pem

    async def open(self) -> ClientSession | Unsent:
        """The session, made when it is first wanted; Unsent when the client certificate cannot be used."""
        async with self._opening:
            if self.session is not None:
                return self.session
            if self._unusable is not None:
                return self._unusable
            context = await self._context()
            if isinstance(context, Unusable):
                self._unusable = Unsent(UnsentReason.TLS, f"client certificate: {context.reason}")
                return self._unusable
            self.session = ClientSession(
                connector=self._connect(context),
                headers=_OWN_HEADERS,
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, sock_connect=None),  # `Deadlines` and the connector see to it
                auto_decompress=False,
                proxy=self._proxy,
                middlewares=(_once,),
            )
            return self.session

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()

    async def _context(self) -> ssl.SSLContext | Unusable:
        if self.certificate_pem is None or self.key_pem is None:
            return self._trust.plain
        return await asyncio.to_thread(self._trust.showing, self.certificate_pem, self.key_pem)


async def _once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """aiohttp repeats GET, PUT and DELETE by itself, also when a connection made for the request broke, maybe after the
    receiver had acted on it. Here a request goes out once; whether to repeat it is for the forwarder to say (R-068).
    """
    try:
        return await send(request)
    except (ClientOSError, ClientConnectionResetError) as exc:
        raise Broken(silent=True, refused=_CERTIFICATE_ALERT.search(exc.strerror or "") is not None) from None
    except ServerDisconnectedError as exc:
        # The message is what had been parsed of an answer when there was one, and a text when there was not.
        raise Broken(silent=isinstance(exc.message, str)) from None
