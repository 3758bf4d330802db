"""A plugin that is taken out for good leaves first, while everything goes on; in no other case it is asked to."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hub import app
from hub.app import Given, RunningHub
from hub.broker.plugins import overview
from hub.clock import ManualClock
from hub.plugin import LEAVE_WITHIN_S
from hub.plugin.loader import Available
from tests.hubs import test_settings
from tests.plugins.departing import Abrupt, Dutiful, Tidy
from tests.plugins.hosting import hosting, incarnation, put_session, running
from tests.plugins.reloading import Steady
from tests.plugins.test_reload import Written, running_as
from tests.plugins.test_trouble import failures
from tests.plugins.test_two_hubs_one_duty import moving
from tests.waiting import until


def disabling(hub: RunningHub, name: str) -> "asyncio.Task[None]":
    return asyncio.create_task(hub.plugins.choose(hub.plugins.choices.with_disabled(name)))


def names(hub: RunningHub) -> list[str]:
    return [one.name for one in hub.plugins.running]


def state(hub: RunningHub, name: str) -> str:
    view = overview.view(hub.plugins, hub.alarms, name)
    assert view is not None
    return view.state


async def test_it_leaves_while_everything_goes_on(tmp_path: Path) -> None:
    async with hosting(tmp_path, Steady, Tidy) as (hub, world):
        tidy = running(hub, Tidy)
        leaving = disabling(hub, "tidy")
        await until(lambda: tidy.said is not None)
        assert tidy.said is not None
        assert tidy.said.status_code == 2003  # the CPO's own answer: the party it plays may speak still
        assert state(hub, "tidy") == "LEAVING"
        assert (await put_session(world)).status_code == 1000
        assert tidy.seen == 1
        assert names(hub) == ["steady", "tidy"]
        tidy.may_go.set()
        await leaving
        assert tidy.life == ["start", "leave", "left", "stop"]
        assert names(hub) == ["steady"]
        assert state(hub, "tidy") == "OFF"
        assert failures(hub, "tidy", "raised") == 0

        # Enabled again it is another instance.
        await hub.plugins.choose(hub.plugins.choices.with_enabled("tidy"))
        assert running(hub, Tidy) is not tidy
        assert running(hub, Tidy).life == ["start"]


async def test_a_reload_without_it_lets_it_leave_and_one_with_another_configuration_does_not(tmp_path: Path) -> None:
    written = Written(tmp_path, Tidy, Steady)
    async with running_as(written) as (hub, _):
        first = running(hub, Tidy)
        written.tables = {"tidy": {"number": 1}}
        await hub.plugins.reload()
        assert first.life == ["start", "stop"]
        second = running(hub, Tidy)
        second.may_go.set()
        written.tables, written.plugins = {}, ("steady",)
        await hub.plugins.reload()
        assert second.life == ["start", "leave", "left", "stop"]
        assert names(hub) == ["steady"]


async def test_neither_a_trip_nor_a_stop_of_the_hub_makes_it_leave(tmp_path: Path) -> None:
    async with hosting(tmp_path, Tidy, only=()) as (hub, _):
        tidy = running(hub, Tidy)
        incarnation(hub, Tidy).guard.standing.trip("a test")
        assert state(hub, "tidy") == "TRIPPED"
    assert tidy.life == ["start", "stop"]


async def test_one_that_does_not_end_is_stopped_all_the_same(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hosting(tmp_path, Tidy, only=("P1",), clock=clock) as (hub, _):
        tidy = running(hub, Tidy)
        leaving = disabling(hub, "tidy")
        await until(lambda: tidy.said is not None)
        await clock.advance(LEAVE_WITHIN_S - 1)
        assert names(hub) == ["tidy"]
        await clock.advance(1)
        await leaving
        assert names(hub) == []
        assert tidy.life == ["start", "leave", "stop"]
        assert failures(hub, "tidy", "timeout") == 1


async def test_one_that_fails_is_stopped_all_the_same(tmp_path: Path) -> None:
    async with hosting(tmp_path, Abrupt, only=()) as (hub, _):
        await disabling(hub, "abrupt")
        assert names(hub) == []
        assert failures(hub, "abrupt", "raised") == 1


async def test_it_leaves_to_the_end_although_nobody_waits_for_it(tmp_path: Path) -> None:
    async with hosting(tmp_path, Tidy, only=("P1",)) as (hub, _):
        tidy = running(hub, Tidy)
        leaving = disabling(hub, "tidy")
        await until(lambda: tidy.said is not None)
        leaving.cancel()  # the caller's own time was over
        await asyncio.wait([leaving])
        assert names(hub) == ["tidy"]
        tidy.may_go.set()
        await until(lambda: "stop" in tidy.life)
        assert names(hub) == []
        assert tidy.life == ["start", "leave", "left", "stop"]


async def test_another_change_waits_until_it_has_left(tmp_path: Path) -> None:
    async with hosting(tmp_path, Tidy, only=("P1",)) as (hub, _):
        tidy = running(hub, Tidy)
        leaving = disabling(hub, "tidy")
        await until(lambda: tidy.said is not None)
        back = asyncio.create_task(hub.plugins.choose(hub.plugins.choices.with_enabled("tidy")))
        await asyncio.sleep(0)
        assert not back.done()
        tidy.may_go.set()
        await leaving
        await back
        assert tidy.life == ["start", "leave", "left", "stop"]
        assert running(hub, Tidy).life == ["start"]


async def test_a_hub_that_stops_waits_for_nobody_who_leaves(tmp_path: Path) -> None:
    async with hosting(tmp_path, Tidy, only=("P1",)) as (hub, _):
        tidy = running(hub, Tidy)
        leaving = disabling(hub, "tidy")
        await until(lambda: tidy.said is not None)
    await leaving
    assert tidy.life == ["start", "leave", "stop"]
    given = Given(more=[Available("tidy", Tidy, "a test")])
    async with app.running(test_settings(tmp_path, plugins=("tidy",)), given=given) as again:
        assert names(again) == []  # the operator's word stands


async def test_no_other_node_takes_its_duty_over_meanwhile(tmp_path: Path, mongodb_url: str) -> None:
    clocks = ManualClock(), ManualClock()
    given = Given(more=[Available("dutiful", Dutiful, "a test")])

    def node(number: int) -> AbstractAsyncContextManager[RunningHub]:
        folder = tmp_path / str(number)
        settings = test_settings(folder, database_url=mongodb_url, plugins=("dutiful",))
        return app.running(settings, given=given, clock=clocks[number])

    async with node(0) as one, node(1) as two:
        plugins = running(one, Dutiful), running(two, Dutiful)
        await moving(lambda: any(each.terms for each in plugins), *clocks)
        first = 0 if plugins[0].terms else 1
        holder, other = plugins[first], plugins[1 - first]
        hubs = one, two

        # The operator says so at the holder; the other node has not heard of it yet, and looks for the duty.
        await disabling(hubs[first], "dutiful")
        assert holder.left_with == [True]
        assert names(hubs[first]) == []

        async def has_followed() -> bool:
            await clocks[1 - first].advance(0.05)  # in steps so small that the store, on its own time, keeps up
            return names(hubs[1 - first]) == []

        await until(has_followed)
        assert other.terms == []
        assert other.left_with == [False]
