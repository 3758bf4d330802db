"""What CPOs have agreed to, and how they fare."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.ocpi.party_id import PartyId
from plugins.load_manager.doors.port import ChargerRefusals, CpoReport, LimitedSession
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import CPO, NOON, evse

AGREED = {"consent": True, "reference": "contract 7", "quantum_a": Decimal("0.5"), "default_current_a": 6}


async def test_what_is_agreed_reads_as_it_was_put(s: Site) -> None:
    assert (await s.call("GET", "/grid/cpos/NL/CPO")).status == 404
    put = await s.call("PUT", "/grid/cpos/NL/CPO", AGREED)
    shown = await s.get("/grid/cpos/nl/cpo")
    assert told(put) == {**shown, "consent_withdrawn": False, "country_code": "NL", "party_id": "CPO"}
    assert {name: shown[name] for name in AGREED} == AGREED
    assert shown["since"] == "2026-03-02T12:00:00.000Z"
    withdrawn = await s.call("PUT", "/grid/cpos/NL/CPO", {"consent": False})
    assert told(withdrawn)["consent_withdrawn"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"consent": "yes"}, "consent"),
        ({"consent": True}, "reference"),
        ({**AGREED, "quantum_a": 0}, "quantum_a"),
        ({**AGREED, "colour": 1}, "colour"),
        ([], "body"),
    ],
)
async def test_settings_that_cannot_be_change_nothing(s: Site, body: object, field: str) -> None:
    answer = await s.call("PUT", "/grid/cpos/NL/CPO", body)
    assert (answer.status, told(answer)["field"]) == (400, field)
    assert not s.grid.settings


@pytest.mark.parametrize("path", ["NLD/CPO", "NL/TOOLONG", "NL/C O"])
async def test_a_path_that_is_no_party_is_refused(s: Site, path: str) -> None:
    for method, rest in (("GET", ""), ("PUT", ""), ("GET", "/sessions")):
        answer = await s.call(method, f"/grid/cpos/{path}{rest}", AGREED)
        assert (answer.status, told(answer)["field"]) == (400, "party")


async def test_cpos_come_page_by_page(s: Site) -> None:
    for party_id in ("CPO", "ABC", "XYZ"):
        await s.call("PUT", f"/grid/cpos/NL/{party_id}", AGREED)
    first = await s.get("/grid/cpos?limit=2")
    rest = await s.get(f"/grid/cpos?after={first['next']}")
    assert [each["party_id"] for each in (*first["items"], *rest["items"])] == ["ABC", "CPO", "XYZ"]
    assert rest["next"] is None


async def test_a_cpo_sees_its_limited_sessions_and_how_it_fares(s: Site) -> None:
    reason = "feeder F7 limited to 60 kW by Grid One until 21:00"
    session = LimitedSession(CPO, "S1", "LOC1", "E1", reason, 0, 4_140_000, NOON, NOON + timedelta(hours=9))
    s.grid.reports[CPO] = CpoReport(
        (replace(session, session_id="S2", limit_mw=None), session),
        (ChargerRefusals("AC 3 phases 16 A", rejected=2, too_often=1, timed_out=0),),
        (evse("E7"),),
        Decimal("1.04"),
    )
    shown = await s.get("/grid/cpos/NL/CPO/sessions?limit=1")
    assert shown["items"][0] == {
        "country_code": "NL",
        "party_id": "CPO",
        "session_id": "S1",
        "location_id": "LOC1",
        "evse_uid": "E1",
        "reason": reason,
        "limit_kw": 0,
        "booked_kw": Decimal("4.14"),
        "since": "2026-03-02T12:00:00.000Z",
        "release_at": "2026-03-02T21:00:00.000Z",
    }
    assert shown["refusals"] == [{"model": "AC 3 phases 16 A", "rejected": 2, "too_often": 1, "timed_out": 0}]
    assert [each["evse_uid"] for each in shown["without_default"]] == ["E7"]
    assert (shown["without_default_count"], shown["parity"]) == (1, Decimal("1.04"))
    rest = await s.get("/grid/cpos/NL/CPO/sessions?after=S1")
    assert ([each["session_id"] for each in rest["items"]], rest["items"][0]["limit_kw"]) == (["S2"], None)
    assert (await s.get("/grid/cpos/NL/XYZ/sessions"))["items"] == []
    assert PartyId("NL", "XYZ") not in s.grid.settings
