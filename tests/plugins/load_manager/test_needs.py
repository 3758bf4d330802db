"""What drivers say they need, and until when: who gets more, who waits, and who hears that it will not be enough."""

from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.ocpi.names import COMMANDS
from tests.plugins.load_manager.area import FULL, Area, area, moment

NONE = Decimal("0.0000")


async def test_scenario_4_a_driver_in_a_hurry_gets_more() -> None:
    async with area() as a:
        await a.location([32] * 3)
        await a.consent()
        await a.group(18)
        await a.sessions(3)
        await a.wait(5)
        assert a.told() == dict.fromkeys(("S1", "S2", "S3"), Decimal("8.6"))
        await a.wish("S1", profile_type="FAST")
        await a.stride_for(130)
        assert a.told() == {"S1": Decimal("13.0"), "S2": Decimal("6.5"), "S3": Decimal("6.5")}


async def two_deadlines(a: Area, *, allow_pause: bool = True) -> None:
    """S1 needs 20 kWh in two hours, S2 10 kWh in ten, and from then on there is power for one of them."""
    await a.location([16, 16])
    await a.consent(allow_pause=allow_pause)
    await a.group(100)
    await a.until("12:00")
    for number in (1, 2):
        await a.session(f"S{number}", f"E{number}", kwh=NONE)
    await a.wish("S1", departure_time=times.render(moment("14:00")), energy_need=20)
    await a.wish("S2", departure_time=times.render(moment("22:00")), energy_need=10)
    assert a.puts() == []
    await a.limit("11.04")


async def shortfalls_kwh(a: Area) -> dict[str, Any]:
    """What each session will lack, by the newest plan in the decision log."""
    newest = (await a.admin("GET", "/grid/plans?group=G1"))["items"][0]
    return {one["session"].rpartition("/")[2].upper(): one["shortfall_kwh"] for one in newest["decisions"]}


async def test_scenario_7_who_leaves_first_charges_first() -> None:
    async with area("11:59:50") as a:
        await two_deadlines(a)
        assert a.told() == {"S1": FULL, "S2": 0}
        assert await shortfalls_kwh(a) == {"S1": 0, "S2": 0}
        for clock, kwh in (("12:30", "5.52"), ("13:00", "11.04"), ("13:30", "16.56")):
            await a.oversleep(clock)
            await a.session("S1", "E1", kwh=Decimal(kwh), start_date_time=times.render(moment("12:00")))
            await a.wait(5)
            assert a.told() == {"S1": FULL, "S2": 0}, clock
        await a.oversleep("13:48:42")  # 1.81 h
        await a.session("S1", "E1", kwh=Decimal(20), status="COMPLETED")
        await a.wait(5)
        assert a.told()["S2"] == FULL
        assert await shortfalls_kwh(a) == {"S2": 0}
        await a.oversleep("14:43:03")  # 0.906 h later
        assert a.told()["S2"] == FULL
        await a.session("S2", "E2", kwh=Decimal(10))
        await a.wait(5)
        assert await shortfalls_kwh(a) == {"S2": 0}


async def test_scenario_7_where_pauses_are_not_allowed_the_shortfall_is_told_at_once() -> None:
    async with area("11:59:50") as a:
        await two_deadlines(a, allow_pause=False)
        assert a.told() == {"S1": Decimal("10.0"), "S2": Decimal("6.0")}
        lacks = await shortfalls_kwh(a)
        assert (round(lacks["S1"], 1), lacks["S2"]) == (Decimal("6.2"), 0)


async def test_scenario_8_who_has_all_it_needs_goes_on_at_the_least() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(100)
        for number in (1, 2):
            await a.session(f"S{number}", f"E{number}", kwh=NONE)
            await a.wish(f"S{number}", energy_need=5)
        await a.limit("11.04")
        assert a.told() == dict.fromkeys(("S1", "S2"), Decimal("8.0"))
        await a.stride("00:10")
        await a.session("S1", "E1", kwh=Decimal(5))
        await a.wait(5)
        assert a.told() == {"S1": Decimal("6.0"), "S2": Decimal("10.0")}
        for clock in ("00:11", "00:40"):
            await a.oversleep(clock)
            assert a.told() == {"S1": Decimal("6.0"), "S2": Decimal("10.0")}, clock
        assert a.b.cpo.received.of(COMMANDS) == []
