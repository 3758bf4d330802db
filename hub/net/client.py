"""The forwarder on aiohttp's ClientSession: the reference implementation of the port in `hub.net.forwarder`."""

import asyncio
import functools
import io
from typing import cast

from aiohttp import ClientConnectionError, ClientError, ClientResponse, InvalidURL, hdrs
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict, istr
from yarl import URL

from hub.clock import Clock, SystemClock
from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, TooLarge, Unsent, UnsentReason
from hub.net.connector import GuardedConnector, NotConnected
from hub.net.deadlines import Deadlines, Leg
from hub.net.egress import EgressGuard
from hub.net.forwarder import Wire, WireRequest
from hub.net.incoming import BodyBroken, BodyTooLong, IncomingBody, Rest
from hub.net.pool import Broken, Pool
from hub.net.pools import Pools
from hub.net.tls import Trust

# What an answer carries on and what table F looks at; `Link` lines are kept apart.
_ANSWER_HEADERS = CIMultiDict(
    (istr(name), name.lower())
    for name in (
        "Content-Type",
        "Location",
        "Retry-After",
        "X-Total-Count",
        "X-Limit",
        "Allow",
        "WWW-Authenticate",
        "X-Request-ID",
        "X-Correlation-ID",
    )
)
# May be sent once more when a kept connection turns out to be gone before any answer.
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
# aiohttp adds a Content-Type of its own to these.
_TYPED = frozenset({"POST", "PUT", "PATCH"})
_NO_TYPE = (hdrs.CONTENT_TYPE,)
# aiohttp writes longer bytes in one go and warns about it; a file-like body goes out in pieces.
_ONE_PIECE = 1024 * 1024
_PLATFORM_FULL = Unsent(UnsentReason.FULL, "the platform's requests in flight are at their limit")
_HUB_FULL = Unsent(UnsentReason.FULL, "the hub's requests in flight are at their limit")
_CLOSED = Unsent(UnsentReason.REFUSED, "the hub is closing its connections")
_NO_CONNECTION = Unsent(UnsentReason.REFUSED, "no connection before the deadline")
_REFUSED_CERTIFICATE = Unsent(UnsentReason.TLS, "the platform refused the client certificate, or asks for one")
_TOO_LARGE = TooLarge()
_TIMED_OUT = TimedOut()


class SessionForwarder:
    """Sends requests over one bounded pool a platform; `in_flight` bounds what all pools have in flight together.

    Nothing waits for a slot: at a bound the outcome is Unsent(FULL).
    """

    def __init__(
        self,
        guard: EgressGuard,
        *,
        connect_timeout_s: float,
        in_flight: int,
        trust: Trust | None = None,
        proxy: str | None = None,
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
        self._pools = Pools(trust or Trust(), connect, proxy, clock or SystemClock())

    async def send(self, wire: Wire, request: WireRequest) -> Outcome:
        url = _target(request.url)
        if isinstance(url, Unsent):
            return url
        if self._closed:
            return _CLOSED
        pool = self._pools.of(wire)
        if pool.in_flight >= wire.in_flight:
            return _PLATFORM_FULL
        if self._in_flight >= self._limit:
            return _HUB_FULL
        task = cast("asyncio.Task[object]", asyncio.current_task())
        leg = Leg(task, asyncio.get_running_loop().time() + request.timeout_s)
        self._deadlines.watch(task, leg)
        self._in_flight += 1
        pool.in_flight += 1
        pool.used = True
        try:
            return await self._exchange(pool, url, request, leg)
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

    async def _exchange(self, pool: Pool, url: URL, request: WireRequest, leg: Leg) -> Outcome:
        session = pool.session
        if session is None:
            leg.connecting = True
            opened = await pool.open()
            if isinstance(opened, Unsent):
                return opened
            session, leg.connecting = opened, False
        # `request` wraps `_request` for `async with`; without the wrapper an exchange costs a twentieth less CPU.
        ask = getattr(session, "_request", session.request)
        headers, body = request.headers, request.body or None
        untyped = hdrs.CONTENT_TYPE not in headers and (body is not None or request.method in _TYPED)
        while True:
            try:
                response = await ask(
                    request.method,
                    url,
                    headers=headers,
                    data=body if body is None or len(body) <= _ONE_PIECE else io.BytesIO(body),
                    allow_redirects=False,
                    skip_auto_headers=_NO_TYPE if untyped else None,
                )
            except (ClientError, ValueError) as exc:
                failure = _failure(exc, request.method, leg)
                if failure is not None:
                    return failure
                leg.repeated = True
            else:
                return await self._receive(pool, response, request, leg)

    async def _receive(self, pool: Pool, response: ClientResponse, request: WireRequest, leg: Leg) -> Outcome:
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


@functools.lru_cache(maxsize=2048)
def _target(url: str) -> URL | Unsent:
    """The URL with its bytes as they are (T-75). Cached with what aiohttp derives from it: a tenth of a request."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return Unsent(UnsentReason.UNUSABLE, "the URL has characters that cannot stand in a request line")
    try:
        target = URL(url, encoded=True)
        host, port = target.raw_host, target.port
    except ValueError:
        return Unsent(UnsentReason.UNUSABLE, "the URL cannot be read")
    if target.scheme not in {"http", "https"} or not host or not port:
        return Unsent(UnsentReason.UNUSABLE, "the URL is not an absolute http or https URL")
    if target.raw_user is not None or target.raw_password is not None:
        return Unsent(UnsentReason.UNUSABLE, "the URL contains a user name or password")
    return target


def _answer(response: ClientResponse, body: bytes, rest: Rest | None = None) -> Answer:
    received = response.headers
    headers = {}
    for given, value in received.items():
        name = _ANSWER_HEADERS.get(given)
        if name is not None and name not in headers:
            headers[name] = value if value.isprintable() else _cleaned(value)
    links = tuple(map(_cleaned, received.getall(hdrs.LINK))) if hdrs.LINK in received else ()
    return Answer(response.status, headers, body, links, rest)


def _cleaned(value: str) -> str:
    """A header value without what cannot be written again on the way back: control characters, bytes beside UTF-8."""
    return "".join(character for character in value if character.isprintable())
