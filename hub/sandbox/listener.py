"""The listening socket of a simulated platform: raw requests in, and the port that stays its own while it is dark."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

# Rounds of the event loop between a connection that is accepted and the protocol that is told of it.
_TURNS_OF_AN_ACCEPT = 3

OnRequest = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """Serves one address. While dark nothing listens there, so connections are refused, and the port stays taken."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, on_request: OnRequest) -> None:
        self.host = host
        self.port = port
        self._tls = tls
        self._on_request = on_request
        self._keeper: socket.socket | None = None
        self._web: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._exchanges: set[asyncio.Task[object]] = set()

    @property
    def connections(self) -> int:
        """How many connections others hold open to this platform now."""
        return 0 if self._web is None else len(self._web.connections)

    async def open(self) -> None:
        """Takes the port (any free one when it is 0) and listens. Raises OSError when the port is taken."""
        if self.port:  # a port asked for by number must be free: sharing it silently would split the requests
            self._bind(shared=False).close()
        self._keeper = self._bind()
        self.port = self._keeper.getsockname()[1]
        await self.light()

    def _bind(self, *, shared: bool = True) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Two sockets hold the port: one listens and comes and goes, the other only keeps it from being given away.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
            bound.setblocking(False)
            bound.bind((self.host, self.port))
        except OSError:
            bound.close()
            raise
        return bound

    async def light(self) -> None:
        """Listens on the port it keeps; nothing happens when it does already."""
        if self._listening is not None:
            return
        # A client that goes away ends its exchange; so does a fault that closed the connection.
        self._web = web.Server(self._receive, handler_cancellation=True, access_log=None)
        self._listening = await asyncio.get_running_loop().create_server(
            self._web, sock=self._bind(), backlog=1024, ssl=self._tls
        )

    async def dark(self) -> None:
        """Stops listening and breaks every connection off; requests being answered get no answer."""
        listening, self._listening = self._listening, None
        if listening is None or self._web is None:
            return
        # A connection accepted just before must have reached its protocol by then: asyncio forgets it otherwise, open.
        for bound in listening.sockets:
            asyncio.get_running_loop().remove_reader(bound)
        for _ in range(_TURNS_OF_AN_ACCEPT):
            await asyncio.sleep(0)
        listening.close()
        exchanges = list(self._exchanges)
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)
        for connection in self._web.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._web.shutdown(timeout=1.0)
        await listening.wait_closed()

    async def close(self) -> None:
        await self.dark()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:  # cannot be: the server runs each exchange as a task
            raise RuntimeError("a request outside of a task")
        self._exchanges.add(task)
        try:
            return await self._on_request(request)
        finally:
            self._exchanges.discard(task)
