"""What a DSO forecasts becomes profiles that say when which limit holds, and limits of groups as time passes."""

from decimal import Decimal

import structlog

from hub.ocpi import times
from tests.plugins.load_manager.area import area, moment
from tests.plugins.load_manager.dso import A_DAY_S, forecasts, with_dso

TWO = ("S1", "S2")
AN_HOUR = {"terminal_s": 3600}


async def test_scenario_9_a_forecast_becomes_a_profile() -> None:
    async with area("11:59:50") as a, with_dso(a, [16, 16], heard_for_s=A_DAY_S, **AN_HOUR) as dso:
        await a.until("12:00")
        await forecasts(a, dso, ("12:00", "14:00", 12), kind="FALLBACK_CONSUMPTION")
        await forecasts(a, dso, ("12:00", "12:15", 20), ("12:15", "12:30", 10), ("12:30", "14:00", 30))
        await a.sessions(2)
        for session in TWO:
            profile = a.profile(session)
            assert profile["charging_rate_unit"] == "A"
            assert times.parse(profile["start_date_time"]) == moment("12:00")
            assert "duration" not in profile
            assert a.periods(session) == [
                (0, Decimal("14.4")),
                (900, Decimal("7.2")),
                (1800, Decimal("16.0")),
                (3600, Decimal("8.6")),
            ]


async def test_scenario_10_a_newer_forecast_wins_for_its_own_time() -> None:
    async with area("11:59:50") as a, with_dso(a, [16, 16], heard_for_s=A_DAY_S, **AN_HOUR) as dso:
        await a.until("12:00")
        await forecasts(a, dso, ("12:00", "14:00", 12), kind="FALLBACK_CONSUMPTION")
        await forecasts(a, dso, ("12:00", "13:00", 20))
        await a.sessions(2)
        await forecasts(a, dso, ("12:30", "12:45", 10))
        for session in TWO:
            assert a.periods(session) == [
                (0, Decimal("14.4")),
                (1800, Decimal("7.2")),
                (2700, Decimal("14.4")),
                (3600, Decimal("8.6")),
            ]
        for clock, kw, amperes in (
            ("12:29:59", 20, "14.4"),
            ("12:30", 10, "7.2"),
            ("12:44:59", 10, "7.2"),
            ("12:45", 20, "14.4"),
            ("12:59:59", 20, "14.4"),
        ):
            await a.oversleep(clock)
            assert (await a.view())["limit_kw"] == kw, clock
            assert a.told() == dict.fromkeys(TWO, Decimal(amperes)), clock


async def test_scenario_15_in_a_gap_the_fallback_holds() -> None:
    async with area("11:59:50") as a, with_dso(a, [16, 16], heard_for_s=A_DAY_S) as dso:
        await a.until("12:00")
        await forecasts(a, dso, ("12:00", "14:00", 8), kind="FALLBACK_CONSUMPTION")
        await forecasts(a, dso, ("12:00", "12:15", 20), ("12:30", "12:45", 20))
        await a.sessions(2)
        await a.oversleep("12:14:59")
        assert a.told() == dict.fromkeys(TWO, Decimal("14.4"))
        with structlog.testing.capture_logs() as lines:
            await a.oversleep("12:15")
        gaps = [line for line in lines if line["event"] == "a gap: no limit covers this time"]
        assert [(gap["log_level"], gap["group"]) for gap in gaps] == [("warning", "G1")]
        assert await a.state() == "STALE"
        for clock in ("12:15", "12:29:59"):
            await a.oversleep(clock)
            assert (await a.view())["limit_kw"] == 8
            assert sorted(a.told().values()) == [0, Decimal("11.5")]
        await a.oversleep("12:30")
        assert a.told() == dict.fromkeys(TWO, Decimal("14.4"))
        assert dso.received.of("group_capacity_compliance_error") == []


async def test_a_car_that_follows_a_step_of_its_profile_is_not_taken_for_one_on_fewer_phases() -> None:
    async with area("11:59:50") as a, with_dso(a, [16], heard_for_s=A_DAY_S) as dso:
        await a.until("12:00")
        await forecasts(a, dso, ("12:00", "12:05", 10), ("12:05", "14:00", Decimal("6.7")))
        start, kwh = times.render(a.now), Decimal(0)
        await a.session("S1", "E1", kwh=kwh)
        for minute in range(1, 11):
            await a.stride(f"12:{minute:02}")
            kwh += Decimal("9.936" if minute <= 5 else "6.624") / 60
            await a.session("S1", "E1", kwh=round(kwh, 4), start_date_time=start)
        await a.wait(5)
        assert a.told() == {"S1": Decimal("9.7")}
        (session,) = (await a.view())["sessions"]
        assert session["limit_kw"] == Decimal("6.693")  # on three phases
