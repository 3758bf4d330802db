"""Scenarios S-022 to S-041: direct routing, forward outcomes of table F, and what is refused before anything is
sent.
"""

import asyncio
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from tests.hubs import id_of, register, register_all, test_settings

S, R = Interface.SENDER, Interface.RECEIVER
ENVELOPE = b'{"data":{"id":"LOC1"},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'


def said(answer: Answer) -> tuple[int, int | None]:
    return answer.status, answer.status_code


def between(answer: Answer) -> tuple[str, str]:
    """TO and FROM of an answer."""
    found = answer.headers
    return (
        f"{found[headers.TO_COUNTRY]}/{found[headers.TO_PARTY]}",
        f"{found[headers.FROM_COUNTRY]}/{found[headers.FROM_PARTY]}",
    )


async def get_location(world: World, **changes: Any) -> Answer:
    """P2, as NL/EMA, gets LOC1 of NL/CPA."""
    wanted: dict[str, Any] = {"to": "NL/CPA", "sender": "NL/EMA"} | changes
    return await world["P2"].call("GET", names.LOCATIONS, S, "LOC1", **wanted)


async def test_s_022_direct_get_four_legs(hub: RunningHub, world: World) -> None:
    world["P1"].faults.on(names.LOCATIONS).answer(200, ENVELOPE)
    answer = await get_location(world, headers={headers.REQUEST_ID: "req-1", headers.CORRELATION_ID: "cor-1"})
    (leg,) = world["P1"].received
    assert (leg.method, leg.target) == ("GET", "/ocpi/2.2.1/s/locations/LOC1")
    assert (str(leg.to), str(leg.sender)) == ("NL/CPA", "NL/EMA")
    assert leg.request_id not in (None, "req-1")
    assert leg.correlation_id == "cor-1"
    assert leg.headers[headers.AUTHORIZATION] == "Token b3V0LVAxLTkxYmM="
    assert said(answer) == (200, 1000)
    assert answer.body == ENVELOPE
    assert (answer.headers[headers.REQUEST_ID], answer.headers[headers.CORRELATION_ID]) == ("req-1", "cor-1")
    assert between(answer) == ("NL/EMA", "NL/CPA")
    assert answer.headers[headers.CONTENT_TYPE] == headers.JSON


async def test_s_023_body_passes_untouched(hub: RunningHub, world: World) -> None:
    body = b'{"data":{"id":"LOC1","x_new":null,"n":0.10,"e":1E2},"status_code":1000,"timestamp":"2026-01-01T00:00:00"}'
    world["P1"].faults.on(names.LOCATIONS).answer(200, body)
    assert (await get_location(world)).body == body


async def test_s_024_put_created(hub: RunningHub, world: World) -> None:
    sent = b'{ "country_code":"NL",\n "party_id":"CPA", "id":"S1", "kwh": 1.0500, "x": [1E2, 0.10, null] }'
    world["P2"].faults.on(names.SESSIONS).answer(201, b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}')
    answer = await world["P1"].call("PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/EMA", sender="NL/CPA", body=sent)
    (leg,) = world["P2"].received
    assert leg.target == "/ocpi/2.2.1/r/sessions/NL/CPA/S1"
    assert leg.body == sent
    assert leg.headers[headers.CONTENT_TYPE] == headers.JSON
    assert said(answer) == (201, 1000)
    assert between(answer) == ("NL/CPA", "NL/EMA")


async def test_s_025_ocpi_error_relayed(hub: RunningHub, world: World) -> None:
    body = b'{"data":{"result":"REJECTED","timeout":0},"status_code":2003,"timestamp":"2026-01-01T00:00:00Z"}'
    world["P1"].faults.on(names.COMMANDS).answer(200, body)
    unlock = objects.unlock_connector(world["P2"].callback_url("u1"))
    answer = await world["P2"].call(
        "POST", names.COMMANDS, R, "UNLOCK_CONNECTOR", to="NL/CPA", sender="NL/EMA", body=unlock
    )
    assert (answer.status, answer.body) == (200, body)


