"""The forwarder: bounds, deadlines, outcomes. How bytes get onto a connection is the pool's part."""

import asyncio
import functools
from typing import cast

from aiohttp import ClientConnectionError, ClientError, ClientResponse, InvalidURL, hdrs
from aiohttp.abc import AbstractResolver

from hub.clock import Clock, SystemClock
from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, TooLarge, Unsent, UnsentReason
from hub.net.broken import Broken
from hub.net.connector import GuardedConnector, NotConnected
from hub.net.deadlines import Deadlines, Leg
from hub.net.direct import DirectAnswer
from hub.net.egress import EgressGuard
from hub.net.forwarder import Wire, WireRequest
from hub.net.incoming import BodyBroken, BodyTooLong, IncomingBody, Rest
from hub.net.pool import Pool
from hub.net.pools import Pools
from hub.net.targets import Target, target
from hub.net.tls import Trust

# May be sent once more when a kept connection turns out to be gone before any answer.
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_PLATFORM_FULL = Unsent(UnsentReason.FULL, "the platform's requests in flight are at their limit")
_HUB_FULL = Unsent(UnsentReason.FULL, "the hub's requests in flight are at their limit")
_CLOSED = Unsent(UnsentReason.REFUSED, "the hub is closing its connections")
_NO_CONNECTION = Unsent(UnsentReason.REFUSED, "no connection before the deadline")
_REFUSED_CERTIFICATE = Unsent(UnsentReason.TLS, "the platform refused the client certificate, or asks for one")
_TOO_LARGE = TooLarge()
_TIMED_OUT = TimedOut()


class PooledForwarder:
    """Sends requests over one bounded pool a platform; `in_flight` bounds what all pools have in flight together.

    Nothing waits for a slot: at a bound the outcome is Unsent(FULL). `direct` writes requests straight onto connections
    and is what the hub runs; without it, and always through an egress proxy, aiohttp's session does.
    """

    def __init__(
        self,
        guard: EgressGuard,
        *,
        connect_timeout_s: float,
        in_flight: int,
        trust: Trust | None = None,
        proxy: str | None = None,
        direct: bool = True,
        clock: Clock | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._limit = in_flight
        self._in_flight = 0
        self._closed = False
        self._deadlines = Deadlines()
        connect = functools.partial(
            GuardedConnector, guard, self._deadlines, connect_timeout_s=connect_timeout_s, resolver=resolver
        )
        self._pools = Pools(trust or Trust(), connect, proxy=proxy, direct=direct, clock=clock or SystemClock())

    @property
    def in_flight(self) -> int:
        """Requests under way over all pools."""
        return self._in_flight

    async def send(self, wire: Wire, request: WireRequest) -> Outcome:
        place = target(request.url)
        if isinstance(place, Unsent):
            return place
        if self._closed:
            return _CLOSED
        pool = self._pools.of(wire)
        if pool.in_flight >= wire.in_flight:
            return _PLATFORM_FULL
        if self._in_flight >= self._limit:
            return _HUB_FULL
        if request.timeout_s <= 0:
            return _NO_CONNECTION
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        leg = Leg(task, loop.time() + request.timeout_s)
        self._deadlines.watch(task, leg)
        self._in_flight += 1
        pool.in_flight += 1
        pool.used = True
        try:
            return await self._exchange(pool, place, request, leg)
        except asyncio.CancelledError:
            if not leg.settles():
                raise
            return self._stopped(leg)
        finally:
            self._deadlines.forget(task)
            if not leg.streaming:
                self._left(pool)

    def drop(self, pool: str) -> None:
        self._pools.drop(pool)

    async def close(self) -> None:
        """Ends what is in flight (Lost, or Unsent if it was not sent yet) and closes all connections."""
        self._closed = True
        self._deadlines.stop_all()
        await self._pools.close()

    def _stopped(self, leg: Leg) -> Outcome:
        if leg.unsent:
            return _NO_CONNECTION
        return Lost("the hub closed the connection") if self._closed else _TIMED_OUT

    def _left(self, pool: Pool) -> None:
        self._in_flight -= 1
        self._pools.left(pool)

    async def _exchange(self, pool: Pool, place: Target, request: WireRequest, leg: Leg) -> Outcome:
        requests = pool.requests
        if requests is None:
            leg.connecting = True
            opened = await pool.open()
            if isinstance(opened, Unsent):
                return opened
            requests, leg.connecting = opened, False
        while True:
            try:
                response = await requests.ask(request.method, place, request.headers, request.body or None)
            except (ClientError, ValueError) as exc:
                failure = _failure(exc, request.method, leg)
                if failure is not None:
                    return failure
                leg.repeated = True
            else:
                return await self._receive(pool, response, request, leg)

    async def _receive(
        self, pool: Pool, response: ClientResponse | DirectAnswer, request: WireRequest, leg: Leg
    ) -> Outcome:
        if not 200 <= response.status <= 599:
            response.close()
            return Lost(f"{response.status} is not the status of an answer")
        content = response.content
        if (
            content.is_eof()
            and content.total_bytes <= request.stream_above
            and content.total_bytes <= request.max_body
            and hdrs.CONTENT_ENCODING not in response.headers
        ):
            return _answer(response, content.read_nowait())  # head and body came together, as small answers do
        try:
            body = IncomingBody(response, request.max_body)
            # No use in gathering up to the limit what is known to go beyond it.
            limit = 0 if (body.length or 0) > request.stream_above else request.stream_above
            blocks = []
            while block := await body.block():
                blocks.append(block)
                if body.size > limit:
                    leg.streaming = True
                    rest = Rest(body, leg.deadline, self._deadlines, functools.partial(self._left, pool))
                    return _answer(response, b"".join(blocks), rest)
        except BodyTooLong:
            return _TOO_LARGE
        except BodyBroken as exc:
            return Lost(str(exc))
        return _answer(response, b"".join(blocks))


def _failure(error: Exception, method: str, leg: Leg) -> Outcome | None:
    """What a request came to that got no answer; None if it is to be sent once more (R-068)."""
    match error:
        case NotConnected():
            return Lost("the kept connection was gone and no new one came") if leg.repeated else error.unsent
        case Broken(refused=True) if leg.fresh and not leg.repeated:
            return _REFUSED_CERTIFICATE
        case Broken(silent=True) if not leg.fresh and not leg.repeated and method in _REPEATABLE:
            return None
        case InvalidURL():
            return Unsent(UnsentReason.UNUSABLE, "the URL cannot be requested")
        case ClientConnectionError() | Broken():
            return Lost("the connection broke before a complete answer")
        case ClientError():
            return Lost("the answer is not HTTP")
        case _:  # a ValueError, raised while the head is written into memory, before a byte of it leaves
            return Unsent(UnsentReason.UNUSABLE, "a header has characters that cannot be sent")


def _answer(response: ClientResponse | DirectAnswer, body: bytes, rest: Rest | None = None) -> Answer:
    headers = response.headers
    links = tuple(headers.getall(hdrs.LINK)) if hdrs.LINK in headers else ()
    return Answer(response.status, headers, body, links, rest)
