"""Kept connections: reused, repeated over only where that is harmless, and never trusted for long (R-068, T-80)."""

import asyncio
from collections.abc import Callable

import pytest

from hub.domain.outcome import Answer, Lost
from hub.net import connector
from hub.net.client import PooledForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import Peer, Script, ScriptedServer, answer, scripted


def failing_second(end: Callable[[Peer], None], begin: bytes = b"", every: bool = False) -> Script:
    """The first connection answers one request and ends with the second, after `begin` of an answer; so do the others
    if `every`, else they answer.
    """
    first = True

    async def script(peer: Peer) -> None:
        nonlocal first
        fails, first = first or every, False
        await peer.request()
        await peer.send(answer(b"1"))
        while True:
            await peer.request()
            if fails:
                await peer.send(begin)
                end(peer)
                return
            await peer.send(answer(b"2"))

    return script


def closing(peer: Peer) -> None:
    peer.writer.close()


def resetting(peer: Peer) -> None:
    peer.reset()


ENDS = pytest.mark.parametrize("end", [closing, resetting])


async def second_of_two(
    forwarder: PooledForwarder, server: ScriptedServer, method: str, body: bytes | None = None
) -> object:
    first = await forwarder.send(WIRE, get(server.url()))
    assert first == Answer(200, {}, b"1")
    return await forwarder.send(WIRE, get(server.url(), method=method, body=body))


@ENDS
@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("DELETE", None), ("PUT", b"{}"), ("PUT", b"x" * 2_000_000)]
)
async def test_a_stale_connection_is_replaced_once(
    forwarder: PooledForwarder, end: Callable[[Peer], None], method: str, body: bytes | None
) -> None:
    async with scripted(failing_second(end)) as server:
        outcome = await second_of_two(forwarder, server, method, body)

    assert outcome == Answer(200, {}, b"1")
    assert server.connections == 2
    assert [request.body for request in server.requests[1:]] == [body or b""] * 2


@ENDS
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_is_not_repeatable_goes_out_once(
    forwarder: PooledForwarder, end: Callable[[Peer], None], method: str
) -> None:
    async with scripted(failing_second(end)) as server:
        outcome = await second_of_two(forwarder, server, method, b"{}")

    assert outcome == Lost()
    assert len(server.requests) == 2
    assert server.connections == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("begin", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
async def test_nothing_is_repeated_once_an_answer_has_begun(
    forwarder: PooledForwarder, method: str, begin: bytes
) -> None:
    async with scripted(failing_second(closing, begin)) as server:
        outcome = await second_of_two(forwarder, server, method)

    assert outcome == Lost()
    assert len(server.requests) == 2


async def test_the_second_attempt_is_the_last(forwarder: PooledForwarder) -> None:
    both_here = asyncio.Barrier(2)

    async def script(peer: Peer) -> None:
        await peer.request()
        await both_here.wait()  # so that neither connection can serve both requests
        await peer.send(answer(b"1"))
        await peer.request()
        peer.writer.close()

    async with scripted(script) as server:
        await asyncio.gather(*(forwarder.send(WIRE, get(server.url())) for _ in range(2)))
        outcome = await forwarder.send(WIRE, get(server.url()))

    assert outcome == Lost()
    assert server.connections == 2
    assert len(server.requests) == 4


async def test_a_receiver_that_goes_away_in_between_has_maybe_seen_the_request(forwarder: PooledForwarder) -> None:
    """The first attempt may have reached it, so this is not 'nothing was sent'."""

    async def leaving(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"1"))
        await peer.request()
        server.stop_listening()
        peer.writer.close()

    async with scripted(leaving) as server:
        outcome = await second_of_two(forwarder, server, "PUT", b"{}")

    assert outcome == Lost()
    assert server.connections == 1


async def test_a_connection_that_the_receiver_closed_is_not_used(forwarder: PooledForwarder) -> None:
    async def one_only(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"1"))

    async with scripted(one_only) as server:
        for _ in range(3):
            assert await forwarder.send(WIRE, get(server.url(), method="POST", body=b"{}")) == Answer(200, {}, b"1")
            await server.until_all_gone()
            await asyncio.sleep(0)  # the end of the connection is in the loop's next round

    assert server.connections == 3


async def test_idle_connections_are_given_up_before_servers_do(
    forwarder: PooledForwarder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connector.KEEP_ALIVE_S <= 30
    monkeypatch.setattr(connector, "KEEP_ALIVE_S", 0.05)

    async def patient(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"1"))
        await peer.closed()

    async with scripted(patient) as server:
        assert await forwarder.send(WIRE, get(server.url())) == Answer(200, {}, b"1")
        await server.until_all_gone()


async def test_connection_close_is_honoured(forwarder: PooledForwarder) -> None:
    async def closing_politely(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"1", "Connection: close"))
        await peer.closed()

    async with scripted(closing_politely) as server:
        for _ in range(3):
            assert await forwarder.send(WIRE, get(server.url(), method="POST", body=b"{}")) == Answer(200, {}, b"1")

    assert server.connections == 3
