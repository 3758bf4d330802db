"""What operators do while it runs: limits of their own, stop and start, the mode, signals that wait for them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from plugins.load_manager.signals.standing import State
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import NOON

UNTIL_ONE = "2026-03-02T14:00:00+01:00"


def signal(value: object, message_id: str = "m1") -> dict[str, object]:
    block = {"start": "2026-03-02T12:00:00Z", "end": "2026-03-02T13:00:00Z", "value": value}
    return {"group_id": "T1", "kind": "LIMIT", "unit": "KW", "blocks": [block], "message_id": message_id}


async def test_an_operators_limit_holds_until_its_end(s: Site) -> None:
    await s.put_group("T1", capacity_provider=None)
    answer = await s.call("POST", "/grid/groups/T1/limit", {"limit_kw": Decimal("57.5"), "end": UNTIL_ONE})
    assert answer.status == 201
    assert told(answer) == {
        "message_id": told(answer)["message_id"],
        "group_id": "T1",
        "limit_kw": Decimal("57.5"),
        "start": "2026-03-02T12:00:00.000Z",
        "end": "2026-03-02T13:00:00.000Z",
    }
    assert (await s.get("/grid/groups/T1"))["limit_kw"] == Decimal("57.5")
    assert s.grid.limit_kw("T1", NOON + timedelta(minutes=59)) == 57
    assert s.grid.limit_kw("T1", NOON + timedelta(minutes=60)) == 100


async def test_an_operators_limit_may_begin_later_and_is_lifted_at_once(s: Site) -> None:
    await s.put_group("T1", capacity_provider=None)
    later = {"limit_kw": 0, "start": "2026-03-02T12:30:00Z", "end": UNTIL_ONE}
    assert (await s.call("POST", "/grid/groups/T1/limit", later)).status == 201
    assert [s.grid.limit_kw("T1", NOON + timedelta(minutes=each)) for each in (29, 30)] == [100, 0]
    lifted = [await s.call("DELETE", "/grid/groups/T1/limit") for _ in range(2)]
    assert [each.status for each in lifted] == [204, 404]
    assert s.grid.limit_kw("T1", NOON + timedelta(minutes=30)) == 100
    assert (await s.call("DELETE", "/grid/groups/T2/limit")).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit_kw": -1}, "limit_kw"),
        ({"limit_kw": "NaN"}, "limit_kw"),
        ({"limit_kw": None}, "limit_kw"),
        ({"limit_kw": Decimal("1E+30")}, "limit_kw"),
        ({"end": None}, "end"),
        ({"end": "2026-03-02T14:00:00"}, "end"),
        ({"end": "2026-03-02T12:00:00Z"}, "end"),
        ({"start": UNTIL_ONE}, "end"),
        ({"start": "noon"}, "start"),
        ({"until": UNTIL_ONE}, "until"),
    ],
)
async def test_a_limit_that_cannot_be_changes_nothing(s: Site, body: dict[str, object], field: str) -> None:
    await s.put_group("T1", capacity_provider=None)
    answer = await s.call("POST", "/grid/groups/T1/limit", {"limit_kw": 20, "end": UNTIL_ONE, **body})
    assert (answer.status, told(answer)["field"]) == (400, field)
    assert told(answer)["title"].startswith(field)
    assert not s.grid.taken


async def test_a_limit_for_a_group_nobody_knows_is_not_found(s: Site) -> None:
    answer = await s.call("POST", "/grid/groups/T9/limit", {"limit_kw": 20, "end": UNTIL_ONE})
    assert (answer.status, told(answer)["title"]) == (404, "group_id T9 is not known")
    assert (await s.call("POST", "/grid/groups/T9/limit", [])).status == 400


async def test_the_kill_switch_leads_to_the_fallback_and_back(s: Site) -> None:
    await s.put_group("T1", capacity_provider=None)
    stopped = await s.call("POST", "/grid/stop")
    assert told(stopped) == {"mode": "live", "stopped": True}
    shown = await s.get("/grid/groups/T1")
    assert (shown["state"], shown["limit_kw"]) == ("FALLBACK", 12)
    assert shown["reason"] == "limited to 12 kW because the operator of the hub has stopped everything"
    assert told(await s.call("POST", "/grid/start")) == {"mode": "live", "stopped": False}
    assert s.grid.capacities["T1"].standing.state is not State.FALLBACK


async def test_it_is_said_when_the_node_that_steers_is_away(s: Site) -> None:
    s.grid.away = True
    answer = await s.call("POST", "/grid/stop")
    assert (answer.status, told(answer)["title"]) == (
        503,
        "The node that steers cannot be reached: try again in a minute",
    )
    assert (await s.get("/grid/mode"))["stopped"] is False


async def test_the_mode_is_live_or_shadow(s: Site) -> None:
    assert await s.get("/grid/mode") == {"mode": "live", "stopped": False}
    assert told(await s.call("PUT", "/grid/mode", {"mode": "shadow"}))["mode"] == "shadow"
    for wrong, field in (({"mode": "off"}, "mode"), ({}, "mode"), ([], "body"), ({"stopped": True}, "stopped")):
        answer = await s.call("PUT", "/grid/mode", wrong)
        assert (answer.status, told(answer)["field"]) == (400, field)
    assert await s.get("/grid/mode") == {"mode": "shadow", "stopped": False}


@pytest.mark.parametrize(("verb", "in_force_kw"), [("confirm", 2000), ("drop", 20)])
async def test_a_signal_that_is_not_plausible_waits_for_an_operator(s: Site, verb: str, in_force_kw: int) -> None:
    await s.put_group("T1", fallback_capacity_kw=None)
    await s.call("POST", "/grid/v1/signals", signal(20), token=s.one_token)
    await s.call("POST", "/grid/v1/signals", signal(2000, "too/much"), token=s.one_token)
    (waiting,) = (await s.get("/grid/signals"))["items"]
    assert waiting == {
        "id": waiting["id"],
        "group_id": "T1",
        "capacity_provider": s.one,
        "message_id": "too/much",
        "received_at": "2026-03-02T12:00:00.000Z",
        "blocks": [{"start": "2026-03-02T12:00:00.000Z", "end": "2026-03-02T13:00:00.000Z", "limit_kw": 2000}],
    }
    settled = [await s.call("POST", f"/grid/signals/{waiting['id']}/{verb}") for _ in range(2)]
    assert [each.status for each in settled] == [204, 404]
    assert (await s.get("/grid/signals"))["items"] == []
    steps = s.grid.capacities["T1"].limits.steps(s.grid.model.groups["T1"], NOON, NOON + timedelta(minutes=30))
    assert steps[0].limit_mw == min(in_force_kw, 100) * 1_000_000