async def test_s_026_404_relayed(hub: RunningHub, world: World) -> None:
    body = b'{"status_code":2003,"timestamp":"2026-01-01T00:00:00Z"}'
    world["P1"].faults.on(names.LOCATIONS).answer(404, body)
    answer = await world["P2"].call("GET", names.LOCATIONS, S, "NOPE", to="NL/CPA", sender="NL/EMA")
    assert (answer.status, answer.body) == (404, body)


async def test_s_027_unknown_receiver(hub: RunningHub, world: World) -> None:
    answer = await get_location(world, to="XX/ZZZ")
    assert said(answer) == (200, 4001)
    assert between(answer) == ("NL/EMA", "NL/HUB")
    assert answer.data is None
    assert not [platform for platform in world if platform.received]


async def test_s_028_offline_receiver(hub: RunningHub, world: World) -> None:
    assert said(await get_location(world, to="AT/CPX")) == (200, 4003)
    assert not world["P10"].received


async def test_s_029_connection_refused(hub: RunningHub, world: World) -> None:
    await world["P1"].go_dark()
    answer = await get_location(world)
    assert said(answer) == (200, 4003)
    assert between(answer) == ("NL/EMA", "NL/HUB")


async def test_s_030_timeout(hub: RunningHub, world: World) -> None:
    fault = world["P1"].faults.on(names.LOCATIONS).hang()
    assert said(await get_location(world)) == (200, 4002)
    world["P1"].faults.remove(fault)
    assert said(await get_location(world, to="BE/CPB")) == (404, 2003)
    assert len(world["P1"].received.of(names.LOCATIONS)) == 2


async def test_s_031_receiver_rejects_the_hubs_token(hub: RunningHub, world: World) -> None:
    world["P1"].faults.on(names.LOCATIONS).answer(401, b'{"status_code":2000,"timestamp":"2026-01-01T00:00:00Z"}')
    assert said(await get_location(world)) == (200, 4003)
    (alarm,) = hub.alarms.newest_first
    assert alarm.kind == "token_refused"
    assert b'ocpi_hub_alarms_total{kind="token_refused"} 1.0' in hub.metrics.expose()


async def test_s_032_spoofed_from(hub: RunningHub, world: World) -> None:
    answer = await get_location(world, sender="NL/CPA")
    assert said(answer) == (403, 2001)
    assert not world["P1"].received


async def test_s_033_from_inferred(hub: RunningHub, world: World) -> None:
    answer = await world["P3"].call("GET", names.LOCATIONS, S, to="NL/CPA")
    assert said(answer) == (200, 1000)
    assert str(world["P1"].received[0].sender) == "NL/NSP"


async def test_s_034_from_ambiguous(hub: RunningHub, world: World) -> None:
    assert said(await get_location(world, sender=None)) == (200, 2001)
    assert not world["P1"].received


async def test_s_035_case(hub: RunningHub, world: World) -> None:
    lower = {"ocpi-to-party-id": "cpa", "OCPI-TO-COUNTRY-CODE": "nl"}
    await get_location(world, to=None, headers=lower)
    (leg,) = world["P1"].received
    assert (leg.headers[headers.TO_COUNTRY], leg.headers[headers.TO_PARTY]) == ("NL", "CPA")


@pytest.mark.parametrize("name", [headers.TO_PARTY, headers.TO_COUNTRY, headers.FROM_PARTY, headers.FROM_COUNTRY])
async def test_s_036_half_a_pair(hub: RunningHub, world: World, name: str) -> None:
    answer = await get_location(world, headers={name: None})
    assert said(answer) == (200, 2001)
    assert name in (answer.status_message or "")
    assert not world["P1"].received


async def test_s_037_dual_role(hub: RunningHub, world: World) -> None:
    p4 = world["P4"]
    await world["P2"].call("GET", names.LOCATIONS, S, "L9", to="FR/DUO", sender="NL/EMA")
    await world["P1"].call("GET", names.TOKENS, S, query="limit=5", to="FR/DUO", sender="NL/CPA")
    token = objects.token("NL/EMA", "123")
    await world["P2"].call("PUT", names.TOKENS, R, "NL/EMA/123", to="FR/DUO", sender="NL/EMA", body=token)
    assert [(one.method, one.target) for one in p4.received] == [
        ("GET", "/ocpi/2.2.1/s/locations/L9"),
        ("GET", "/ocpi/2.2.1/s/tokens?limit=5"),
        ("PUT", "/ocpi/2.2.1/r/tokens/NL/EMA/123"),
    ]


