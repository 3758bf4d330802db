"""What cannot be lowered is above the limit: people and DSOs are told, and sessions are stopped where CPOs allow it."""

from hub.ocpi.names import COMMANDS
from tests.plugins.load_manager.area import Area, R, area
from tests.plugins.load_manager.dso import says, with_dso


def stopped(a: Area) -> list[object]:
    return [one.data["session_id"] for one in a.b.cpo.received.of(COMMANDS, R, "POST")]


async def deficits(a: Area) -> list[str]:
    alarms = (await a.admin("GET", "/alarms"))["items"]
    return [one["text"] for one in alarms if one["kind"] == "grid_deficit" and one["standing"]]


async def test_sessions_that_can_never_be_steered_are_a_deficit_too() -> None:
    async with area() as a, with_dso(a) as dso:
        await a.consent(consent=False)
        await a.sessions(2)
        await says(a, dso, 30)
        assert await deficits(a) == []
        await says(a, dso, 20, request_id="F20")
        (text,) = await deficits(a)
        assert "2.08 kW above the limit of group G1" in text
        error = await dso.wait_for("group_capacity_compliance_error")
        assert error.correlation_id == "F20"
        assert stopped(a) == []
        await says(a, dso, 30)
        await a.wait(70)  # an unannounced lift is a ramp
        assert await deficits(a) == []


async def test_where_the_cpo_allows_it_sessions_are_stopped_as_many_as_it_takes() -> None:
    async with area() as a:
        await a.location([16, 16, 16])
        await a.consent(stop_allowed=True)
        await a.group(40)
        a.b.cpo.profiles.response = "REJECTED"
        await a.sessions(3)
        await a.limit(38)
        assert stopped(a) == []
        await a.limit(25)
        await a.wait(130)
        assert stopped(a) == ["S1"]
        await a.wait(130)
        assert stopped(a) == ["S1"]  # once; it counts until it has ended
        await a.limit(5)
        await a.wait(5)
        assert stopped(a) == ["S1", "S2", "S3"]
        for number in (1, 2, 3):
            await a.session(f"S{number}", f"E{number}", status="COMPLETED")
        await a.wait(5)
        assert await deficits(a) == []


async def test_without_leave_nobody_is_stopped() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(15)
        a.b.cpo.profiles.response = "REJECTED"
        await a.sessions(2)
        await a.wait(130)
        assert len(await deficits(a)) == 1
        assert stopped(a) == []
