"""Limits of the grid become limits at charge points."""

from decimal import Decimal

from hub.ocpi.names import CHARGING_PROFILES
from tests.plugins.load_manager.area import area


async def test_scenario_1_no_profile_where_no_limit_binds() -> None:
    async with area() as a:
        await a.location([16, 16, 16])
        await a.consent()
        await a.group(100)
        await a.sessions(3)
        await a.wait(10)
        assert a.puts() == []
        assert await a.state() == "NORMAL"


async def test_scenario_2_a_limit_is_shared() -> None:
    async with area() as a:
        await a.location([16, 16, 16])
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.stride_for(120)
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4"), "S3": Decimal("14.4")}
        assert (await a.state(), await a.booked_kw()) == ("LIMITED", Decimal("29.808"))


async def test_scenario_31_a_lifted_limit_is_released() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.wait(5)
        assert set(a.told().values()) == {Decimal("14.4")}
        await a.group(100, status=200)
        await a.stride_for(300)
        assert a.told() == {}
        assert len(a.b.cpo.received.of(CHARGING_PROFILES, method="DELETE")) == 2
        await a.oversleep("01:06")
        assert a.told() == {}
        assert (await a.state(), await a.booked_kw()) == ("NORMAL", Decimal("22.08"))


async def test_sessions_of_a_cpo_without_consent_are_counted_and_never_steered() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.group(10)
        await a.sessions(2)
        await a.stride_for(120)
        assert a.puts() == []
        view = await a.admin("GET", "/grid/groups/G1")
        assert [one["limit_kw"] for one in view["sessions"]] == [None, None]
        assert view["booked_kw"] == Decimal("22.08")


async def test_a_group_shows_what_its_sessions_draw() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(20)
        await a.session("S1", "E1", kwh=Decimal("1.0"), charging_periods=[])
        view = await a.admin("GET", "/grid/groups/G1")
        assert (view["measured_kw"], view["measured_quality"]) == (None, None)
        await a.wait(600)
        await a.session("S1", "E1", kwh=Decimal("2.5"), charging_periods=[])
        view = await a.admin("GET", "/grid/groups/G1")
        assert (view["measured_kw"], view["measured_quality"]) == (9, "derived")
        await a.wait(60)
        metrics = (await a.b.call("GET", "/metrics")).body.decode()
        assert 'load_manager_measured_kw{group="G1"} 9.0' in metrics
        (panel,) = (await a.admin("GET", "/plugins/load_manager/panels"))["items"]
        assert dict(zip(panel["columns"], panel["rows"][0], strict=True))["measured kW"] == 9


async def test_a_withdrawn_consent_releases() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.stride_for(60)
        assert len(a.told()) == 2
        await a.admin("PUT", "/grid/cpos/NL/CPO", {"consent": False})
        await a.group(30, status=200)
        await a.stride_for(120)
        assert a.told() == {}


async def test_scenario_26_hysteresis_and_the_end_of_a_session() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.stride_for(70)
        a.b.cpo.received.clear()
        for kw in ("20.3", "19.9"):
            await a.group(kw, status=200)
            await a.stride_for(60)
            assert a.puts() == []
        await a.group("19.8", status=200)
        await a.stride_for(60)
        assert a.told() == {"S1": Decimal("14.3"), "S2": Decimal("14.3")}
        assert len(a.puts()) == 2
        await a.session("S1", "E1", status="COMPLETED")
        await a.wait(5)
        assert a.told()["S2"] == Decimal(16)


async def test_shadow_mode_plans_and_sends_nothing() -> None:
    async with area(shadow=True) as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.stride_for(60)
        assert a.puts() == []
        plans = (await a.admin("GET", "/grid/plans?group=G1"))["items"]
        assert "14.4 A" in plans[0]["decisions"][0]["sentence"]
        await a.admin("PUT", "/grid/mode", {"mode": "live"})
        await a.stride_for(60)
        assert set(a.told().values()) == {Decimal("14.4")}


async def test_the_kill_switch() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(100, fallback_capacity_kw=12)
        await a.sessions(2)
        await a.wait(10)
        assert a.puts() == []
        await a.admin("POST", "/grid/stop")
        await a.b.settle()
        assert await a.state() == "FALLBACK"
        assert a.told() == {"S1": Decimal("8.6"), "S2": Decimal("8.6")}
