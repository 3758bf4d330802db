"""Doors for machines beside OCPI: /healthz, /readyz, /metrics, and the hub's picture."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from hub import metrics
from hub.ocpi import codec
from hub.web.reply import SERVER

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

    def serve(self, request: web.BaseRequest) -> web.Response:
        """Any path that is neither OCPI nor admin."""
        answer = {
            "/healthz": self.healthz,
            "/readyz": self.readyz,
            "/metrics": self.metrics,
            "/logo.svg": self.logo,
        }.get(request.path)
        if answer is None:
            return _said({"status": "unknown path"}, 404)
        if request.method not in ("GET", "HEAD"):
            return _said({"status": "use GET"}, 405, {"Allow": "GET"})
        return answer()

    def logo(self) -> web.Response:
        """The picture in the hub's business details when the operator set none: strict readers want one."""
        return web.Response(body=_LOGO, headers={"Content-Type": "image/svg+xml", "Server": SERVER})

    def healthz(self) -> web.Response:
        """The process is up."""
        return _said({"status": "up"})

    def readyz(self) -> web.Response:
        """Whether traffic should come here: ready, degraded while the store is away, 503 before the registry is
        there.
        """
        if self.draining or not self.loaded():
            return _said({"status": "draining" if self.draining else "starting"}, 503)
        return _said({"status": "ready" if self.store_available() else "degraded"})

    def metrics(self) -> web.Response:
        return web.Response(
            body=self.counted.expose(), headers={"Content-Type": metrics.CONTENT_TYPE, "Server": SERVER}
        )


def _said(status: dict[str, str], http: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    said = {"Content-Type": "application/json", "Server": SERVER, **(headers or {})}
    return web.Response(body=codec.dumps(status), status=http, headers=said)
