"""The door of the admin API: token, input and answer of every call, whatever the call is.

Order: token, path and method, input, call. Nothing behind the token is told to somebody without it, not even which
paths there are.
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web
from pydantic import ValidationError

from hub.broker.refusal import Refusal
from hub.errors import StoreUnavailable
from hub.ocpi import codec
from hub.web.admin.endpoint import Endpoint
from hub.web.admin.inputs import Input
from hub.web.admin.openapi import document
from hub.web.admin.parts import AdminParts
from hub.web.admin.problems import problem, refused, unfit
from hub.web.admin.table import ENDPOINTS
from hub.web.plugin_routes import PluginRoutes
from hub.web.reply import SERVER

log = structlog.get_logger("hub.admin")

PREFIX = "/admin/v1"
OPENAPI = f"{PREFIX}/openapi.json"
MAX_BODY = 1024 * 1024
BODY_TIMEOUT_S = 30.0


class AdminDoor:
    """Serves every path below `/admin`."""

    def __init__(self, parts: AdminParts, plugins: PluginRoutes) -> None:
        self._parts = parts
        self._plugins = plugins
        self._token = parts.token.encode()
        self._openapi: bytes | None = None

    async def _document(self) -> bytes:
        """Made when somebody first asks, beside the loop: it takes as long as a hundred messages."""
        if self._openapi is None:
            url = self._parts.identity.public_url
            self._openapi = await asyncio.to_thread(lambda: codec.dumps(document(ENDPOINTS, PREFIX, url)))
        return self._openapi

    async def serve(self, request: web.BaseRequest) -> web.Response:
        """One call: of the table, or for the OpenAPI document; 405 for a known path with another method, else 404."""
        stranger = self._stranger(request)
        if stranger is not None:
            return stranger
        path = request.rel_url.raw_path
        if path == OPENAPI:
            return _json(await self._document()) if request.method == "GET" else _wrong_method(["GET"])
        below = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
        allowed: list[str] = []
        for endpoint in ENDPOINTS:
            values = endpoint.values_in(below)
            if values is not None:
                if endpoint.method == request.method:
                    return await self._call(endpoint, values, request)
                allowed.append(endpoint.method)
        if allowed:
            return _wrong_method(allowed)
        answer = await self._plugins.serve(request, below, admin=True) if below else None
        if answer is not None:
            return answer
        return problem(404, f"There is nothing at this path; {OPENAPI} lists what there is")

    def _stranger(self, request: web.BaseRequest) -> web.Response | None:
        """The refusal for a caller without the token, which is compared in constant time; None for the operator."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        presented = given.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() == "bearer" and hmac.compare_digest(presented, self._token):
            return None
        title = "Send the admin token as Authorization: Bearer; it is ADMIN_TOKEN, or in DATA_DIR/admin.token"
        return problem(401, title, headers={"WWW-Authenticate": "Bearer"})

    async def _call(self, endpoint: Endpoint[Any], values: Mapping[str, str], request: web.BaseRequest) -> web.Response:
        given = await _given(endpoint, request)
        if isinstance(given, web.Response):
            return given
        try:
            result = await endpoint.serve(self._parts, values, given)
        except StoreUnavailable as away:
            return problem(503, "The hub's store is away; try again when it is back", detail=str(away))
        except Exception:
            # The boundary: a mistake of ours must not show its insides, nor end the hub.
            log.exception("an admin call failed", call=endpoint.operation)
            return problem(500, "The hub made a mistake; its log tells which")
        if isinstance(result, Refusal):
            return refused(result)
        return _json(result.rendered(), endpoint.status_of(result))


def _wrong_method(allowed: list[str]) -> web.Response:
    listed = ", ".join(allowed)
    return problem(405, f"Use one of these methods here: {listed}", headers={"Allow": listed})


async def _given(endpoint: Endpoint[Any], request: web.BaseRequest) -> Input | web.Response:
    """What the call takes, out of query or body."""
    if endpoint.reads_query:
        sent: object = dict(request.query)
    else:
        body = await _body(request)
        if isinstance(body, web.Response):
            return body
        try:
            sent = codec.loads(body) if body.strip() else {}
        except codec.NotJson as wrong:
            return problem(400, f"The body is not JSON: {wrong}")
        if not isinstance(sent, dict):
            return problem(400, "The body must be a JSON object")
    try:
        found: Input = endpoint.takes.model_validate(sent)
    except ValidationError as wrong:
        return unfit(wrong, in_query=endpoint.reads_query)
    return found


async def _body(request: web.BaseRequest) -> bytes | web.Response:
    """The body, bounded in size (after decompression) and time."""
    chunks: list[bytes] = []
    size = request.content_length or 0
    if size <= MAX_BODY:
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.content.iter_any():
                    size += len(chunk)
                    if size > MAX_BODY:
                        break
                    chunks.append(chunk)
        except TimeoutError:
            return problem(408, "The body did not arrive in time", headers=_CLOSE)
        except web.RequestPayloadError:
            return problem(400, "The body cannot be read: it is cut or its encoding is broken", headers=_CLOSE)
    if size > MAX_BODY:
        return problem(413, f"The body is larger than {MAX_BODY} bytes", headers=_CLOSE)
    return b"".join(chunks)


def _json(body: bytes, status: int = 200) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Server": SERVER}
    return web.Response(status=status, body=body, headers=headers)


_CLOSE = {"Connection": "close"}
