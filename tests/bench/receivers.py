"""Many receivers of broadcasts in one cheap process: each is a path prefix. Remembers the newest body under every path
and when requests came. `python -m tests.bench.receivers` prints its port and ends with its standard input.

`/r17/...` answers at once, `/hang3/...` never. `GET /counts` tells how many came since the last `GET /forget`, `GET
/tally` what they said as well.
"""

import asyncio
import sys
import time

from hub.ocpi import codec

_BODY = b'{"status_code":1000,"timestamp":"2026-01-01T12:00:00Z"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


class Book:
    """What came: per receiver how many, and when the last one; per path the newest body."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.counts: dict[str, int] = {}
        self.newest: dict[str, str] = {}
        self.last_at = 0.0

    def note(self, path: str, body: bytes) -> None:
        receiver = path.split("/", 2)[1]
        self.counts[receiver] = self.counts.get(receiver, 0) + 1
        self.newest[path] = body.decode()
        self.last_at = time.time()

    def told(self, *, whole: bool) -> bytes:
        newest = self.newest if whole else {}
        return codec.dumps({"counts": self.counts, "newest": newest, "last_at": self.last_at})


class Receivers(asyncio.Protocol):
    """Reads heads and Content-Length bodies."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            path = self._buffer.split(b" ", 2)[1].decode()
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(path, body)

    def _answer(self, path: str, body: bytes) -> None:
        if path in ("/tally", "/counts"):
            text = self._book.told(whole=path == "/tally")
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            return
        if path == "/forget":
            self._book.forget()
        elif path.startswith("/hang"):
            self._book.note(path, b"")
            return
        else:
            self._book.note(path, body)
        self._transport.write(_ANSWER)


async def main() -> None:
    book = Book()
    server = await asyncio.get_running_loop().create_server(lambda: Receivers(book), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent reads the port
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
