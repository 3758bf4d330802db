"""How records get into the store, and what happens while it is away."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hub.ocpi.party_id import PartyId
from hub.plugin import Body, Content, Record
from plugins.message_log import MessageLog
from plugins.message_log.config import MessageLogConfig
from tests.unit.plugins.exchanges import answered, finished, leg_of, received
from tests.unit.plugins.small_hub import SmallHub
from tests.unit.plugins.small_store import Outage, SmallRecords

ALARM = ("message_log_not_written", "exchange")


async def started(hub: SmallHub, **keys: Any) -> MessageLog:
    plugin = MessageLog(MessageLogConfig(**keys), hub)
    await plugin.start()
    return plugin


def finish(plugin: MessageLog, first: int, last: int) -> None:
    for number in range(first, last + 1):
        exchange = received(request_id=f"r{number}")
        plugin.on_finished(finished(exchange, answered(leg_of(exchange))))


async def written(hub: SmallHub) -> list[str]:
    """Request ids in the store, oldest first."""
    found = await hub.records("exchange").find(limit=100_000)
    return [one.read()["request_id"] for one in reversed(found)]


async def test_it_watches_the_end_and_no_bodies() -> None:
    hub = SmallHub()
    (watch,) = MessageLog(MessageLogConfig(), hub).watches()
    assert (watch.request, watch.response, watch.kinds, watch.modules) == (Body.IGNORE, Body.IGNORE, None, None)
    (watch,) = MessageLog(MessageLogConfig(bodies=True, max_body=100), hub).watches()
    assert (watch.request, watch.response, watch.max_body) == (Body.BYTES, Body.BYTES, 100)


async def test_what_waits_is_written_every_second() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub)
        finish(plugin, 1, 3)
        await hub.clock.advance(0.9)
        assert await written(hub) == []

        await hub.clock.advance(0.1)

        assert await written(hub) == ["r1", "r2", "r3"]
        assert dict(plugin.health().facts) == {"waiting": 0, "dropped": 0, "written": 3}
        assert hub.metrics["written"].value() == 3
        assert hub.records("exchange").batches == [3]


async def test_a_full_batch_does_not_wait() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub)
        finish(plugin, 1, 999)
        await hub.clock.settle()
        assert await written(hub) == []

        finish(plugin, 1000, 2200)
        await hub.clock.settle()

        assert await written(hub) == [f"r{number}" for number in range(1, 2201)]
        assert hub.records("exchange").batches == [1000, 1000, 200]


async def test_a_full_buffer_drops_the_oldest_and_counts() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub, buffer=10)
        finish(plugin, 1, 25)
        await hub.clock.advance(1)

        assert await written(hub) == [f"r{number}" for number in range(16, 26)]
        assert plugin.health().facts["dropped"] == 15
        assert hub.metrics["dropped"].value() == 15


async def test_records_outlast_an_outage_in_order_and_an_alarm_stands_meanwhile() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub, buffer=1000)
        hub.outage.away = True
        finish(plugin, 1, 700)
        await hub.clock.advance(3)
        finish(plugin, 701, 1100)
        asked = hub.outage.calls
        await hub.clock.advance(0.9)
        assert hub.outage.calls == asked  # the timer asks, not every message

        assert not plugin.health().ok
        assert dict(plugin.health().facts) == {"waiting": 1000, "dropped": 100, "written": 0}
        assert ALARM in hub.alarms
        assert hub.sounded == [ALARM]

        hub.outage.away = False
        await hub.clock.advance(1)

        assert await written(hub) == [f"r{number}" for number in range(101, 1101)]
        assert hub.alarms == {}
        assert plugin.health().ok
        assert hub.failures == []


async def test_an_alarm_from_before_the_restart_is_cleared() -> None:
    async with SmallHub() as hub:
        hub.alarm(*ALARM, "from the process before", standing=True)
        plugin = await started(hub)
        finish(plugin, 1, 1)
        await hub.clock.advance(1)
        assert hub.alarms == {}


async def test_stop_writes_what_waits() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub)
        finish(plugin, 1, 600)
        await plugin.stop()
        assert len(await written(hub)) == 600

        await plugin.stop()
        await hub.clock.advance(5)
        assert hub.clock.asleep == 0
    await MessageLog(MessageLogConfig(), hub).stop()


async def test_stop_does_not_wait_for_a_store_that_is_away() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub)
        hub.outage.away = True
        finish(plugin, 1, 5)
        await plugin.stop()
        assert hub.metrics["dropped"].value() == 5
        assert [line["records"] for line in hub.lines] == [5]


class Hanging(SmallRecords):
    """A store that takes records and never says that it has them."""

    async def append_many(self, records: Sequence[Record]) -> None:
        await asyncio.get_running_loop().create_future()


async def test_stop_gives_a_store_that_hangs_five_seconds() -> None:
    async with SmallHub() as hub:
        hub.put_records("exchange", Hanging(Outage()))
        plugin = await started(hub)
        finish(plugin, 1, 5)
        stopping = asyncio.ensure_future(plugin.stop())
        await hub.clock.advance(4.9)
        assert not stopping.done()
        await hub.clock.advance(0.1)
        await asyncio.wait_for(stopping, 5)
        assert hub.metrics["dropped"].value() == 5


class Refusing(SmallRecords):
    """A store that takes anything but the first batch."""

    async def append_many(self, records: Sequence[Record]) -> None:
        if not self.batches:
            self.batches.append(0)
            raise ValueError("nothing of this can be written")
        await super().append_many(records)


async def test_what_the_store_never_takes_does_not_stop_the_rest() -> None:
    async with SmallHub() as hub:
        hub.put_records("exchange", Refusing(hub.outage))
        plugin = await started(hub)
        finish(plugin, 1, 2)
        await hub.clock.advance(1)
        finish(plugin, 3, 4)
        await hub.clock.advance(1)

        assert await written(hub) == ["r3", "r4"]
        assert plugin.health().facts["dropped"] == 2
        (failure,) = hub.failures
        assert isinstance(failure, ValueError)
        hub.failures.clear()


async def test_waiting_bodies_are_bounded_in_bytes() -> None:
    async with SmallHub() as hub:
        mib = 1024 * 1024
        plugin = await started(hub, bodies=True, max_body=mib)
        large = Content(b"x" * mib, Body.BYTES, mib)
        for _ in range(40):
            plugin.on_finished(finished(received(request=large)))
        await plugin.stop()

        found = await hub.records("exchange").find()
        texts = ["text" in one.read()["request"] if "request" in one.read() else False for one in reversed(found)]
        assert texts == [True] * 32 + [False] * 8
        assert set(hub.records("exchange").batches[:32]) == {1}  # never more than a mebibyte at one go


@pytest.mark.parametrize("away", [False, True])
async def test_old_records_go(away: bool) -> None:
    async with SmallHub() as hub:
        plugin = await started(hub, keep_days=1)
        finish(plugin, 1, 2)
        await hub.clock.advance(600)
        assert await written(hub) == ["r1", "r2"]

        hub.outage.away = away
        await hub.clock.jump(86_400 + 600)
        hub.outage.away = False

        assert await written(hub) == (["r1", "r2"] if away else [])


async def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    async with SmallHub() as hub:
        plugin = await started(hub, most_mb=1, buffer=100_000)
        many = [PartyId("NL", f"A{number:02}") for number in range(100)]
        for number in range(150):
            exchange = received(request_id=f"r{number}")
            plugin.on_finished(finished(exchange, *(answered(leg_of(exchange, receiver)) for receiver in many)))
        await hub.clock.advance(600)

        left = await written(hub)
        assert 50 < len(left) < 150
        assert left[-1] == "r149"
        _, size = await hub.records("exchange").size()
        assert size <= 1024 * 1024


async def test_what_waits_goes_over_to_the_next_instance() -> None:
    async with SmallHub() as hub:
        old, new = await started(hub), await started(hub, keep_days=1)
        finish(old, 1, 3)
        new.import_state(old.export_state())
        await old.stop()
        assert await written(hub) == []
        await new.stop()
        assert await written(hub) == ["r1", "r2", "r3"]
