"""What a DSO says and reads with its own token, and how little of it is anybody else's."""

from decimal import Decimal
from typing import Any

import pytest

from hub.plugin import BadRequest
from plugins.load_manager.doors.port import LimitedSession
from plugins.load_manager.grid.coverage import Evse
from plugins.load_manager.signals.signal import SignalKind, Unit
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import CPO, evse

SIGNALS = "/grid/v1/signals"
MEMBERS = [{"country_code": "NL", "party_id": "CPO", "location_id": "LOC1"}]


def block(start: str = "12:00:00Z", end: str = "13:00:00Z", value: object = 20) -> dict[str, object]:
    return {"start": f"2026-03-02T{start}", "end": f"2026-03-02T{end}", "value": value}


def signal(*blocks: dict[str, object], **more: object) -> dict[str, Any]:
    known = {"group_id": "T1", "kind": "LIMIT", "unit": "KW", "message_id": "m1"}
    return {**known, "blocks": list(blocks or [block()]), **more}


async def test_a_signal_limits_the_group_at_once_and_is_kept_as_it_came(s: Site) -> None:
    await s.put_group("T1")
    answer = await s.call("POST", SIGNALS, signal(block(value=Decimal("20.5"))), token=s.one_token)
    assert (answer.status, told(answer)) == (202, {"message_id": "m1", "group_id": "T1", "state": "taken"})
    shown = await s.get("/grid/groups/T1")
    assert (shown["state"], shown["limit_kw"]) == ("LIMITED", Decimal("20.5"))
    (kept,) = s.grid.taken.values()
    assert (kept.capacity_provider, kept.kind, kept.unit) == (s.one, SignalKind.LIMIT, Unit.KW)
    assert '"value":20.5' in kept.raw


async def test_a_message_that_comes_again_is_ignored(s: Site) -> None:
    await s.put_group("T1")
    await s.call("POST", SIGNALS, signal(), token=s.one_token)
    again = await s.call("POST", SIGNALS, signal(block(value=50)), token=s.one_token)
    assert (again.status, again.content) == (204, b"")
    assert s.grid.limit_kw("T1") == 20


async def test_a_message_id_of_one_dso_says_nothing_about_anothers(s: Site) -> None:
    await s.put_group("T1")
    await s.put_group("T2", capacity_provider=s.two)
    assert (await s.call("POST", SIGNALS, signal(group_id="T2"), token=s.two_token)).status == 202
    assert (await s.call("POST", SIGNALS, signal(), token=s.one_token)).status == 202


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (signal(block(value=-1)), "blocks[0].value"),
        (signal(block(value="NaN")), "blocks[0].value"),
        (signal(block(value=None)), "blocks[0].value"),
        (signal(block(), block(start="12:30:00Z", end="14:00:00Z")), "blocks[1].start"),
        (signal(block(), block(start="14:00:00Z", end="13:30:00Z")), "blocks[1].end"),
        (signal(block(start="13:00:00Z")), "blocks[0].end"),
        (signal(block(start="12:00:00")), "blocks[0].start"),
        (signal(unit="MW"), "unit"),
        (signal(message_id=""), "message_id"),
        (signal(value=3), "value"),
        (signal() | {"blocks": []}, "blocks"),
    ],
)
async def test_a_signal_with_a_mistake_is_refused_whole(s: Site, wrong: dict[str, Any], field: str) -> None:
    await s.put_group("T1")
    answer = await s.call("POST", SIGNALS, wrong, token=s.one_token)
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert told(answer)["field"] == field
    assert told(answer)["title"].startswith(field)
    assert s.grid.limit_kw("T1") == 12
    good = await s.call("POST", SIGNALS, signal(), token=s.one_token)
    assert good.status == 202


async def test_a_signal_that_is_no_json_is_refused(s: Site) -> None:
    await s.put_group("T1")
    for body in (b'{"group_id": NaN}', b"\xff", b""):
        with pytest.raises(BadRequest):
            await s.call("POST", SIGNALS, body, token=s.one_token)
    assert not s.grid.taken


