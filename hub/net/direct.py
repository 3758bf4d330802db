"""Requests written straight onto a pooled connection: aiohttp's connector and response parser without its session.

A session spends more on a message than the rest of the hub does; what it adds (cookies, redirects, form data, one timer
per request) a hub must not have anyway. Connections, TLS, DNS and parsing stay aiohttp's (decisions/0005).
"""

import asyncio
import functools

from aiohttp import ClientConnectionError, ClientRequest, ClientTimeout, ServerDisconnectedError, TCPConnector, hdrs
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader
from multidict import CIMultiDictProxy
from yarl import URL

from hub import __version__
from hub.net.broken import NotHttp, broken
from hub.net.targets import Target

_OWN = f"User-Agent: ocpi-hub/{__version__}\r\nAccept-Encoding: identity\r\n"
_NO_LIMITS = ClientTimeout(total=None)
# Less means more stops and starts on a long page: at 64 KiB a page of 200 kB costs an eighth more.
_READ_AHEAD = 256 * 1024
# Longer bodies are written by themselves instead of being copied behind the head.
_ONE_WRITE = 64 * 1024
# A platform has its endpoints at one origin or a few; callbacks may name any number of others.
ORIGINS_KEPT = 64


class DirectAnswer:
    """Head and body of an answer, as `IncomingBody` reads it."""

    __slots__ = ("_connection", "content", "headers", "status")

    def __init__(
        self, status: int, headers: "CIMultiDictProxy[str]", content: StreamReader, connection: Connection
    ) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self._connection = connection

    @property
    def connection(self) -> Connection | None:
        """The connection while the body is on its way; None once it was given back."""
        return None if self._connection.protocol is None else self._connection

    @property
    def content_length(self) -> int | None:
        length = self.headers.get(hdrs.CONTENT_LENGTH)
        return int(length) if length is not None and length.isdigit() else None

    def close(self) -> None:
        """Gives up the connection with what is left of the body on it, and wakes whoever reads it; safe twice."""
        self._connection.close()
        if not self.content.is_eof() and self.content.exception() is None:
            self.content.set_exception(ClientConnectionError("the connection was given up"))


class DirectRequests:
    """The requests of one pool."""

    def __init__(self, connector: TCPConnector) -> None:
        self._connector = connector
        self._place = functools.lru_cache(ORIGINS_KEPT)(_place)

    async def ask(self, method: str, target: Target, headers: dict[str, str], body: bytes | None) -> DirectAnswer:
        """Sends one request and reads the head of its answer. ValueError for a header that cannot be sent."""
        head = _head(method, target, headers, body)
        connection = await self._connector.connect(self._place(target.origin), [], _NO_LIMITS)
        try:
            return await _exchange(connection, head, body)
        except HttpProcessingError:
            connection.close()
            raise NotHttp from None
        except (OSError, ServerDisconnectedError) as gone:
            connection.close()
            raise broken(gone) from None
        except BaseException:
            connection.close()
            raise

    async def close(self) -> None:
        await self._connector.close()


def _place(origin: str) -> ClientRequest:
    """What the connector wants to know of a request: where to. One for all requests to an origin."""
    return ClientRequest(hdrs.METH_GET, URL(origin, encoded=True), loop=asyncio.get_running_loop())


def _head(method: str, target: Target, headers: dict[str, str], body: bytes | None) -> bytes:
    lines = [f"{method} {target.path} HTTP/1.1\r\nHost: {target.host}\r\n{_OWN}"]
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}\r\n")
    elif method != hdrs.METH_GET:
        lines.append("Content-Length: 0\r\n")
    head = "".join(lines)
    breaks = len(lines) + 3
    if head.count("\n") != breaks or head.count("\r") != breaks or "\0" in head:
        raise ValueError("a header value has a line break in it")
    return f"{head}\r\n".encode()


async def _exchange(connection: Connection, head: bytes, body: bytes | None) -> DirectAnswer:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise ConnectionResetError
    protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=_READ_AHEAD)
    write = protocol.transport.write
    if body is None:
        write(head)
    elif len(body) <= _ONE_WRITE:
        write(head + body)
    else:
        write(head)
        write(body)
    while True:
        message, content = await protocol.read()
        if not 100 <= message.code <= 199 or message.code == 101:
            break
    content.on_eof(connection.release)
    return DirectAnswer(message.code, message.headers, content, connection)
