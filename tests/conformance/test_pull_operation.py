"""Pulls in an operator's hands: resync, what stands in the way, removal, many at once, and how they are shown."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.broker.pulls import PullRow, PullStatus
from hub.broker.refusal import Refusal, RefusalKind
from hub.ocpi import names
from hub.ocpi.names import Role
from hub.ocpi.party_id import party
from tests.conformance.pulling import (
    EVERY_S,
    SOON_S,
    R,
    S,
    Setting,
    disown,
    own,
    setting,
)
from tests.conformance.speaking import route
from tests.hubs import id_of, settled
from tests.waiting import until

MODULES = (names.LOCATIONS, names.TARIFFS, names.TOKENS)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Setting]:
    """P1, P2 and P4 at a hub."""
    async with setting(tmp_path, "P1", "P2", "P4") as made:
        yield made


async def test_a_resync_reads_everything_now(scene: Setting) -> None:
    own(scene, "L1", "L2")
    await scene.pull("P1", locations=EVERY_S, tariffs=EVERY_S)
    await scene.passes(60)
    disown(scene, "L1")
    scene.world.forget_received()
    rows = await scene.hub.pulls.resync(id_of(scene.hub, "P1"))
    assert isinstance(rows, list)
    assert [(str(row.owner), row.module) for row in rows] == [
        (owner, module) for owner in ("BE/CPB", "NL/CPA") for module in (names.LOCATIONS, names.TARIFFS)
    ]
    assert [row.status for row in rows].count(PullStatus.RUNNING) == 1
    await scene.passes(0)
    assert {one.query for module in MODULES for one in scene.asked(module=module)} == {"limit=100"}
    assert await scene.shown() == ["L2"]
    assert not any(row.problem for row in scene.hub.pulls.overview())


async def test_a_resync_asked_for_during_a_crawl_follows_it(scene: Setting) -> None:
    own(scene, "L1")
    p1 = scene.world["P1"]
    await scene.pull("P1", locations=EVERY_S)
    scene.world.forget_received()
    hung = p1.faults.on(names.LOCATIONS, S, times=1).hang()
    platform_id = id_of(scene.hub, "P1")
    assert isinstance(await scene.hub.pulls.resync(platform_id), list)
    await until(lambda: hung.hits == 1)
    await scene.clock.jump(1)
    assert isinstance(await scene.hub.pulls.resync(platform_id), list)
    await scene.clock.jump(1)
    hung.release()
    await scene.passes(1)
    owners = [route(one)[0] for one in scene.asked()]
    first = owners[0]
    assert sorted(owners) == sorted([first, "BE/CPB", "NL/CPA"])  # the other one had not begun
    assert {state.resync_at for state in await scene.hub.store.pulls.load_all()} == {None}


async def test_what_cannot_be_resynced_says_what_to_do(scene: Setting) -> None:
    refusals = [await scene.hub.pulls.resync(platform_id) for platform_id in ("nobody", id_of(scene.hub, "P1"))]
    await scene.switch("P1", tokens=EVERY_S)
    refusals.append(await scene.hub.pulls.resync(id_of(scene.hub, "P1")))
    invited = await scene.hub.operations.invite("P9")
    assert not isinstance(invited, Refusal)
    refusals.append(await scene.hub.pulls.resync(invited.platform.id))
    kinds = [(one.kind, one.title) for one in refusals if isinstance(one, Refusal)]
    assert [kind for kind, _ in kinds] == [RefusalKind.UNKNOWN, *[RefusalKind.CONFLICT] * 3]
    assert "`pull`" in kinds[1][1]
    assert "tokens" in kinds[2][1]
    assert "not registered" in kinds[3][1]


async def test_a_resync_of_a_platform_that_is_away_runs_when_it_is_back(scene: Setting) -> None:
    own(scene, "L1")
    await scene.pull("P1", locations=EVERY_S)
    platform_id = id_of(scene.hub, "P1")
    scene.hub.liveness.offline.add(platform_id)
    rows = await scene.hub.pulls.resync(platform_id)
    assert isinstance(rows, list)
    assert {(row.status, row.next_at, row.problem) for row in rows} == {
        (PullStatus.DONE, None, "The platform is OFFLINE")
    }
    scene.world.forget_received()
    await scene.passes(60)
    assert not scene.asked()
    scene.hub.liveness.offline.discard(platform_id)
    await scene.passes(1)
    assert len(scene.asked()) == 2


# --- who is not asked ---


async def test_a_suspended_party_is_not_asked(scene: Setting) -> None:
    own(scene, "L1")
    await scene.pull("P1", locations=EVERY_S)
    assert not isinstance(await scene.hub.operations.suspend_party(party("NL", "CPA"), Role.CPO), Refusal)
    await scene.passes(1)
    scene.world.forget_received()
    await scene.passes(EVERY_S)
    assert {route(one)[0] for one in scene.asked()} == {"BE/CPB"}
    assert scene.row().problem == "NL/CPA is SUSPENDED"
    assert not isinstance(await scene.hub.operations.resume_party(party("NL", "CPA"), Role.CPO), Refusal)
    await scene.passes(1)
    assert {route(one)[0] for one in scene.asked()} == {"BE/CPB", "NL/CPA"}


async def test_a_suspended_platform_and_one_without_the_endpoint_are_not_asked(scene: Setting) -> None:
    await scene.switch("P2", locations=EVERY_S)
    await scene.switch("P4", locations=EVERY_S)
    assert not isinstance(await scene.hub.operations.suspend(id_of(scene.hub, "P4")), Refusal)
    await scene.passes(SOON_S)
    await scene.passes(EVERY_S)
    assert not scene.asked("P2")
    assert not scene.asked("P4")
    (row,) = scene.hub.pulls.overview()
    assert (str(row.owner), row.status, row.problem) == ("FR/DUO", PullStatus.WAITING, "The platform is SUSPENDED")


async def test_a_platform_that_is_removed_leaves_nothing(scene: Setting) -> None:
    own(scene, "L1")
    scene.world["P1"].faults.on(names.TARIFFS, S).answer(500)
    await scene.pull("P1", locations=EVERY_S, tariffs=EVERY_S)
    assert await scene.hub.store.pulls.load_all()
    assert len(scene.alarms()) == 2
    platform_id = id_of(scene.hub, "P1")
    assert not isinstance(await scene.hub.operations.remove(platform_id), Refusal)
    scene.hub.pulls.forget(platform_id)
    await scene.passes(1)
    assert await scene.hub.store.pulls.load_all() == []
    assert scene.hub.pulls.overview() == []
    assert not scene.alarms()


@pytest.mark.parametrize("told", [True, False], ids=["by this hub", "by another node"])
async def test_a_platform_that_is_removed_during_a_crawl_leaves_nothing(scene: Setting, told: bool) -> None:
    own(scene, "L1")
    hung = scene.world["P1"].faults.on(names.LOCATIONS, S).hang()
    await scene.switch("P1", locations=EVERY_S)
    await scene.clock.jump(SOON_S)
    await until(lambda: hung.hits == 1)
    platform_id = id_of(scene.hub, "P1")
    await scene.hub.registry.remove(platform_id)

    async def over() -> bool:
        await scene.clock.jump(1)
        return scene.hub.pulls.quiet

    if told:
        scene.hub.pulls.forget(platform_id)
        await until(over, 1.0)
    hung.release()
    await until(over)
    assert scene.hub.pulls.overview() == []
    assert await scene.hub.store.pulls.load_all() == []
    assert not scene.alarms(standing=False)


# --- many ---


async def test_one_crawl_at_a_time_per_platform(scene: Setting) -> None:
    p1, p4 = scene.world["P1"], scene.world["P4"]
    hung = p1.faults.on(names.LOCATIONS, S).hang()
    own(scene, "D1", owner="FR/DUO", name="P4")
    await scene.switch("P1", locations=EVERY_S, tariffs=EVERY_S)
    await scene.switch("P4", locations=EVERY_S)
    await scene.clock.jump(SOON_S)
    await scene.clock.jump(5)
    await until(lambda: hung.hits == 1)
    await until(lambda: scene.row("FR/DUO").status is PullStatus.DONE)
    assert len(p4.received.of(names.LOCATIONS, S)) == 1
    assert sum(row.status is PullStatus.RUNNING for row in scene.hub.pulls.overview()) == 1
    p1.faults.clear()
    await scene.passes(1)
    assert {row.status for row in scene.hub.pulls.overview()} == {PullStatus.DONE}


async def test_a_crawl_waits_for_receivers_but_not_for_ever(scene: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.broker.pull_crawl.MOST_LEGS", 20)
    own(scene, *(f"L{number}" for number in range(80)))
    scene.world["P1"].habits.page_limit = 40
    hung = scene.world["P4"].faults.on(names.LOCATIONS, R).hang()
    await scene.switch("P1", locations=EVERY_S)
    await scene.clock.jump(SOON_S)

    def pages() -> int:
        return len([one for one in scene.asked() if route(one)[0] == "NL/CPA"])

    await until(lambda: pages() == 1 and scene.hub.broadcasts.most_waiting() > 10)
    for _ in range(8):
        await scene.clock.jump(1)
    assert pages() == 1
    for _ in range(4):
        await scene.clock.jump(1)
    await until(lambda: pages() == 2)
    hung.release()
    scene.world["P4"].faults.clear()

    async def done() -> bool:
        await scene.clock.jump(0.25)
        return scene.hub.pulls.quiet

    await until(done)
    await settled(scene.hub)
    assert len(scene.world["P4"].held.all(names.LOCATIONS)) == 80
    assert scene.row().status is PullStatus.DONE


async def test_the_overview_is_in_order(scene: Setting) -> None:
    await scene.pull("P1", tariffs=EVERY_S, locations=EVERY_S)
    rows = scene.hub.pulls.overview()
    assert all(isinstance(row, PullRow) for row in rows)
    assert [(str(row.owner), row.module) for row in rows] == [
        (owner, module) for owner in ("BE/CPB", "NL/CPA") for module in (names.LOCATIONS, names.TARIFFS)
    ]
    for row in rows:
        assert row.platform_id == id_of(scene.hub, "P1")
        assert row.started_at is not None
        assert row.completed_at is not None
        assert row.next_at is not None
        assert row.started_at <= row.completed_at <= scene.clock.now() < row.next_at
