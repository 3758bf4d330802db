"""A receiver that costs next to nothing: answers every request with one fixed envelope. `python -m
tests.bench.upstream`.
"""

import asyncio
import sys

BODY = (
    b'{"data":{"country_code":"NL","party_id":"CPA","id":"LOC1","publish":true,"address":"Example Street 1",'
    b'"city":"Sampleton","country":"NLD","coordinates":{"latitude":"52.000000","longitude":"5.000000"},'
    b'"evses":[{"uid":"E1","status":"AVAILABLE","connectors":[{"id":"1","standard":"IEC_62196_T2","format":"SOCKET",'
    b'"power_type":"AC_3_PHASE","max_voltage":230,"max_amperage":16,"last_updated":"2026-01-01T12:00:00Z"}],'
    b'"last_updated":"2026-01-01T12:00:00Z"}],"time_zone":"Europe/Amsterdam","last_updated":"2026-01-01T12:00:00Z"},'
    b'"status_code":1000,"timestamp":"2026-01-01T12:00:00Z"}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Upstream(asyncio.Protocol):
    """Reads heads and Content-Length bodies, answers each at once; a path with `hang` in it is never answered."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            if b"hang" not in head.split(b"\r\n", 1)[0]:
                self._transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent reads the port
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
