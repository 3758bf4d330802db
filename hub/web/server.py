"""The HTTP server: which door a path leads to, limits of requests, what is said to bytes that are not HTTP, draining.

Doors are told apart by the first segment, without a router: behind each stands a table of its own, and what a router
does for every message costs a twentieth of it (decisions/0004).
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from hub.broker.answer import Answers
from hub.broker.ids import message_id
from hub.ocpi import headers
from hub.ocpi.status import StatusCode
from hub.web.admin import AdminDoor
from hub.web.ocpi import PREFIX, OcpiDoor
from hub.web.ops import OpsDoor
from hub.web.plugin_routes import PluginRoutes
from hub.web.reply import SERVER

log = structlog.get_logger("hub.web")

ADMIN = "/admin"
KEEPALIVE_S = 75.0


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that answers requests."""

    ocpi: OcpiDoor
    ops: OpsDoor
    admin: AdminDoor
    plugins: PluginRoutes

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, whatever its path. A target may be absolute, as if the hub were a proxy; it is not one."""
        target = request.raw_path
        if not target.startswith("/"):
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if target.startswith(PREFIX) or target.partition("?")[0] == PREFIX[:-1]:
            return await self.ocpi.serve(request, target)
        if target.startswith(ADMIN):
            return await self.admin.serve(request)
        answer = await self.plugins.serve(request, target.partition("?")[0], admin=False)
        return self.ops.serve(request) if answer is None else answer


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes; `drain_s` is how long requests in flight may take once the server stops accepting."""

    max_body: int
    header_limit: int
    drain_s: float


class _Connection(web.RequestHandler):
    """One connection of a client. What cannot be read of it is neither logged nor repeated: it may hold a token."""

    def __init__(self, server: web.Server, answers: Answers, **options: Any) -> None:
        super().__init__(server, **options)
        self._answers = answers

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """An envelope with ids instead of aiohttp's own page (R-017, T-19)."""
        log.info("a request could not be read", status=status, problem=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has been begun")
        answer = self._answers.plain(status, StatusCode.CLIENT_ERROR, "The request cannot be read as HTTP")
        said = {
            headers.CONTENT_TYPE: headers.JSON,
            headers.REQUEST_ID: message_id(),
            headers.CORRELATION_ID: message_id(),
            "Server": SERVER,
        }
        response = web.Response(body=answer.body, status=status, headers=said)
        response.force_close()
        return response


class _Server(web.Server):
    """Makes a `_Connection` of every connection."""

    def __init__(self, doors: Doors, request_factory: Any, **options: Any) -> None:
        super().__init__(doors.serve, request_factory=request_factory)
        self._answers = doors.ocpi.answers
        self._options = options

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._answers, **self._options)


@asynccontextmanager
async def serving(doors: Doors, listener: socket.socket, limits: ServerLimits) -> AsyncIterator[None]:
    """Serves on a bound socket until the block ends, then stops accepting and drains."""
    loop = asyncio.get_running_loop()

    def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=limits.max_body)

    server = _Server(
        doors,
        request,
        loop=loop,
        access_log=None,
        max_line_size=limits.header_limit,
        max_field_size=limits.header_limit,
        keepalive_timeout=KEEPALIVE_S,
    )
    runner = web.ServerRunner(server, shutdown_timeout=limits.drain_s)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
