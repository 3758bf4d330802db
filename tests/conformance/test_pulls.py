"""The hub pulls from owners that do not push (R-088, R-098, T-44, rulings 13 and 14)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.broker.pulls import PullStatus
from hub.ocpi import codec, names, urls
from hub.sandbox import Reply, objects
from hub.sandbox.received import Received
from tests.conformance.asking import get_all
from tests.conformance.pulling import (
    EVERY_S,
    HOUR_S,
    SOON_S,
    R,
    S,
    Setting,
    disown,
    own,
    pushes,
    raw_list,
    setting,
)
from tests.conformance.speaking import HUB, as_written, route
from tests.hubs import settled
from tests.waiting import until

MODULES = (names.LOCATIONS, names.TARIFFS, names.TOKENS)
DAY_S = 24 * HOUR_S


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Setting]:
    """P1, P2 and P4 at a hub."""
    async with setting(tmp_path, "P1", "P2", "P4") as made:
        yield made


async def test_a_pull_fills_get_all(scene: Setting) -> None:
    own(scene, "L1", "L2")
    own(scene, "B1", owner="BE/CPB")
    await scene.switch("P1", locations=EVERY_S)
    assert not scene.asked()
    await scene.passes(SOON_S)
    assert sorted(await scene.shown()) == ["B1", "L1", "L2"]
    asked = scene.asked()
    assert sorted(route(one) for one in asked) == [("BE/CPB", HUB), ("NL/CPA", HUB)]
    assert [one.query for one in asked] == ["limit=100"] * 2
    ids = {one.request_id for one in asked} | {one.correlation_id for one in asked}
    assert len(ids) == 4
    assert None not in ids
    assert not scene.alarms(standing=False)


async def test_what_was_pulled_is_told_like_what_was_pushed(scene: Setting) -> None:
    own(scene, "L1")
    await scene.pull("P1", locations=EVERY_S)
    assert pushes(scene.world) == {"P2": ["NL/CPA/L1"] * 2, "P4": ["NL/CPA/L1"]}
    legs = scene.world["P2"].received.of(names.LOCATIONS, R)
    assert sorted(route(leg) for leg in legs) == [("DE/EMB", HUB), ("NL/EMA", HUB)]
    assert legs[0].data == objects.location("NL/CPA", "L1")


@pytest.mark.parametrize("module", MODULES)
async def test_every_module_that_is_meant_for_everybody(scene: Setting, module: str) -> None:
    made = {
        names.LOCATIONS: ("P1", objects.location("NL/CPA", "X1")),
        names.TARIFFS: ("P1", objects.tariff("NL/CPA", "X1")),
        names.TOKENS: ("P2", objects.token("NL/EMA", "X1", kind="APP_USER")),
    }
    name, value = made[module]
    scene.world[name].own.put(module, value)
    await scene.pull(name, **{module: EVERY_S})
    reader = ("P1", "NL/CPA") if module == names.TOKENS else ("P2", "NL/EMA")
    answer = await scene.world[reader[0]].call("GET", module, S, to=HUB, sender=reader[1])
    assert answer.data == [value]
    (leg,) = scene.world["P4"].received.of(module, R, "PUT")
    assert leg.data == value
    assert (urls.query_value(leg.query, "type") == "APP_USER") is (module == names.TOKENS)


async def test_objects_are_exactly_as_received(scene: Setting) -> None:
    texts = [as_written(objects.location("NL/CPA", object_id)) for object_id in ("L1", "L2")]
    texts.append(texts[0].replace(b'"L1"', b'"L3"').replace(b"Station L1", b"half \\ud83d of it"))
    scene.world["P1"].serve(
        names.LOCATIONS, S, lambda received: raw_list(*(texts if "CPA" in str(received.to) else ()))
    )
    await scene.pull("P1", locations=EVERY_S)
    answer = await get_all(scene.world)
    assert all(text in answer.body for text in texts)
    assert sorted(leg.body for leg in scene.world["P4"].received.of(names.LOCATIONS, R)) == sorted(texts)


async def test_what_belongs_to_others_is_ignored(scene: Setting) -> None:
    rows = [objects.location(owner, "L1") for owner in ("NL/CPA", "BE/CPB", "FR/DUO", "XX/XXX")]
    page = raw_list(*map(codec.dumps, rows), total=4)
    scene.world["P1"].serve(names.LOCATIONS, S, lambda received: page if "CPA" in str(received.to) else raw_list())
    await scene.pull("P1", locations=EVERY_S)
    assert [row["party_id"] for row in (await get_all(scene.world)).data] == ["CPA"]
    assert pushes(scene.world) == {"P2": ["NL/CPA/L1"] * 2, "P4": ["NL/CPA/L1"]}
    row = scene.row()
    assert (row.status, row.objects, row.total, row.problem) == (PullStatus.DONE, 4, 4, None)


# --- the first crawl ---


async def test_the_first_crawl_shows_nothing_until_it_is_complete(scene: Setting) -> None:
    own(scene, *(f"L{number}" for number in range(5)))
    own(scene, "D1", owner="FR/DUO", name="P4")
    assert (await scene.world["P4"].publish(names.LOCATIONS, objects.location("FR/DUO", "D1"))).ok
    p1, held = scene.world["P1"], asyncio.Event()
    p1.habits.page_limit = 2

    async def last_page_waits(received: Received) -> Reply:
        if urls.query_value(received.query, "offset") == "4":
            await held.wait()
        return p1.owned.page(received)

    p1.serve(names.LOCATIONS, S, last_page_waits)
    await scene.switch("P1", locations=EVERY_S)
    await scene.clock.jump(SOON_S)
    await until(lambda: len([one for one in scene.asked() if route(one)[0] == "NL/CPA"]) == 3)
    row = scene.row()
    assert (row.status, row.pages, row.objects, row.total) == (PullStatus.RUNNING, 2, 4, 5)
    assert (row.completed_at, row.next_at) == (None, None)
    assert await scene.shown() == ["D1"]
    single = await scene.world["P2"].call("GET", names.LOCATIONS, S, "L0", to=HUB, sender="NL/EMA")
    assert single.status == 404
    held.set()
    await scene.passes(0)
    assert await scene.shown() == ["D1", "L0", "L1", "L2", "L3", "L4"]
    assert scene.row().status is PullStatus.DONE


async def test_an_owner_that_pushed_before_stays_visible(scene: Setting) -> None:
    assert (await scene.world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA", "L1"))).ok
    p1 = scene.world["P1"]
    p1.faults.on(names.LOCATIONS, S).answer(500)
    await scene.pull("P1", locations=EVERY_S)
    assert await scene.shown() == ["L1"]


async def test_switching_off_ends_the_hiding(scene: Setting) -> None:
    p1 = scene.world["P1"]
    fault = p1.faults.on(names.LOCATIONS, S).answer(500)
    await scene.pull("P1", locations=EVERY_S)
    assert (await p1.publish(names.LOCATIONS, objects.location("NL/CPA", "L1"))).ok
    assert await scene.shown() == []
    assert len(scene.alarms()) == 2
    await scene.switch("P1")
    await scene.passes(0)
    assert await scene.shown() == ["L1"]
    assert not scene.alarms()
    hits = fault.hits
    await scene.passes(EVERY_S)
    assert fault.hits == hits
    assert scene.hub.pulls.overview() == []


async def test_switching_off_in_the_middle_ends_the_crawl(tmp_path: Path) -> None:
    async with setting(tmp_path, "P2", "P10") as scene:
        p10 = scene.world["P10"]
        own(scene, "L1", "L2", "L3", owner="AT/CPX", name="P10")
        p10.habits.page_limit = 2
        hung = p10.faults.on(names.LOCATIONS, S, times=1).hang()
        await scene.switch("P10", locations=EVERY_S)
        await scene.clock.jump(SOON_S)
        await until(lambda: hung.hits == 1)
        await scene.switch("P10")
        hung.release()

        async def over() -> bool:
            await scene.clock.jump(1)
            return scene.hub.pulls.quiet

        await until(over)
        assert len(scene.asked("P10")) == 1
        assert not scene.alarms(standing=False)
        assert await scene.shown() == ["L1", "L2"]  # what was pulled was published
        await scene.pull("P10", locations=EVERY_S)
        assert await scene.shown() == ["L1", "L2", "L3"]


async def test_a_page_that_fails_after_the_switching_off_is_no_alarm(tmp_path: Path) -> None:
    async with setting(tmp_path, "P2", "P10") as scene:
        asked, released = asyncio.Event(), asyncio.Event()

        async def fails_in_the_end(_: Received) -> Reply:
            asked.set()
            await released.wait()
            return Reply(500, b"")

        scene.world["P10"].serve(names.LOCATIONS, S, fails_in_the_end)
        await scene.switch("P10", locations=EVERY_S)
        await scene.clock.jump(SOON_S)
        await asked.wait()
        await scene.switch("P10")
        released.set()

        async def over() -> bool:
            await scene.clock.jump(1)
            return scene.hub.pulls.quiet

        await until(over)
        assert not scene.alarms(standing=False)


# --- the following ones ---


async def test_later_crawls_ask_for_what_has_changed(scene: Setting) -> None:
    own(scene, "L1", "L2", "L3", last_updated="2025-06-01T00:00:00Z")
    await scene.pull("P1", locations=EVERY_S)
    started = scene.row().started_at
    assert started is not None
    scene.world.forget_received()
    own(scene, "L2", last_updated="2026-02-01T00:00:00Z")
    disown(scene, "L3")
    await scene.passes(EVERY_S)
    (asked,) = [one for one in scene.asked() if route(one)[0] == "NL/CPA"]
    since = started - timedelta(days=1)
    assert datetime.fromisoformat(urls.query_value(asked.query, "date_from") or "") == since
    assert pushes(scene.world) == {"P2": ["NL/CPA/L2"] * 2, "P4": ["NL/CPA/L2"]}
    assert await scene.shown() == ["L1", "L2", "L3"]
    row = scene.row()
    assert (row.status, row.pages, row.objects, row.total) == (PullStatus.DONE, 1, 1, 1)


async def test_crawls_begin_once_an_interval(scene: Setting) -> None:
    await scene.pull("P1", tariffs=HOUR_S)
    begun = []
    for _ in range(10):
        due = scene.row(module=names.TARIFFS).next_at
        assert due is not None
        assert timedelta(0) < due - scene.clock.now() <= timedelta(hours=1)
        await scene.passes((due - scene.clock.now()).total_seconds() - 1)
        before = len(scene.asked(module=names.TARIFFS))
        await scene.passes(2)
        begun += scene.asked(module=names.TARIFFS)[before:]
    assert [route(one)[0] for one in begun if route(one)[0] == "NL/CPA"] == ["NL/CPA"] * 10


async def test_equal_objects_are_told_to_nobody(scene: Setting) -> None:
    own(scene, "L1", "L2")
    await scene.pull("P1", locations=EVERY_S)
    scene.world.forget_received()
    own(scene, "L2", evses=2)
    await scene.resync("P1")
    assert pushes(scene.world) == {"P2": ["NL/CPA/L2"] * 2, "P4": ["NL/CPA/L2"]}
    scene.world.forget_received()
    await scene.resync("P1")
    assert pushes(scene.world) == {}
    assert await scene.shown() == ["L1", "L2"]


async def test_what_a_patch_left_without_its_white_space_is_still_equal(scene: Setting) -> None:
    value = objects.location("NL/CPA", "L1")
    text = as_written(value)
    p1 = scene.world["P1"]
    texts = [text]
    p1.serve(names.LOCATIONS, S, lambda received: raw_list(*(texts if "CPA" in str(received.to) else ())))
    await scene.pull("P1", locations=EVERY_S)
    change = {"status": "CHARGING", "last_updated": "2026-03-01T00:00:00Z"}
    answer = await p1.call("PATCH", names.LOCATIONS, R, "NL/CPA/L1/E1", to=HUB, sender="NL/CPA", body=change)
    assert answer.ok
    texts[0] = text.replace(b"AVAILABLE", b"CHARGING").replace(b'"2026-01-01T12:00:00Z"', b'"2026-03-01T00:00:00Z"')
    texts[0] = texts[0].replace(b'"2026-03-01T00:00:00Z"', b'"2026-01-01T12:00:00Z"', 1)  # the connector's is its own
    await settled(scene.hub)
    scene.world.forget_received()
    await scene.resync("P1")
    assert pushes(scene.world) == {}
    assert scene.asked()


async def test_a_complete_full_crawl_removes_what_is_gone(scene: Setting) -> None:
    p1 = scene.world["P1"]
    for name in ("X1", "X2", "X3"):
        p1.own.put(names.TARIFFS, objects.tariff("NL/CPA", name))
        own(scene, name)
    await scene.pull("P1", locations=DAY_S, tariffs=DAY_S)
    await scene.passes(1)
    disown(scene, "X2")
    disown(scene, "X2", names.TARIFFS)
    p1.own.put(names.TARIFFS, objects.tariff("NL/CPA", "X4"))
    scene.world.forget_received()
    await scene.passes(DAY_S)
    assert await scene.shown() == ["X1", "X3"]
    assert await scene.shown(names.TARIFFS) == ["X1", "X3", "X4"]
    deleted = {"P2": ["NL/CPA/X2"] * 2, "P4": ["NL/CPA/X2"]}
    assert pushes(scene.world, "DELETE", names.TARIFFS) == deleted
    assert pushes(scene.world, "DELETE") == pushes(scene.world) == {}
    assert [one["id"] for one in scene.world["P2"].held.all(names.TARIFFS)] == ["X1", "X3", "X4"]


async def test_what_is_pushed_during_a_crawl_stays(scene: Setting) -> None:
    own(scene, "L1")
    await scene.pull("P1", locations=EVERY_S)
    await scene.passes(60)
    p1 = scene.world["P1"]

    async def pushes_meanwhile(received: Received) -> Reply:
        page = p1.owned.page(received)
        if "CPA" in str(received.to):
            answer = await p1.call(
                "PUT",
                names.LOCATIONS,
                R,
                "NL/CPA/L2",
                to=HUB,
                sender="NL/CPA",
                body=objects.location("NL/CPA", "L2"),
            )
            assert answer.ok
        return page

    p1.serve(names.LOCATIONS, S, pushes_meanwhile)
    await scene.resync("P1")
    assert await scene.shown() == ["L1", "L2"]
