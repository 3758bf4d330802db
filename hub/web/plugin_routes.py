"""Routes of plugins: plain values in and out, limits of size and time, and no plugin sees a token that is not its
own.
"""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import unquote

import structlog
from aiohttp import web

from hub.broker.plugins.host import PluginHost
from hub.errors import StoreUnavailable
from hub.logs import redact_text
from hub.plugin.guard import Refused
from hub.plugin.web import Audience, BadRequest, HttpRequest, HttpResponse, Route, problem
from hub.web.reply import SERVER

log = structlog.get_logger("hub.plugins")

_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie"})
_OWN = frozenset({"server", "content-length", "content-type", "transfer-encoding", "connection", "date"})
_CLOSE = {"Connection": "close"}
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")


class PluginRoutes:
    """Finds and serves them."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host

    async def serve(self, request: web.BaseRequest, below: str, *, admin: bool) -> web.Response | None:
        """The answer of the plugin whose route this is; 405 for another method; None when the path is nobody's.
        `below` is the raw path under the door.
        """
        parts = below.strip("/").split("/")
        allowed: list[str] = []
        for one in self._host.running:
            for route in one.routes:
                if (route.audience is Audience.ADMIN) is not admin:
                    continue
                params = _params(route, parts)
                if params is None:
                    continue
                if route.method != request.method:
                    allowed.append(route.method)
                    continue
                if one.failed is not None:
                    why = f": {one.failed}" if admin else ""
                    return _written(problem(503, f"The plugin {one.name} does not run{why}"))
                return await self._call(one.name, route, params, request, admin=admin)
        if allowed:
            listed = ", ".join(sorted(set(allowed)))
            return _written(problem(405, f"Use one of these methods here: {listed}"), {"Allow": listed})
        return None

    async def _call(
        self, plugin: str, route: Route, params: Mapping[str, str], request: web.BaseRequest, *, admin: bool
    ) -> web.Response:
        one = next(one for one in self._host.running if one.name == plugin)
        body = await _body(request, route)
        if isinstance(body, web.Response):
            return body
        hidden = frozenset({"proxy-authorization"}) if route.audience is Audience.PLUGIN else _HIDDEN
        asked = HttpRequest(
            method=request.method,
            path=request.rel_url.raw_path,
            params=params,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items() if name.lower() not in hidden},
            body=body,
        )
        try:
            said = await one.guard.call(
                f"route {route.path}", _served, route, asked, timeout_s=route.timeout_s, counts=False
            )
        except Refused as refused:
            why = f": {redact_text(str(refused))}" if admin else ""
            return _written(problem(503, f"The plugin {plugin} cannot answer now{why}"))
        if isinstance(said, BadRequest):
            return _written(problem(400, redact_text(str(said))))
        if isinstance(said, StoreUnavailable):
            return _written(problem(503, "The hub's store is away; try again when it is back"))
        if not isinstance(said, HttpResponse):
            one.guard.misspoke(f"route {route.path}", f"it returned {type(said).__name__}, not an HttpResponse")
            return _written(problem(500, f"The plugin {plugin} made a mistake; the hub's log tells which"))
        return _written(said)


async def _served(route: Route, request: HttpRequest) -> HttpResponse | StoreUnavailable | BadRequest:
    try:
        said = await route.serve(request)
    except (StoreUnavailable, BadRequest) as expected:
        return expected
    if isinstance(said, HttpResponse):
        _check(said)
    return said


def _check(said: HttpResponse) -> None:
    """What cannot be written is the plugin's mistake, and shows here. Raises whatever it raises."""
    if type(said.status) is not int or not 200 <= said.status <= 599:
        raise ValueError(f"{said.status!r} is no HTTP status of an answer")
    for text in (said.content_type, *(part for pair in said.headers.items() for part in pair)):
        if not text.isprintable() or not text.encode():
            raise ValueError(f"{text!r} cannot stand in a header")
    if not all(_TOKEN.fullmatch(name) for name in said.headers):
        raise ValueError("a header has a name that is none")
    _ = said.content


def _params(route: Route, parts: list[str]) -> dict[str, str] | None:
    wanted = route.path.strip("/").split("/")
    if len(wanted) != len(parts):
        return None
    found: dict[str, str] = {}
    for pattern, part in zip(wanted, parts, strict=True):
        if pattern.startswith("{"):
            found[pattern[1:-1]] = unquote(part)
        elif pattern != part:
            return None
    return found


async def _body(request: web.BaseRequest, route: Route) -> bytes | web.Response:
    pieces: list[bytes] = []
    size = request.content_length or 0
    if size <= route.max_body:
        size = 0
        try:
            async with asyncio.timeout(route.timeout_s):
                async for piece in request.content.iter_any():
                    size += len(piece)
                    if size > route.max_body:
                        break
                    pieces.append(piece)
        except TimeoutError:
            return _written(problem(408, "The body did not arrive in time"), _CLOSE)
        except web.RequestPayloadError:
            return _written(problem(400, "The body cannot be read: it is cut or its encoding is broken"), _CLOSE)
    if size > route.max_body:
        return _written(problem(413, f"The body is larger than {route.max_body} bytes"), _CLOSE)
    return b"".join(pieces)


def _written(said: HttpResponse, more: Mapping[str, str] | None = None) -> web.Response:
    headers = {name: value for name, value in said.headers.items() if name.lower() not in _OWN}
    headers |= {"Server": SERVER, "Content-Type": said.content_type, **(more or {})}
    headers.setdefault("Cache-Control", "no-store")
    return web.Response(status=said.status, body=said.content, headers=headers)
