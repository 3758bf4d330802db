"""A DSO that falls silent and comes back: what holds meanwhile, and how its cars go up again."""

from decimal import Decimal

from hub.ocpi import times
from hub.ocpi.names import CHARGING_PROFILES
from tests.plugins.load_manager.area import Area, area, moment
from tests.plugins.load_manager.dso import says, shake_hands, with_dso

TWO = ("S1", "S2")
FALLBACK = dict.fromkeys(TWO, Decimal("8.6"))
FULL_KW = Decimal("22.08")


async def falls_silent(a: Area) -> None:
    """At 12:05 exactly, and not before."""
    await a.stride("12:04:55")
    await a.until("12:04:59")
    assert (await a.state(), await a.booked_kw(), a.puts()) == ("NORMAL", FULL_KW, [])
    await a.until("12:05")
    assert (await a.state(), a.told()) == ("FALLBACK", FALLBACK)
    assert [times.parse(a.profile(one)["start_date_time"]) for one in TWO] == [moment("12:05")] * 2


async def test_scenario_13_silence_means_fallback_within_a_second() -> None:
    async with area("12:01:50") as a, with_dso(a, [16, 16]) as dso:
        await a.until("12:02")
        await says(a, dso, 12, "FALLBACK_CONSUMPTION")
        await says(a, dso, 30)
        assert (await dso.heartbeat(180)).status == 204
        await a.sessions(2)
        await falls_silent(a)


async def test_scenario_14_recovery_takes_a_handshake_and_a_limit() -> None:
    async with area("12:01:50") as a, with_dso(a, [16, 16]) as dso:
        await a.until("12:02")
        await says(a, dso, 12, "FALLBACK_CONSUMPTION")
        await says(a, dso, 30)
        assert (await dso.heartbeat(180)).status == 204
        await a.sessions(2)
        await falls_silent(a)

        await a.oversleep("12:20")
        assert (await dso.heartbeat(3600)).status == 204
        await a.stride("12:22")
        assert (await a.state(), a.told()) == ("FALLBACK", FALLBACK)
        await shake_hands(a, dso)
        assert (await dso.heartbeat(3600)).status == 204
        assert (await a.state(), a.told()) == ("FALLBACK", FALLBACK)
        a.b.cpo.received.clear()
        await says(a, dso, 30)
        assert await a.state() == "LIMITED"
        await a.until("12:22:30")
        assert sorted(put.tail for put in a.puts()) == ["S1", "S2"]
        for one in TWO:
            start = times.parse(a.profile(one)["start_date_time"])
            assert start is not None
            assert moment("12:22") <= start <= moment("12:22:30")
        await a.stride("12:22:58")
        rises = (("12:22:59", "8.6"), ("12:23", "13.0"), ("12:23:59", "13.0"))  # a tenth of 60 kW each minute
        for clock, amperes in rises:
            await a.until(clock)
            assert a.told() == dict.fromkeys(TWO, Decimal(amperes)), clock
        await a.stride("12:25")
        assert (await a.state(), await a.booked_kw(), a.told()) == ("NORMAL", FULL_KW, {})
        assert len(a.b.cpo.received.of(CHARGING_PROFILES, method="DELETE")) == 2
