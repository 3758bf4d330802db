"""Peers of the forwarder on real sockets: scripted servers that may break every rule, a resolver with a phone book."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver, ResolveResult

PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its bytes came: `line` without its end, header names in lower case, each with its last value."""

    line: str
    headers: Mapping[str, str]
    body: bytes


class Peer:
    """One accepted connection, in the hands of a script."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: "ScriptedServer") -> None:
        self.reader = reader
        self.writer = writer
        self._server = server

    async def request(self) -> Request:
        """The next request; raises IncompleteReadError when there is none."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.split("\r\n")[:-2]
        pairs = [header.split(": ", 1) for header in lines]
        headers = {name.lower(): value for name, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(line, headers, body)
        self._server.requests.append(request)
        self._server.arrived.release()
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def closed(self) -> None:
        """Returns when the other side has closed."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """Closes with an RST in place of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    @property
    def socket(self) -> socket.socket:
        found: socket.socket = self.writer.get_extra_info("socket")
        return found


Script = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """What a script has seen. `arrived` counts requests up, `connections` what was accepted with or without one."""

    def __init__(self, script: Script) -> None:
        self.requests: list[Request] = []
        self.arrived = asyncio.Semaphore(0)
        self.connections = 0
        self.accepted = asyncio.Event()
        self.port = 0
        self.listening: asyncio.Server | None = None
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    def url(self, tail: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{tail}"

    async def until_requests(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(count):
                await self.arrived.acquire()

    async def until_all_gone(self) -> None:
        """Returns when every connection has ended."""
        async with asyncio.timeout(PATIENCE_S):
            await self._all_gone.wait()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.accepted.set()
        self._all_gone.clear()
        task = asyncio.get_running_loop().create_task(self._serve(Peer(reader, writer, self)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._all_gone.set()

    async def _serve(self, peer: Peer) -> None:
        try:
            await self._script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has closed, as every test does in the end
        finally:
            peer.writer.transport.abort()

    def stop_listening(self) -> None:
        """Refuses new connections from now on; those that are there stay."""
        if self.listening is not None:
            self.listening.close()

    async def stop(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def scripted(
    script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[ScriptedServer]:
    """A server on a free port that lets `script` handle each connection."""
    server = ScriptedServer(script)
    listening = await asyncio.start_server(server.accept, host, port, ssl=tls)
    server.listening = listening
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.stop()
        await listening.wait_closed()


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """A well-formed answer with a Content-Length."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def answering(data: bytes) -> Script:
    """Answers every request on a kept connection with the same bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(data)

    return script


def saying(*pieces: bytes, then: str = "close") -> Script:
    """Reads one request and sends these pieces, each in a packet of its own; then closes, resets or waits."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.send(piece)
            await in_a_packet_of_its_own()
        if then == "reset":
            peer.reset()
        elif then == "wait":
            await peer.closed()

    return script


async def in_a_packet_of_its_own() -> None:
    """Lets the receiver's side of the loop take what was sent before more is sent. A pace, not a synchronisation."""
    await asyncio.sleep(0.01)


async def silent(peer: Peer) -> None:
    """Takes requests and never answers."""
    while True:
        await peer.request()


@contextmanager
def handshaking(context: ssl.SSLContext) -> Iterator[int]:
    """The port of a server that says why when a handshake fails, as servers do; asyncio's just hangs up. It lets what
    the client has sent meanwhile run dry, and never answers.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # the end of the listener
            while True:
                accepted, _ = listener.accept()
                accepted.settimeout(PATIENCE_S)
                with accepted, context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as tls:
                    with suppress(ssl.SSLError):
                        tls.do_handshake()
                    with socket.socket(fileno=tls.detach()) as raw, suppress(ConnectionError):
                        raw.settimeout(PATIENCE_S)
                        while raw.recv(65536):
                            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)
        listener.close()


class Names(AbstractResolver):
    """Resolves from a dictionary; a name that is not there does not exist. Every look-up is noted in `asked`."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = {name.replace("_", "."): tuple(found) for name, found in addresses.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        pass
