"""A hub that stops in the middle of a crawl goes on where it was, and nothing of the list is lost (ruling 13)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.pulls import PullStatus
from hub.clock import ManualClock
from hub.ocpi import names, urls
from hub.ocpi.names import Interface
from hub.ocpi.party_id import party
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.sandbox.reply import Reply
from hub.sandbox.world import World, fixture_world
from tests.conformance.pulling import SOON_S, Setting, disown, known_ids, own
from tests.hubs import id_of, register_all, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
DAY_S = 86_400.0
START = datetime.fromisoformat("2026-03-01T08:00:00Z")


@pytest.fixture(autouse=True)
def _known_ids() -> Iterator[None]:
    with known_ids():
        yield


@asynccontextmanager
async def running(folder: Path, world: World, start: datetime, port: int = 0) -> AsyncIterator[Setting]:
    clock = ManualClock(start)
    with (folder / "legs.log").open("ab") as legs:
        async with app.running(test_settings(folder, port=port), legs_to=legs, clock=clock) as hub:
            await until(lambda: hub.pulls.quiet)  # it knows how pulls stand
            yield Setting(hub, world, clock)


def hang_at(platform: SandboxPlatform, offset: str, hits: list[Received]) -> None:
    """The page at this offset is never answered."""

    async def page(received: Received) -> Reply:
        if urls.query_value(received.query, "offset") == offset:
            hits.append(received)
            await platform.wait_for("nothing that ever comes", timeout_s=60)
        return platform.owned.page(received)

    platform.serve(names.LOCATIONS, S, page)


def offsets(scene: Setting) -> list[str | None]:
    return [urls.query_value(one.query, "offset") for one in scene.asked("P10")]


def row_of(hub: RunningHub) -> tuple[PullStatus, int, int, int | None]:
    (row,) = hub.pulls.overview()
    return row.status, row.pages, row.objects, row.total


@pytest.mark.parametrize("first", [True, False], ids=["first crawl", "later crawl"])
async def test_a_crawl_goes_on_after_a_restart(tmp_path: Path, first: bool) -> None:
    async with fixture_world(only=["P2", "P10"]) as world:
        p10 = world["P10"]
        p10.habits.page_limit = 2
        async with running(tmp_path, world, START) as scene:
            await register_all(scene.hub, world)
            port = scene.hub.settings.port
            own(scene, "L1", "GONE", "L2", "L3", "L4", owner="AT/CPX", name="P10")
            if not first:
                await scene.pull("P10", locations=DAY_S)
                await scene.passes(60)
                disown(scene, "GONE", name="P10")
                own(scene, "L5", owner="AT/CPX", name="P10")
            hits: list[Received] = []
            hang_at(p10, "4", hits)
            if first:
                await scene.switch("P10", locations=DAY_S)
                await scene.clock.jump(SOON_S)
            else:
                await scene.hub.pulls.resync(id_of(scene.hub, "P10"))
            await until(lambda: bool(hits))
            assert row_of(scene.hub) == (PullStatus.RUNNING, 2, 4, 5)
            await until(lambda: scene.hub.broadcasts.quiet)
            stopped_at = scene.clock.now()

        # While the hub is away nothing is asked; after its start only what is missing is.
        world.forget_received()
        p10.serve(names.LOCATIONS, S, p10.owned.page)
        async with running(tmp_path, world, stopped_at + timedelta(minutes=30), port) as scene:
            assert offsets(scene) == ([] if first else ["4"])  # a resync does not wait for its turn
            await scene.passes(SOON_S)
            assert offsets(scene) == ["4"]
            assert row_of(scene.hub) == (PullStatus.DONE, 3, 5, 5)
            expected = ["L1", "GONE", "L2", "L3", "L4"] if first else ["L1", "L2", "L3", "L4", "L5"]
            assert await scene.shown() == expected
            told = [leg.tail for leg in world["P2"].received.of(names.LOCATIONS, R, "PUT")]
            assert sorted(set(told)) == [f"AT/CPX/{'L4' if first else 'L5'}"]


async def test_after_a_long_time_away_a_crawl_begins_anew(tmp_path: Path) -> None:
    async with fixture_world(only=["P2", "P10"]) as world:
        p10 = world["P10"]
        p10.habits.page_limit = 2
        async with running(tmp_path, world, START) as scene:
            await register_all(scene.hub, world)
            own(scene, "L1", "L2", "L3", owner="AT/CPX", name="P10")
            hits: list[Received] = []
            hang_at(p10, "2", hits)
            await scene.switch("P10", locations=DAY_S)
            await scene.clock.jump(SOON_S)
            await until(lambda: bool(hits))
            port = scene.hub.settings.port
        world.forget_received()
        p10.serve(names.LOCATIONS, S, p10.owned.page)
        async with running(tmp_path, world, START + timedelta(hours=2), port) as scene:
            await scene.passes(SOON_S)
            assert offsets(scene) == [None, "2"]
            assert await scene.shown() == ["L1", "L2", "L3"]


async def test_the_alarm_of_a_broken_pull_stands_again_after_a_restart(tmp_path: Path) -> None:
    async with fixture_world(only=["P2", "P10"]) as world:
        async with running(tmp_path, world, START) as scene:
            await register_all(scene.hub, world)
            port = scene.hub.settings.port
            world["P10"].faults.on(names.LOCATIONS, S).answer(500)
            await scene.pull("P10", locations=DAY_S)
            (before,) = scene.alarms()
        async with running(tmp_path, world, START + timedelta(minutes=1), port) as scene:
            (after,) = scene.alarms()
            assert (after.subject, after.text) == (before.subject, before.text)
            world["P10"].faults.clear()
            own(scene, "L1", owner="AT/CPX", name="P10")
            await scene.passes(120)
            assert not scene.alarms()
            assert await scene.shown() == ["L1"]


async def test_what_a_hub_left_of_a_platform_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async with fixture_world(only=["P2", "P10"]) as world:
        async with running(tmp_path, world, START) as scene:
            await register_all(scene.hub, world)
            own(scene, "L1", owner="AT/CPX", name="P10")
            await scene.pull("P10", locations=DAY_S)
            assert len(await scene.hub.store.pulls.load_all()) == 1
            assert await scene.hub.store.platforms.remove(id_of(scene.hub, "P10"))
        async with running(tmp_path, world, START + timedelta(minutes=1)) as scene:
            await scene.passes(1)
            assert await scene.hub.store.pulls.load_all() == []


async def test_a_party_that_left_and_came_back_is_read_whole(tmp_path: Path) -> None:
    """Its objects may have been removed with it, so what has changed since is not enough."""
    async with fixture_world(only=["P1", "P2"]) as world:
        p1 = world["P1"]
        async with running(tmp_path, world, START) as scene:
            await register_all(scene.hub, world)
            own(scene, "L1", last_updated="2025-01-01T00:00:00Z")
            await scene.pull("P1", locations=DAY_S)
            both = list(p1.roles)
            assert (await p1.update(roles=both[1:])).ok
            await scene.passes(60)
            await scene.hub.store.catalog.remove_owner(party("NL", "CPA"), {names.LOCATIONS})
            assert (await p1.update(roles=both)).ok
            await scene.clock.jump(1)
            await scene.passes(SOON_S)
            await settled(scene.hub)
            assert await scene.shown() == ["L1"]
