"""Bodies of answers: how long they may be, how they are decoded, and how long ones are passed on in pieces."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from hub.domain.outcome import Answer, ByteStream, Lost, StreamBroken, TooLarge
from hub.net.client import PooledForwarder
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import Peer, Script, answer, answering, in_a_packet_of_its_own, saying, scripted

Compress = Callable[[bytes], bytes]
Framing = Callable[[bytes], bytes]

MB = 1_000_000


def chunked(body: bytes, size: int = 50_000) -> bytes:
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def until_close(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + body


async def gathered(stream: ByteStream) -> bytes:
    return b"".join([block async for block in stream])


async def whole(outcome: object) -> bytes:
    assert isinstance(outcome, Answer)
    return outcome.body if outcome.rest is None else outcome.body + await gathered(outcome.rest)


FRAMINGS = pytest.mark.parametrize("framing", [answer, chunked, until_close])


@FRAMINGS
async def test_the_longest_body_and_one_byte_more(forwarder: PooledForwarder, framing: Framing) -> None:
    for length, expected in ((1000, Answer(200, {}, b"x" * 1000)), (1001, TooLarge())):
        async with scripted(saying(framing(b"x" * length))) as server:
            outcome = await forwarder.send(WIRE, get(server.url(), max_body=1000, stream_above=1000))
            await server.until_all_gone()
        assert outcome == expected


async def test_a_length_beyond_the_limit_is_not_waited_for(forwarder: PooledForwarder) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000001\r\n\r\n"
    async with scripted(saying(head, then="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=1_000_000_000))
        await server.until_all_gone()

    assert outcome == TooLarge()


async def test_an_endless_body_ends_at_the_limit(forwarder: PooledForwarder) -> None:
    async def endless(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    async with scripted(endless) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=MB, stream_above=MB))
        await server.until_all_gone()

    assert outcome == TooLarge()


def wrapped_deflate(data: bytes) -> bytes:
    return zlib.compress(data)


def bare_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def two_members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


CODINGS = {
    "gzip": ("gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "members": ("gzip", two_members),
    "deflate": ("deflate", wrapped_deflate),
    "bare deflate": ("deflate", bare_deflate),
}
EVERY_CODING = pytest.mark.parametrize(("coding", "compress"), CODINGS.values(), ids=CODINGS.keys())


@EVERY_CODING
@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": "' + bytes(range(32, 127)) * 20_000 + b'"}'])
async def test_compressed_answers_are_decoded(
    forwarder: PooledForwarder, coding: str, compress: Compress, body: bytes
) -> None:
    data = answer(compress(body), f"Content-Encoding: {coding}")
    async with scripted(answering(data)) as server:
        first = await forwarder.send(WIRE, get(server.url(), max_body=3 * MB, stream_above=3 * MB))
        second = await forwarder.send(WIRE, get(server.url(), max_body=3 * MB, stream_above=3 * MB))

    assert first == second == Answer(200, {}, body)
    assert server.connections == 1


async def test_a_compressed_answer_byte_by_byte(forwarder: PooledForwarder) -> None:
    packed = gzip.compress(b'{"status_code": 1000}')
    pieces = [packed[at : at + 1] for at in range(len(packed))]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with scripted(saying(head, *pieces)) as server:
        assert await forwarder.send(WIRE, get(server.url())) == Answer(200, {}, b'{"status_code": 1000}')


@EVERY_CODING
async def test_a_compressed_answer_that_ends_early(forwarder: PooledForwarder, coding: str, compress: Compress) -> None:
    packed: bytes = compress(b'{"data": "' + bytes(range(32, 127)) * 100 + b'"}')
    async with scripted(answering(answer(packed[:-5], f"Content-Encoding: {coding}"))) as server:
        assert await forwarder.send(WIRE, get(server.url())) == Lost()


@EVERY_CODING
async def test_a_small_answer_that_unfolds_into_a_huge_one(
    forwarder: PooledForwarder, coding: str, compress: Compress
) -> None:
    bomb: bytes = compress(b"0" * 50 * MB)
    assert len(bomb) < MB // 10
    async with scripted(answering(answer(bomb, f"Content-Encoding: {coding}"))) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=MB, stream_above=MB))

    assert outcome == TooLarge()


async def test_a_bomb_costs_no_more_memory_than_the_limit(forwarder: PooledForwarder) -> None:
    bomb = answer(gzip.compress(b"0" * 50 * MB), "Content-Encoding: gzip")
    async with scripted(answering(bomb)) as server:
        tracemalloc.start()
        await forwarder.send(WIRE, get(server.url(), max_body=MB, stream_above=MB))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 4 * MB


@FRAMINGS
async def test_a_long_answer_comes_as_a_beginning_and_a_stream(forwarder: PooledForwarder, framing: Framing) -> None:
    body = bytes(range(256)) * 8_000
    async with scripted(saying(framing(body))) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=3 * MB, stream_above=100_000))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        assert outcome.body
        assert outcome.body + await gathered(outcome.rest) == body


async def test_how_an_answer_comes_does_not_depend_on_how_fast_it_comes(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 5000))) as server:  # head and body in one packet
        streamed = await forwarder.send(WIRE, get(server.url(), stream_above=4999))
        assert isinstance(streamed, Answer)
        assert streamed.rest is not None
        assert await whole(streamed) == b"x" * 5000
        assert await forwarder.send(WIRE, get(server.url(), stream_above=5000)) == Answer(200, {}, b"x" * 5000)


async def test_a_compressed_stream_is_decoded(forwarder: PooledForwarder) -> None:
    body = b"0123456789" * 500_000
    async with scripted(answering(answer(gzip.compress(body), "Content-Encoding: gzip"))) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=6 * MB))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        assert await whole(outcome) == body


async def test_a_connection_serves_on_after_a_stream_that_was_read_to_its_end(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 2 * MB))) as server:
        for _ in range(3):
            assert await whole(await forwarder.send(WIRE, get(server.url(), max_body=3 * MB))) == b"x" * 2 * MB

    assert server.connections == 1


async def test_a_stream_that_was_read_to_its_end_stays_at_its_end(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 2 * MB))) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=3 * MB))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        assert await gathered(outcome.rest)
        assert await gathered(outcome.rest) == b""
        outcome.rest.close()
        outcome.rest.close()


def beginning(*then: bytes, end: str = "close") -> Script:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return saying(head, b"186a0\r\n" + b"x" * 100_000 + b"\r\n", *then, then=end)


@pytest.mark.parametrize(
    "script",
    [
        beginning(b"5\r\nhel"),
        beginning(b"ZZ\r\n", end="wait"),
        beginning(end="reset"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000),
        saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, b"x", then="reset"),
    ],
    ids=["half a chunk", "a bad chunk", "reset", "half a body", "reset until close"],
)
async def test_a_stream_that_breaks_says_so(forwarder: PooledForwarder, script: Script) -> None:
    async with scripted(script) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), stream_above=1000))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        for _ in range(2):  # and says so again
            with pytest.raises(StreamBroken):
                await gathered(outcome.rest)
        await server.until_all_gone()


async def test_a_stream_that_grows_too_long_breaks(forwarder: PooledForwarder) -> None:
    without_end = chunked(b"x" * 600_000).removesuffix(b"0\r\n\r\n")
    async with scripted(saying(without_end, then="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=500_000, stream_above=100_000))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        with pytest.raises(StreamBroken, match="longer"):
            await gathered(outcome.rest)
        await server.until_all_gone()


@pytest.mark.parametrize("waiting", [True, False], ids=["while it is read", "while nobody reads"])
async def test_a_stream_that_is_too_slow_breaks_at_the_deadline(forwarder: PooledForwarder, waiting: bool) -> None:
    async with scripted(beginning(end="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), stream_above=1000, timeout_s=0.3))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        if not waiting:
            await server.until_all_gone()
        with pytest.raises(StreamBroken, match="too long"):
            await gathered(outcome.rest)
        await server.until_all_gone()


async def test_a_stream_holds_its_slot_until_it_is_closed(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(in_flight=1)
    async with scripted(beginning(end="wait")) as server:
        for _ in range(3):
            outcome = await forwarder.send(WIRE, get(server.url(), stream_above=1000))
            assert isinstance(outcome, Answer)
            assert outcome.rest is not None
            assert not isinstance(await forwarder.send(WIRE, get(server.url())), Answer)
            outcome.rest.close()
            outcome.rest.close()
            await server.until_all_gone()
            with pytest.raises(StreamBroken):
                await gathered(outcome.rest)


async def test_a_reader_that_is_cancelled_gives_the_slot_back(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(in_flight=1)
    async with scripted(beginning(end="wait")) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), stream_above=1000))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        reading = asyncio.create_task(gathered(outcome.rest))
        await in_a_packet_of_its_own()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await server.until_all_gone()
        again = await forwarder.send(WIRE, get(server.url(), stream_above=1000))
        assert isinstance(again, Answer)
        assert again.rest is not None
        again.rest.close()


async def test_a_slow_reader_slows_the_sender_down(forwarder: PooledForwarder) -> None:
    """What nobody takes is not piled up in memory."""
    sent = 0

    async def endless(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        while True:
            await peer.send(b"x" * 100_000)
            sent += 100_000

    async with scripted(endless) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=200 * MB, timeout_s=0.5))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        await server.until_all_gone()  # the deadline

    assert sent < 30 * MB
