"""The body of an answer on its way in: decoded, bounded, and either whole or broken, never cut short unnoticed."""

import asyncio
import zlib
from collections.abc import Callable
from contextlib import suppress

from aiohttp import ClientError, ClientPayloadError, ClientResponse, hdrs

from hub.domain.outcome import StreamBroken
from hub.net.deadlines import Deadlines
from hub.net.decoding import Inflater, is_known, is_plain
from hub.net.direct import DirectAnswer


class BodyBroken(Exception):
    """The body ended early or is not what its headers say. The text has nothing of the body or the headers in it."""


class BodyTooLong(Exception):
    """The body is longer than the hub relays."""


class IncomingBody:
    """Reads a body block by block. After an exception, and after the end, the connection is taken care of."""

    def __init__(self, response: ClientResponse | DirectAnswer, max_body: int) -> None:
        """Raises BodyBroken or BodyTooLong for what the headers alone tell."""
        self.size = 0
        self.declared = response.content_length
        self._response = response
        self._content = response.content
        self._max_body = max_body
        self._inflater: Inflater | None = None
        self._gone: asyncio.Future[None] | None = None
        coding = response.headers.get(hdrs.CONTENT_ENCODING, "")
        if not is_plain(coding):
            if not is_known(coding):
                response.close()
                raise BodyBroken("the answer has a content coding that was not asked for")
            self._inflater = Inflater(coding)
        if self.declared is not None and self.declared > max_body:
            response.close()
            raise BodyTooLong
        self._ends_with_connection = self.declared is None and hdrs.TRANSFER_ENCODING not in response.headers
        self._watch_connection()

    @property
    def length(self) -> int | None:
        """How long the whole body is, if that is known beforehand."""
        return self.declared if self._inflater is None else None

    async def block(self) -> bytes:
        """The next bytes, as many as are there; empty at the end. Raises BodyBroken and BodyTooLong."""
        try:
            block = await self._next()
        except BaseException:
            self.close()
            raise
        self.size += len(block)
        if self.size > self._max_body:
            self.close()
            raise BodyTooLong
        if not block:
            self._unwatch_connection()
        return block

    def close(self) -> None:
        """Gives up what is left of the body, and the connection with it. Safe at any time, also twice."""
        self._unwatch_connection()
        self._response.close()

    async def _next(self) -> bytes:
        inflater = self._inflater
        try:
            if inflater is None:
                return await self._received()
            while not (block := inflater.take()):
                raw = await self._received()
                if not raw:
                    if not inflater.complete:
                        raise BodyBroken("the compressed body ends early")
                    break
                inflater.feed(raw)
            return block
        except zlib.error:
            raise BodyBroken("the compressed body cannot be decoded") from None

    async def _received(self) -> bytes:
        try:
            raw = await self._content.readany()
        except (ClientError, OSError, RuntimeError):  # RuntimeError: the connection was gone before the read began
            raise BodyBroken("the connection broke, or the body is not HTTP") from None
        if not raw and self._ends_with_connection and self._was_reset():
            raise BodyBroken("the connection was reset while it marked the end of the body")
        return raw

    def _watch_connection(self) -> None:
        # A connection that is closed in the middle of a chunk must wake the reader at once, and a reset must not pass
        # for an end where the end of the connection is that of the body.
        connection = self._response.connection
        if connection is None or connection.protocol is None:
            return  # the body is here already
        gone = connection.protocol.closed
        if gone is not None:
            gone.remove_done_callback(_noticed)
            gone.add_done_callback(_noticed)
            gone.add_done_callback(self._on_gone)
            self._gone = gone

    def _unwatch_connection(self) -> None:
        if self._gone is not None:
            self._gone.remove_done_callback(self._on_gone)

    def _on_gone(self, _gone: "asyncio.Future[None]") -> None:
        if not self._content.is_eof() and self._content.exception() is None:
            self._content.set_exception(ClientPayloadError("the connection is gone"))

    def _was_reset(self) -> bool:
        gone = self._gone
        return gone is not None and gone.done() and not gone.cancelled() and gone.exception() is not None


class Rest:
    """A `ByteStream`: what follows the beginning of a long answer. It holds its slot in the pool until it is over."""

    def __init__(self, body: IncomingBody, deadline: float, deadlines: Deadlines, leave: Callable[[], None]) -> None:
        self.deadline = deadline
        self._body = body
        self._deadlines = deadlines
        self._leave = leave
        self._over = False
        self._why = ""
        deadlines.watch(self, self)

    def __aiter__(self) -> "Rest":
        return self

    async def __anext__(self) -> bytes:
        if self._over:
            raise StreamBroken(self._why) if self._why else StopAsyncIteration
        try:
            block = await self._body.block()
        except BodyTooLong:
            self._why = "the answer is longer than the hub relays"
        except BodyBroken as exc:
            self._why = self._why or str(exc)
        except asyncio.CancelledError:
            self._end("the reader was cancelled")
            raise
        else:
            if block:
                return block
            self._end("")
            raise StopAsyncIteration
        self._end(self._why)
        raise StreamBroken(self._why)

    def stop(self) -> None:
        """The deadline passed, or the hub is closing."""
        self._end("the answer took too long")

    def close(self) -> None:
        self._end("closed")

    def _end(self, why: str) -> None:
        if self._over:
            return
        self._over, self._why = True, why
        self._body.close()
        self._deadlines.forget(self)
        self._leave()


def _noticed(gone: "asyncio.Future[None]") -> None:
    """An exception that nobody looks at would be logged when its future is collected."""
    with suppress(asyncio.CancelledError):
        gone.exception()
