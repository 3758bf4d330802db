"""Answers a simulated platform gives: envelopes, the headers OCPI wants on them, and their bytes on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from hub.clock import Clock
from hub.ocpi import envelope, headers
from hub.ocpi.names import CONFIGURATION_MODULES
from hub.ocpi.status import StatusCode
from hub.sandbox.endpoints import VERSION_DETAILS
from hub.sandbox.habits import Habits, RoutingAnswer
from hub.sandbox.received import Received

_NO_DATA = object()
_NOT_ROUTED = CONFIGURATION_MODULES | {VERSION_DETAILS}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as bytes; `headers` win over those the platform would add by itself."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Replies:
    """Composes envelopes at the time of a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ok(self, data: object = _NO_DATA, *, status: int = 200, extra: Mapping[str, str] | None = None) -> Reply:
        """1000, without `data` when none is given."""
        now = self._clock.now()
        if data is _NO_DATA:
            body = envelope.render(StatusCode.OK, now=now)
        else:
            body = envelope.render(StatusCode.OK, data=data, now=now)
        return Reply(status, body, extra or {})

    def refused(
        self, code: StatusCode, message: str | None = None, *, status: int = 200, extra: Mapping[str, str] | None = None
    ) -> Reply:
        """An error of the OCPI layer, or of HTTP with its envelope when `status` says so."""
        return Reply(status, envelope.render(code, message, now=self._clock.now()), extra or {})


def complete(reply: Reply, received: Received, habits: Habits) -> Reply:
    """The reply with content type, ids and routing headers, as far as the habits of the platform go."""
    full: dict[str, str] = {headers.CONTENT_TYPE: headers.JSON} if reply.body else {}
    if habits.echo_ids:
        for name in (headers.REQUEST_ID, headers.CORRELATION_ID):
            if name in received.headers:
                full[name] = received.headers[name]
    if received.module not in _NOT_ROUTED and received.to is not None and received.sender is not None:
        if habits.routing is RoutingAnswer.SWAPPED:
            full |= headers.routing_headers(to=received.sender, sender=received.to)
        elif habits.routing is RoutingAnswer.AS_RECEIVED:
            full |= headers.routing_headers(to=received.to, sender=received.sender)
    own = {name.lower() for name in reply.headers}
    return replace(reply, headers={name: full[name] for name in full if name.lower() not in own} | dict(reply.headers))


def raw_head(reply: Reply) -> bytes:
    """Status line and headers as bytes, for answers that break off or trickle."""
    phrase = HTTPStatus(reply.status).phrase if reply.status in {code.value for code in HTTPStatus} else "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
