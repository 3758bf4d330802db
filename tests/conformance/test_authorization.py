"""Scenarios S-001 to S-009: authorization, versions and version details."""

import pytest

from hub.app import RunningHub
from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.ocpi.token import TokenEncoding
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, newcomer
from tests.hubs import invite

ROUTING = (headers.TO_COUNTRY, headers.TO_PARTY, headers.FROM_COUNTRY, headers.FROM_PARTY)
FUNCTIONAL = ("cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens")


async def ask(platform: SandboxPlatform, url: str, authorization: str | None) -> Answer:
    """GET of a URL with exactly this `Authorization` header."""
    return await platform.call("GET", "", None, url=url, headers={headers.AUTHORIZATION: authorization})


def refused(answer: Answer) -> None:
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.status_code == 2000
    assert not [name for name in ROUTING if name in answer.headers]
    assert answer.headers[headers.REQUEST_ID]
    assert answer.headers[headers.CORRELATION_ID]


async def test_s_001_missing_authorization(hub: RunningHub, world: World) -> None:
    refused(await ask(world["P2"], hub.identity.versions_url, None))


async def test_s_002_unknown_token(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call(
        "GET",
        names.LOCATIONS,
        Interface.SENDER,
        "LOC1",
        to="NL/CPA",
        sender="NL/EMA",
        headers={headers.AUTHORIZATION: "Token bm9wZQ=="},
    )
    refused(answer)
    assert not world["P1"].received


@pytest.mark.parametrize("encoding", list(TokenEncoding))
async def test_s_003_both_encodings_accepted(hub: RunningHub, world: World, encoding: TokenEncoding) -> None:
    world["P2"].habits.sends = encoding
    answer = await world["P2"].call("GET", "", None, url=hub.identity.versions_url)
    assert (answer.status, answer.status_code) == (200, 1000)


async def test_a_token_with_a_line_feed_or_without_padding_is_read(hub: RunningHub, world: World) -> None:
    import base64

    peer = world["P2"].counterpart
    assert peer is not None
    with_line_feed = base64.b64encode(f"{peer.token}\n".encode()).decode()
    unpadded = base64.b64encode(peer.token.encode()).decode().rstrip("=")
    for parameter in (with_line_feed, unpadded):
        for scheme in ("Token", "token", "TOKEN  "):
            answer = await ask(world["P2"], hub.identity.versions_url, f"{scheme} {parameter}")
            assert answer.ok, answer


async def test_s_005_registration_token_limits(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        token = f"Token {await invite(hub, 'P9')}"
        details = hub.identity.version_url("2.2.1")
        for url in (hub.identity.versions_url, details, f"{details}/credentials"):
            answer = await ask(platform, url, token)
            assert (answer.status, answer.status_code) == (200, 1000), url
        for path in ("sender/locations/LOC1", "sender/hubclientinfo"):
            refused(await ask(platform, f"{details}/{path}", token))


async def test_s_006_version_list(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call("GET", "", None, url=hub.identity.versions_url)
    assert answer.data == [{"version": "2.2.1", "url": f"{hub.settings.public_url}/ocpi/2.2.1"}]


async def test_s_007_version_details(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call("GET", "", None, url=hub.identity.version_url("2.2.1"))
    assert answer.data["version"] == "2.2.1"
    endpoints = [(row["identifier"], row["role"], row["url"]) for row in answer.data["endpoints"]]
    assert [row[:2] for row in endpoints if row[0] == "credentials"] == [("credentials", "SENDER")]
    assert [row[:2] for row in endpoints if row[0] == "hubclientinfo"] == [("hubclientinfo", "SENDER")]
    for module in FUNCTIONAL:
        found = {role: url for identifier, role, url in endpoints if identifier == module}
        assert sorted(found) == ["RECEIVER", "SENDER"]
        assert found["SENDER"] != found["RECEIVER"]
    assert {row[0] for row in endpoints} == {*FUNCTIONAL, "credentials", "hubclientinfo"}
    assert not [url for *_, url in endpoints if url.endswith("/") or len(url) > 255]


async def test_every_advertised_endpoint_answers(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call("GET", "", None, url=hub.identity.version_url("2.2.1"))
    for row in answer.data["endpoints"]:
        got = await world["P2"].call("GET", "", None, url=row["url"], to="NL/CPA", sender="NL/EMA")
        assert got.status in (200, 404, 405), row
        assert got.status_code is not None, row


@pytest.mark.parametrize(
    "path",
    [
        "2.9.9",
        "2.2.1/sender/foo",
        "2.2.1/foo",
        "2.2.1/sender",
        "2.2.1/sender/locations/a/b/c/d",
        "2.2.1/receiver/tokens/NL",
        "",
        "nothing/at/all",
        "2.2.1/sender/locations/../../credentials",
        "2.2.1/sender/locations/%2e%2e/x",
        "2.2.1/receiver/tokens/NL//EMA/123",
        "2.2.1/receiver/hubclientinfo/NL/CPA",
        "2.2.1/sender/credentials",
    ],
)
async def test_s_009_unknown_version_or_module(hub: RunningHub, world: World, path: str) -> None:
    answer = await world["P2"].call(
        "GET", "", None, url=f"{hub.settings.public_url}/ocpi/{path}", to="NL/CPA", sender="NL/EMA"
    )
    assert (answer.status, answer.status_code) == (404, 2000)
    assert not world["P1"].received
