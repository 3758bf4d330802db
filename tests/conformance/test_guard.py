"""What no input may do: stop the hub, hold it up, show its insides, or make it connect where it must not."""

import asyncio
import base64
import gzip
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hub import app, logs
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox import objects
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from tests.hubs import id_of, invite, register_all, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER


async def raw(hub: RunningHub, content: bytes, timeout_s: float = 5.0) -> bytes:
    """The answer to these bytes on a connection of their own: head and body, or nothing when the hub hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.settings.port)
    try:
        writer.write(content)
        async with asyncio.timeout(timeout_s):
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            match = re.search(rb"content-length: (\d+)", head.lower())
            return head + await reader.readexactly(int(match[1]) if match else 0)
    except (ConnectionResetError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.transport.abort()


def line(world: World, method: str = "PUT", extra: str = "") -> str:
    """A request head of P1 for a session of NL/EMA."""
    counterpart = world["P1"].counterpart
    assert counterpart is not None
    return (
        f"{method} /ocpi/2.2.1/receiver/sessions/NL/CPA/S1 HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n"
        f"Authorization: {authorization(counterpart.token, TokenEncoding.BASE64)}\r\n"
        "OCPI-to-country-code: NL\r\nOCPI-to-party-id: EMA\r\n"
        "OCPI-from-country-code: NL\r\nOCPI-from-party-id: CPA\r\n"
        f"Content-Type: application/json\r\n{extra}\r\n"
    )


GARBAGE = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /ocpi/versions HTTP/9.9\r\n\r\n",
    b"GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
    b"GET /ocpi/" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"POST /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET http://[::1/ocpi/versions HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ocpi/%zz%00%ff HTTP/1.1\r\nHost: x\r\nAuthorization: Token \xff\xfe\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
async def test_no_bytes_stop_the_hub_or_show_its_insides(hub: RunningHub, content: bytes) -> None:
    answer = await raw(hub, content)
    assert b"Traceback" not in answer
    if answer:
        assert answer.split(b" ", 2)[1] in (b"400", b"401", b"404", b"405"), answer
    assert b" 200 " in await raw(hub, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_a_compressed_body_is_limited_by_its_size_after_decompression(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, max_body=100_000)
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            world.forget_received()
            small = gzip.compress(b'{"id": "S1"}')
            bomb = gzip.compress(b'{"x": "' + b"x" * 50_000_000 + b'"}')
            assert len(bomb) < 100_000
            for body, status in ((small, b" 404 "), (bomb, b" 413 ")):
                head = line(world, extra=f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n")
                answer = await raw(hub, head.encode() + body)
                assert answer.split(b"\r\n")[0].count(status.strip()) or status == b" 404 ", answer[:200]
            (leg,) = world["P2"].received
            assert leg.body == b'{"id": "S1"}'
            assert "Content-Encoding" not in leg.headers


async def test_a_body_that_does_not_arrive_is_408(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, body_timeout=0.5)
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            world.forget_received()
            answer = await raw(hub, line(world, extra="Content-Length: 100\r\n").encode() + b'{"id":')
            assert b" 408 " in answer.split(b"\r\n")[0]
            assert b'"status_code":2000' in answer
            assert not world["P2"].received


async def test_a_body_that_is_deep_is_400(hub: RunningHub, world: World) -> None:
    body = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = await world["P1"].call("PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/EMA", sender="NL/CPA", body=body)
    assert (answer.status, answer.status_code) == (400, 2000)


async def test_redirects_are_never_followed(hub: RunningHub, world: World) -> None:
    world["P1"].faults.on(names.LOCATIONS).redirect(world["P4"].url(names.LOCATIONS, S))
    answer = await world["P2"].call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
    assert (answer.status, answer.status_code) == (200, 4000)
    assert not world["P4"].received


@pytest.mark.parametrize("networks", ["", "10.0.0.0/8"])
async def test_the_hub_does_not_connect_to_private_addresses(tmp_path: Path, networks: str) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, allowed_networks=networks)
        async with (
            app.running(settings, legs_to=legs) as hub,
            SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")], base_url="http://localhost:{port}") as named,
            SandboxPlatform("P9b", [(Role.EMSP, "IT", "EMX")]) as literal,
        ):
            for platform in (named, literal):
                handshake = await platform.register(hub.identity.versions_url, await invite(hub, platform.name))
                assert handshake.status == 200
                assert handshake.status_code in (2001, 3001), handshake
                assert not platform.received


async def test_http_urls_need_a_setting(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, allow_http=False)
        async with (
            app.running(settings, legs_to=legs) as hub,
            SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as platform,
        ):
            handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
            assert (handshake.status, handshake.status_code) == (200, 2001)
            assert not platform.received


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the hub's loggers write in debug, as JSON lines."""
    lines = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    logs.configure("debug", "json", lines)
    yield lines
    logging.getLogger().handlers[:], level, configuration = before
    logging.getLogger().setLevel(level)
    structlog.configure(**configuration)


