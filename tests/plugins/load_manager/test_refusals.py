"""CPOs that say no, not so often, or nothing at all: what their sessions count with, and who gives way."""

from decimal import Decimal

import structlog

from hub.ocpi.names import CHARGING_PROFILES
from hub.sandbox.results import ResultMode
from tests.plugins.load_manager.area import Area, R, area
from tests.plugins.load_manager.dso import A_DAY_S, says, with_dso

FULL = Decimal("16.0")


def tries(a: Area, session: str = "S1") -> int:
    """How often the CPO was told a profile of that session."""
    return len(a.b.cpo.received.of(CHARGING_PROFILES, R, "PUT", session))


async def uncontrolled(a: Area) -> list[str]:
    alarms = (await a.admin("GET", "/alarms"))["items"]
    return [alarm["text"] for alarm in alarms if alarm["kind"] == "session_uncontrolled"]


async def test_scenario_18_rejected_twice_it_counts_with_all_it_may_take() -> None:
    async with area() as a, with_dso(a, [16] * 3, heard_for_s=A_DAY_S) as dso:
        a.b.cpo.profiles.responses["S3"] = "REJECTED"
        await says(a, dso, 30)
        await a.sessions(3)
        await a.wait(70)
        assert tries(a, "S3") == 2
        assert a.told() == dict.fromkeys(("S1", "S2"), Decimal("13.7"))
        assert await a.booked_kw() == Decimal("11.04") + 2 * Decimal("9.453")
        (alarm,) = await uncontrolled(a)
        assert "at EVSE E3 of location LOC1" in alarm

        fell_at = a.now
        await says(a, dso, 10, request_id="F10")
        error = await dso.wait_for("group_capacity_compliance_error")
        assert a.now == fell_at
        assert error.correlation_id == "F10"
        assert "1.04 kW" in error.data["message"]
        assert a.told() == {"S1": 0, "S2": 0}
        assert len(dso.received.of("group_capacity_compliance_error")) == 1


async def test_scenario_19_too_often_is_tried_later_and_counted_meanwhile() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent()
        await a.group(30)
        await a.session("S1", "E1")
        await a.wait(60)
        assert a.told() == {"S1": FULL}
        a.b.cpo.profiles.responses["S1"] = "TOO_OFTEN"
        a.b.cpo.received.clear()
        await a.session("S2", "E2")
        await a.session("S3", "E3")
        assert tries(a) == 1
        for more, pause_s in enumerate((60, 120, 240)):
            await a.wait(5)
            assert a.told() == {"S1": FULL, "S2": Decimal("13.7"), "S3": Decimal("13.7")}
            assert await a.booked_kw() == Decimal("11.04") + 2 * Decimal("9.453")
            await a.stride_for(pause_s - 6)
            assert tries(a) == 1 + more
            await a.wait(1)
            assert tries(a) == 2 + more
        del a.b.cpo.profiles.responses["S1"]
        await a.oversleep("00:16:10")
        assert a.told()["S1"] == Decimal("14.4")


async def test_scenario_20_without_a_result_the_higher_counts_and_three_tries_follow() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(15)
        await a.session("S1", "E1")
        await a.wait(60)
        assert a.told() == {"S1": FULL}
        a.b.cpo.results.mode = ResultMode.NEVER
        a.b.cpo.received.clear()
        await a.limit(10)
        for sent in (1, 2, 3, 4):
            await a.wait(29)
            assert tries(a) == sent
            assert await a.booked_kw() == Decimal("11.04")
            assert await uncontrolled(a) == []
            await a.wait(1)
        assert a.told() == {"S1": Decimal("14.4")}
        assert await a.booked_kw() == Decimal("11.04")
        (alarm,) = await uncontrolled(a)
        assert "no result comes back" in alarm
        await a.stride_for(120)
        assert tries(a) == 4


async def test_scenario_21_the_result_of_an_older_profile_changes_nothing() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(15)
        await a.session("S1", "E1")
        await a.wait(60)
        assert a.told() == {"S1": FULL}
        a.b.cpo.results.mode = ResultMode.NEVER
        a.b.cpo.received.clear()
        await a.limit(10)
        await a.limit(5)
        older, newer = a.puts()
        limits = [put.data["charging_profile"]["charging_profile_period"][0]["limit"] for put in (older, newer)]
        assert limits == [Decimal("14.4"), Decimal("7.2")]
        await a.b.cpo.results.send(newer, {"result": "ACCEPTED"})
        await a.b.settle()
        assert await a.booked_kw() == Decimal("4.968")
        with structlog.testing.capture_logs() as lines:
            await a.b.cpo.results.send(older, {"result": "ACCEPTED"})
            await a.b.settle()
        (late,) = [line for line in lines if "not about the newest profile" in line["event"]]
        assert (late["log_level"], late["result"]) == ("info", "ACCEPTED")
        await a.wait(60)
        assert await a.booked_kw() == Decimal("4.968")
        assert len(a.puts()) == 2
