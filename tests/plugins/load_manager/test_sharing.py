"""How a limit is shared where cars, connectors and parts of the grid differ: scenarios by their numbers."""

from collections import Counter
from decimal import Decimal

from tests.plugins.load_manager.area import FULL, area

HALF = Decimal("7.2")


async def test_scenario_3_nobody_gets_more_than_the_connector_gives() -> None:
    async with area() as a:
        await a.location([16, 16, 32], one_phase=["E1"])
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.stride_for(70)
        assert a.told() == {"S1": FULL, "S2": FULL, "S3": Decimal("22.1")}


async def test_where_no_reserve_is_stated_room_for_a_car_is_kept_until_it_comes() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent(default_current_a=6)
        await a.group(20, arrival_reserve_kw=None)
        await a.sessions(2)
        await a.wait(70)
        assert a.told() == dict.fromkeys(("S1", "S2"), Decimal("11.4"))  # (20 - 4.14) / 2 = 7.93 kW
        await a.session("S3", "E3")
        await a.wait(70)
        assert a.told() == dict.fromkeys(("S1", "S2", "S3"), Decimal("9.6"))


async def test_scenario_5_below_the_minimum_cars_take_turns() -> None:
    async with area("11:59:50") as a:
        await a.location([16] * 4)
        await a.consent()
        await a.group(10)
        await a.until("12:00")
        await a.sessions(4)
        pairs = []
        for minute in range(2, 62, 5):
            clock = f"12:{minute:02}"
            await a.oversleep(clock)
            told = a.told()
            assert sorted(told.values()) == [0, 0, HALF, HALF], clock
            pairs.append(frozenset(session for session, amperes in told.items() if amperes))
        assert Counter(session for pair in pairs for session in pair) == dict.fromkeys(
            ("S1", "S2", "S3", "S4"),
            6,  # of twelve
        )
        changed_at = [5 * place for place in range(1, 12) if pairs[place] != pairs[place - 1]]
        assert changed_at == [15, 30, 45]
        periods = [one for put in a.puts() for one in put.data["charging_profile"]["charging_profile_period"]]
        assert not any(0 < one["limit"] < 6 for one in periods)


async def test_scenario_6_the_tightest_part_of_the_grid_counts() -> None:
    async with area() as a:
        await a.location([32] * 3)
        await a.location([32], "LOC2")
        await a.consent()
        await a.group(45, "F1", members=[])
        await a.group(30, "G1", parent="F1")
        member = {"country_code": "NL", "party_id": "CPO", "location_id": "LOC2"}
        await a.group(30, "G2", parent="F1", members=[member])
        await a.sessions(3)
        await a.session("S4", "E1", location_id="LOC2")
        await a.stride_for(240)
        amperes = dict.fromkeys(("S1", "S2", "S3"), Decimal("14.4"))
        assert a.told() == amperes | {"S4": Decimal("21.7")}
