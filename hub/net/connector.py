"""Opening connections: every address is shown to the egress guard before a socket exists, and whatever fails here has
certainly not sent anything (F5).
"""

import asyncio
import errno
import socket
import ssl
from contextvars import ContextVar
from typing import cast

from aiohttp import (
    AddrInfoType,
    ClientConnectorDNSError,
    ClientError,
    ClientHttpProxyError,
    ClientRequest,
    ClientSSLError,
    ClientTimeout,
    InvalidURL,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from hub.domain.outcome import Unsent, UnsentReason
from hub.net.deadlines import Deadlines, Leg
from hub.net.egress import EgressGuard

# Servers commonly close idle connections after 30 s or more; a kept one has to be given up before that (T-80).
KEEP_ALIVE_S = 25


class NotConnected(ClientError):
    """No connection, so nothing was sent. A ClientError of its own kind, which aiohttp passes on and never repeats."""

    def __init__(self, unsent: Unsent) -> None:
        super().__init__(unsent.reason.value)
        self.unsent = unsent


class _Attempt:
    """What the guard said about the addresses of one connection."""

    def __init__(self, guarded: bool) -> None:
        self.guarded = guarded
        self.forbade = False
        self.permitted = False


_attempt: ContextVar[_Attempt] = ContextVar("attempt")


class GuardedConnector(TCPConnector):
    """Connects only where the guard permits, within `connect_timeout_s` for DNS, TCP and TLS together.

    A name that resolves to public and private addresses is tried at the public ones only. With a proxy the guard sees
    literal addresses of the target; names are resolved by the proxy, and the proxy itself may be anywhere.

    A kept connection is given out only if nothing came on it since its last answer; one that is given up is gone at
    once, with whatever was not written yet.
    """

    def __init__(
        self,
        guard: EgressGuard,
        deadlines: Deadlines,
        context: ssl.SSLContext,
        connect_timeout_s: float,
        resolver: AbstractResolver | None,
    ) -> None:
        super().__init__(
            ssl=context,
            limit=0,  # requests in flight are bounded before they get here; nothing waits for a connection
            keepalive_timeout=KEEP_ALIVE_S,
            resolver=resolver,
            socket_factory=self._socket,
        )
        self._guard = guard
        self._deadlines = deadlines
        self._connect_timeout_s = connect_timeout_s

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        """What came unasked would be taken for the answer to the next request, and every answer after it be swapped."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close or self._leg().fresh:
                return connection
            connection.close()

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        leg = self._leg()
        leg.fresh = leg.connecting = True
        host = req.url.raw_host or ""
        if req.proxy is not None and not self._guard.permits_host(host):
            raise NotConnected(_forbidden(host))
        if req.proxy is not None:
            host = f"{host} through the egress proxy"
        attempt = _Attempt(guarded=req.proxy is None)
        before = _attempt.set(attempt)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                protocol = await super()._create_connection(req, traces, timeout)
        except (ClientError, OSError, ValueError, RuntimeError) as exc:
            if attempt.forbade and not attempt.permitted:
                raise NotConnected(_forbidden(host)) from None
            raise NotConnected(_unsent(host, exc)) from None
        finally:
            _attempt.reset(before)
        leg.connecting = False
        return protocol

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """A graceful close waits until the receiver has read what was written, and one that never reads would hold the
        socket and the request for ever. A connection with a part of the request on it cannot be used again either.
        """
        transport = protocol.transport
        if should_close or transport is None or transport.get_write_buffer_size():
            protocol.abort()
            should_close = True
        super()._release(key, protocol, should_close=should_close)

    def _leg(self) -> Leg:
        return cast(Leg, self._deadlines.get(asyncio.current_task()))  # `PooledForwarder.send` watches every request

    def _socket(self, address_info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = address_info
        attempt = _attempt.get()
        if attempt.guarded and not self._guard.permits(str(address[0])):
            attempt.forbade = True
            raise OSError(errno.EACCES, "the address is not public and not in an allowed network")
        attempt.permitted = True
        return socket.socket(family, kind, protocol)


def _forbidden(host: str) -> Unsent:
    return Unsent(UnsentReason.FORBIDDEN, f"{host} is not at a public address")


def _unsent(host: str, error: Exception) -> Unsent:
    """Never the text of an aiohttp exception: some of them carry URLs or headers."""
    match error:
        case ClientSSLError():  # the cause says more
            return _unsent(host, error.os_error)
        case ssl.SSLCertVerificationError():
            return Unsent(UnsentReason.TLS, f"{host}: {error.verify_message}")
        case ssl.SSLError():
            return Unsent(UnsentReason.TLS, f"{host}: {error.reason or 'the handshake failed'}")
        case ClientConnectorDNSError():
            return Unsent(UnsentReason.DNS, f"{host}: {error.os_error.strerror or 'no address'}")
        case InvalidURL():
            return Unsent(UnsentReason.UNUSABLE, f"{host} is not an address in its usual notation")
        case ClientHttpProxyError():
            return Unsent(UnsentReason.REFUSED, f"{host}: it answered {error.status}")
        case TimeoutError():
            return Unsent(UnsentReason.REFUSED, f"{host}: no connection in time")
        case OSError():
            return Unsent(UnsentReason.REFUSED, f"{host}: {error.strerror or 'the connection failed'}")
        case UnicodeError():
            return Unsent(UnsentReason.DNS, f"{host} cannot be a host name")
        case _:
            return Unsent(UnsentReason.REFUSED, f"{host}: the connection failed")
