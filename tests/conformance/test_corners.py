"""Corners of the walk: stored URLs of suspended parties, headers on early errors, odd targets, unreadable links."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.refusal import Refusal
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.results import ResultMode
from hub.sandbox.world import World, fixture_world
from hub.web import reply
from tests.conformance.test_guard import line, raw, written
from tests.hubs import id_of, register, register_all, test_settings
from tests.waiting import until

__all__ = ["written"]

S, R = Interface.SENDER, Interface.RECEIVER
OK = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'


def said(answer: Answer) -> tuple[int, int | None]:
    return answer.status, answer.status_code


def to_of(answer: Answer) -> str:
    return f"{answer.headers.get(headers.TO_COUNTRY)}/{answer.headers.get(headers.TO_PARTY)}"


async def stored_urls(world: World) -> tuple[str, str, str]:
    """A page link of NL/EMA to NL/CPA, a callback of NL/CPA to NL/EMA and a CDR of NL/CPA at NL/EMA."""
    p1, p2 = world["P1"], world["P2"]
    p1.results.mode = ResultMode.NEVER
    for number in range(3):
        p1.own.put(names.CDRS, objects.cdr("NL/CPA", f"C{number}"))
    page = await p2.call("GET", names.CDRS, S, to="NL/CPA", sender="NL/EMA", query="limit=2")
    body = objects.stop_session(p2.callback_url("x"))
    await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    posted = await p1.call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=objects.cdr("NL/CPA", "C9"))
    callback = p1.received.of(names.COMMANDS)[-1].response_url
    assert page.next_url is not None
    assert callback is not None
    return page.next_url, callback, posted.headers[headers.LOCATION]


@pytest.mark.parametrize(("party", "role"), [("NL/CPA", Role.CPO), ("NL/EMA", Role.EMSP)])
async def test_stored_urls_do_not_lead_around_a_suspension(
    hub: RunningHub, world: World, party: str, role: Role
) -> None:
    page, callback, location = await stored_urls(world)
    done = await hub.operations.suspend_party(PartyId(*party.split("/")), role)
    assert not isinstance(done, Refusal), done
    await until(lambda: hub.client_info.quiet)
    world.forget_received()
    p1, p2 = world["P1"], world["P2"]
    answers = [
        await p2.call("GET", "", None, url=page, sender="NL/EMA"),
        await p1.call("POST", "", None, url=callback, sender="NL/CPA", body=b'{"result":"ACCEPTED"}'),
        await p1.call("GET", "", None, url=location, sender="NL/CPA"),
    ]
    for answer, speaks in zip(answers, ("NL/EMA", "NL/CPA", "NL/CPA"), strict=True):
        assert said(answer) in ([(403, 2000)] if speaks == party else [(200, 4003)]), answer
    assert not p1.received
    assert not p2.received


async def test_a_cdr_location_survives_an_empty_success(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    there = {headers.LOCATION: f"{p2.base_url}/ocpi/2.2.1/r/cdrs/77"}
    p2.faults.on(names.CDRS, times=1).answer(201, b"", there)
    answer = await p1.call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=objects.cdr("NL/CPA", "C1"))
    assert said(answer) == (200, 1000)
    await p1.call("GET", "", None, url=answer.headers[headers.LOCATION])
    assert p2.received[-1].target == "/ocpi/2.2.1/r/cdrs/77"


async def test_a_cdr_is_found_after_its_holder_came_back_as_another_platform(hub: RunningHub, world: World) -> None:
    _, _, location = await stored_urls(world)
    await hub.operations.remove(id_of(hub, "P2"))
    await register(hub, world["P2"])
    read = await world["P1"].call("GET", "", None, url=location)
    assert read.ok, read
    assert read.data["id"] == "C9"


EARLY: list[tuple[str, dict[str, Any]]] = [
    ("unknown receiver", {"to": "XX/YYY"}),
    ("no receiver", {}),
    ("the hub", {"to": "NL/HUB", "tail": "NOWHERE"}),
    ("lone header", {"headers": {headers.TO_PARTY: "CPA"}}),
    ("unknown path", {"to": "NL/CPA", "tail": "a/b/c/d/e"}),
    ("wrong method", {"to": "NL/CPA", "method": "DELETE"}),
    ("page link", {"to": "NL/CPA", "query": "hub_page=nonsense"}),
]


@pytest.mark.parametrize("claimed", [None, "be/emc"])
@pytest.mark.parametrize("changes", [row[1] for row in EARLY], ids=[row[0] for row in EARLY])
async def test_early_errors_name_the_requester(
    hub: RunningHub, world: World, changes: dict[str, Any], claimed: str | None
) -> None:
    given = {"method": "GET", "tail": "", **changes}
    method, tail = given.pop("method"), given.pop("tail")
    answer = await world["P5"].call(method, names.LOCATIONS, S, tail, sender=claimed, **given)
    assert answer.status_code not in (None, 1000)
    assert to_of(answer) == "BE/EMC"
    assert answer.headers[headers.FROM_PARTY] == "HUB"


async def test_a_from_that_is_not_ones_own_is_never_echoed(hub: RunningHub, world: World) -> None:
    url = f"{hub.identity.module_url('2.2.1', names.LOCATIONS, S)}?hub_page=x"
    answer = await world["P5"].call("GET", "", None, url=url, sender="NL/CPA")
    assert said(answer) == (403, 2001)
    answer = await world["P5"].call(
        "POST", names.COMMANDS, S, "START_SESSION/none", sender="NL/CPA", body=b'{"result":"ACCEPTED"}'
    )
    assert said(answer) == (404, 2001)
    assert to_of(answer) in ("None/None", "BE/EMC")


@pytest.mark.parametrize("name", [b"OCPI-to-country-code", b"OCPI-from-country-code"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b"N\x01", b"N" * 5000])
async def test_odd_bytes_in_routing_headers_are_answered(
    hub: RunningHub, world: World, name: bytes, value: bytes
) -> None:
    head = line(world, "GET").replace("/S1 HTTP", "/S1 HTTP").encode()
    given = head.replace(name + b": NL", name + b": " + value)
    answer = await raw(hub, given)
    status = int(answer.split(b" ", 2)[1])
    assert status in (200, 400, 403), answer[:200]
    assert len(answer) < 2000
    assert b'"status_code":' in answer


async def test_a_client_that_waits_for_100_is_told_to_go_on(hub: RunningHub, world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
    body = b'{"id":"S1"}'
    writer.write(line(world, extra=f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n").encode())
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readline()).split()[1] in (b"200", b"201", b"404")
    writer.transport.abort()
    assert world["P2"].received[-1].body == body


@pytest.mark.parametrize("target", ["http://hub.test/ocpi/versions", "https://hub.test:1/ocpi/versions?x=1"])
async def test_absolute_targets_are_understood(hub: RunningHub, world: World, target: str) -> None:
    head = line(world, "GET").replace("/ocpi/2.2.1/receiver/sessions/NL/CPA/S1", target)
    answer = await raw(hub, head.encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"2.2.1"' in answer


async def test_the_bare_prefix_is_answered_in_an_envelope(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call("GET", "", None, url=f"{hub.url}/ocpi")
    assert said(answer) == (404, 2000)
    assert answer.headers[headers.REQUEST_ID]


async def test_what_cannot_be_read_is_neither_logged_nor_repeated(hub: RunningHub, written: io.StringIO) -> None:
    secret = "the-secret-of-somebody"
    for bad in (
        f"GET /ocpi/versions HTTP/1.1\r\nAuthorization: Token {secret}{'a' * 20_000}\r\n\r\n",
        f"GET /ocpi/versions HTTP/1.1\r\nAuthorization: Token\r\n {secret}\r\nBad Header\r\n\r\n",
        f"GET /ocpi/versions HTTP/1.1\r\nX-Key: {secret}\x01\r\n\r\n",
    ):
        answer = await raw(hub, bad.encode())
        assert secret.encode() not in answer
        if answer.split(b" ", 2)[1:2] == [b"400"]:
            assert b'"status_code":2000' in answer
            assert b"X-Request-ID" in answer
            assert b"aiohttp" not in answer
    assert secret not in written.getvalue()


@pytest.mark.parametrize("link", ['http://x/2; rel="next"', '<http://x/2 rel="next"', '<>; rel="next"'])
async def test_a_link_that_cannot_be_read_is_no_last_page(hub: RunningHub, world: World, link: str) -> None:
    world["P1"].faults.on(names.CDRS).answer(200, OK, {headers.LINK: link})
    answer = await world["P2"].call("GET", names.CDRS, S, to="NL/CPA", sender="NL/EMA")
    assert said(answer) == (200, 4000)


async def test_every_response_url_in_a_query_is_replaced(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    mine, foreign = p2.callback_url("a"), "http%3A%2F%2F10.0.0.1%2Fx"
    query = f"response_url={mine}&duration=900&response%5Furl={foreign}"
    answer = await p2.call("GET", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/EMA", query=query)
    assert answer.status_code in (1000, 2001), answer
    for one in p1.received:
        assert "10.0.0.1" not in one.target
        assert "duration=900" in one.query


async def test_reservations_for_ever_are_kept_a_year_at_most(hub: RunningHub, world: World) -> None:
    body = objects.reserve_now(world["P2"].callback_url("r"), expiry_date="9999-12-31T23:59:59Z")
    answer = await world["P2"].call("POST", names.COMMANDS, R, "RESERVE_NOW", to="NL/CPA", sender="NL/EMA", body=body)
    assert answer.ok, answer
    url = world["P1"].received.of(names.COMMANDS)[-1].response_url
    assert url is not None
    stored = await hub.store.callbacks.get(url.rpartition("/")[2])
    assert stored is not None
    assert stored.expires_at.year <= stored.created_at.year + 2


async def test_a_command_of_many_megabytes_is_refused(hub: RunningHub, world: World) -> None:
    body = b'{"response_url":"http://127.0.0.1/","a":[' + b"[]," * 200_000 + b"[]]}"
    answer = await world["P2"].call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    assert said(answer) == (413, 2000)
    assert not world["P1"].received


async def test_a_reader_who_does_not_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many short answers nor a long one may wait in memory for ever."""
    monkeypatch.setattr(reply, "PATIENCE_S", 0.3)
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, forward_timeout=1.0)
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            world["P1"].faults.on(names.LOCATIONS).oversize(8 * 1024 * 1024, chunked=True)
            head = (
                line(world, "GET")
                .replace("Connection: close\r\n", "")
                .replace("/ocpi/2.2.1/receiver/sessions/NL/CPA/S1", "/ocpi/2.2.1")
            )
            long = (
                line(world, "GET")
                .replace("receiver/sessions/NL/CPA/S1", "sender/locations")
                .replace("party-id: EMA", "party-id: CPA")
            )
            writers = []
            for content in (head.encode() * 4000, long.encode()):
                _, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port, limit=1024)
                writer.write(content)
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                writers.append(writer)
            await until(lambda: hub.metrics.in_flight > 0)
            await until(lambda: hub.metrics.in_flight == 0, 10)
            for writer in writers:
                writer.transport.abort()