async def test_to_equals_from_is_routed_by_acting_role(hub: RunningHub, world: World) -> None:
    answer = await world["P4"].call("GET", names.TOKENS, S, to="FR/DUO", sender="FR/DUO")
    assert said(answer) == (200, 1000)
    assert len(world["P4"].received) == 1


@pytest.mark.parametrize(
    "body",
    [b'{"id":', b"", b"{} {}", b'{"id": NaN}', b'{"id": "\xff"}', b"[" * 200_000, b"not json", b"\xef\xbb\xbf{}"],
)
async def test_s_038_invalid_json(hub: RunningHub, world: World, body: bytes) -> None:
    answer = await world["P1"].call("PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/EMA", sender="NL/CPA", body=body)
    assert said(answer) == (400, 2000)
    assert not world["P2"].received


async def test_s_039_module_missing_at_the_receiver(hub: RunningHub, world: World) -> None:
    cdr = objects.cdr("NL/CPA", "C1")
    answer = await world["P1"].call("POST", names.CDRS, R, to="NL/NSP", sender="NL/CPA", body=cdr)
    assert said(answer) == (200, 4000)
    assert not world["P3"].received


async def test_s_040_method_not_allowed(hub: RunningHub, world: World) -> None:
    answer = await world["P1"].call("PATCH", names.TARIFFS, R, "NL/CPA/T1", to="NL/EMA", sender="NL/CPA", body={})
    assert said(answer) == (405, 2000)
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["Allow"].split(", "))
    assert not world["P2"].received


async def test_s_041_trailing_slashes(hub: RunningHub, world: World) -> None:
    token = objects.token("NL/EMA", "123")
    for tail in ("NL/EMA/123", "NL/EMA/123/"):
        answer = await world["P2"].call("PUT", names.TOKENS, R, tail, to="NL/CPA", sender="NL/EMA", body=token)
        assert answer.ok, answer
        assert world["P1"].received[-1].path.removesuffix("/") == "/ocpi/2.2.1/r/tokens/NL/EMA/123"
    base = hub.identity.module_url("2.2.1", names.LOCATIONS, S)
    for url in (f"{base}/?limit=5", f"{base}?limit=5"):
        answer = await world["P2"].call("GET", "", None, url=url, to="NL/CPA", sender="NL/EMA")
        assert said(answer) == (200, 1000)
        assert world["P1"].received[-1].target == "/ocpi/2.2.1/s/locations?limit=5"


RAW_TAILS = ["LOC%2F1", "a%3Ab", "a+b", "%e2%82%ac", "~x", "a;b=c", "a@b", "a,b"]


@pytest.mark.parametrize("tail", RAW_TAILS)
async def test_path_and_query_bytes_pass_untouched(hub: RunningHub, world: World, tail: str) -> None:
    query = "x=%2F&y=a+b&date_from=2026-01-01T00:00:00%2B00:00&z&&q=%c3%a9"
    await world["P2"].call("GET", names.LOCATIONS, S, tail, to="NL/CPA", sender="NL/EMA", query=query)
    (leg,) = world["P1"].received
    assert leg.target == f"/ocpi/2.2.1/s/locations/{tail}?{query}"


async def test_owner_in_the_path_must_belong_to_the_platform(hub: RunningHub, world: World) -> None:
    location = objects.location("FR/DUO", "LOC1")
    answer = await world["P1"].call(
        "PUT", names.LOCATIONS, R, "FR/DUO/LOC1", to="NL/EMA", sender="NL/CPA", body=location
    )
    assert said(answer) == (404, 2001)
    answer = await world["P1"].call(
        "PUT", names.LOCATIONS, R, "NL/CPA/LOC1", to="NL/EMA", sender="NL/CPA", body=location
    )
    assert said(answer) == (200, 2001)
    assert not world["P2"].received


async def test_owner_in_path_and_body_may_differ_in_case(hub: RunningHub, world: World) -> None:
    location = objects.location("nl/cpa", "LOC1")
    answer = await world["P1"].call(
        "PUT", names.LOCATIONS, R, "NL/CPA/LOC1", to="NL/EMA", sender="NL/CPA", body=location
    )
    assert answer.ok or answer.status_code == 2001, answer
    assert len(world["P2"].received) == 1


