"""What a request comes to when the receiver is down, slow or broken: every failure has one outcome (F5 to F7)."""

import asyncio
import socket
import ssl

import pytest
import trustme

from hub.domain.outcome import Answer, Lost, TimedOut, Unsent, UnsentReason
from hub.net.client import PooledForwarder
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import Names, Peer, answer, answering, saying, scripted, silent

EVERY_METHOD = pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@EVERY_METHOD
async def test_refused(forwarder: PooledForwarder, method: str) -> None:
    outcome = await forwarder.send(WIRE, get(f"http://127.0.0.1:{free_port()}/", method=method, body=b"{}"))

    assert outcome == Unsent(UnsentReason.REFUSED)
    assert isinstance(outcome, Unsent)
    assert "127.0.0.1" in outcome.detail


async def test_a_name_that_does_not_exist(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(resolver=Names())

    assert await forwarder.send(WIRE, get("http://gone.example/")) == Unsent(UnsentReason.DNS)


@pytest.mark.parametrize("host", ["a..b.example", f"{'a' * 64}.example"])
async def test_a_name_that_cannot_exist(forwarder: PooledForwarder, host: str) -> None:
    assert await forwarder.send(WIRE, get(f"http://{host}/")) == Unsent(UnsentReason.DNS)


async def test_a_resolver_that_does_not_answer(make_forwarder: MakeForwarder) -> None:
    class Stuck(Names):
        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list:  # type: ignore[type-arg]
            return await asyncio.Future()

    forwarder = make_forwarder(connect_timeout_s=0.05, resolver=Stuck())

    assert await forwarder.send(WIRE, get("http://slow.example/")) == Unsent(UnsentReason.REFUSED)


async def test_a_handshake_that_hangs_ends_with_the_connect_timeout(make_forwarder: MakeForwarder) -> None:
    async def never_greets(peer: Peer) -> None:
        await peer.closed()

    async with scripted(never_greets) as server:
        outcome = await make_forwarder(connect_timeout_s=0.05).send(WIRE, get(server.url(scheme="https")))
        await server.until_all_gone()

    assert outcome == Unsent(UnsentReason.REFUSED)


async def test_a_handshake_that_hangs_ends_with_the_deadline_when_that_is_sooner(forwarder: PooledForwarder) -> None:
    async def never_greets(peer: Peer) -> None:
        await peer.closed()

    async with scripted(never_greets) as server:
        outcome = await forwarder.send(WIRE, get(server.url(scheme="https"), timeout_s=0.05))
        await server.until_all_gone()

    assert outcome == Unsent(UnsentReason.REFUSED)


async def test_a_peer_that_hangs_up_during_the_handshake(forwarder: PooledForwarder) -> None:
    async def hangs_up(peer: Peer) -> None:
        await peer.reader.read(1)

    async with scripted(hangs_up) as server:
        outcome = await forwarder.send(WIRE, get(server.url(scheme="https")))

    assert outcome == Unsent(UnsentReason.REFUSED)


async def test_tls_with_a_peer_that_has_none(forwarder: PooledForwarder) -> None:
    async def plain(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.closed()

    async with scripted(plain) as server:
        outcome = await forwarder.send(WIRE, get(server.url(scheme="https")))

    assert outcome == Unsent(UnsentReason.TLS)


async def test_a_certificate_nobody_vouches_for(forwarder: PooledForwarder) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with scripted(answering(answer()), tls=context) as server:
        outcome = await forwarder.send(WIRE, get(server.url(scheme="https")))

    assert outcome == Unsent(UnsentReason.TLS)
    assert server.requests == []


@EVERY_METHOD
@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_connection_that_ends_instead_of_an_answer(forwarder: PooledForwarder, method: str, then: str) -> None:
    async with scripted(saying(then=then)) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method=method, body=b"{}"))

    assert outcome == Lost()
    assert len(server.requests) == 1  # the connection was made for the request, so its age is no excuse


