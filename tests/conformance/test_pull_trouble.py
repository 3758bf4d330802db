"""A pull whose platform serves garbage, truncates pages, loops its Links or fails ends with an alarm, removes nothing
and harms nobody else (bad input; R-038, R-039, R-044, T-41).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.broker.pull_crawl import MOST_PAGES_AT_ONCE
from hub.broker.pulls import PullStatus
from hub.broker.refusal import Refusal
from hub.clock import ManualClock
from hub.errors import StoreUnavailable
from hub.ocpi import codec, headers, names, urls
from hub.ocpi.names import Role
from hub.sandbox import Reply, SandboxPlatform, objects
from hub.sandbox.habits import LinkStyle, Listing
from hub.sandbox.received import Received
from tests.conformance.asking import get_all
from tests.conformance.broken_lists import BROKEN, HELD, OWNER, loc
from tests.conformance.pulling import EVERY_S, SOON_S, S, Setting, disown, own, pushes, raw_list, setting
from tests.conformance.speaking import HUB, route
from tests.hubs import id_of, register
from tests.waiting import until


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Setting]:
    """P10 with four locations on two pages and P4 with one, all pulled before; L4 is gone since then."""
    async with setting(tmp_path, "P10", "P2", "P4", forward_timeout=0.5, max_body=200_000, stream_above=50_000) as made:
        own(made, *HELD, owner=OWNER, name="P10")
        own(made, "D1", owner="FR/DUO", name="P4")
        made.world["P10"].habits.page_limit = 2
        await made.switch("P10", locations=EVERY_S)
        await made.pull("P4", locations=EVERY_S)
        assert sorted(await made.shown()) == ["D1", *HELD]
        await made.passes(60)
        disown(made, "L4", name="P10")
        made.world.forget_received()
        yield made


def broken_platform(number: int) -> SandboxPlatform:
    """A CPO with four locations on two pages."""
    party_id = f"B{number:02d}"
    made = SandboxPlatform(party_id, [(Role.CPO, "AT", party_id)], modules=[(names.LOCATIONS, S)])
    made.habits.page_limit = 2
    for location_id in HELD:
        made.own.put(names.LOCATIONS, objects.location(f"AT/{party_id}", location_id))
    return made


async def test_every_broken_list_ends_with_an_alarm_and_removes_nothing(scene: Setting) -> None:
    """All of them at one hub, at the same time, and one that works among them."""
    hub, p4 = scene.hub, scene.world["P4"]

    async def held() -> dict[str, int]:
        """How many locations the hub has of each owner."""
        return {str(owner.owner): owner.count for owner in await hub.store.catalog.owners(names.LOCATIONS)}

    async with AsyncExitStack() as stack:
        broken = {name: broken_platform(number) for number, name in enumerate(BROKEN)}
        for made in broken.values():
            await register(hub, await stack.enter_async_context(made))
            await scene.switch(made.name, locations=EVERY_S)
        await scene.passes(SOON_S)
        await scene.passes(1)
        before = await held()
        assert {before[f"AT/{made.name}"] for made in broken.values()} == {len(HELD)}
        assert not scene.alarms(standing=False)

        own(scene, "D2", owner="FR/DUO", name="P4")
        scene.world.forget_received()
        for name, made in broken.items():
            gone = made.own.all(names.LOCATIONS)[-1]
            made.own.remove(names.LOCATIONS, gone)
            BROKEN[name][0](made)
        for made in [*broken.values(), p4]:
            assert not isinstance(await hub.pulls.resync(id_of(hub, made.name)), Refusal)
        await scene.passes(0)

        alarms = {alarm.subject: alarm for alarm in scene.alarms()}
        assert len(alarms) == len(BROKEN)
        for name, made in broken.items():
            why = BROKEN[name][1]
            alarm, row = alarms[f"{id_of(hub, made.name)} AT/{made.name} locations"], scene.row(f"AT/{made.name}")
            assert why in alarm.text, name
            assert row.problem is not None, name
            assert why in row.problem, name
            assert (row.status, row.next_at) == (PullStatus.FAILED, scene.clock.now() + timedelta(seconds=60)), name
        now = await held()
        assert {owner for owner, count in now.items() if count < before[owner]} == set()
        assert (now["FR/DUO"], scene.row("FR/DUO").status) == (2, PullStatus.DONE)
        assert len(scene.asked("P4")) == 1

        # When the platforms have come to their senses, the next try sets everything right.
        for made in broken.values():
            made.faults.clear()
            made.habits.listing, made.habits.link_style = Listing.SOUND, LinkStyle.ABSOLUTE
            made.serve(names.LOCATIONS, S, made.owned.page)
        await scene.passes(61)
        assert not scene.alarms()
        after = await held()
        assert {after[f"AT/{made.name}"] for made in broken.values()} == {len(HELD) - 1}
        assert {row.problem for row in hub.pulls.overview()} == {None}


async def test_good_objects_of_a_spoilt_list_are_taken(scene: Setting) -> None:
    changed = objects.location(OWNER, "L1", last_updated="2026-05-01T00:00:00Z")
    bad = [b"null", b"{}", loc(["no text"]), loc("L2", last_updated=5)]
    first = raw_list(*bad[:2], codec.dumps(changed), link='<?page=2>; rel="next"')
    second = raw_list(loc("L9"), *bad[2:])
    p10 = scene.world["P10"]
    p10.serve(names.LOCATIONS, S, lambda received: second if "page=2" in received.query else first)
    await scene.resync("P10")
    (alarm,) = scene.alarms()
    assert "4 objects cannot be used" in alarm.text
    answer = await get_all(scene.world)
    assert {row["id"] for row in answer.data} == {"D1", "L9", *HELD}
    assert next(row for row in answer.data if row["id"] == "L1") == changed
    assert set(pushes(scene.world)["P2"]) == {"AT/CPX/L1", "AT/CPX/L9"}


@pytest.mark.parametrize("how", ["503", "no list", "silence"])
async def test_a_broken_crawl_goes_on_at_the_page_it_could_not_read(scene: Setting, how: str) -> None:
    p10 = scene.world["P10"]

    async def second_page_fails(received: Received) -> Reply:
        if urls.query_value(received.query, "offset") != "2":
            return p10.owned.page(received)
        if how == "silence":
            await asyncio.sleep(60)
        return Reply(503, b"") if how == "503" else Reply(200, b'{"status_code":1000}')

    p10.serve(names.LOCATIONS, S, second_page_fails)
    await scene.resync("P10")
    assert scene.alarms()
    row = scene.row(OWNER)
    assert (row.pages, row.objects, row.total) == (1, 2, 3)
    p10.serve(names.LOCATIONS, S, p10.owned.page)
    scene.world.forget_received()
    await scene.passes(61)
    (asked,) = scene.asked("P10")
    assert urls.query_value(asked.query, "offset") == "2"
    assert route(asked) == (OWNER, HUB)
    row = scene.row(OWNER)
    assert (row.status, row.pages, row.objects, row.total) == (PullStatus.DONE, 2, 3, 3)
    assert not scene.alarms()
    assert sorted(await scene.shown()) == ["D1", *HELD[:-1]]


async def test_after_an_hour_it_begins_anew(scene: Setting) -> None:
    p10 = scene.world["P10"]

    def second_page_fails(received: Received) -> Reply:
        return Reply(503, b"") if urls.query_value(received.query, "offset") == "2" else p10.owned.page(received)

    p10.serve(names.LOCATIONS, S, second_page_fails)
    await scene.resync("P10")
    scene.hub.liveness.offline.add(id_of(scene.hub, "P10"))
    await scene.passes(3601)
    scene.hub.liveness.offline.clear()
    scene.world.forget_received()
    p10.serve(names.LOCATIONS, S, p10.owned.page)
    await scene.passes(1)
    assert [urls.query_value(asked.query, "offset") for asked in scene.asked("P10")] == [None, "2"]
    assert sorted(await scene.shown()) == ["D1", *HELD[:-1]]


async def test_a_long_page_is_read_whole(scene: Setting) -> None:
    """One that is larger than what the hub keeps of an answer before it passes it on in pieces."""
    p10 = scene.world["P10"]
    p10.habits.page_limit = 100
    own(scene, *(f"M{number}" for number in range(90)), owner=OWNER, name="P10")
    await scene.resync("P10")
    row = scene.row(OWNER)
    assert (row.status, row.pages, row.objects) == (PullStatus.DONE, 1, 93)
    assert not scene.alarms(standing=False)


class UnsteadyClock(ManualClock):
    """One whose time of day somebody sets back."""

    back = timedelta(0)

    def now(self) -> datetime:
        return super().now() - self.back


async def test_a_clock_that_is_set_back_removes_nothing(tmp_path: Path) -> None:
    clock = UnsteadyClock()
    async with setting(tmp_path, "P10", "P2", clock=clock) as scene:
        p10 = scene.world["P10"]
        own(scene, *HELD, owner=OWNER, name="P10")
        await scene.pull("P10", locations=EVERY_S)
        await scene.passes(60)

        def sets_back(received: Received) -> Reply:
            clock.back += timedelta(minutes=5)
            return p10.owned.page(received)

        p10.serve(names.LOCATIONS, S, sets_back)
        disown(scene, "L4", name="P10")
        await scene.resync("P10")
        assert scene.row(OWNER).status is PullStatus.DONE
        assert sorted(await scene.shown()) == HELD[:-1]


async def test_retries_become_rarer(scene: Setting) -> None:
    fault = scene.world["P10"].faults.on(names.LOCATIONS, S).answer(404)
    await scene.resync("P10")
    for wait in (60, 120, 240, 480):
        hits = fault.hits
        await scene.passes(wait - 1)
        assert fault.hits == hits
        await scene.passes(2)
        assert fault.hits == hits + 1
    (alarm,) = scene.alarms()
    assert alarm.count == 5


async def test_many_hanging_platforms_do_not_hold_up_another(scene: Setting) -> None:
    """More lists hang than pages are read at a time: one page later it is the turn of the one that works."""
    async with AsyncExitStack() as stack:
        hung = []
        for number in range(MOST_PAGES_AT_ONCE + 2):
            made = SandboxPlatform(f"E{number}", [(Role.EMSP, "SE", f"E{number}")])
            await register(scene.hub, await stack.enter_async_context(made))
            hung.append(made.faults.on(names.TOKENS, S).hang())
            await scene.switch(made.name, tokens=EVERY_S)
        await scene.clock.jump(SOON_S)
        await until(lambda: sum(fault.hits for fault in hung) == MOST_PAGES_AT_ONCE)
        own(scene, "D2", owner="FR/DUO", name="P4")
        assert not isinstance(await scene.hub.pulls.resync(id_of(scene.hub, "P4")), Refusal)
        await until(lambda: scene.row("FR/DUO").objects == 2)
        assert any(
            row.status is PullStatus.RUNNING and row.module == names.TOKENS for row in scene.hub.pulls.overview()
        )
        await scene.passes(0)
        assert len(scene.alarms()) == len(hung)
        assert sorted(await scene.shown()) == ["D1", "D2", *HELD]


async def test_a_store_that_is_away_is_no_fault_of_the_platform(
    scene: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = scene.hub.store.pulls

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", away)
        with pytest.raises(StoreUnavailable):
            await scene.hub.pulls.resync(id_of(scene.hub, "P10"))
        await scene.passes(1)
        assert scene.row(OWNER).problem == "the hub's store is away"
    assert not scene.alarms(standing=False)
    await scene.passes(61)
    assert scene.row(OWNER).status is PullStatus.DONE
    assert sorted(await scene.shown()) == ["D1", *HELD[:-1]]


async def test_no_credentials_in_what_an_operator_reads(scene: Setting) -> None:
    p10 = scene.world["P10"]
    token = p10.counterpart.token if p10.counterpart else ""
    p10.faults.on(names.LOCATIONS, S).answer(401, b"", {headers.LINK: token})
    await scene.resync("P10")
    assert token
    assert token not in str(scene.alarms()) + str(scene.hub.pulls.overview())
