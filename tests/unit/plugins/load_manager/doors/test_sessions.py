"""What is told of one session, for its driver."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from plugins.load_manager.doors.port import LimitedSession, SessionView
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import CPO, NOON

LIMITED = LimitedSession(CPO, "S1", "LOC1", "E1", "limited to 6.9 kW (10.0 A)", 6_900_000, 6_900_000, NOON)
STATED = SessionView(LIMITED, Decimal("4.5"), Decimal(20), NOON + timedelta(hours=2), Decimal("6.2"))


async def test_a_need_that_may_be_missed_is_said(s: Site) -> None:
    s.grid.views[CPO, "S1"] = STATED
    shown = await s.get("/grid/sessions/nl/cpo/S1")
    assert (shown["session_id"], shown["limit_kw"], shown["reason"]) == ("S1", Decimal("6.9"), LIMITED.reason)
    assert (shown["energy_kwh"], shown["need_kwh"], shown["expected_kwh"]) == (Decimal("4.5"), 20, Decimal("18.3"))
    assert (shown["departure_at"], shown["need_may_be_missed"]) == ("2026-03-02T14:00:00.000Z", True)


async def test_a_need_that_will_be_met_and_one_that_nobody_stated(s: Site) -> None:
    s.grid.views[CPO, "S1"] = replace(STATED, short_kwh=Decimal(0))
    s.grid.views[CPO, "S2"] = SessionView(LIMITED, None)
    met = await s.get("/grid/sessions/NL/CPO/S1")
    assert (met["expected_kwh"], met["need_may_be_missed"]) == (Decimal("24.5"), False)
    unknown = await s.get("/grid/sessions/NL/CPO/S2")
    names = ("energy_kwh", "need_kwh", "departure_at", "expected_kwh", "need_may_be_missed")
    assert [unknown[name] for name in names] == [None] * 5


async def test_a_session_in_no_group_is_not_found_and_a_party_that_cannot_be_is_refused(s: Site) -> None:
    missing = await s.call("GET", "/grid/sessions/NL/CPO/S9")
    assert (missing.status, told(missing)["title"]) == (404, "No session S9 of NL/CPO runs in a group of the grid")
    assert told(await s.call("GET", "/grid/sessions/NLD/CPO/S1"))["field"] == "party"
