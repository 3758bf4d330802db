"""The way of a request through a simulated platform: recorded, perhaps spoilt by a fault, authenticated, answered."""

import inspect
import logging
from collections.abc import Callable

from aiohttp import web

from hub.clock import Clock
from hub.domain.platform import TokenPurpose
from hub.ocpi import codec, headers, names
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.versions import v2_2_1
from hub.ocpi.versions.table import WrongMethod
from hub.sandbox.behaviours import Behaviour
from hub.sandbox.connection import Connection
from hub.sandbox.credentials import ConfigurationModules
from hub.sandbox.endpoints import CALLBACK, VERSION_DETAILS, Directory
from hub.sandbox.exchange import Exchange
from hub.sandbox.faults import Faults
from hub.sandbox.habits import Habits
from hub.sandbox.received import Received, ReceivedLog
from hub.sandbox.reply import Replies, Reply

_log = logging.getLogger(__name__)

_BEFORE_REGISTRATION = frozenset({names.VERSIONS, VERSION_DETAILS, names.CREDENTIALS})


class Serving:
    """Answers requests. `behaviours` says how each endpoint answers; the protocol around them is the same for all."""

    def __init__(
        self,
        *,
        directory: Directory,
        configuration: ConfigurationModules,
        connection: Connection,
        received: ReceivedLog,
        faults: Faults,
        habits: Habits,
        replies: Replies,
        clock: Clock,
        hosts: Callable[[PartyId], bool],
        behaviours: dict[tuple[str, Interface], Behaviour],
    ) -> None:
        self.behaviours = behaviours
        self._directory = directory
        self._configuration = configuration
        self._connection = connection
        self._received = received
        self._faults = faults
        self._habits = habits
        self._replies = replies
        self._clock = clock
        self._hosts = hosts

    async def on_request(self, request: web.BaseRequest) -> web.StreamResponse:
        """Everything that happens to one request."""
        target = self._directory.find(request.raw_path.partition("?")[0])
        body = await self._read(request)
        received = Received(
            request.method,
            request.raw_path,
            target.module,
            target.interface,
            target.tail,
            request.headers,
            body or b"",
            self._clock.monotonic(),
        )
        self._received.append(received)
        exchange = Exchange(request, received, self._habits, self._behave)
        fault = self._faults.take(received)
        if body is None:
            reply: Reply | None = exchange.complete(self._replies.refused(StatusCode.CLIENT_ERROR, status=413))
        else:
            reply = await exchange.reply() if fault is None else await fault.meet(exchange)
        if reply is None:
            await exchange.gone()
        return web.Response() if reply is None else _as_response(reply)

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        pieces: list[bytes] = []
        size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > self._habits.max_body:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    async def _behave(self, received: Received) -> Reply:
        known = self._connection.inbound.present(received.headers.get(headers.AUTHORIZATION), self._habits.accepts)
        if known is None or (known[1] is TokenPurpose.REGISTRATION and received.module not in _BEFORE_REGISTRATION):
            return self._replies.refused(
                StatusCode.CLIENT_ERROR,
                "the token is missing or not valid here",
                status=401,
                extra={"WWW-Authenticate": "Token"},
            )
        if received.module == names.CREDENTIALS:
            return await self._configuration.serve(received, *known)
        if received.module in (names.VERSIONS, VERSION_DETAILS):
            if received.method != "GET":
                return self._wrong_method(("GET",))
            is_list = received.module == names.VERSIONS
            return self._configuration.versions() if is_list else self._configuration.details()
        return await self._functional(received)

    async def _functional(self, received: Received) -> Reply:
        """Method and path by the version table, then the behaviour of the endpoint."""
        if received.module == CALLBACK:
            return self._replies.ok() if received.method == "POST" else self._wrong_method(("POST",))
        behaviour = None
        if received.module is not None and received.interface is not None:
            behaviour = self.behaviours.get((received.module, received.interface))
            table = v2_2_1.TABLE.by_endpoint.get((received.module, received.interface))
            match = None if table is None else table.look_up(received.method, received.segments)
            if isinstance(match, WrongMethod):
                return self._wrong_method(match.allow)
            if table is not None and match is None:
                behaviour = None
        if behaviour is None:
            return self._replies.refused(StatusCode.CLIENT_ERROR, "nothing is served here", status=404)
        if received.to is not None and self._habits.checks_to and not self._hosts(received.to):
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, f"{received.to} is not hosted here")
        try:
            reply = behaviour(received)
            return await reply if inspect.isawaitable(reply) else reply
        except codec.NotJson:
            return self._replies.refused(StatusCode.CLIENT_ERROR, "the body is not JSON", status=400)
        except Exception:  # noqa: BLE001 - a body may have any shape and a behaviour may be a test's: both get an answer
            _log.exception("the behaviour of %s %s failed", received.module, received.interface)
            return self._replies.refused(StatusCode.SERVER_ERROR, "this platform failed", status=500)

    def _wrong_method(self, allow: tuple[str, ...]) -> Reply:
        return self._replies.refused(StatusCode.CLIENT_ERROR, status=405, extra={"Allow": ", ".join(allow)})


def _as_response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
