"""The door of the admin API: token, input and answer of every call, whatever the call is.

Order: token, path and method, input, call. Nothing behind the token is told to somebody without it, not even which
paths there are.
"""

import asyncio
import hmac
from functools import partial
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
from hub.web.reply import SERVER

log = structlog.get_logger("hub.admin")

PREFIX = "/admin/v1"
OPENAPI = f"{PREFIX}/openapi.json"
MAX_BODY = 1024 * 1024
BODY_TIMEOUT_S = 30.0


def register(app: web.Application, parts: AdminParts) -> None:
    """Adds every route of the table, the OpenAPI document, and an answer for whatever else is asked below `/admin`."""
    door = _Door(parts)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, f"{PREFIX}{endpoint.path}", partial(door.serve, endpoint))
    app.router.add_route("GET", OPENAPI, door.openapi)
    app.router.add_route("*", "/admin{tail:(?:/.*)?}", door.elsewhere)


class _Door:
    def __init__(self, parts: AdminParts) -> None:
        self._parts = parts
        self._token = parts.token.encode()
        self._openapi = codec.dumps(document(ENDPOINTS, PREFIX, parts.identity.public_url))

    def _stranger(self, request: web.Request) -> web.Response | None:
        """The refusal for a caller without the token, which is compared in constant time; None for the operator."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        presented = given.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() == "bearer" and hmac.compare_digest(presented, self._token):
            return None
        title = "Send the admin token as Authorization: Bearer; it is ADMIN_TOKEN, or in DATA_DIR/admin.token"
        return problem(401, title, headers={"WWW-Authenticate": "Bearer"})

    async def serve(self, endpoint: Endpoint[Any], request: web.Request) -> web.Response:
        """One call of the table."""
        stranger = self._stranger(request)
        if stranger is not None:
            return stranger
        given = await _given(endpoint, request)
        if isinstance(given, web.Response):
            return given
        try:
            result = await endpoint.serve(self._parts, request.match_info, given)
        except StoreUnavailable as away:
            return problem(503, "The hub's store is away; try again when it is back", detail=str(away))
        except Exception:
            # The boundary: a mistake of ours must not show its insides, nor end the hub.
            log.exception("an admin call failed", call=endpoint.operation)
            return problem(500, "The hub made a mistake; its log tells which")
        if isinstance(result, Refusal):
            return refused(result)
        return _json(codec.dumps(result.model_dump(mode="json")), endpoint.status)

    async def openapi(self, request: web.Request) -> web.Response:
        """The description of all this."""
        return self._stranger(request) or _json(self._openapi)

    async def elsewhere(self, request: web.Request) -> web.Response:
        """405 for a known path with another method, else 404."""
        stranger = self._stranger(request)
        if stranger is not None:
            return stranger
        path = request.rel_url.raw_path
        below = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
        allowed = [endpoint.method for endpoint in ENDPOINTS if endpoint.fits(below)]
        if path == OPENAPI:
            allowed = ["GET"]
        if allowed:
            listed = ", ".join(allowed)
            return problem(405, f"Use one of these methods here: {listed}", headers={"Allow": listed})
        return problem(404, f"There is nothing at this path; {OPENAPI} lists what there is")


async def _given(endpoint: Endpoint[Any], request: web.Request) -> Input | web.Response:
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


async def _body(request: web.Request) -> bytes | web.Response:
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
