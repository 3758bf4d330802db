"""Scenarios S-010 to S-021: registration from either side, updates, and what a failed handshake must not change."""

from typing import Any

import pytest

from hub.app import RunningHub
from hub.broker.operations import Invited
from hub.ocpi import headers, names
from hub.ocpi.configuration import Credentials
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.sandbox.world import World, newcomer, receiving_side
from tests.hubs import id_of, invite

ROUTING = (headers.TO_COUNTRY, headers.TO_PARTY, headers.FROM_COUNTRY, headers.FROM_PARTY)


def credentials_url(hub: RunningHub) -> str:
    return f"{hub.identity.version_url('2.2.1')}/credentials"


async def ask(
    platform: SandboxPlatform, method: str, url: str, token: str, body: dict[str, Any] | bytes | None = None
) -> Answer:
    """A request with this token, Base64."""
    carried = {headers.AUTHORIZATION: authorization(token, TokenEncoding.BASE64)}
    return await platform.call(method, "", None, url=url, headers=carried, body=body)


def connect_back(platform: SandboxPlatform) -> list[Received]:
    return [one for one in platform.received if one.module in (names.VERSIONS, "details", names.CREDENTIALS, None)]


def snapshot_of(hub: RunningHub, name: str) -> Any:
    return hub.registry.snapshot.platform(id_of(hub, name))