async def test_no_tokens_in_logs(tmp_path: Path, written: io.StringIO) -> None:
    """Everything the hub writes during registrations, traffic, failures and alarms, searched for every token."""
    secrets: set[str] = set()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(test_settings(tmp_path), legs_to=legs) as hub, fixture_world() as world:
            await register_all(hub, world)
            for platform in world:
                assert platform.counterpart is not None
                secrets |= {platform.counterpart.token, platform.connection.inbound_token or ""}
            p1, p2 = world["P1"], world["P2"]
            await p2.call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
            p1.faults.on(names.LOCATIONS, times=1).answer(401)
            await p2.call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
            body = objects.start_session(p2.callback_url("x"))
            await p2.call("POST", names.COMMANDS, R, "START_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
            await p2.call(
                "GET", "", None, url=hub.identity.versions_url, headers={headers.AUTHORIZATION: "Token oops-1"}
            )
            p2.faults.on(method="GET").answer(500)
            await p2.update(token_b="never-logged-b")
            p2.faults.clear()
            await hub.operations.rotate(id_of(hub, "P2"))
            await world["P3"].call("DELETE", names.CREDENTIALS, None)
            secrets |= {"oops-1", "never-logged-b", p2.counterpart.token if p2.counterpart else ""}
    everything = written.getvalue() + (tmp_path / "legs.log").read_text()
    assert "platform registered" in everything
    assert '"outcome":"relayed"' in everything
    for secret in secrets - {""}:
        assert secret not in everything
        assert base64.b64encode(secret.encode()).decode() not in everything


async def test_the_leg_log_has_one_line_per_exchange(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(test_settings(tmp_path), legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            p2 = world["P2"]
            ids = {headers.REQUEST_ID: "req-1", headers.CORRELATION_ID: "cor-1"}
            await p2.call("GET", names.LOCATIONS, S, "LOC1", to="NL/CPA", sender="NL/EMA", headers=ids)
            await p2.call("GET", names.LOCATIONS, S, to="XX/ZZZ", sender="NL/EMA")
    rows = [json.loads(row) for row in (tmp_path / "legs.log").read_text().splitlines()]
    assert len(rows) == 2
    assert rows[0]["request_id"] == "req-1"
    assert rows[0]["correlation_id"] == "cor-1"
    assert rows[0]["leg_request_id"] not in (None, "req-1")
    assert (rows[0]["from"], rows[0]["to"], rows[0]["module"], rows[0]["method"]) == (
        "NL/EMA",
        "NL/CPA",
        "locations",
        "GET",
    )
    assert (rows[0]["http_status"], rows[0]["status_code"], rows[0]["outcome"]) == (404, 2003, "relayed")
    assert rows[0]["duration_ms"] >= rows[0]["leg_ms"] > 0
    assert (rows[1]["outcome"], rows[1]["leg_request_id"]) == ("4001", None)


async def test_health_readiness_and_metrics(hub: RunningHub, world: World) -> None:
    p2 = world["P2"]
    await p2.call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
    for path, expected in (("/healthz", {"status": "up"}), ("/readyz", {"status": "ready"})):
        answer = await p2.call("GET", "", None, url=f"{hub.url}{path}")
        assert (answer.status, answer.envelope) == (200, expected)
    hub.ops.draining = True
    answer = await p2.call("GET", "", None, url=f"{hub.url}/readyz")
    assert (answer.status, answer.envelope) == (503, {"status": "draining"})
    text = (await p2.call("GET", "", None, url=f"{hub.url}/metrics")).body.decode()
    assert 'ocpi_hub_messages_total{mode="direct",module="locations",outcome="relayed"} 1.0' in text
    assert "ocpi_hub_message_duration_seconds_bucket" in text
    assert "ocpi_hub_in_flight" in text
    assert 'ocpi_hub_platforms{status="CONNECTED"}' in text
    logo = await p2.call("GET", "", None, url=f"{hub.url}/logo.svg")
    assert logo.status == 200


async def test_a_platform_that_goes_away_is_offline_and_comes_back_by_itself(tmp_path: Path) -> None:
    """Connect failures and probes make it OFFLINE (4003 without sending); a probe brings it back (R-155, R-156)."""
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(test_settings(tmp_path), legs_to=legs, clock=clock) as hub,
            fixture_world(only=["P1", "P2"]) as world,
        ):
            await register_all(hub, world)
            platform_id = id_of(hub, "P1")
            await world["P1"].go_dark()
            for _ in range(3):
                answer = await world["P2"].call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
                assert answer.status_code == 4003
                clock._elapsed_s += 21
            assert platform_id in hub.liveness.offline
            await world["P1"].come_back()
            world.forget_received()
            answer = await world["P2"].call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
            assert answer.status_code == 4003
            assert not world["P1"].received
            await clock.jump(61)
            await world["P1"].wait_for("versions", method="GET")
            await until(lambda: platform_id not in hub.liveness.offline)
            answer = await world["P2"].call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
            assert answer.ok, answer
