"""Scripted faults: what a simulated platform does wrong, for how many requests, and the ways to do it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from hub.clock import Clock
from hub.ocpi import headers as ocpi
from hub.ocpi.names import Interface
from hub.sandbox.exchange import Exchange
from hub.sandbox.received import Received, Wanted
from hub.sandbox.reply import Reply, raw_head


class Fault:
    """One scripted fault. Plain: answers normally once released. Subclasses are the other ways to go wrong.

    `hits` counts the requests it met. `release` lets requests go on that wait in it.
    """

    def __init__(self, wanted: Wanted, times: int | None) -> None:
        self.wanted = wanted
        self.times = times
        self.hits = 0
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    def takes(self, received: Received) -> bool:
        """Whether this request is one of its; counts it if so."""
        if (self.times is not None and self.hits >= self.times) or not self.wanted.fits(received):
            return False
        self.hits += 1
        return True

    async def meet(self, exchange: Exchange) -> Reply | None:
        """The reply to send, or None when the connection has been dealt with."""
        await self._released.wait()
        return await exchange.reply()


class _Answers(Fault):
    def __init__(self, wanted: Wanted, times: int | None, reply: Reply) -> None:
        super().__init__(wanted, times)
        self._reply = reply

    async def meet(self, exchange: Exchange) -> Reply | None:
        return exchange.complete(self._reply)


class _Delays(Fault):
    def __init__(self, wanted: Wanted, times: int | None, clock: Clock, seconds: float) -> None:
        super().__init__(wanted, times)
        self._clock = clock
        self._seconds = seconds

    async def meet(self, exchange: Exchange) -> Reply | None:
        await self._clock.sleep(self._seconds)
        return await exchange.reply()


class _WaitsFor(Fault):
    def __init__(self, wanted: Wanted, times: int | None, event: asyncio.Event) -> None:
        super().__init__(wanted, times)
        self._event = event

    async def meet(self, exchange: Exchange) -> Reply | None:
        await self._event.wait()
        return await exchange.reply()


class _BreaksOff(Fault):
    """Sends the beginning of the real answer, then ends the connection, with a reset or properly."""

    def __init__(self, wanted: Wanted, times: int | None, *, after: int | None, reset: bool) -> None:
        super().__init__(wanted, times)
        self._after = after
        self._reset = reset

    async def meet(self, exchange: Exchange) -> Reply | None:
        reply = await exchange.reply()
        whole = raw_head(reply) + reply.body
        end = len(whole) - (len(reply.body) + 1) // 2 if self._after is None else self._after
        exchange.write(whole[:end])
        if self._reset:
            exchange.reset()
        else:
            exchange.close()
        return None


class _Garbage(Fault):
    def __init__(self, wanted: Wanted, times: int | None, content: bytes) -> None:
        super().__init__(wanted, times)
        self._content = content

    async def meet(self, exchange: Exchange) -> Reply | None:
        exchange.write(self._content)
        exchange.close()
        return None


class _Drips(Fault):
    def __init__(self, wanted: Wanted, times: int | None, clock: Clock, interval_s: float) -> None:
        super().__init__(wanted, times)
        self._clock = clock
        self._interval_s = interval_s

    async def meet(self, exchange: Exchange) -> Reply | None:
        reply = await exchange.reply()
        exchange.write(raw_head(reply))
        for position in range(len(reply.body)):
            await self._clock.sleep(self._interval_s)
            exchange.write(reply.body[position : position + 1])
        exchange.close()
        return None


class _Oversize(Fault):
    def __init__(self, wanted: Wanted, times: int | None, size: int, *, chunked: bool) -> None:
        super().__init__(wanted, times)
        self._size = size
        self._chunked = chunked

    async def meet(self, exchange: Exchange) -> Reply | None:
        start, end = b'{"data":"', b'","status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
        body = start + b"x" * max(0, self._size - len(start) - len(end)) + end
        reply = exchange.complete(Reply(200, body))
        if not self._chunked:
            return reply
        head = raw_head(replace(reply, body=b"")).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        exchange.write(head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        exchange.close()
        return None


class Script:
    """What shall go wrong with the requests that fit; each method adds one fault and returns it."""

    def __init__(self, faults: "Faults", wanted: Wanted, times: int | None, clock: Clock) -> None:
        self._faults = faults
        self._wanted = wanted
        self._times = times
        self._clock = clock

    def _add(self, fault: Fault) -> Fault:
        self._faults.add(fault)
        return fault

    def answer(self, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
        """This status and exactly these body bytes; ids, routing headers and content type as usual unless given."""
        return self._add(_Answers(self._wanted, self._times, Reply(status, body, headers or {})))

    def hang(self) -> Fault:
        """No answer until `release`, then the normal one."""
        return self._add(Fault(self._wanted, self._times))

    def delay(self, until: float | asyncio.Event) -> Fault:
        """The normal answer after so many seconds, or once the event is set."""
        if isinstance(until, asyncio.Event):
            return self._add(_WaitsFor(self._wanted, self._times, until))
        return self._add(_Delays(self._wanted, self._times, self._clock, until))

    def reset(self, after: int | None = None) -> Fault:
        """A TCP reset after so many bytes of the answer: 0 before any, in the middle of the body when not given."""
        return self._add(_BreaksOff(self._wanted, self._times, after=after, reset=True))

    def half_body(self) -> Fault:
        """Head with the full length, half the body, then a proper end of the connection."""
        return self._add(_BreaksOff(self._wanted, self._times, after=None, reset=False))

    def hang_up(self) -> Fault:
        """The connection is closed properly without a byte."""
        return self._add(_BreaksOff(self._wanted, self._times, after=0, reset=False))

    def garbage(self, content: bytes = b"\x00\x01 this is no HTTP \xff\r\n\r\n") -> Fault:
        """Bytes that are not HTTP, then the end of the connection."""
        return self._add(_Garbage(self._wanted, self._times, content))

    def redirect(self, url: str, status: int = 307) -> Fault:
        return self.answer(status, headers={ocpi.LOCATION: url})

    def not_json(self) -> Fault:
        """200 with a web page."""
        page = b"<html><body>Welcome</body></html>"
        return self.answer(200, page, {ocpi.CONTENT_TYPE: "text/html; charset=utf-8"})

    def oversize(self, size: int, *, chunked: bool = False) -> Fault:
        """A valid envelope of `size` bytes, with a Content-Length or in one chunk."""
        return self._add(_Oversize(self._wanted, self._times, size, chunked=chunked))

    def drip(self, interval_s: float = 0.05) -> Fault:
        """The real answer, its body one byte at a time."""
        return self._add(_Drips(self._wanted, self._times, self._clock, interval_s))


class Faults:
    """The faults of one platform. The first one that fits takes the request; used-up ones are passed over."""

    def __init__(self, clock: Clock) -> None:
        self._faults: list[Fault] = []
        self._clock = clock

    def on(
        self,
        module: str | None = None,
        interface: Interface | None = None,
        method: str | None = None,
        times: int | None = None,
        tail: str | None = None,
    ) -> Script:
        """Begins a script for requests that fit; `times` limits how many of them."""
        return Script(self, Wanted(module, interface, method, tail), times, self._clock)

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def remove(self, fault: Fault) -> None:
        """Takes a fault back and lets go of what waits in it."""
        self._faults.remove(fault)
        fault.release()

    def clear(self) -> None:
        for fault in list(self._faults):
            self.remove(fault)

    def take(self, received: Received) -> Fault | None:
        return next((fault for fault in self._faults if fault.takes(received)), None)
