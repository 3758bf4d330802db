"""Whether cars keep to what they were told is seen by what CPOs tell of their power, and the others make room."""

from datetime import datetime
from decimal import Decimal

from hub.ocpi import times
from hub.ocpi.names import SESSIONS
from hub.sandbox import objects
from hub.testing import CPO, EMSP
from tests.plugins.load_manager.area import Area, R, area

TOLD = dict.fromkeys(("S1", "S2", "S3"), Decimal("11.5"))  # 24 / 3 = 8 kW
GIVING_WAY = TOLD | dict.fromkeys(("S2", "S3"), Decimal("9.4"))  # (24 - 11) / 2 = 6.5 kW


async def draws(a: Area, kw: str, since: datetime) -> None:
    """The CPO tells what S1 has drawn on average since then."""
    period = {
        "start_date_time": times.render(since),
        "dimensions": [{"type": "POWER", "volume": Decimal(kw)}],
    }
    body = objects.session("NL/CPO", "S1", driver=EMSP, last_updated=a.now) | {"charging_periods": [period]}
    await a.b.cpo.call("PUT", SESSIONS, R, "NL/CPO/S1", to=EMSP, sender=CPO, body=body)
    await a.b.settle()


async def uncontrolled(a: Area) -> list[str]:
    alarms = (await a.admin("GET", "/alarms"))["items"]
    return [alarm["text"] for alarm in alarms if alarm["kind"] == "session_uncontrolled" and alarm["standing"]]


async def test_others_make_room_for_a_car_that_draws_more_until_it_does_not() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent()
        await a.group(24)
        await a.sessions(3)
        await a.wait(80)
        assert a.told() == TOLD
        a.b.cpo.received.clear()

        for reading in range(3):
            since = a.now
            await a.wait(60)
            await draws(a, "11.0", since)
            await a.wait(1)
            assert a.told() == GIVING_WAY
            assert len(await uncontrolled(a)) == (1 if reading == 2 else 0)
        assert sorted(put.tail for put in a.puts()) == ["S1", "S2", "S3"]  # S1 was told its limit once more
        [text] = await uncontrolled(a)
        assert (
            text
            == "load_manager: session nl*cpo/s1 of NL/CPO: it draws more than it was told, at EVSE E1 of location LOC1"
        )
        view = await a.admin("GET", "/grid/groups/G1")
        assert view["booked_kw"] == Decimal("11.0") + 2 * Decimal("6.486")

        since = a.now
        await a.wait(60)
        await draws(a, "7.9", since)
        await a.wait(60)
        assert await uncontrolled(a) == []
        assert a.told() == TOLD


async def test_a_reading_from_before_the_limit_changes_nothing() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent()
        await a.group(40)
        await a.sessions(3)
        began = a.now
        await a.wait(80)
        await a.limit(24)
        await a.wait(5)
        assert a.told() == TOLD
        await draws(a, "11.0", began)
        await a.wait(30)
        assert a.told() == TOLD


async def test_a_reading_is_held_against_the_period_of_the_profile_that_it_was_taken_in() -> None:
    async with area() as a:
        await a.location([16])
        await a.consent()
        await a.group(8)
        await a.limit(5, minutes=10)
        await a.session("S1", "E1")
        await a.wait(10 * 60)
        assert a.told() == {"S1": Decimal("11.5")}
        for _ in range(3):
            since = a.now
            await a.wait(60)
            await draws(a, "2.6", since)  # 11.5 A on one of three phases
        await a.wait(5)
        assert a.told() == {"S1": Decimal("16.0")}
