"""Bounds and lives of pools: nothing waits for a slot, one platform never takes another's, and idle ones go."""

import asyncio

import pytest

from hub.clock import ManualClock
from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, Unsent, UnsentReason
from hub.net.client import PooledForwarder
from hub.net.forwarder import Wire
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import PATIENCE_S, Peer, answer, answering, scripted, silent

OK = Answer(200, {}, b"{}")
FULL = Unsent(UnsentReason.FULL)
OTHER = Wire("another platform", in_flight=100)


def sending(forwarder: PooledForwarder, count: int, wire: Wire, url: str) -> list[asyncio.Task[Outcome]]:
    return [asyncio.create_task(forwarder.send(wire, get(url, timeout_s=30))) for _ in range(count)]


async def cancelled(tasks: list[asyncio.Task[Outcome]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_platform_that_hangs_leaves_the_others_alone(forwarder: PooledForwarder) -> None:
    async with scripted(silent) as hanging, scripted(answering(answer())) as healthy:
        stuck = sending(forwarder, 100, WIRE, hanging.url())
        await hanging.until_requests(100)

        async with asyncio.timeout(PATIENCE_S):
            outcomes = await asyncio.gather(*(forwarder.send(OTHER, get(healthy.url())) for _ in range(100)))
        assert outcomes == [OK] * 100
        assert await forwarder.send(WIRE, get(hanging.url())) == FULL
        assert await forwarder.send(WIRE, get(healthy.url())) == FULL  # the bound is the pool's, wherever it goes

        await cancelled(stuck)
        assert await forwarder.send(WIRE, get(healthy.url())) == OK


async def test_a_full_pool_answers_at_once_and_sends_nothing(forwarder: PooledForwarder) -> None:
    narrow = Wire("platform", in_flight=2)
    async with scripted(silent) as server:
        stuck = sending(forwarder, 2, narrow, server.url())
        await server.until_requests(2)

        outcomes = [await forwarder.send(narrow, get(server.url())) for _ in range(5)]

        assert outcomes == [FULL] * 5
        assert server.connections == 2
        await cancelled(stuck)


async def test_a_wider_bound_holds_from_the_next_request_on(forwarder: PooledForwarder) -> None:
    async with scripted(silent) as server:
        stuck = sending(forwarder, 1, Wire("platform", in_flight=1), server.url())
        await server.until_requests(1)
        stuck += sending(forwarder, 1, Wire("platform", in_flight=2), server.url())
        await server.until_requests(1)
        assert await forwarder.send(Wire("platform", in_flight=2), get(server.url())) == FULL
        await cancelled(stuck)


async def test_the_hub_has_a_bound_of_its_own(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(in_flight=3)
    async with scripted(silent) as hanging, scripted(answering(answer())) as healthy:
        stuck = sending(forwarder, 2, WIRE, hanging.url()) + sending(forwarder, 1, OTHER, hanging.url())
        await hanging.until_requests(3)

        full = await forwarder.send(OTHER, get(healthy.url()))
        assert full == FULL
        assert isinstance(full, Unsent)
        assert "hub" in full.detail

        await cancelled(stuck)
        assert await forwarder.send(OTHER, get(healthy.url())) == OK


async def test_every_way_out_gives_the_slot_back(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(in_flight=1)

    async def hangs_up(peer: Peer) -> None:
        await peer.request()

    async with scripted(silent) as slow, scripted(hangs_up) as broken, scripted(answering(answer())) as healthy:
        for _ in range(3):
            assert await forwarder.send(WIRE, get(slow.url(), timeout_s=0.02)) == TimedOut()
            assert await forwarder.send(WIRE, get(broken.url())) == Lost()
            assert await forwarder.send(WIRE, get("http://10.0.0.1/")) == Unsent(UnsentReason.FORBIDDEN)
            assert await forwarder.send(WIRE, get("nonsense")) == Unsent(UnsentReason.UNUSABLE)
            assert await forwarder.send(WIRE, get(healthy.url())) == OK


async def test_many_deadlines_at_once(forwarder: PooledForwarder) -> None:
    async with scripted(silent) as server:
        loop = asyncio.get_running_loop()
        started = loop.time()

        async def timed(timeout_s: float) -> float:
            assert await forwarder.send(WIRE, get(server.url(), timeout_s=timeout_s)) == TimedOut()
            return loop.time() - started - timeout_s

        late_s = await asyncio.gather(*(timed(0.3 - number / 500) for number in range(100)))

    assert min(late_s) >= -0.001
    assert max(late_s) < 0.3


async def test_pools_do_not_share_connections(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer())) as server:
        for wire in (WIRE, OTHER, WIRE, OTHER):
            assert await forwarder.send(wire, get(server.url())) == OK

    assert server.connections == 2


async def test_a_dropped_pool_closes_and_the_next_request_opens_another(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer())) as server:
        await forwarder.send(WIRE, get(server.url()))
        forwarder.drop("platform")
        forwarder.drop("platform")
        forwarder.drop("nobody")
        await server.until_all_gone()
        assert await forwarder.send(WIRE, get(server.url())) == OK

    assert server.connections == 2


async def test_what_is_in_flight_finishes_on_a_dropped_pool(forwarder: PooledForwarder) -> None:
    go_on = asyncio.Event()

    async def waiting(peer: Peer) -> None:
        await peer.request()
        await go_on.wait()
        await peer.send(answer())
        await peer.closed()

    async with scripted(waiting) as server:
        first = sending(forwarder, 1, WIRE, server.url())
        await server.until_requests(1)
        forwarder.drop("platform")
        second = sending(forwarder, 1, WIRE, server.url())
        await server.until_requests(1)
        go_on.set()
        assert [task.result() for task in (await asyncio.wait(first + second))[0]] == [OK, OK]
        assert server.connections == 2
        forwarder.drop("platform")
        await server.until_all_gone()


async def test_a_stream_on_a_dropped_pool_goes_on(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 900_000))) as server:
        outcome = await forwarder.send(WIRE, get(server.url()))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        forwarder.drop("platform")
        assert len(outcome.body) + sum([len(block) async for block in outcome.rest]) == 900_000
        await server.until_all_gone()


