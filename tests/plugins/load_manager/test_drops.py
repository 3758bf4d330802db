"""Limits that fall at once, as far as to nothing: who comes down, how soon, and who has to wait."""

from decimal import Decimal

from hub.ocpi.names import CHARGING_PROFILES
from hub.sandbox.results import ResultMode
from tests.plugins.load_manager.area import area
from tests.plugins.load_manager.dso import A_DAY_S, forecasts, says, with_dso

LOWERED = Decimal("6.9")


async def test_scenario_11_a_sudden_drop() -> None:
    async with area() as a, with_dso(a, [16] * 6, heard_for_s=A_DAY_S) as dso:
        await says(a, dso, 60)
        await a.sessions(6)
        await a.wait(60)
        assert set(a.told().values()) == {Decimal("14.4")}
        a.b.cpo.received.clear()
        before = a.metric("complied_seconds_count"), a.metric("complied_seconds_sum")
        a.b.cpo.results.mode = ResultMode.HELD
        dropped_at = a.now
        await says(a, dso, 24)
        assert a.now == dropped_at
        assert sorted(a.told().values()) == [0, *[LOWERED] * 5]
        assert sum(a.told().values()) * 3 * 230 == 23_805
        assert len(a.puts()) == 6
        assert await a.booked_kw() == Decimal("59.616")

        # There is room for the others when one leaves, but nobody goes up before all is confirmed.
        paused, leaves, *stay = sorted(a.told(), key=lambda session: a.told()[session])
        await a.wait(5)
        await a.session(leaves, leaves.replace("S", "E"), status="COMPLETED")
        await a.wait(7)
        assert len(a.puts()) == 6
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.results.release()
        await a.wait(2)
        told = a.told()
        assert told[paused] == 0  # whoever was paused rests for five minutes
        assert [told[session] for session in stay] == [Decimal("8.6")] * 4
        (activation, *_) = (await a.admin("GET", "/grid/activations"))["items"]
        assert (activation["sessions_lowered"], activation["confirmed_share"]) == (6, 1)
        assert [activation[f"{name}_after_s"] for name in ("planned", "last_put", "confirmed")] == [0, 0, 12]
        after = a.metric("complied_seconds_count"), a.metric("complied_seconds_sum")
        assert (after[0] - before[0], after[1] - before[1]) == (1, 14)  # it is looked at two seconds later


async def test_scenario_12_zero_pauses_everybody_and_stays() -> None:
    async with area("11:59:50") as a, with_dso(a, [16, 16], heard_for_s=A_DAY_S) as dso:
        await a.until("12:00")
        await forecasts(a, dso, ("12:00", "12:30", 20))
        await a.sessions(2)
        assert set(a.told().values()) == {Decimal("14.4")}
        await forecasts(a, dso, ("12:00", "12:30", 0))
        for clock in ("12:00", "12:30", "14:00", "15:00"):
            await a.oversleep(clock)
            assert a.told() == {"S1": 0, "S2": 0}, clock
            assert await a.state() == "EMERGENCY", clock
        assert a.b.cpo.received.of(CHARGING_PROFILES, method="DELETE") == []
        await says(a, dso, 20)
        await a.stride("15:04")
        assert set(a.told().values()) == {Decimal("14.4")}
