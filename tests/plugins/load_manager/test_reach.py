"""A CPO that cannot be reached: what its sessions count with meanwhile, and what comes first when it is back."""

from decimal import Decimal

from hub.ocpi.names import CHARGING_PROFILES, SESSIONS, Role
from hub.ocpi.party_id import PartyId
from tests.plugins.load_manager.area import Area, area

Y = PartyId("NL", "CPY")
SHARED = Decimal("14.4")


async def until_offline(a: Area) -> None:
    """The hub finds out by its probes that the CPO does not answer."""
    await a.b.cpo.go_dark()
    for _ in range(40):
        await a.stride_for(15)
        if a.b.hub.liveness.offline:
            return
    raise AssertionError("the hub does not find out")


async def test_scenario_25_the_sessions_of_a_cpo_out_of_reach_count_as_they_are() -> None:
    async with area() as a:
        y = await a.b.join("second", Role.CPO, Y)
        await a.location([16, 16])
        await a.location([16], "LOC2", cpo=y)
        await a.consent()
        await a.consent(Y)
        places = (("CPO", "LOC1"), ("CPY", "LOC2"))
        members = [{"country_code": "NL", "party_id": party, "location_id": at} for party, at in places]
        await a.group(30, members=members)
        await a.sessions(2)
        await a.session("S3", "E1", cpo=y, location_id="LOC2")
        await a.wait(5)
        assert a.told() == {"S1": SHARED, "S2": SHARED}
        assert await a.booked_kw() == Decimal("29.808")

        await until_offline(a)
        y.received.clear()
        await a.stride_for(70)
        view = await a.view()
        sessions = {one["session_id"]: one for one in view["sessions"]}
        assert sum(sessions[one]["booked_kw"] for one in ("S1", "S2")) == Decimal("19.872")
        # 10.128 kW are left for Y: 14.6 A, too little more to be worth a message.
        assert sessions["S3"]["limit_kw"] == Decimal("10.074")
        assert (sessions["S3"]["booked_kw"], y.received.of(CHARGING_PROFILES)) == (Decimal("9.936"), [])

        await a.limit(10)
        assert y.profiles.applied["S3"].profile["charging_profile_period"][0]["limit"] == 0
        assert await a.booked_kw() == Decimal("19.872")
        a.b.cpo.received.clear()
        await a.b.cpo.come_back()
        await a.stride_for(90)
        came = [one.method for one in a.b.cpo.received if one.module in {SESSIONS, CHARGING_PROFILES}]
        assert (came[0], came.count("PUT")) == ("GET", 2)
        assert a.told() == dict.fromkeys(("S1", "S2"), Decimal("7.2"))
