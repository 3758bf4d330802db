"""Writing answers: message ids on every one, buffered bodies in one piece, long ones streamed."""

from aiohttp import web

from hub.broker.exchange import HubAnswer
from hub.domain.outcome import StreamBroken
from hub.ocpi import headers as names

SERVER = "ocpi-hub"


def _headers(answer: HubAnswer, request_id: str, correlation_id: str) -> dict[str, str]:
    return {
        names.CONTENT_TYPE: names.JSON,
        names.REQUEST_ID: request_id,
        names.CORRELATION_ID: correlation_id,
        "Server": SERVER,
        **answer.headers,
    }


async def write(request: web.Request, answer: HubAnswer, request_id: str, correlation_id: str) -> web.StreamResponse:
    """The HTTP response for an answer, already sent if it streams."""
    headers = _headers(answer, request_id, correlation_id)
    if answer.rest is None:
        return web.Response(body=answer.body, status=answer.http, headers=headers)
    response = web.StreamResponse(status=answer.http, headers=headers)
    try:
        await response.prepare(request)
        await response.write(answer.body)
        async for chunk in answer.rest:
            await response.write(chunk)
        await response.write_eof()
    except (StreamBroken, ConnectionResetError):
        # Ending properly would let a part be taken for the whole page (ruling 3).
        if request.transport is not None:
            request.transport.abort()
    finally:
        answer.rest.close()
    return response
