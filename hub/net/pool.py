"""One platform's connections, its own, so that nothing of one platform waits for another."""

import asyncio
import ssl
from collections.abc import Callable

from aiohttp import TCPConnector

from hub.domain.outcome import Unsent, UnsentReason
from hub.net.direct import DirectRequests
from hub.net.forwarder import Wire
from hub.net.session import SessionRequests
from hub.net.tls import Trust, Unusable

Connect = Callable[[ssl.SSLContext], TCPConnector]


class Pool:
    """The connections to one platform and the count of what is in flight on them.

    `used` is set by every request and cleared by the sweep that looks for idle pools.
    """

    def __init__(self, wire: Wire, trust: Trust, connect: Connect, *, proxy: str | None, direct: bool) -> None:
        self.certificate_pem = wire.certificate_pem
        self.key_pem = wire.key_pem
        self.in_flight = 0
        self.used = True
        self.requests: SessionRequests | DirectRequests | None = None
        self._trust = trust
        self._connect = connect
        self._proxy = proxy
        self._direct = direct and proxy is None
        self._unusable: Unsent | None = None
        self._opening = asyncio.Lock()

    def fits(self, wire: Wire) -> bool:
        """Whether the pool shows the certificate this wire asks for (the same texts, usually the same objects)."""
        return self.certificate_pem == wire.certificate_pem and self.key_pem == wire.key_pem

    async def open(self) -> SessionRequests | DirectRequests | Unsent:
        """What sends requests, made when first wanted; Unsent when the client certificate cannot be used."""
        async with self._opening:
            if self.requests is not None:
                return self.requests
            if self._unusable is not None:
                return self._unusable
            context = await self._context()
            if isinstance(context, Unusable):
                self._unusable = Unsent(UnsentReason.TLS, f"client certificate: {context.reason}")
                return self._unusable
            connector = self._connect(context)
            self.requests = DirectRequests(connector) if self._direct else SessionRequests(connector, self._proxy)
            return self.requests

    async def close(self) -> None:
        if self.requests is not None:
            await self.requests.close()

    async def _context(self) -> ssl.SSLContext | Unusable:
        if self.certificate_pem is None or self.key_pem is None:
            return self._trust.plain
        return await asyncio.to_thread(self._trust.showing, self.certificate_pem, self.key_pem)