BROKEN = {
    "half a status line": (b"HTTP/1.1 2",),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le",),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",),
    "half a body later": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"hello"),
    "half a chunk": (CHUNKED + b"5\r\nhel",),
    "no last chunk": (CHUNKED, b"5\r\nhello\r\n"),
    "a bad chunk size": (CHUNKED + b"5\r\nhello\r\nZZ\r\n",),
    "a bad chunk size later": (CHUNKED, b"5\r\nhello\r\n", b"ZZ\r\n"),
    "a bad chunk end": (CHUNKED, b"5\r\nhello", b"XX5\r\n"),
    "a chunk size beyond numbers": (CHUNKED, b"5\r\nhello\r\n", b"FFFFFFFFFFFFFFFFFF\r\n"),
    "a trailer too long": (CHUNKED, b"0\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n",),
    "binary": (bytes(range(256)),),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",),
    "length and chunks": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",),
    "a negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",),
    "too many headers": (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(300)) + b"\r\n",),
    "a header too long": (b"HTTP/1.1 200 OK\r\nX-Limit: " + b"1" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",),
    "a body where there is none": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",),
    "a switch of protocols": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",),
    "a status below all": (b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",),
    "a status above all": (b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",),
    "a status of four digits": (b"HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n",),
    "gzip that is none": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",),
    "a coding nobody knows": (b"HTTP/1.1 200 OK\r\nContent-Encoding: zip\r\nContent-Length: 5\r\n\r\nhello",),
}


@pytest.mark.parametrize("pieces", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_is_broken(forwarder: PooledForwarder, pieces: tuple[bytes, ...]) -> None:
    async with scripted(saying(*pieces)) as server:
        outcome = await forwarder.send(WIRE, get(server.url("/?secret"), headers={"Authorization": "Token secret"}))
        await server.until_all_gone()

    assert outcome == Lost()
    assert "secret" not in repr(outcome)
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", [name for name in BROKEN if not name.startswith(("half", "no last"))])
async def test_a_broken_answer_is_known_without_waiting_for_the_end(forwarder: PooledForwarder, name: str) -> None:
    async with scripted(saying(*BROKEN[name], then="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), timeout_s=4.0))

    assert outcome == Lost()


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"hello"),
        (CHUNKED, b"5\r\nhello\r\n"),
    ],
    ids=["until-close", "length", "chunked"],
)
async def test_a_reset_in_the_middle_of_a_body(forwarder: PooledForwarder, pieces: tuple[bytes, ...]) -> None:
    async with scripted(saying(*pieces, then="reset")) as server:
        assert await forwarder.send(WIRE, get(server.url())) == Lost()


@EVERY_METHOD
async def test_no_answer_before_the_deadline(forwarder: PooledForwarder, method: str) -> None:
    async with scripted(silent) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method=method, body=b"{}", timeout_s=0.05))
        await server.until_all_gone()

    assert outcome == TimedOut()
    assert len(server.requests) == 1


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
async def test_nothing_is_sent_when_there_is_no_time_left(forwarder: PooledForwarder, timeout_s: float) -> None:
    async with scripted(answering(answer())) as server:
        assert await forwarder.send(WIRE, get(server.url(), timeout_s=timeout_s)) == Unsent(UnsentReason.REFUSED)

    assert server.connections == 0


async def test_half_an_answer_before_the_deadline(forwarder: PooledForwarder) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    async with scripted(saying(half, then="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), timeout_s=0.1))
        await server.until_all_gone()

    assert outcome == TimedOut()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
async def test_a_slow_drip_does_not_move_the_deadline(forwarder: PooledForwarder, head: bytes) -> None:
    async def dripping(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.01)  # the pace of the drip

    async with scripted(dripping) as server:
        started = asyncio.get_running_loop().time()
        outcome = await forwarder.send(WIRE, get(server.url(), timeout_s=0.2))
        took_s = asyncio.get_running_loop().time() - started
        await server.until_all_gone()

    assert outcome == TimedOut()
    assert 0.2 <= took_s < 1.5


async def test_an_endless_row_of_interim_answers_ends_with_the_deadline(forwarder: PooledForwarder) -> None:
    async def hinting(peer: Peer) -> None:
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await asyncio.sleep(0.001)

    async with scripted(hinting) as server:
        assert await forwarder.send(WIRE, get(server.url(), timeout_s=0.1)) == TimedOut()


async def test_a_receiver_that_does_not_read_a_long_request(forwarder: PooledForwarder) -> None:
    async def deaf(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Future()

    async with scripted(deaf) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method="PUT", body=b"x" * 20_000_000, timeout_s=0.3))

    assert outcome == TimedOut()


async def test_an_answer_before_the_end_of_the_request_is_the_answer(forwarder: PooledForwarder) -> None:
    async def impatient(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(answer(b"no", status="413 Too Large"))
        await peer.closed()

    async with scripted(impatient) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method="PUT", body=b"x" * 20_000_000))
        await server.until_all_gone()  # what was left of the request makes the connection useless

    assert outcome == Answer(413, {}, b"no")


@EVERY_METHOD
async def test_cancellation_is_passed_on_and_frees_the_connection(forwarder: PooledForwarder, method: str) -> None:
    async with scripted(silent) as server:
        sending = asyncio.create_task(forwarder.send(WIRE, get(server.url(), method=method, body=b"{}")))
        await server.until_requests(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.until_all_gone()


async def test_a_deadline_does_not_swallow_a_cancellation_that_comes_with_it(forwarder: PooledForwarder) -> None:
    async with scripted(silent) as server:
        sending = asyncio.create_task(forwarder.send(WIRE, get(server.url())))
        await server.until_requests(1)
        forwarder._deadlines.stop_all()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_the_task_is_as_before_after_a_deadline(forwarder: PooledForwarder) -> None:
    async with scripted(silent) as server:
        await forwarder.send(WIRE, get(server.url(), timeout_s=0.02))
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):  # one of the caller's own still works
                await forwarder.send(WIRE, get(server.url()))