async def test_a_cdr_of_somebody_else_is_not_sent(hub: RunningHub, world: World) -> None:
    cdr = objects.cdr("FR/DUO", "C1")
    answer = await world["P1"].call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=cdr)
    assert said(answer) == (200, 2001)
    assert not world["P2"].received


@pytest.mark.parametrize(("limit", "length"), [(2000, 1900), (2000, 2100)])
async def test_body_over_the_limit_is_413(tmp_path: Any, limit: int, length: int) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, max_body=limit)
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            body = b'{"x":"' + b"x" * (length - 8) + b'"}'
            answer = await world["P1"].call(
                "PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/EMA", sender="NL/CPA", body=body
            )
            assert answer.status == (413 if length > limit else answer.status)
            assert (answer.status == 413) == (length > limit)
            assert answer.status_code is not None


# What the receiver does -> what the requester gets: table F (F1 to F4, F6 to F8 and F22 have scenarios of their own).
GOOD = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
BAD = b'{"status_code":2001,"status_message":"no","timestamp":"2026-01-01T00:00:00Z"}'
TABLE_F: list[tuple[str, int, bytes, int, int, bool]] = [
    ("F10", 403, BAD, 200, 2001, True),
    ("F11", 403, b"<html>", 200, 4003, False),
    ("F11-1xxx", 403, GOOD, 200, 4003, False),
    ("F12-400", 400, BAD, 400, 2001, True),
    ("F12-405", 405, BAD, 405, 2001, True),
    ("F12-429", 429, BAD, 429, 2001, True),
    ("F13-404", 404, b"nothing here", 404, 2000, False),
    ("F13-429", 429, b"", 429, 2000, False),
    ("F14", 500, BAD, 500, 2001, True),
    ("F14-503", 503, BAD, 503, 2001, True),
    ("F15-502", 502, b"bad gateway", 200, 4003, False),
    ("F15-503", 503, b"", 200, 4003, False),
    ("F16", 504, b"", 200, 4002, False),
    ("F17", 500, b"oops", 200, 4000, False),
    ("F18-html", 200, b"<html>hello</html>", 200, 4000, False),
    ("F18-array", 200, b"[1,2]", 200, 4000, False),
    ("F18-no-code", 200, b'{"data":[]}', 200, 4000, False),
    ("F18-utf8", 200, b'{"status_code":1000,"data":"\xff"}', 200, 4000, False),
    ("F19-empty-get", 200, b"", 200, 4000, False),
    ("F20-301", 301, b"", 200, 4000, False),
    ("F20-307", 307, GOOD, 200, 4000, False),
    ("relayed-202", 202, GOOD, 202, 1000, True),
]


@pytest.mark.parametrize(
    ("http", "body", "back", "code", "same"), [row[1:] for row in TABLE_F], ids=[r[0] for r in TABLE_F]
)
async def test_table_f(hub: RunningHub, world: World, http: int, body: bytes, back: int, code: int, same: bool) -> None:
    world["P1"].faults.on(names.LOCATIONS).answer(http, body, {"Retry-After": "17", "Location": "http://127.0.0.1:9/"})
    answer = await get_location(world)
    assert said(answer) == (back, code)
    assert (answer.body == body) is same
    assert len(world["P1"].received) == 1
    if http in (429, 404, 400):
        assert answer.headers["Retry-After"] == "17"
    assert answer.headers[headers.CONTENT_TYPE] == headers.JSON
    assert "Location" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("http", [200, 204])
async def test_table_f19_empty_success_of_a_write(hub: RunningHub, world: World, method: str, http: int) -> None:
    world["P2"].faults.on().answer(http, b"")
    module = names.TARIFFS if method == "DELETE" else names.LOCATIONS
    body = None if method == "DELETE" else {"last_updated": "2026-01-01T00:00:00Z"}
    answer = await world["P1"].call(method, module, R, "NL/CPA/X1", to="NL/EMA", sender="NL/CPA", body=body)
    assert said(answer) == (200, 1000)
    assert between(answer) == ("NL/CPA", "NL/EMA")


