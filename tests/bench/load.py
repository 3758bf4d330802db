"""Load from kept-alive connections: each sends the same bytes again as soon as it has its answer."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What one run found: answers, wall time, every latency in seconds, and how many answers were not HTTP 200."""

    count: int
    wall_s: float
    latencies_s: list[float]
    wrong: int

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, budget: list[int], expect: bytes) -> None:
        self._request = request
        self._budget = budget
        self._expect = expect
        self.latencies_s: list[float] = []
        self.wrong = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._send()

    def _send(self) -> None:
        if self._budget[0] <= 0:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._budget[0] -= 1
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self.latencies_s.append(time.perf_counter() - self._sent_at)
        if not head.startswith(b"http/1.1 200") or self._expect not in self._buffer:
            self.wrong += 1
        self._buffer = b""
        self._send()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(problem or ConnectionError("the server closed the connection"))


async def drive(port: int, request: bytes, count: int, connections: int, expect: bytes = b'"status_code":1000') -> Load:
    """Sends `count` requests over `connections` connections to 127.0.0.1."""
    loop = asyncio.get_running_loop()
    budget = [count]
    started = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(request, budget, expect), "127.0.0.1", port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(120):
        await asyncio.gather(*(connection.done for _, connection in made))
    wall_s = time.perf_counter() - started
    latencies = [latency for _, connection in made for latency in connection.latencies_s]
    return Load(len(latencies), wall_s, latencies, sum(connection.wrong for _, connection in made))


def http(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body
