"""Connections that must not be used again: nothing of them stays, and no answer is taken for another's."""

import asyncio
import gc
import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientRequest

from hub.domain.outcome import Answer, TimedOut, Unsent, UnsentReason
from hub.net.client import PooledForwarder
from hub.net.direct import ORIGINS_KEPT
from hub.net.forwarder import Wire, WireRequest
from hub.net.tls import Trust
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import PATIENCE_S, Peer, answer, answering, in_a_packet_of_its_own, scripted

UNASKED = answer(b"unasked")
# More than the buffers of two sockets hold.
LONG_BODY = b"x" * 16_000_000


@pytest.mark.parametrize("unasked", [UNASKED, UNASKED * 2, b"SSH-2.0-x\r\n"], ids=["answer", "answers", "not HTTP"])
async def test_no_kept_connection_with_unasked_bytes_is_used(forwarder: PooledForwarder, unasked: bytes) -> None:
    all_here = asyncio.Barrier(4)
    peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        path = (await peer.request()).line.split()[1]
        if len(peers) < 4:
            peers.append(peer)
            await all_here.wait()  # so that each of the first requests has a connection of its own
        await peer.send(answer(path.encode()))
        while True:
            path = (await peer.request()).line.split()[1]
            await peer.send(answer(path.encode()))

    async with scripted(script) as server:
        await asyncio.gather(*(forwarder.send(WIRE, get(server.url())) for _ in range(4)))
        for peer in peers:
            await peer.send(unasked)
        await in_a_packet_of_its_own()
        for path in ("/a", "/b", "/c", "/d", "/e"):
            outcome = await forwarder.send(WIRE, get(server.url(path), method="POST", body=b"{}"))
            assert outcome == Answer(200, {}, path.encode())

    assert server.connections == 5


@pytest.mark.parametrize("size", [2, 150_000, 900_000])
async def test_a_connection_that_delivered_more_than_its_answer_is_not_used_again(
    forwarder: PooledForwarder, size: int
) -> None:
    async with scripted(answering(answer(b"x" * size) + UNASKED)) as server:
        for _ in range(3):
            outcome = await forwarder.send(WIRE, get(server.url(), stream_above=1_000_000))
            assert isinstance(outcome, Answer)
            assert len(outcome.body) == size
            await in_a_packet_of_its_own()

    assert server.connections == 3


async def never_reads(peer: Peer) -> None:
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport for both directions
    await asyncio.Event().wait()


async def answers_without_reading(peer: Peer) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.send(answer(b"1"))
    await never_reads(peer)


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def until_open_files(count: int) -> None:
    async with asyncio.timeout(PATIENCE_S / 5):
        while open_files() > count:
            await in_a_packet_of_its_own()


async def test_a_receiver_that_does_not_read_holds_nothing_beyond_the_deadline(forwarder: PooledForwarder) -> None:
    async with scripted(never_reads) as server:
        before = open_files()
        sent = (forwarder.send(WIRE, get(server.url(), method="POST", body=LONG_BODY, timeout_s=0.2)) for _ in range(3))
        assert await asyncio.gather(*sent) == [TimedOut()] * 3
        assert server.connections == 3
        await until_open_files(before + 3)  # the server's ends


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA, tmp_path: Path) -> Trust:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return Trust(tmp_path / "ca.pem")


async def test_nor_does_one_behind_tls(make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust) -> None:
    forwarder = make_forwarder(trust=trust)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with scripted(never_reads, tls=context) as server:
        before = open_files()
        url = server.url(scheme="https")
        assert await forwarder.send(WIRE, get(url, method="POST", body=LONG_BODY, timeout_s=0.5)) == TimedOut()
        assert server.connections == 1
        await until_open_files(before + 1)


async def test_a_cancelled_request_holds_nothing(forwarder: PooledForwarder) -> None:
    async with scripted(never_reads) as server:
        before = open_files()
        task = asyncio.ensure_future(forwarder.send(WIRE, get(server.url(), method="PUT", body=LONG_BODY)))
        async with asyncio.timeout(PATIENCE_S):
            await server.accepted.wait()
            await in_a_packet_of_its_own()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await until_open_files(before + 1)


async def test_an_answer_to_half_a_request_ends_the_connection(forwarder: PooledForwarder) -> None:
    async with scripted(answers_without_reading) as server:
        before = open_files()
        for _ in range(2):
            outcome = await forwarder.send(WIRE, get(server.url(), method="POST", body=LONG_BODY, timeout_s=1.0))
            assert outcome == Answer(200, {}, b"1")
        assert server.connections == 2
        await until_open_files(before + 2)


async def test_the_places_a_pool_remembers_are_bounded(forwarder: PooledForwarder) -> None:
    for number in range(ORIGINS_KEPT + 20):
        assert await forwarder.send(WIRE, get(f"http://127.0.1.{number}:1/")) == Unsent(UnsentReason.REFUSED)

    gc.collect()
    assert sum(isinstance(found, ClientRequest) for found in gc.get_objects()) <= ORIGINS_KEPT


def test_no_secret_is_in_a_repr() -> None:
    request = WireRequest("POST", "https://a.example/x", {"Authorization": "Token secret"}, b"secret", 1.0, 2, 3)

    assert "secret" not in repr(request)
    assert "https://a.example/x" in repr(request)
    assert "secret" not in repr(Wire("platform", 1, "certificate", "secret"))
