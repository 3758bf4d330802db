"""Scenarios S-061 to S-064 and S-066: URLs of asynchronous results and of CDRs that cross the hub."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import codec, headers, names, times
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.habits import CdrLocation
from hub.sandbox.received import Received
from hub.sandbox.results import ResultMode
from hub.sandbox.world import World, fixture_world
from tests.hubs import register_all, test_settings

S, R = Interface.SENDER, Interface.RECEIVER
CALLBACK = "callback"


async def command(world: World, kind: str, body: Any, **changes: Any) -> Answer:
    """P2, as NL/EMA, sends a command to NL/CPA."""
    wanted: dict[str, Any] = {"to": "NL/CPA", "sender": "NL/EMA"} | changes
    return await world["P2"].call("POST", names.COMMANDS, R, kind, body=body, **wanted)


def given_url(leg: Received) -> str:
    assert leg.response_url is not None
    return leg.response_url


async def result(world: World, url: str, body: bytes, *, by: str = "P1", **changes: Any) -> Answer:
    """A platform reports a result, as the CPO the command went to unless said otherwise."""
    wanted: dict[str, Any] = {"to": "NL/EMA", "sender": "NL/CPA"} | changes
    return await world[by].call("POST", "", None, url=url, body=body, **wanted)


async def test_s_061_response_url_substitution(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    p1.results.mode = ResultMode.NEVER
    original = p2.callback_url("abc?x=1&y=%2F")
    sent = b'{ "token": %s,\r\n "response_url" :  "%s" , "location_id":"LOC1","n":1.50 }' % (
        codec.dumps(objects.token("NL/EMA")),
        original.encode(),
    )
    answer = await command(world, "START_SESSION", sent, headers={headers.CORRELATION_ID: "cor-command"})
    assert answer.data["result"] == "ACCEPTED"
    (leg,) = p1.received
    url = given_url(leg)
    assert url.startswith(f"{hub.settings.public_url}/ocpi/2.2.1/sender/commands/START_SESSION/")
    assert len(url) <= 255
    assert leg.body == sent.replace(original.encode(), url.encode())
    body = b'{"result":"ACCEPTED",  "message": []}'
    told = await result(world, url, body, headers={headers.CORRELATION_ID: "cor-result", headers.REQUEST_ID: "req-9"})
    (home,) = p2.received
    assert (home.method, f"{p2.base_url}{home.target}") == ("POST", original)
    assert home.body == body
    assert home.headers[headers.AUTHORIZATION] == "Token b3V0LVAyLWFhMDE="
    assert (str(home.to), str(home.sender)) == ("NL/EMA", "NL/CPA")
    assert home.correlation_id == "cor-result"
    assert home.request_id not in (None, "req-9")
    assert told.ok, told
    found = told.headers
    assert (found[headers.TO_PARTY], found[headers.FROM_PARTY]) == ("CPA", "EMA")
    assert (found[headers.REQUEST_ID], found[headers.CORRELATION_ID]) == ("req-9", "cor-result")


async def test_s_062_callback_from_the_wrong_platform(hub: RunningHub, world: World) -> None:
    world["P1"].results.mode = ResultMode.NEVER
    await command(world, "START_SESSION", objects.start_session(world["P2"].callback_url("abc")))
    url = given_url(world["P1"].received[0])
    answer = await result(world, url, b'{"result":"ACCEPTED"}', by="P4", sender="FR/DUO")
    assert (answer.status, answer.status_code) == (404, 2001)
    answer = await result(world, f"{url}x", b'{"result":"ACCEPTED"}')
    assert (answer.status, answer.status_code) == (404, 2001)
    assert not world["P2"].received


async def test_s_063_second_call_on_a_reservation_url(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with (tmp_path / "legs.log").open("wb") as legs:
        async with fixture_world(only=["P1", "P2"]) as world:
            async with app.running(test_settings(tmp_path), clock=clock, legs_to=legs) as hub:
                await register_all(hub, world)
                world.forget_received()
                world["P1"].results.mode = ResultMode.NEVER
                expiry = clock.now() + timedelta(days=3)
                body = objects.reserve_now(world["P2"].callback_url("r1"), expiry_date=expiry)
                assert times.parse(body["expiry_date"]) == expiry
                assert (await command(world, "RESERVE_NOW", body)).ok
                url = given_url(world["P1"].received[0])
                assert (await result(world, url, b'{"result":"ACCEPTED"}')).ok
                await clock.jump(2 * 3600)
                assert (await result(world, url, b'{"result":"CANCELED_RESERVATION"}')).ok
                port = hub.settings.port
            async with app.running(test_settings(tmp_path, port=port), clock=clock, legs_to=legs):
                await clock.jump(2.5 * 86400)
                assert (await result(world, url, b'{"result":"CANCELED_RESERVATION"}')).ok
                home = world["P2"].received.of(CALLBACK)
                assert [one.data["result"] for one in home] == [
                    "ACCEPTED",
                    "CANCELED_RESERVATION",
                    "CANCELED_RESERVATION",
                ]
                await clock.jump(2 * 86400)
                assert (await result(world, url, b'{"result":"CANCELED_RESERVATION"}')).status == 404


async def test_s_064_charging_profile_get(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    p1.results.mode = ResultMode.NEVER
    original = p2.callback_url("cp?id=1")
    encoded = original.replace(":", "%3A").replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    for raw in (encoded, original):
        world.forget_received()
        answer = await p2.call(
            "GET",
            names.CHARGING_PROFILES,
            R,
            "S1",
            to="NL/CPA",
            sender="NL/EMA",
            query=f"duration=900&response_url={raw}",
        )
        assert answer.status == 200, answer
        (leg,) = p1.received
        assert re.fullmatch(r"duration=900&response_url=http%3A%2F%2F[\w%.-]+", leg.query)
        body = b'{"result":"ACCEPTED","profile":{"start_date_time":"2026-01-01T00:00:00Z"}}'
        assert (await result(world, given_url(leg), body)).ok
        (home,) = p2.received
        assert f"{p2.base_url}{home.target}" == original
        assert home.body == body


async def test_charging_profile_put_and_delete(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    p1.results.mode = ResultMode.NEVER
    original = p2.callback_url("cp1")
    body = objects.set_charging_profile(original)
    await p2.call("PUT", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/EMA", body=body)
    put = p1.received[-1]
    assert put.body == codec.dumps(body).replace(original.encode(), given_url(put).encode())
    query = f"response_url={original}"
    await p2.call("DELETE", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/EMA", query=query)
    delete = p1.received[-1]
    for leg in (put, delete):
        assert (await result(world, given_url(leg), b'{"result":"ACCEPTED"}')).ok
    assert len(p2.received.of(CALLBACK)) == 2


async def test_the_cpo_reports_by_itself_and_pushes_the_active_profile(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    body = objects.set_charging_profile(p2.callback_url("cp1"))
    answer = await p2.call("PUT", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/EMA", body=body)
    assert answer.data["result"] in ("ACCEPTED", "UNKNOWN_SESSION"), answer
    pushed = await p1.call(
        "PUT",
        names.CHARGING_PROFILES,
        S,
        "S1",
        to="NL/EMA",
        sender="NL/CPA",
        body=objects.active_charging_profile(),
    )
    assert pushed.ok, pushed
    assert p2.received.of(names.CHARGING_PROFILES, S, "PUT")


COMMANDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "START_SESSION": objects.start_session,
    "STOP_SESSION": objects.stop_session,
    "RESERVE_NOW": objects.reserve_now,
    "CANCEL_RESERVATION": objects.cancel_reservation,
    "UNLOCK_CONNECTOR": objects.unlock_connector,
}


@pytest.mark.parametrize("kind", COMMANDS)
async def test_every_command_comes_home(hub: RunningHub, world: World, kind: str) -> None:
    make = COMMANDS[kind]
    answer = await command(world, kind, make(world["P2"].callback_url("x")))
    assert answer.ok, answer
    home = await world["P2"].wait_for(CALLBACK)
    assert home.data["result"]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/cb",
        "http://127.0.0.1:1/cb",
        "http://10.0.0.1/cb",
        "http://169.254.169.254/latest",
        "http://[::1]/cb",
        "ftp://127.0.0.1/cb",
        "/cb/relative",
        "not a url",
        "",
        "http://user:secret@127.0.0.1/cb",
        "https://" + "x" * 260 + ".test/cb",
    ],
)
async def test_a_response_url_to_a_foreign_or_private_host_is_refused(hub: RunningHub, world: World, url: str) -> None:
    answer = await command(world, "STOP_SESSION", objects.stop_session(url))
    assert (answer.status, answer.status_code) == (200, 2001), answer
    assert not world["P1"].received
    assert "secret" not in answer.body.decode()


async def test_a_response_url_that_is_no_text_is_refused(hub: RunningHub, world: World) -> None:
    answer = await command(world, "STOP_SESSION", b'{"response_url": 5, "session_id": "S1"}')
    assert (answer.status, answer.status_code) == (200, 2001)
    assert not world["P1"].received


async def test_a_command_for_somebody_elses_token_is_refused(hub: RunningHub, world: World) -> None:
    body = objects.start_session(world["P2"].callback_url("x"), driver="FR/DUO")
    answer = await command(world, "START_SESSION", body)
    assert (answer.status, answer.status_code) == (200, 2001)
    assert not world["P1"].received


async def test_s_066_cdr_location(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    location = {headers.LOCATION: f"{p2.base_url}/ocpi/2.2.1/r/cdrs/77"}
    p2.faults.on(names.CDRS, times=1).answer(201, b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}', location)
    cdr = objects.cdr("NL/CPA", "C1")
    answer = await p1.call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=cdr)
    assert (answer.status, answer.status_code) == (201, 1000)
    url = answer.headers[headers.LOCATION]
    assert url.startswith(f"{hub.settings.public_url}/ocpi/2.2.1/receiver/cdrs/")
    assert p2.base_url not in url
    assert p2.received[0].target == "/ocpi/2.2.1/r/cdrs"
    for routing in ({"to": "NL/EMA", "sender": "NL/CPA"}, {"sender": "NL/CPA"}, {}):
        p2.received.clear()
        await p1.call("GET", "", None, url=url, **routing)  # type: ignore[arg-type]
        (leg,) = p2.received
        assert (leg.method, leg.target) == ("GET", "/ocpi/2.2.1/r/cdrs/77")
        assert (str(leg.to), str(leg.sender)) == ("NL/EMA", "NL/CPA")
    p2.received.clear()
    answer = await world["P4"].call("GET", "", None, url=url, sender="FR/DUO")
    assert (answer.status, answer.status_code) == (404, 2001)
    assert not p2.received


@pytest.mark.parametrize("style", list(CdrLocation))
async def test_a_posted_cdr_can_be_read_back(hub: RunningHub, world: World, style: CdrLocation) -> None:
    world["P2"].habits.cdr_location = style
    cdr = objects.cdr("NL/CPA", "C1")
    answers = []
    for tail in ("", "NL/CPA"):
        answers.append(await world["P1"].call("POST", names.CDRS, R, tail, to="NL/EMA", sender="NL/CPA", body=cdr))
        assert world["P2"].received[-1].path == "/ocpi/2.2.1/r/cdrs"
    answer = answers[-1]
    assert [one.ok for one in answers] == [True, True]
    if style is CdrLocation.ABSENT:
        assert headers.LOCATION not in answer.headers
    else:
        got = await world["P1"].call("GET", "", None, url=answer.headers[headers.LOCATION])
        assert got.data["id"] == "C1"


async def test_s_067_routing_headers_ignored(hub: RunningHub, world: World) -> None:
    for sender in ("NL/EMA", "XX/YYY"):
        answer = await world["P2"].call("GET", names.CREDENTIALS, None, to="NL/CPA", sender=sender)
        assert (answer.status, answer.status_code) == (200, 1000)
        assert not [name for name in answer.headers if name.lower().startswith("ocpi-")]
    assert not world["P1"].received


async def test_client_info_is_served_page_by_page(hub: RunningHub, world: World) -> None:
    crawl = await world["P2"].crawl(names.HUB_CLIENT_INFO, query="limit=3")
    assert crawl.complete
    rows = {(row["role"], row["country_code"], row["party_id"]): row for row in crawl.objects}
    assert len(rows) == len(crawl.objects)
    assert rows["CPO", "NL", "CPA"]["status"] == "CONNECTED"
    assert rows["CPO", "AT", "CPX"]["status"] == "OFFLINE"
    assert {key for key in rows if key[2] == "DUO"} == {("CPO", "FR", "DUO"), ("EMSP", "FR", "DUO")}
    assert not [key for key in rows if key[2] in ("EMA", "EMB", "HUB")]
    fields = {"party_id", "country_code", "role", "status", "last_updated"}
    assert {frozenset(row) for row in rows.values()} == {frozenset(fields)}
    assert crawl.pages[0].headers[headers.TOTAL_COUNT] == str(len(rows))


@pytest.mark.parametrize("query", ["offset=-1", "limit=0", "limit=x", "date_from=yesterday", "offset=1.5"])
async def test_bad_paging_at_the_hub_is_2001(hub: RunningHub, world: World, query: str) -> None:
    answer = await world["P2"].call("GET", names.HUB_CLIENT_INFO, S, query=query)
    assert (answer.status, answer.status_code) == (200, 2001)
    assert query.partition("=")[0] in (answer.status_message or "")
