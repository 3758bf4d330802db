"""The HTTP server: which door stands where, limits of requests, and draining at the end."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from hub.web import admin
from hub.web.ocpi import PREFIX, OcpiDoor
from hub.web.ops import OpsDoor

KEEPALIVE_S = 75.0


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that answers requests."""

    ocpi: OcpiDoor
    ops: OpsDoor
    admin: admin.AdminParts


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes; `drain_s` is how long requests in flight may take once the server stops accepting."""

    max_body: int
    header_limit: int
    drain_s: float


def application(doors: Doors, max_body: int) -> web.Application:
    """The routes. OCPI is one route: the version tables know the rest."""
    app = web.Application(client_max_size=max_body)
    app.router.add_route("*", f"{PREFIX}{{tail:.*}}", doors.ocpi.serve)
    doors.ops.register(app)
    admin.register(app, doors.admin)
    return app


@asynccontextmanager
async def serving(doors: Doors, listener: socket.socket, limits: ServerLimits) -> AsyncIterator[None]:
    """Serves on a bound socket until the block ends, then stops accepting and drains."""
    runner = web.AppRunner(
        application(doors, limits.max_body),
        access_log=None,
        shutdown_timeout=limits.drain_s,
        max_line_size=limits.header_limit,
        max_field_size=limits.header_limit,
        keepalive_timeout=KEEPALIVE_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
