"""The HTTP server: which door a path leads to, limits of requests, and draining at the end.

Doors are told apart by the first segment, without a router: behind each stands a table of its own, and what a router
does for every message costs a twentieth of it (decisions/0004).
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hub.web.admin import AdminDoor
from hub.web.ocpi import PREFIX, OcpiDoor
from hub.web.ops import OpsDoor

ADMIN = "/admin"
KEEPALIVE_S = 75.0


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that answers requests."""

    ocpi: OcpiDoor
    ops: OpsDoor
    admin: AdminDoor

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, whatever its path."""
        path = request.raw_path
        if path.startswith(PREFIX):
            return await self.ocpi.serve(request)
        if path.startswith(ADMIN):
            return await self.admin.serve(request)
        return self.ops.serve(request)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes; `drain_s` is how long requests in flight may take once the server stops accepting."""

    max_body: int
    header_limit: int
    drain_s: float


@asynccontextmanager
async def serving(doors: Doors, listener: socket.socket, limits: ServerLimits) -> AsyncIterator[None]:
    """Serves on a bound socket until the block ends, then stops accepting and drains."""
    loop = asyncio.get_running_loop()

    def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=limits.max_body)

    server = web.Server(
        doors.serve,
        request_factory=request,
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
