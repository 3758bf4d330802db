"""The clock of a bench moves only when nothing is pending, and a message may wait for it."""

import asyncio
from collections.abc import Iterable

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.plugin import Exchange, Phase, Plugin, PluginConfig, Watch
from hub.sandbox import Received, Reply, objects
from hub.testing import CPO, EMSP, BenchClock, NotSettled, bench, clock


class Ticker(Plugin[PluginConfig]):
    """Keeps on the shelf how often it ticked, one save for each."""

    name = "ticker"

    async def start(self) -> None:
        self.seen: list[float] = []
        self.hub.every(10, self.tick)

    async def tick(self) -> None:
        kept = await self.hub.shelf.load("ticks")
        await self.hub.shelf.save("ticks", 1 if kept is None else kept.value + 1)
        self.seen.append(self.hub.monotonic())


class Patient(Plugin[PluginConfig]):
    """Lets every location wait."""

    name = "patient"

    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.RECEIVED}, modules={names.LOCATIONS})]

    async def on_received(self, exchange: Exchange) -> None:
        await self.hub.sleep(5)


async def test_what_is_due_is_done_with_before_time_goes_on() -> None:
    async with bench(Ticker) as b:
        started = b.clock.monotonic()
        await b.clock.advance(60)
        assert b.plugin.seen == [started + 10 * n for n in range(1, 7)]
        kept = await b.plugin.hub.shelf.load("ticks")
        assert kept is not None
        assert kept.value == 6


async def test_a_jump_wakes_once() -> None:
    async with bench(Ticker) as b:
        started = b.clock.monotonic()
        await b.clock.jump(60)
        assert b.plugin.seen == [started + 60]


async def test_a_message_may_wait_for_the_clock() -> None:
    async with bench(Patient) as b:
        asked = asyncio.create_task(b.cpo.publish(names.LOCATIONS, objects.location(CPO)))
        await b.until(lambda: b.clock.hooks_asleep)
        await b.settle()
        assert not asked.done()

        await b.clock.advance(5)
        assert (await asked).ok
        assert b.clock.hooks_asleep == 0
        assert b.failures == {}


async def test_time_may_pass_in_the_middle_of_a_message() -> None:
    async with bench(Ticker) as b:

        def slow(received: Received) -> Reply:
            b.clock.elapse(12)
            return b.emsp.replies.ok()

        b.emsp.serve(names.SESSIONS, Interface.RECEIVER, slow)
        before = b.clock.now()
        await b.cpo.publish(names.SESSIONS, objects.session(CPO, driver=EMSP), to=EMSP)
        await b.settle()
        assert (b.clock.now() - before).total_seconds() == 12
        assert len(b.plugin.seen) == 1


async def test_what_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PATIENCE_S", 0.05)
    stubborn = BenchClock()
    stubborn.pending = lambda: ["a message under way"]
    with pytest.raises(NotSettled, match=r"^after 0\.05 s there is still pending: a message under way$"):
        await stubborn.settle()


async def test_time_never_goes_back() -> None:
    still = BenchClock()
    woken = asyncio.create_task(still.sleep(1))
    await still.settle()
    still.elapse(-5)
    assert still.monotonic() == 0
    still.elapse(1)
    await woken
    assert still.monotonic() == 1
