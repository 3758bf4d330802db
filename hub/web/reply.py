"""Writing answers: message ids on every one, buffered bodies in one piece, long ones streamed.

A short answer is written with its head in one go by `WholeAnswer`, which does for the server what `web.Response` does
and costs a twentieth of a message less (decisions/0004). Whatever is unusual about a request takes the ordinary way.
"""

import asyncio
import time
from collections.abc import Coroutine
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from aiohttp import HttpVersion11, web

from hub.broker.exchange import HubAnswer
from hub.domain.outcome import StreamBroken
from hub.ocpi import headers as names

SERVER = "ocpi-hub"


# Seconds in which a reader has to take something of what waits for it.
PATIENCE_S = 30.0
# Above it a slow reader's buffer would be ours; the ordinary response waits for the reader.
_WHOLE = 64 * 1024
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class WholeAnswer(web.StreamResponse):
    """Head and body, ready to be written at once on a connection that is kept."""

    def __init__(self, head: str, body: bytes) -> None:
        # The base class' state is what the server never asks for: nothing of it is made.
        self._content = head.encode() + body

    async def prepare(self, request: web.BaseRequest) -> None:
        """Writes everything; `write_eof` has nothing left to do."""
        transport = request.transport
        if transport is None or transport.is_closing():
            return
        transport.write(self._content)
        if transport.get_write_buffer_size() > _WHOLE:
            await _read_on(request, transport)

    async def write_eof(self, _data: bytes = b"") -> None:
        return

    @property
    def keep_alive(self) -> bool:
        return True


async def _read_on(request: web.BaseRequest, transport: asyncio.Transport) -> None:
    """Waits for a reader who leaves much unread; gives up who reads nothing for too long, and what is kept for them."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await request.protocol._drain_helper()  # what aiohttp's own responses wait for
    except TimeoutError:
        transport.abort()


class _Date:
    """The Date header line, made once a second."""

    second = 0
    line = ""

    @classmethod
    def now(cls) -> str:
        second = int(time.time())
        if second != cls.second:
            cls.second, cls.line = second, f"Date: {formatdate(second, usegmt=True)}\r\n"
        return cls.line


async def write(
    request: web.BaseRequest, answer: HubAnswer, request_id: str, correlation_id: str
) -> web.StreamResponse:
    """The HTTP response for an answer, already sent if it streams."""
    headers = {
        names.CONTENT_TYPE: names.JSON,
        names.REQUEST_ID: request_id,
        names.CORRELATION_ID: correlation_id,
        "Server": SERVER,
        **answer.headers,
    }
    if answer.rest is not None:
        return await _stream(request, answer, headers)
    status_line = _STATUS_LINES.get(answer.http)
    if (
        status_line is None
        or len(answer.body) > _WHOLE
        or "Connection" in headers
        or not request.keep_alive
        or request.version != HttpVersion11
        or request.method == "HEAD"
    ):
        return web.Response(body=answer.body, status=answer.http, headers=headers)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers):
        raise ValueError("a header value has a line break in it")
    head = f"{status_line}{lines}{_Date.now()}Content-Length: {len(answer.body)}\r\n\r\n"
    return WholeAnswer(head, answer.body)


async def _stream(request: web.BaseRequest, answer: HubAnswer, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.http, headers=headers)
    rest = answer.rest
    assert rest is not None  # noqa: S101 - the caller looked
    try:
        await response.prepare(request)
        await _within(response.write(answer.body))
        async for chunk in rest:
            await _within(response.write(chunk))
        await _within(response.write_eof())
    except (StreamBroken, ConnectionResetError, TimeoutError):
        # Ending properly would let a part be taken for the whole page (ruling 3).
        if request.transport is not None:
            request.transport.abort()
    finally:
        rest.close()
    return response


async def _within(writing: Coroutine[Any, Any, None]) -> None:
    """A reader of a long answer has to take each piece in time."""
    async with asyncio.timeout(PATIENCE_S):
        await writing
