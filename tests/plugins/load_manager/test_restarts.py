"""The hub ends and starts again: it goes on where it was, says nothing twice, and asks what it has missed."""

from decimal import Decimal
from urllib.parse import parse_qs

from hub.ocpi import times
from hub.ocpi.names import SESSIONS
from hub.sandbox import objects
from hub.testing import EMSP
from tests.plugins.load_manager.area import OPEN, Area, area, moment

SITES, CARS = 4, 125
COUNT = SITES * CARS
SHARED = Decimal("7.2")


def place(number: int) -> dict[str, str]:
    """Where a session is: one after the other, site by site; the one too many is at the first site."""
    site, evse = divmod(number - 1, CARS) if number <= COUNT else (0, CARS)
    return {"location_id": f"LOC{site + 1}", "evse_uid": f"E{evse + 1}"}


def charges(a: Area, number: int, status: str = "ACTIVE") -> None:
    """A session as its CPO has it, of which nobody is told."""
    body = objects.session("NL/CPO", f"S{number}", driver=EMSP, status=status, last_updated=a.now)
    a.b.cpo.own.put(SESSIONS, body | place(number))


def group(site: int) -> dict[str, object]:
    member = {"country_code": "NL", "party_id": "CPO", "location_id": f"LOC{site}"}
    return {"id": f"G{site}", "static_capacity_kw": 5 * CARS, "members": [member]} | OPEN


async def sessions_known(a: Area) -> set[str]:
    views = [await a.view(f"G{site}") for site in range(1, SITES + 1)]
    return {session["session_id"] for view in views for session in view["sessions"]}


async def test_scenario_27_a_restart_sends_nothing_new_and_finds_what_has_changed() -> None:
    async with area() as a:
        await a.consent(rate_per_s=1000)
        for number in range(1, COUNT + 1):
            charges(a, number)
        for site in range(1, SITES + 1):
            await a.location([16] * (CARS + 1), f"LOC{site}")
        await a.admin("POST", "/grid/import", {"groups": [group(site) for site in range(1, SITES + 1)]})
        await a.wait(5)
        assert len(a.told()) == COUNT
        assert set(a.told().values()) == {SHARED}
        await a.stride("00:01:30")
        await a.session(f"S{COUNT}", place(COUNT)["evse_uid"], location_id=place(COUNT)["location_id"])
        await a.wait(5)
        assert len(a.puts()) == COUNT
        a.b.cpo.received.clear()

        charges(a, 1, "COMPLETED")
        charges(a, COUNT + 1)
        await a.b.restart()
        await a.wait(10)
        assert a.b.plugin.node.lead is not None
        (asked,) = a.b.cpo.received.of(SESSIONS, method="GET")
        assert times.parse(parse_qs(asked.query)["date_from"][0]) == moment("00:00:30")
        assert [put.tail for put in a.puts()] == [f"S{COUNT + 1}"]
        assert a.told()[f"S{COUNT + 1}"] == SHARED
        assert await sessions_known(a) == {f"S{number}" for number in range(2, COUNT + 2)}


async def test_a_large_tree_is_planned_beside_the_messages_and_survives_a_restart() -> None:
    async with area() as a:
        count = 200
        await a.location([16] * count)
        await a.consent(rate_per_s=1000)
        for number in range(1, count + 1):
            session = objects.session("NL/CPO", f"S{number}", driver=EMSP, last_updated=a.now)
            a.b.cpo.own.put(SESSIONS, session | {"evse_uid": f"E{number}"})
        await a.group(6 * count)
        await a.b.until(lambda: len(a.told()) == count)
        await a.b.settle()
        assert set(a.told().values()) == {Decimal("8.6")}
        a.b.cpo.received.clear()
        await a.b.restart()
        await a.wait(10)
        assert a.b.plugin.node.lead is not None
        assert a.puts() == []
