"""An eMSP sets and clears profiles of sessions that are steered, and hears what came of it."""

from decimal import Decimal

from hub.ocpi.names import CHARGING_PROFILES
from hub.sandbox.results import ResultMode
from tests.plugins.load_manager.area import FULL, area

SHARED, THEIRS = Decimal("14.4"), Decimal("8.0")
MOST_KW = Decimal(30)


async def test_scenario_23_an_emsps_profile_is_brought_under_the_limit() -> None:
    async with area() as a:
        await a.location([16, 16, 16])
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.stride_for(61)
        assert a.told() == dict.fromkeys(("S1", "S2", "S3"), SHARED)
        a.b.cpo.received.clear()
        answer = await a.emsp("PUT", "S1", THEIRS)
        assert answer.data["result"] == "ACCEPTED"
        assert a.told() == {"S1": THEIRS, "S2": SHARED, "S3": SHARED}
        await a.wait(5)
        assert a.told() == {"S1": THEIRS, "S2": FULL, "S3": FULL}
        assert [put.tail for put in a.puts()] == ["S1", "S2", "S3"]
        assert len(a.results()) == 1

        await a.stride_for(60)
        a.b.cpo.received.clear()
        a.b.cpo.results.mode = ResultMode.HELD
        answer = await a.emsp("DELETE", "S1")
        assert answer.data["result"] == "ACCEPTED"
        await a.wait(20)
        assert sorted(put.tail for put in a.puts()) == ["S2", "S3"]
        assert a.told() == {"S1": THEIRS, "S2": SHARED, "S3": SHARED}
        assert await a.booked_kw() == Decimal("5.52") + 2 * Decimal("11.04")
        assert len(a.results()) == 1
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.results.release()
        await a.wait(2)
        assert [put.tail for put in a.puts()][2:] == ["S1"]
        assert a.told() == dict.fromkeys(("S1", "S2", "S3"), SHARED)
        assert await a.booked_kw() == Decimal("29.808")
        await a.wait(5)
        assert [one["result"] for one in a.results()] == ["ACCEPTED", "ACCEPTED"]
        assert a.b.cpo.received.of(CHARGING_PROFILES, method="DELETE") == []


async def test_an_emsps_profile_above_the_limit_is_lowered() -> None:
    async with area() as a:
        await a.location([16, 16, 16])
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.wait(5)
        await a.emsp("PUT", "S1", Decimal("16.0"))
        assert a.told()["S1"] == Decimal("14.4")


async def test_what_an_emsp_is_owed_is_paid_after_a_restart() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.stride_for(70)
        await a.emsp("PUT", "S1", Decimal("8.0"))
        await a.stride_for(70)
        assert a.told()["S2"] == Decimal("16.0")
        a.b.cpo.results.mode = ResultMode.HELD
        assert (await a.emsp("DELETE", "S1")).data["result"] == "ACCEPTED"
        await a.b.restart()
        assert len(a.results()) == 1
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.results.release()
        await a.stride_for(120)
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4"), "S3": Decimal("14.4")}
        assert [one["result"] for one in a.results()] == ["ACCEPTED", "ACCEPTED"]