async def test_s_010_registration_with_the_hub_as_receiver(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        handshake = await platform.register(hub.identity.versions_url, token_a)
        assert handshake.ok, handshake.problem
        assert (handshake.status, handshake.status_code) == (200, 1000)
        back = [one for one in platform.received if one.method == "GET"]
        assert [one.path for one in back] == ["/ocpi/versions", "/ocpi/2.2.1"]
        for one in back:
            assert one.headers[headers.AUTHORIZATION] == "Token dG9rLUItUDk="
            assert one.request_id
            assert one.correlation_id
            assert not [name for name in ROUTING if name in one.headers]
        data = handshake.data
        assert len(data["token"]) <= 64
        assert data["token"] not in (token_a, "tok-B-P9")
        assert data["url"] == hub.identity.versions_url
        (role,) = data["roles"]
        assert (role["role"], role["country_code"], role["party_id"]) == ("HUB", "NL", "HUB")
        assert role["business_details"]["website"]
        assert role["business_details"]["logo"]["url"]
        assert (await ask(platform, "GET", hub.identity.versions_url, token_a)).status == 401
        assert (await ask(platform, "GET", hub.identity.versions_url, data["token"])).status == 200


async def test_s_011_connect_back_fails(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        fault = platform.faults.on(tail=None, method="GET").answer(500)
        handshake = await platform.register(hub.identity.versions_url, token_a)
        assert (handshake.status, handshake.status_code) == (200, 3001)
        assert not handshake.data
        assert fault.hits
        assert (await ask(platform, "GET", hub.identity.versions_url, token_a)).status == 200
        assert snapshot_of(hub, "P9").connection is None
        assert snapshot_of(hub, "P9").status is ConnectionStatus.PLANNED
        platform.faults.clear()
        assert (await platform.register(hub.identity.versions_url, token_a)).ok


async def test_s_012_version_missing_at_the_client(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        platform.habits.versions = ("2.1.1",)
        handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
        assert (handshake.status, handshake.status_code) == (200, 3002)
        assert snapshot_of(hub, "P9").connection is None


async def test_s_013_required_endpoint_missing(hub: RunningHub, world: World) -> None:
    async with SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")], modules=[]) as platform:
        handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
        assert (handshake.status, handshake.status_code) == (200, 3003)
        assert snapshot_of(hub, "P9").connection is None
        assert not snapshot_of(hub, "P9").roles


async def test_s_014_post_twice(hub: RunningHub, world: World) -> None:
    before = snapshot_of(hub, "P2")
    body = world["P2"].credentials("another-token")
    answer = await world["P2"].call("POST", names.CREDENTIALS, None, body=body)
    assert (answer.status, answer.status_code) == (405, 2000)
    assert answer.headers["Allow"] == "GET, PUT, DELETE"
    assert snapshot_of(hub, "P2") == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_s_015_put_and_delete_before_registration(hub: RunningHub, world: World, method: str) -> None:
    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        body = None if method == "DELETE" else platform.credentials("tok-B-P9")
        answer = await ask(platform, method, credentials_url(hub), token_a, body)
        assert (answer.status, answer.status_code) == (405, 2000)
        assert answer.headers["Allow"] == "GET, POST"


async def test_s_016_put_rotates(hub: RunningHub, world: World) -> None:
    p2, versions_url = world["P2"], hub.identity.versions_url
    assert p2.counterpart is not None
    old = p2.counterpart.token
    handshake = await p2.update(token_b="new-B-P2")
    assert handshake.ok, handshake.problem
    assert (handshake.status, handshake.status_code) == (200, 1000)
    back = [one for one in p2.received if one.method == "GET"]
    assert [one.path for one in back] == ["/ocpi/versions", "/ocpi/2.2.1"]
    assert {one.headers[headers.AUTHORIZATION] for one in back} == {"Token bmV3LUItUDI="}
    new = handshake.data["token"]
    assert new != old
    assert (await ask(p2, "GET", versions_url, old)).status == 200
    assert (await ask(p2, "GET", versions_url, new)).status == 200
    assert (await ask(p2, "GET", versions_url, old)).status == 401
    p2.received.clear()
    answer = await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to="NL/EMA", sender="NL/CPA")
    assert answer.ok, answer
    assert p2.received[-1].headers[headers.AUTHORIZATION] == "Token bmV3LUItUDI="


async def test_s_017_delete(hub: RunningHub, world: World) -> None:
    p2 = world["P2"]
    assert p2.counterpart is not None
    token = p2.counterpart.token
    answer = await p2.call("DELETE", names.CREDENTIALS, None)
    assert (answer.status, answer.status_code) == (200, 1000)
    assert answer.envelope is not None
    assert "data" not in answer.envelope
    assert (await ask(p2, "GET", hub.identity.versions_url, token)).status == 401
    for party in ("NL/EMA", "DE/EMB"):
        answer = await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to=party, sender="NL/CPA")
        assert (answer.status, answer.status_code) == (200, 4003)
    p2.received.clear()
    assert not p2.received


async def test_s_020_role_conflict(hub: RunningHub, world: World) -> None:
    p3 = world["P3"]
    before = snapshot_of(hub, "P3")
    handshake = await p3.update(roles=[(Role.NSP, "NL", "NSP"), (Role.CPO, "nl", "cpa")])
    assert (handshake.status, handshake.status_code) == (200, 2001)
    assert snapshot_of(hub, "P3") == before
    assert [alarm.kind for alarm in hub.alarms.newest_first] == ["role_conflict"]
    answer = await p3.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/CPA", sender="NL/NSP")
    assert answer.ok, answer
    assert len(world["P1"].received) == 1


async def test_s_021_hub_as_sender(hub: RunningHub, world: World) -> None:
    async with receiving_side() as platform:
        await invite(hub, "P11")
        done = await hub.operations.connect(id_of(hub, "P11"), platform.versions_url, "reg-A-P11")
        assert getattr(done, "connection", None), done
        calls = [(one.method, one.path) for one in platform.received]
        assert calls[:2] == [("GET", "/ocpi/versions"), ("GET", "/ocpi/2.2.1")]
        assert calls[2][0] == "POST"
        posted = platform.received[2]
        assert {one.headers[headers.AUTHORIZATION] for one in list(platform.received)[:3]} == {
            authorization("reg-A-P11", TokenEncoding.BASE64)
        }
        (role,) = posted.data["roles"]
        assert (role["role"], role["country_code"], role["party_id"]) == ("HUB", "NL", "HUB")
        # The platform called back with the fresh token while the POST was open, or it would have refused.
        assert (await ask(platform, "GET", hub.identity.versions_url, posted.data["token"])).status == 200
        platform.received.clear()
        answer = await world["P2"].call("GET", names.LOCATIONS, Interface.SENDER, to="CH/CPC", sender="NL/EMA")
        assert answer.ok, answer
        assert platform.received[-1].headers[headers.AUTHORIZATION] == authorization("tok-C-P11", TokenEncoding.BASE64)


async def test_get_credentials_shows_the_presented_token(hub: RunningHub, world: World) -> None:
    answer = await world["P2"].call("GET", names.CREDENTIALS, None)
    assert world["P2"].counterpart is not None
    assert answer.data["token"] == world["P2"].counterpart.token
    assert Credentials.model_validate(answer.data).url == hub.identity.versions_url


async def test_a_plain_speaking_platform_is_called_in_plain(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        platform.habits.sends = platform.habits.accepts = TokenEncoding.PLAIN
        handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
        assert handshake.ok, handshake.problem
        used = [one.headers[headers.AUTHORIZATION] for one in platform.received]
        assert used[0] == "Token dG9rLUItUDk="
        assert set(used[1:]) == {"Token tok-B-P9"}


async def test_roles_named_in_the_invitation_are_the_only_ones(hub: RunningHub, world: World) -> None:
    from tests.hubs import role

    async with newcomer() as platform:
        token_a = await invite(hub, "P9", [role("EMSP:IT:OTH")])
        handshake = await platform.register(hub.identity.versions_url, token_a)
        assert (handshake.status, handshake.status_code) == (200, 2001)
        assert snapshot_of(hub, "P9").connection is None
        token_a = await invite(hub, "P9 again", [role("EMSP:IT:EMN")])
        assert (await platform.register(hub.identity.versions_url, token_a)).ok


async def test_the_hubs_own_party_cannot_be_claimed(hub: RunningHub, world: World) -> None:
    async with SandboxPlatform("P9", [(Role.EMSP, "nl", "hub")]) as platform:
        handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
        assert (handshake.status, handshake.status_code) == (200, 2001)


@pytest.mark.parametrize(
    ("body", "http", "code"),
    [
        (b'{"token":', 400, 2000),
        (b"\xff", 400, 2000),
        (b"[]", 200, 2001),
        (b"", 400, 2000),
        (b'{"token": "has space", "url": "https://p9.test/ocpi/versions", "roles": []}', 200, 2001),
        (
            (
                b'{"token": "x", "url": "ftp://p9.test", "roles": [{"role": "EMSP", "party_id": "EMN",'
                b' "country_code": "IT",'
                b' "business_details": {"name": "N"}}]}'
            ),
            200,
            2001,
        ),
        (
            (
                b'{"token": "x", "url": "http://10.0.0.1/v", "roles": [{"role": "EMSP", "party_id": "EMN",'
                b' "country_code": "IT", "business_details": {"name": "N"}}]}'
            ),
            200,
            2001,
        ),
    ],
)
async def test_credentials_that_cannot_be_used(
    hub: RunningHub, world: World, body: bytes, http: int, code: int
) -> None:
    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        answer = await ask(platform, "POST", credentials_url(hub), token_a, body)
        assert (answer.status, answer.status_code) == (http, code), answer
        assert (await ask(platform, "GET", hub.identity.versions_url, token_a)).status == 200


async def test_a_registration_token_presented_twice_at_once_works_once(hub: RunningHub, world: World) -> None:
    import asyncio

    async with newcomer() as first, SandboxPlatform("P9b", [(Role.EMSP, "IT", "EMX")]) as second:
        token_a = await invite(hub, "P9")
        done = await asyncio.gather(
            first.register(hub.identity.versions_url, token_a), second.register(hub.identity.versions_url, token_a)
        )
        assert sorted(handshake.ok for handshake in done) == [False, True]
        assert {handshake.status for handshake in done if not handshake.ok} <= {401, 405, 200}
        assert len(snapshot_of(hub, "P9").roles) == 1


async def test_reinvitation_keeps_the_platform(hub: RunningHub, world: World) -> None:
    platform_id = id_of(hub, "P2")
    again = await hub.operations.reinvite(platform_id)
    assert isinstance(again, Invited), again
    handshake = await world["P2"].register(hub.identity.versions_url, again.registration_token)
    assert handshake.ok, handshake.problem
    assert id_of(hub, "P2") == platform_id
    assert (await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to="NL/EMA", sender="NL/CPA")).ok


async def test_a_failed_put_changes_nothing(hub: RunningHub, world: World) -> None:
    p2 = world["P2"]
    assert p2.counterpart is not None
    before, token = snapshot_of(hub, "P2"), p2.counterpart.token
    p2.faults.on(method="GET").answer(500)
    assert (await p2.update()).status_code == 3001
    p2.faults.clear()
    assert snapshot_of(hub, "P2") == before
    assert (await ask(p2, "GET", hub.identity.versions_url, token)).status == 200
    assert (await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to="NL/EMA", sender="NL/CPA")).ok


async def test_the_hub_rotates_and_both_sides_go_on(hub: RunningHub, world: World) -> None:
    p2 = world["P2"]
    assert p2.counterpart is not None
    old = p2.counterpart.token
    done = await hub.operations.rotate(id_of(hub, "P2"))
    assert getattr(done, "connection", None), done
    assert p2.counterpart.token != old
    assert (await p2.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/CPA", sender="NL/EMA")).ok
    assert (await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to="NL/EMA", sender="NL/CPA")).ok