async def test_idle_pools_are_closed_and_busy_ones_are_not(make_forwarder: MakeForwarder) -> None:
    clock = ManualClock()
    forwarder = make_forwarder(clock=clock)
    async with scripted(silent) as busy, scripted(answering(answer())) as idle:
        stuck = sending(forwarder, 1, WIRE, busy.url())
        await busy.until_requests(1)
        await forwarder.send(OTHER, get(idle.url()))
        assert forwarder._pools.names == {"platform", "another platform"}

        await sweep(clock)
        assert forwarder._pools.names == {"platform", "another platform"}  # it was used since the last look

        await sweep(clock)
        assert forwarder._pools.names == {"platform"}
        await idle.until_all_gone()

        await cancelled(stuck)
        await sweep(clock)
        assert not forwarder._pools.names


async def sweep(clock: ManualClock) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await clock.until_asleep()
        await clock.advance(120)
        await clock.until_asleep()


@pytest.mark.parametrize("times", [1, 2])
async def test_closing_ends_what_is_in_flight(forwarder: PooledForwarder, times: int) -> None:
    async def never_greets(peer: Peer) -> None:
        await peer.closed()

    async with scripted(silent) as server, scripted(never_greets) as greeting:
        sent = sending(forwarder, 3, WIRE, server.url())
        await server.until_requests(3)
        unsent = sending(forwarder, 1, OTHER, greeting.url(scheme="https"))
        async with asyncio.timeout(PATIENCE_S):
            await greeting.accepted.wait()

        for _ in range(times):
            await forwarder.close()

        assert await asyncio.gather(*sent) == [Lost()] * 3
        assert await asyncio.gather(*unsent) == [Unsent(UnsentReason.REFUSED)]
        await server.until_all_gone()
        await greeting.until_all_gone()
        assert await forwarder.send(WIRE, get(server.url())) == Unsent(UnsentReason.REFUSED)


async def test_closing_ends_streams_and_dropped_pools(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 9_000_000))) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), max_body=10_000_000))
        assert isinstance(outcome, Answer)
        assert outcome.rest is not None
        forwarder.drop("platform")
        await forwarder.close()
        await server.until_all_gone()
        outcome.rest.close()


async def test_closing_a_forwarder_that_sent_nothing(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder()
    await asyncio.gather(forwarder.close(), forwarder.close())