async def test_every_mistake_of_a_signal_is_told(s: Site) -> None:
    answer = told(await s.call("POST", SIGNALS, signal(block(value=-1, end="noon"), unit="MW"), token=s.one_token))
    assert [each["field"] for each in answer["errors"]] == ["unit", "blocks[0].end"]
    assert answer["title"] == "unit is one of A, W, KW, WH, KWH (and 1 more)"

    many = signal(*[block(value=-1)] * 150)
    answer = told(await s.call("POST", SIGNALS, many | {f"x{n}": 1 for n in range(150)}, token=s.one_token))
    assert (len(answer["errors"]), answer["title"]) == (100, "x0 is no field of a signal (and 149 more)")


async def test_a_group_nobody_knows_is_not_found_and_anothers_is_forbidden(s: Site) -> None:
    await s.put_group("T1")
    unknown = await s.call("POST", SIGNALS, signal(group_id="T9"), token=s.one_token)
    others = await s.call("POST", SIGNALS, signal(), token=s.two_token)
    assert [(each.status, told(each)["field"]) for each in (unknown, others)] == [(404, "group_id"), (403, "group_id")]
    assert told(others)["title"] == "group_id T1 belongs to another capacity provider"
    assert not s.grid.taken


@pytest.mark.parametrize("token", [None, "", "wrong", "x" * 5000])
async def test_nobody_gets_in_without_a_token(s: Site, token: str | None) -> None:
    await s.put_group("T1")
    for method, path in (("POST", SIGNALS), ("GET", "/grid/v1/groups"), ("GET", "/grid/v1/activations")):
        answer = await s.call(method, path, signal(), token=token)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Token")
        assert answer.content_type == "application/problem+json"
    assert not s.grid.taken


async def test_a_dso_reads_its_own_groups_and_no_session_or_evse(s: Site) -> None:
    s.grid.evses = [Evse(evse("E1"), True)]
    await s.put_group("T1", members=MEMBERS)
    await s.put_group("T2", capacity_provider=s.two)
    await s.put_group("T3", capacity_provider=None)
    s.grid.sessions["T1"] = (LimitedSession(CPO, "S1", "LOC1", "E1", "limited", 0, 0),)
    await s.call("POST", SIGNALS, signal(block(value=20_000), message_id="watts"), token=s.one_token)
    (shown,) = (await s.get("/grid/v1/groups", token=s.one_token))["items"]
    assert shown == {
        "id": "T1",
        "state": "FALLBACK",
        "since": "2026-03-02T12:00:00.000Z",
        "reason": shown["reason"],
        "limit_kw": 12,
        "allocated_kw": 12,
        "booked_kw": 12,
        "measured_kw": None,
        "measured_quality": None,
        "controllable_share": Decimal(1),
        "static_capacity_kw": 100,
        "fallback_capacity_kw": 12,
        "waiting": ["watts"],
    }
    assert [each["id"] for each in (await s.get("/grid/v1/groups", token=s.two_token))["items"]] == ["T2"]


async def test_a_value_that_is_not_plausible_is_said_to_wait(s: Site) -> None:
    await s.put_group("T1")
    answer = await s.call("POST", SIGNALS, signal(block(value=20_000)), token=s.one_token)
    assert (answer.status, told(answer)["state"]) == (202, "set aside")
    assert "operator of the hub confirms it" in told(answer)["reason"]


async def test_a_dso_reads_what_came_of_its_own_signals(s: Site) -> None:
    await s.put_group("T1")
    await s.put_group("T2", capacity_provider=s.two)
    for number in (1, 2, 3):
        await s.call("POST", SIGNALS, signal(message_id=f"m{number}"), token=s.one_token)
    await s.call("POST", SIGNALS, signal(group_id="T2", message_id="theirs"), token=s.two_token)
    first = await s.get("/grid/v1/activations?limit=2", token=s.one_token)
    rest = await s.get(f"/grid/v1/activations?after={first['next']}", token=s.one_token)
    assert [each["message_id"] for each in (*first["items"], *rest["items"])] == ["m3", "m2", "m1"]
    answer = await s.call("GET", f"/grid/v1/activations?provider={s.two}", token=s.one_token)
    assert (answer.status, told(answer)["field"]) == (400, "provider")
