"""Handshakes when something goes wrong in the middle: an answer or the store's word is lost, tokens are in the wrong
hands, records are broken. Whatever happens, nobody may be locked out without an operator knowing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.app import RunningHub
from hub.broker.operations import Invited
from hub.broker.outreach import Access
from hub.broker.refusal import Refusal
from hub.domain.platform import Platform
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi import codec, configuration, headers, names
from hub.ocpi.configuration import Version, VersionDetails
from hub.ocpi.names import Interface, Role
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, newcomer, receiving_side
from tests.conformance.trouble import Trouble, accepted, alarm, is_away, stored
from tests.hubs import id_of, invite
from tests.waiting import until


@pytest.fixture
def trouble(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(hub, monkeypatch)


async def p2_is_reached(world: World) -> bool:
    return (await world["P1"].call("GET", names.TOKENS, Interface.SENDER, to="NL/EMA", sender="NL/CPA")).ok


def token_of(platform: SandboxPlatform) -> str:
    """What the platform presents to the hub."""
    assert platform.counterpart is not None
    return platform.counterpart.token


async def writes_and_says_nothing(trouble: Trouble, platform: Platform) -> None:
    await trouble.written(platform)
    raise StoreUnavailable("no word in time")


async def writes_and_is_away(trouble: Trouble, platform: Platform) -> None:
    await trouble.written(platform)
    await is_away(trouble, platform)


async def is_overtaken(trouble: Trouble, platform: Platform) -> None:
    raise StoreConflict("revision")


async def finds_a_role_taken(trouble: Trouble, platform: Platform) -> None:
    trouble.ends()
    raise StoreConflict("CPO CH CPC")


# --- tokens in the wrong hands ---


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_token_in_use_is_not_shown_to_another_server(hub: RunningHub, world: World, method: str) -> None:
    p4 = world["P4"]
    in_use = p4.connection.inbound_token
    assert in_use is not None
    again = await hub.operations.reinvite(id_of(hub, "P4"))
    assert isinstance(again, Invited), again
    stolen = again.registration_token if method == "POST" else token_of(p4)
    async with SandboxPlatform("Elsewhere", [(Role.CPO, "FR", "DUO")]) as elsewhere:
        carried = {headers.AUTHORIZATION: authorization(stolen, TokenEncoding.BASE64)}
        body = {**p4.credentials("whatever"), "url": elsewhere.versions_url}
        url = f"{hub.identity.version_url('2.2.1')}/credentials"
        answer = await p4.call(method, "", None, url=url, headers=carried, body=body)
        assert (answer.status, answer.status_code) == (200, 3001)
        shown = {one.headers[headers.AUTHORIZATION] for one in elsewhere.received}
        assert shown == {authorization("whatever", encoding) for encoding in TokenEncoding}
        assert authorization(in_use, TokenEncoding.BASE64) not in shown


async def test_on_put_the_token_in_use_still_opens_the_platforms_own_server(hub: RunningHub, world: World) -> None:
    p2 = world["P2"]
    answer = await p2.call("PUT", names.CREDENTIALS, None, body=p2.credentials("valid-later"))
    assert answer.ok, answer


async def test_an_open_invitation_outlives_rotations(hub: RunningHub, world: World) -> None:
    p5 = world["P5"]
    again = await hub.operations.reinvite(id_of(hub, "P5"))
    assert isinstance(again, Invited), again
    assert (await p5.update()).ok
    assert isinstance(await hub.operations.rotate(id_of(hub, "P5")), Platform)
    handshake = await p5.register(hub.identity.versions_url, again.registration_token)
    assert handshake.ok, handshake.problem
    assert not await accepted(hub, p5, again.registration_token)


async def test_connecting_uses_the_invitation_up(hub: RunningHub) -> None:
    async with receiving_side() as platform:
        token_a = await invite(hub, "P11")
        assert isinstance(await hub.operations.connect(id_of(hub, "P11"), platform.versions_url, "reg-A-P11"), Platform)
        assert not await accepted(hub, platform, token_a)


def test_secrets_are_not_in_representations(hub: RunningHub) -> None:
    assert "s3cret" not in repr(Access("s3cret", TokenEncoding.PLAIN))


async def test_the_ready_header_is_not_in_representations(hub: RunningHub, world: World) -> None:
    outbound = hub.registry.outbound(stored(hub, "P1"))
    assert outbound is not None
    assert outbound.authorization not in repr(outbound)


# --- the hub as Sender ---


async def test_a_new_token_ends_by_itself_until_the_handshake_is_done(hub: RunningHub, world: World) -> None:
    p2, gate = world["P2"], asyncio.Event()
    old = token_of(p2)
    fault = p2.faults.on(names.CREDENTIALS, None, "PUT", times=1).delay(gate)
    rotating = asyncio.create_task(hub.operations.rotate(id_of(hub, "P2")))
    await until(lambda: fault.hits == 1)
    assert [token.expires_at is None for token in stored(hub, "P2").tokens] == [True, False]
    # The token in use is used meanwhile; that must not end the one that is on its way.
    assert await accepted(hub, p2, old)
    gate.set()
    assert isinstance(await rotating, Platform)
    assert [token.expires_at is None for token in stored(hub, "P2").tokens][-1]
    assert await accepted(hub, p2, token_of(p2))


async def test_both_tokens_work_when_the_answer_to_a_rotation_is_lost(hub: RunningHub, world: World) -> None:
    p5 = world["P5"]
    old = token_of(p5)
    p5.faults.on(names.CREDENTIALS, None, "PUT", times=1).half_body()
    assert isinstance(await hub.operations.rotate(id_of(hub, "P5")), Refusal)
    new = token_of(p5)
    assert new != old
    assert alarm(hub, "handshake_unknown") is not None
    await until(lambda: [token.expires_at for token in stored(hub, "P5").tokens] == [None, None])
    assert await accepted(hub, p5, new)
    assert await accepted(hub, p5, old)


async def test_a_rotation_is_stored_when_the_store_is_back(hub: RunningHub, world: World, trouble: Trouble) -> None:
    trouble.starts(is_away, after=1)
    result = await hub.operations.rotate(id_of(hub, "P2"))
    assert isinstance(result, Refusal)
    told = alarm(hub, "handshake_unknown")
    assert told is not None
    assert told.standing
    trouble.ends()
    await until(lambda: not any(alarm.standing for alarm in hub.alarms.newest_first))
    assert await accepted(hub, world["P2"], token_of(world["P2"]))
    assert await p2_is_reached(world)


async def test_a_later_handshake_is_not_undone_by_one_that_waits_for_the_store(
    hub: RunningHub, world: World, trouble: Trouble
) -> None:
    trouble.starts(is_away, after=1)
    assert isinstance(await hub.operations.rotate(id_of(hub, "P2")), Refusal)
    p2 = world["P2"]
    trouble.ends()
    handshake = await p2.update(token_b="later-B-P2")
    assert handshake.ok, handshake.problem
    await until(lambda: not any(alarm.standing for alarm in hub.alarms.newest_first))
    assert await p2_is_reached(world)
    assert p2.received[-1].headers[headers.AUTHORIZATION] == authorization("later-B-P2", TokenEncoding.BASE64)
    assert await accepted(hub, p2, handshake.data["token"])


async def test_a_role_taken_meanwhile_calls_the_handshake_off(hub: RunningHub, trouble: Trouble) -> None:
    async with receiving_side() as platform:
        await invite(hub, "P11")
        trouble.starts(finds_a_role_taken, after=1)
        result = await hub.operations.connect(id_of(hub, "P11"), platform.versions_url, "reg-A-P11")
        assert isinstance(result, Refusal)
        assert [one.method for one in platform.received.of(names.CREDENTIALS)] == ["POST", "DELETE"]
        assert platform.counterpart is None
        assert len(stored(hub, "P11").tokens) == 1


# --- the hub as Receiver ---


async def test_a_registration_the_store_did_not_confirm_is_not_lost(hub: RunningHub, trouble: Trouble) -> None:
    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        trouble.starts(writes_and_says_nothing)
        handshake = await platform.register(hub.identity.versions_url, token_a)
        assert handshake.ok, handshake.problem
        trouble.ends()
        assert await accepted(hub, platform, handshake.data["token"])


@pytest.mark.parametrize("meet", [writes_and_is_away, is_away])
async def test_an_update_with_the_store_away_is_undone(
    hub: RunningHub, world: World, trouble: Trouble, meet: Callable[[Trouble, Platform], Awaitable[None]]
) -> None:
    p2, before = world["P2"], stored(hub, "P2")
    old = token_of(p2)
    trouble.starts(meet)
    handshake = await p2.update(token_b="new-B-P2")
    assert (handshake.status, handshake.status_code) == (200, 3000)
    told = alarm(hub, "handshake_unknown")
    assert told is not None
    assert told.standing
    trouble.ends()
    await until(lambda: not any(alarm.standing for alarm in hub.alarms.newest_first))
    after = await hub.store.platforms.get(before.id)
    assert after is not None
    assert (after.tokens, after.connection, after.roles) == (before.tokens, before.connection, before.roles)
    assert await accepted(hub, p2, old)
    assert await p2_is_reached(world)


async def test_being_overtaken_is_no_role_conflict(hub: RunningHub, world: World, trouble: Trouble) -> None:
    p2 = world["P2"]
    trouble.starts(is_overtaken)
    handshake = await p2.update()
    assert (handshake.status, handshake.status_code) == (200, 3000)
    answer = await p2.call("DELETE", names.CREDENTIALS, None)
    assert (answer.status, answer.status_code) == (200, 3000)
    assert not hub.alarms.newest_first
    trouble.ends()
    assert await accepted(hub, p2, token_of(p2))


async def test_callbacks_that_cannot_be_removed_do_not_spoil_a_delete(
    hub: RunningHub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(platform_id: str) -> int:
        raise StoreUnavailable("away")

    monkeypatch.setattr(hub.store.callbacks, "remove_of", away)
    answer = await world["P5"].call("DELETE", names.CREDENTIALS, None)
    assert (answer.status, answer.status_code) == (200, 1000)


async def test_digits_of_business_details_are_kept(hub: RunningHub, world: World) -> None:
    p5 = world["P5"]
    number = b"1.23000000000000000000000000000000045"
    body = codec.dumps(p5.credentials("new-B-P5")).replace(b'"name":', b'"founded":' + number + b',"name":', 1)
    answer = await p5.call("PUT", names.CREDENTIALS, None, body=body)
    assert answer.ok, answer
    await hub.registry.load()
    assert b'"founded":' + number in codec.dumps(stored(hub, "P5").roles[0].business_details)


def _many_roles(body: dict[str, Any]) -> None:
    body["roles"] = [{**body["roles"][0], "party_id": f"{number:03d}"} for number in range(501)]


def _long_details(body: dict[str, Any]) -> None:
    body["roles"][0]["business_details"]["notes"] = "x" * 8192


def _long_body(body: dict[str, Any]) -> None:
    body["padding"] = "x" * 256 * 1024


@pytest.mark.parametrize(
    ("spoil", "http", "code", "words"),
    [
        (_many_roles, 200, 2001, b"at most 500 items"),
        (_long_details, 200, 2001, b"larger than 8192 bytes"),
        (_long_body, 413, 2000, b"at most 262144 bytes"),
    ],
)
async def test_credentials_have_bounds(
    hub: RunningHub, world: World, spoil: Callable[[dict[str, Any]], None], http: int, code: int, words: bytes
) -> None:
    body = world["P2"].credentials("another")
    spoil(body)
    answer = await world["P2"].call("PUT", names.CREDENTIALS, None, body=body)
    assert (answer.status, answer.status_code) == (http, code), answer
    assert words in answer.body


def test_versions_and_details_have_bounds() -> None:
    row = {"identifier": "x", "role": "SENDER", "url": "https://p.test/x"}
    assert isinstance(
        configuration.read(VersionDetails, {"version": "2.2.1", "endpoints": [row] * 200}), VersionDetails
    )
    assert isinstance(configuration.read(VersionDetails, {"version": "2.2.1", "endpoints": [row] * 201}), str)
    assert isinstance(configuration.read(Version, {"version": "1" * 16, "url": "https://p.test"}), Version)
    assert isinstance(configuration.read(Version, {"version": "1" * 17, "url": "https://p.test"}), str)
