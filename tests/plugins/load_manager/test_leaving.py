"""A load manager that is taken out for good takes back what it has sent; one that only stops does not."""

import asyncio
from decimal import Decimal

from hub.ocpi.names import CHARGING_PROFILES
from hub.plugin import LEAVE_WITHIN_S
from hub.sandbox.received import Received
from hub.sandbox.results import ResultMode
from hub.testing.benches import AdminAnswer
from tests.plugins.load_manager.area import Area, R, area
from tests.waiting import until

DISABLE, ENABLE = "/plugins/load_manager/disable", "/plugins/load_manager/enable"


def deletes(a: Area) -> list[Received]:
    return a.b.cpo.received.of(CHARGING_PROFILES, R, "DELETE")


def disabling(a: Area) -> "asyncio.Task[AdminAnswer]":
    return asyncio.create_task(a.b.admin("POST", DISABLE))


async def disabled(a: Area, asked: "asyncio.Task[AdminAnswer] | None" = None, step_s: float = 0.05) -> float:
    """Time passes until it is; how many seconds."""
    began, asked = a.now, asked or disabling(a)

    async def moved() -> bool:
        await a.b.clock.advance(step_s)
        return asked.done()

    await until(moved)
    assert (await asked).status == 200
    await a.b.settle()
    return (a.now - began).total_seconds()


async def steered(a: Area) -> None:
    """Two cars under 20 kW: 14.4 A each."""
    await a.location([16, 16])
    await a.consent()
    await a.group(20)
    await a.sessions(2)
    await a.wait(120)
    assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}
    a.b.cpo.received.clear()


async def test_disabled_it_takes_its_profiles_back_and_enabled_again_it_steers() -> None:
    async with area() as a:
        await steered(a)
        assert (await a.b.admin("POST", DISABLE)).status == 200
        assert a.told() == {}
        assert sorted(one.tail for one in deletes(a)) == ["S1", "S2"]
        assert a.puts() == []
        await a.wait(300)
        assert len(a.b.cpo.received.of(CHARGING_PROFILES)) == 2

        assert (await a.b.admin("POST", ENABLE)).status == 200
        await a.wait(60)
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}


async def test_an_emsps_own_profile_is_put_back() -> None:
    async with area() as a:
        await steered(a)
        await a.emsp("PUT", "S1", Decimal("15.5"))
        assert a.told()["S1"] == Decimal("14.4")
        await disabled(a)
        assert a.told() == {"S1": Decimal("15.5")}
        assert [one.tail for one in deletes(a)] == ["S2"]


async def test_nobody_is_put_down_again_by_a_limit_that_comes_meanwhile() -> None:
    async with area() as a:
        await steered(a)
        a.b.cpo.results.mode = ResultMode.HELD
        asked = disabling(a)
        await until(lambda: len(deletes(a)) == 2)
        await a.limit(5)
        await a.session("S3", "E1")
        await a.wait(10)
        assert a.puts() == []
        assert not asked.done()  # the CPO owes results
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.results.release()
        await disabled(a, asked)
        assert a.told() == {}


async def test_an_emsp_that_cleared_its_profile_gets_its_result_before_the_end() -> None:
    async with area() as a:
        await steered(a)
        await a.emsp("PUT", "S1", Decimal("8.0"))
        a.b.cpo.received.clear()
        a.b.cpo.results.mode = ResultMode.HELD
        await a.emsp("DELETE", "S1")  # taken: our own limit takes its place, of which the CPO says nothing yet
        assert len(a.results()) == 1
        asked = disabling(a)
        await a.wait(5)
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.results.release()
        await disabled(a, asked)
        assert a.told() == {}
        assert [one["result"] for one in a.results()] == ["ACCEPTED", "ACCEPTED"]


async def test_a_cpo_that_says_nothing_is_not_waited_for_longer_than_there_is_time() -> None:
    async with area() as a:
        await steered(a)
        a.b.cpo.results.mode = ResultMode.NEVER
        assert await disabled(a, step_s=1) < LEAVE_WITHIN_S
        assert len(deletes(a)) >= 2
        (alarm,) = [one for one in (await a.admin("GET", "/alarms"))["items"] if one["kind"] == "sessions_left_limited"]
        assert "2 sessions" in alarm["text"]
        assert (await a.b.admin("GET", "/plugins/load_manager")).json["state"] == "OFF"


async def test_in_shadow_mode_nothing_is_sent() -> None:
    async with area() as a:
        await steered(a)
        await a.admin("PUT", "/grid/mode", {"mode": "shadow"})
        await disabled(a)
        assert a.b.cpo.received.of(CHARGING_PROFILES) == []


async def test_a_restart_or_another_configuration_takes_nothing_back() -> None:
    async with area() as a:
        await steered(a)
        await a.b.restart()
        await a.wait(10)
        await a.b.reload({"load_manager": {"pull_s": 600}})
        await a.wait(10)
        assert a.b.cpo.received.of(CHARGING_PROFILES) == []
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}
