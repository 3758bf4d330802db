"""Fan-out: bounds, skips, hanging receivers, and what a restart takes up (rulings 8 and 9)."""

from datetime import datetime, timedelta
from pathlib import Path

from hub import app
from hub.app import RunningHub
from hub.clock import SystemClock
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from tests.hubs import id_of, register_all, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER


class LateClock(SystemClock):
    """The machine's clock, ahead by a while."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead


async def broadcast(owner: SandboxPlatform, location_id: str, stamp: str = "2026-01-01T12:00:00Z") -> Answer:
    """A location of NL/CPA for everybody."""
    location = objects.location("NL/CPA", location_id) | {"last_updated": stamp}
    tail = f"NL/CPA/{location_id}"
    answer = await owner.call("PUT", names.LOCATIONS, R, tail, to="NL/HUB", sender="NL/CPA", body=location)
    assert answer.ok, answer
    return answer


async def test_a_hanging_receiver_delays_nobody(hub: RunningHub, world: World) -> None:
    world["P3"].faults.on(names.LOCATIONS).hang()
    for number in range(20):
        await broadcast(world["P1"], f"L{number}")
    await world["P5"].received.wait_for(names.LOCATIONS, R, "PUT", count=20, timeout_s=1.5)
    await world["P2"].received.wait_for(names.LOCATIONS, R, "PUT", count=40, timeout_s=1.5)
    assert not hub.broadcasts.quiet


async def test_timeouts_make_a_platform_offline_and_its_legs_are_skipped(tmp_path: Path) -> None:
    # Probes hang for longer than the story takes: it is legs alone that count.
    settings = test_settings(tmp_path, forward_timeout=0.1, connect_back_timeout=20.0, probe_spacing=0.2)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P3"]) as world:
            await register_all(hub, world)
            world["P3"].faults.on().hang()
            for number in range(60):
                await broadcast(world["P1"], f"L{number}")
            await until(lambda: id_of(hub, "P3") in hub.liveness.offline)
            sent = len(world["P3"].received.of(names.LOCATIONS))
            assert 15 <= sent < 60
            await until(lambda: hub.broadcasts.quiet)
            assert len(world["P3"].received.of(names.LOCATIONS)) <= sent + 1


async def test_a_receiver_that_cannot_keep_up_is_marked_until_it_fetches_the_list(
    hub: RunningHub, world: World
) -> None:
    hub.broadcasts.most_legs = 5
    p3 = world["P3"]
    fault = p3.faults.on(names.LOCATIONS).hang()
    for number in range(40):
        await broadcast(world["P1"], f"L{number}")
    receiver = (id_of(hub, "P3"), PartyId("NL", "NSP"))
    assert hub.broadcasts.is_behind(*receiver)
    assert [one.kind for one in hub.alarms.newest_first if one.kind == "receiver_behind"]
    p3.faults.remove(fault)
    crawl = await p3.crawl(names.LOCATIONS, to="NL/HUB", sender="NL/NSP")
    assert len(crawl.objects) == 40
    assert not hub.broadcasts.is_behind(*receiver)
    await until(lambda: hub.broadcasts.quiet)
    assert p3.received.of(names.LOCATIONS, R, "PUT")[-1].tail == "NL/CPA/L39"


async def test_what_waited_at_a_stop_is_sent_before_the_next_start_takes_requests(tmp_path: Path) -> None:
    settings = test_settings(tmp_path)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with fixture_world(only=["P1", "P3"]) as world:
            async with app.running(settings, legs_to=legs) as hub:
                settings = settings.model_copy(update={"port": hub.settings.port})
                await register_all(hub, world)
                await hub.broadcasts.stop()
                for number in range(10):
                    await broadcast(world["P1"], f"L{number}")
                assert not world["P3"].received.of(names.LOCATIONS)
            async with app.running(settings, legs_to=legs) as hub:
                assert hub.broadcasts.quiet
            tails = [one.tail for one in world["P3"].received.of(names.LOCATIONS)]
            assert sorted(tails) == sorted(f"NL/CPA/L{number}" for number in range(10))


async def test_what_waited_too_long_is_not_sent_any_more(tmp_path: Path) -> None:
    settings = test_settings(tmp_path)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with fixture_world(only=["P1", "P3"]) as world:
            async with app.running(settings, legs_to=legs) as hub:
                settings = settings.model_copy(update={"port": hub.settings.port})
                await register_all(hub, world)
                await hub.broadcasts.stop()
                await broadcast(world["P1"], "OLD")
            late = LateClock(timedelta(minutes=11))
            async with app.running(settings, legs_to=legs, clock=late) as hub:
                await broadcast(world["P1"], "NEW")
                await until(lambda: hub.broadcasts.quiet)
                assert not await hub.store.broadcasts.unfinished(0, 10)
            assert [one.tail for one in world["P3"].received.of(names.LOCATIONS)] == ["NL/CPA/NEW"]


async def test_stopping_a_hub_waits_for_legs_under_way(tmp_path: Path) -> None:
    settings = test_settings(tmp_path)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with fixture_world(only=["P1", "P3"]) as world:
            async with app.running(settings, legs_to=legs) as hub:
                settings = settings.model_copy(update={"port": hub.settings.port})
                await register_all(hub, world)
                world["P3"].faults.on(names.LOCATIONS).delay(0.05)
                await broadcast(world["P1"], "L1")
                await world["P3"].received.wait_for(names.LOCATIONS)
            async with app.running(settings, legs_to=legs) as hub:
                await until(lambda: hub.broadcasts.quiet)
            assert len(world["P3"].received.of(names.LOCATIONS)) == 1