@pytest.mark.parametrize(
    ("fault", "code"),
    [("reset", 4002), ("half_body", 4002), ("garbage", 4002), ("hang_up", 4002), ("not_json", 4000)],
)
async def test_a_receiver_that_breaks(hub: RunningHub, world: World, fault: str, code: int) -> None:
    getattr(world["P1"].faults.on(names.LOCATIONS), fault)()
    world["P1"].own.put(names.LOCATIONS, objects.location("NL/CPA", "LOC1"))
    assert said(await get_location(world)) == (200, code)
    assert said(await get_location(world, to="FR/DUO"))[0] in (200, 404)


async def test_a_hanging_receiver_does_not_slow_another_pair(hub: RunningHub, world: World) -> None:
    limit = hub.settings.platform_connections
    fault = world["P1"].faults.on(names.LOCATIONS).hang()
    assert limit == 100
    stuck = [asyncio.create_task(get_location(world)) for _ in range(limit + 5)]
    await world["P1"].wait_for(names.LOCATIONS, count=limit, timeout_s=5)
    answers = [await world["P3"].call("GET", names.LOCATIONS, S, to="FR/DUO", sender="NL/NSP") for _ in range(50)]
    assert {said(answer) for answer in answers} == {(200, 1000)}
    assert max(answer.elapsed_s for answer in answers) < 1.0
    full = [await task for task in stuck if task.done()]
    assert len(full) == 5
    # No slot of the other pool is taken: all of them can be in use at once.
    others = world["P4"].faults.on(names.LOCATIONS).hang()
    before = len(world["P4"].received.of(names.LOCATIONS))
    busy = [
        asyncio.create_task(world["P3"].call("GET", names.LOCATIONS, S, to="FR/DUO", sender="NL/NSP"))
        for _ in range(limit)
    ]
    await world["P4"].wait_for(names.LOCATIONS, count=before + limit, timeout_s=5)
    others.release()
    assert {said(answer) for answer in await asyncio.gather(*busy)} == {(200, 1000)}
    assert {said(answer) for answer in full} == {(200, 4003)}
    fault.release()
    done = await asyncio.gather(*stuck)
    assert len([answer for answer in done if answer.status_code != 4003]) == limit


async def test_custom_modules_reach_who_advertises_them(hub: RunningHub, tmp_path: Any) -> None:
    modules = [(names.LOCATIONS, S), ("nlxyz-extras", S), ("nlxyz-extras", R)]
    async with (
        SandboxPlatform("A", [(Role.CPO, "NL", "AAA")], modules=modules) as a,
        SandboxPlatform("B", [(Role.EMSP, "NL", "BBB")], modules=[(names.LOCATIONS, R), *modules[1:]]) as b,
        SandboxPlatform("C", [(Role.EMSP, "NL", "CCC")], modules=[(names.LOCATIONS, R)]) as c,
    ):
        for platform in (a, b, c):
            await register(hub, platform)
        a.received.clear()
        url = hub.identity.module_url("2.2.1", "nlxyz-extras", R)
        answer = await b.call("DELETE", "", None, url=f"{url}/any/path/at/all?q=%2F", to="NL/AAA", sender="NL/BBB")
        assert answer.status_code is not None
        assert [(one.method, one.target) for one in a.received] == [
            ("DELETE", "/ocpi/2.2.1/r/nlxyz-extras/any/path/at/all?q=%2F")
        ]
        assert said(await c.call("GET", "", None, url=url, sender="NL/CCC")) == (200, 4001)
        details = await c.call("GET", "", None, url=hub.identity.version_url("2.2.1"))
        assert not [row for row in details.data["endpoints"] if row["identifier"] == "nlxyz-extras"]
        details = await b.call("GET", "", None, url=hub.identity.version_url("2.2.1"))
        assert len([row for row in details.data["endpoints"] if row["identifier"] == "nlxyz-extras"]) == 2


async def test_a_suspended_platform(hub: RunningHub, world: World) -> None:
    await hub.operations.suspend(id_of(hub, "P1"))
    assert said(await get_location(world)) == (200, 4003)
    answer = await world["P1"].call("GET", names.TOKENS, S, to="NL/EMA", sender="NL/CPA")
    assert answer.status == 403
    await hub.operations.resume(id_of(hub, "P1"))
    assert said(await get_location(world)) == (404, 2003)
