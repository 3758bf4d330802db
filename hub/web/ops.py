"""Doors for machines beside OCPI: /healthz, /readyz, /metrics, and the hub's picture."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from hub import metrics


_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
    b'<g stroke="#2a6" stroke-width="4" fill="none"><path d="M32 32 12 14M32 32 52 14M32 32 12 50M32 32 52 50"/></g>'
    b'<g fill="#2a6"><circle cx="32" cy="32" r="10"/><circle cx="12" cy="14" r="6"/><circle cx="52" cy="14" r="6"/>'
    b'<circle cx="12" cy="50" r="6"/><circle cx="52" cy="50" r="6"/></g></svg>'
)


@dataclass(slots=True)
class OpsDoor:
    """`loaded` and `store_available` are asked at every call; `draining` is set when the hub stops."""

    counted: metrics.Metrics
    loaded: Callable[[], bool]
    store_available: Callable[[], bool]
    draining: bool = field(default=False)

    def register(self, app: web.Application) -> None:
        """Adds the routes."""
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/logo.svg", self.logo)

    async def logo(self, _request: web.Request) -> web.Response:
        """The picture in the hub's business details when the operator set none: strict readers want one."""
        return web.Response(body=_LOGO, content_type="image/svg+xml")

    async def healthz(self, _request: web.Request) -> web.Response:
        """The process is up."""
        return web.json_response({"status": "up"})

    async def readyz(self, _request: web.Request) -> web.Response:
        """Whether traffic should come here: ready, degraded while the store is away, 503 before the registry is
        there.
        """
        if self.draining or not self.loaded():
            return web.json_response({"status": "draining" if self.draining else "starting"}, status=503)
        return web.json_response({"status": "ready" if self.store_available() else "degraded"})

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.counted.expose(), headers={"Content-Type": metrics.CONTENT_TYPE})
