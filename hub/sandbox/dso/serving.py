"""The way of a request through the simulated DSO: recorded, perhaps spoilt by a fault, let in, taken."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.clock import Clock
from hub.ocpi import codec, headers
from hub.sandbox.dso.counterpart import AuthorizationServer, Link
from hub.sandbox.dso.habits import DsoHabits
from hub.sandbox.dso.messages import REQUIRED, missing
from hub.sandbox.exchange import Exchange
from hub.sandbox.faults import Faults
from hub.sandbox.habits import Habits, RoutingAnswer
from hub.sandbox.received import Received, ReceivedLog
from hub.sandbox.reply import Reply

ROOT = "/oscp/cp/2.0"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
GRANT = "oauth2"

Take = Callable[[Received, str], Awaitable[Reply | None]]


class Serving:
    """Answers requests; `take` does with a message what it asks for, and returns what is not 204. The recorded `module`
    is the path of the message.
    """

    def __init__(
        self,
        *,
        link: Link,
        habits: DsoHabits,
        received: ReceivedLog,
        faults: Faults,
        clock: Clock,
        authorization: AuthorizationServer | None,
        take: Take,
    ) -> None:
        self._link = link
        self._habits = habits
        self._received = received
        self._faults = faults
        self._clock = clock
        self._authorization = authorization
        self._take = take
        self._on_the_wire = Habits(echo_ids=False, routing=RoutingAnswer.ABSENT)

    async def on_request(self, request: web.BaseRequest) -> web.StreamResponse:
        """Everything that happens to one request."""
        path = request.raw_path.partition("?")[0]
        module = GRANT if path == TOKEN_PATH else path.removeprefix(f"{ROOT}/") if path.startswith(ROOT) else None
        at_s = self._clock.monotonic()
        body = await request.read()
        received = Received(request.method, request.raw_path, module, None, "", request.headers, body, at_s)
        self._received.append(received)
        exchange = Exchange(request, received, self._on_the_wire, self._behave)
        fault = self._faults.take(received)
        reply = await exchange.reply() if fault is None else await fault.meet(exchange)
        if reply is None:
            await exchange.gone()
            return web.Response()
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def _behave(self, received: Received) -> Reply:
        if received.module == GRANT:
            server = self._authorization
            return refused(404, "there is no authorization server") if server is None else server.grant(received)
        if received.module not in REQUIRED:
            return refused(404, "nothing is served here")
        if received.method != "POST" and (received.module != "register" or received.method not in ("PUT", "DELETE")):
            return refused(405, "use POST")
        presented = self._presented(received)
        if presented is None:
            return refused(401, "the token is missing or not valid here")
        if any(received.headers.get(name) != value for name, value in self._habits.needs_headers.items()):
            return refused(403, "a header that was agreed is missing")
        if headers.REQUEST_ID not in received.headers:
            return refused(400, "X-Request-ID is missing")
        if received.method != "DELETE":
            problem = missing(received.module, received.body)
            if problem is not None:
                return refused(400, problem)
        return await self._take(received, presented) or Reply(204, b"")

    def _presented(self, received: Received) -> str | None:
        """What lets the caller in; None when nothing does."""
        said = received.headers.get(headers.AUTHORIZATION)
        if self._authorization is not None:
            return said if self._authorization.lets_in(said) else None
        return self._link.lets_in(said)


def refused(status: int, message: str) -> Reply:
    return Reply(status, codec.dumps({"message": message}), {"Content-Type": "application/json"})
