"""A TCP proxy that misbehaves on request: cuts, refuses, stalls and delays what passes between a client and a server.
It knows nothing of the protocol inside, so it serves MongoDB and HTTP tests alike.
"""

import asyncio
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to one target until told otherwise.

    `async with FaultProxy(host, port) as proxy:` then point the client at `proxy.port`.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.port = 0
        self.accepted = 0
        # Held before each chunk, either way.
        self.delay_s = 0.0
        # Set when `cut_after` has struck.
        self.struck = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._budget: dict[bool, int | None] = {True: None, False: None}
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._hold_port()
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self.flow()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._placeholder is not None:
            self._placeholder.close()

    async def accept(self) -> None:
        """New connections are taken again, on the same port."""
        if self._server is None and self._placeholder is not None:
            self._server = await asyncio.start_server(self._connected, sock=self._placeholder)
            self._placeholder = None

    def refuse(self) -> None:
        """New connections are refused by the kernel; those that stand go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._hold_port()

    def cut(self) -> None:
        """Resets every connection that stands."""
        for writer in list(self._writers):
            _reset(writer)

    def cut_after(self, count: int, *, to_server: bool) -> None:
        """Lets `count` more bytes pass in this direction, over all connections, then resets them all, once."""
        self.struck.clear()
        self._budget[to_server] = count

    def stall(self) -> None:
        """Connections stand but nothing passes, either way."""
        self._flowing.clear()

    def flow(self) -> None:
        """Ends `stall`."""
        self._flowing.set()

    def _hold_port(self) -> None:
        # Bound but not listening: the kernel refuses connections, and nobody else is given the port meanwhile.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind(("127.0.0.1", self.port))
        self.port = self._placeholder.getsockname()[1]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        task = asyncio.create_task(self._bridge(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bridge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(writer)
            self._writers.discard(writer)
            return
        self._writers.add(upstream_writer)
        try:
            await asyncio.gather(
                self._pass(reader, upstream_writer, to_server=True),
                self._pass(upstream_reader, writer, to_server=False),
            )
        finally:
            for one in (writer, upstream_writer):
                self._writers.discard(one)
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        with suppress(OSError):  # the other side is gone; so is this direction
            while chunk := await reader.read(_CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                budget = self._budget[to_server]
                if budget is not None and len(chunk) > budget:
                    writer.write(chunk[:budget])
                    await writer.drain()
                    self._budget[to_server] = None
                    self.cut()
                    self.struck.set()
                    return
                if budget is not None:
                    self._budget[to_server] = budget - len(chunk)
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST, which is what a machine that vanished and came back answers."""
    transport = writer.transport
    raw = transport.get_extra_info("socket")
    if raw is not None and not transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    transport.abort()
