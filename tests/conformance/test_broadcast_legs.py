"""The legs of a broadcast: their order, what waits, and the one who lacks what is changed (R-081, rulings 9 and 10)."""

import asyncio

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.world import World
from tests.conformance.broadcasting import (
    LOCATION_READERS,
    PATCH,
    given,
    held_by_hub,
    location,
    push_location,
    version_of,
)
from tests.conformance.speaking import HUB, legs, route, said
from tests.hubs import settled
from tests.waiting import until

R = Interface.RECEIVER


async def test_who_lacks_the_object_gets_it_whole(hub: RunningHub, world: World) -> None:
    p5 = world["P5"]
    p5.faults.on(names.LOCATIONS, R, "PUT", times=1).answer(500)
    await given(hub, world)
    assert not p5.held.all(names.LOCATIONS)
    assert said(await push_location(world, PATCH, "LOC1/E1", method="PATCH")) == (200, 1000)
    await settled(hub)
    patch, put = p5.received.of(names.LOCATIONS)
    assert (patch.method, patch.tail, route(patch)) == ("PATCH", "NL/CPA/LOC1/E1", ("BE/EMC", HUB))
    assert (put.method, put.tail, route(put)) == ("PUT", "NL/CPA/LOC1", ("BE/EMC", HUB))
    assert put.request_id != patch.request_id
    assert put.data == await held_by_hub(world)
    (got,) = p5.held.all(names.LOCATIONS)
    assert got["evses"][0]["status"] == "CHARGING"
    assert legs(world, "PUT") == {"P5": ["BE/EMC"]}


@pytest.mark.parametrize(("http", "code"), [(404, 2003), (404, 2001), (200, 2001), (200, 2003), (404, None)])
async def test_one_put_follows_and_no_second_one(hub: RunningHub, world: World, http: int, code: int | None) -> None:
    await given(hub, world)
    body = b"" if code is None else b'{"status_code":%d,"timestamp":"2026-01-01T00:00:00Z"}' % code
    world["P5"].faults.on(names.LOCATIONS).answer(http, body)
    assert said(await push_location(world, PATCH, "LOC1/E1", method="PATCH")) == (200, 1000)
    await settled(hub)
    assert [leg.method for leg in world["P5"].received.of(names.LOCATIONS)] == ["PATCH", "PUT"]


@pytest.mark.parametrize(("http", "code"), [(500, 3000), (200, 3000), (200, 2000)])
async def test_other_failures_are_not_followed_by_anything(hub: RunningHub, world: World, http: int, code: int) -> None:
    await given(hub, world)
    body = b'{"status_code":%d,"timestamp":"2026-01-01T00:00:00Z"}' % code
    world["P5"].faults.on(names.LOCATIONS).answer(http, body)
    assert said(await push_location(world, PATCH, "LOC1/E1", method="PATCH")) == (200, 1000)
    await settled(hub)
    assert [leg.method for leg in world["P5"].received.of(names.LOCATIONS)] == ["PATCH"]


async def test_order_per_object_is_kept_and_nobody_waits_for_another(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    released = asyncio.Event()
    slow = world["P5"].faults.on(names.LOCATIONS, R, times=1).delay(released)
    moments = [f"2026-02-01T00:00:{second:02d}Z" for second in range(12)]
    for number, moment in enumerate(moments):
        change = {"status": "CHARGING" if number % 2 else "AVAILABLE", "last_updated": moment}
        assert said(await push_location(world, change, "LOC1/E1", method="PATCH")) == (200, 1000)

    def up_to_date(name: str) -> bool:
        found = world[name].received.of(names.LOCATIONS)
        return bool(found) and version_of(found[-1]) == moments[-1]

    for name in ("P2", "P3", "P4", "P8"):
        await until(lambda name=name: up_to_date(name))  # type: ignore[misc]
    assert slow.hits == 1
    assert len(world["P5"].received.of(names.LOCATIONS)) == 1
    released.set()
    await settled(hub)
    for name, parties in LOCATION_READERS.items():
        for party in parties:
            seen = [version_of(leg) for leg in world[name].received.of(names.LOCATIONS) if str(leg.to) == party]
            assert seen == sorted(set(seen)), (name, party)
            assert seen[-1] == moments[-1]
        (held,) = world[name].held.all(names.LOCATIONS)
        assert (held["evses"][0]["status"], held["last_updated"]) == ("CHARGING", moments[-1])


async def test_the_newest_state_takes_the_place_of_what_still_waits(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    released = asyncio.Event()
    slow = world["P5"].faults.on(names.LOCATIONS, R, times=1).delay(released)
    moments = [f"2026-02-01T00:00:{second:02d}Z" for second in range(10)]
    for moment in moments:
        assert said(await push_location(world, location(last_updated=moment))) == (200, 1000)
    await until(lambda: slow.hits == 1)
    released.set()
    await settled(hub)
    seen = [version_of(leg) for leg in world["P5"].received.of(names.LOCATIONS)]
    assert (seen[0], seen[-1]) == (moments[0], moments[-1])
    assert seen == sorted(set(seen))
    assert len(seen) <= 3


async def test_other_objects_overtake_one_that_waits(hub: RunningHub, world: World) -> None:
    released = asyncio.Event()
    world["P5"].faults.on(names.LOCATIONS, R, tail="NL/CPA/LOC1", times=1).delay(released)
    assert said(await push_location(world)) == (201, 1000)
    assert said(await push_location(world, location(location_id="LOC2"), "LOC2")) == (201, 1000)
    await until(lambda: bool(world["P5"].held.find(names.LOCATIONS, None, "LOC2")))
    assert not world["P5"].held.find(names.LOCATIONS, None, "LOC1")
    released.set()
    await settled(hub)
    assert world["P5"].held.find(names.LOCATIONS, None, "LOC1")
