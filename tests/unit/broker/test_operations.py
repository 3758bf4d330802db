"""What an operator does to platforms and parties, on a real store, with simulated platforms on real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from hub.app import RunningHub, running
from hub.broker.operations import Invited
from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.platform import TokenPurpose
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import SandboxPlatform
from hub.settings import Settings
from tests.hubs import role
from tests.unit.broker.operating import changed, invited, known, refusal, registered, stored


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


# --- inviting ---


async def test_an_invitation_reserves_its_roles(hub: RunningHub) -> None:
    invitation = await invited(hub, "  Charge  ", "CPO:NL:CPA", "CPO:BE:CPB")

    platform = await hub.store.platforms.get(invitation.platform.id)
    assert platform is not None
    assert (platform.name, platform.status, platform.open_roles) == ("Charge", ConnectionStatus.PLANNED, False)
    assert [str(name) for name in platform.approved] == ["CPO NL/CPA", "CPO BE/CPB"]
    assert known(hub, invitation.registration_token)
    assert invitation.registration_token not in repr(invitation)


async def test_an_invitation_without_roles_leaves_them_open(hub: RunningHub) -> None:
    assert (await invited(hub)).platform.open_roles is True


@pytest.mark.parametrize(
    ("name", "roles", "kind", "pointer"),
    [
        ("", [], RefusalKind.INVALID, "/name"),
        ("x" * 101, [], RefusalKind.INVALID, "/name"),
        ("two\nlines", [], RefusalKind.INVALID, "/name"),
        ("Other", ["CPO:NL:CPA"], RefusalKind.CONFLICT, "/roles/0"),
        ("Other", ["CPO:nl:cpa"], RefusalKind.CONFLICT, "/roles/0"),
        ("Other", ["EMSP:NL:EMA", "CPO:NL:HUB"], RefusalKind.CONFLICT, "/roles/1"),
        ("Other", ["EMSP:NL:EMA", "EMSP:NL:ema"], RefusalKind.INVALID, "/roles/1"),
        ("Other", ["EMSP:NLD:EMA"], RefusalKind.INVALID, "/roles/0"),
        ("Other", ["EMSP:NL:EMAX"], RefusalKind.INVALID, "/roles/0"),
    ],
)
async def test_what_cannot_be_invited(
    hub: RunningHub, name: str, roles: list[str], kind: RefusalKind, pointer: str
) -> None:
    await invited(hub, "Charge", "CPO:NL:CPA")

    result = refusal(await hub.operations.invite(name, [role(text) for text in roles]))

    assert (result.kind, result.pointer) == (kind, pointer)
    assert len(await hub.store.platforms.load_all()) == 1


async def test_a_new_invitation_ends_the_unused_one(hub: RunningHub) -> None:
    first = await invited(hub)

    second = await hub.operations.reinvite(first.platform.id)

    assert isinstance(second, Invited)
    assert not known(hub, first.registration_token)
    assert known(hub, second.registration_token)


async def test_an_invitation_of_a_registered_platform_keeps_its_registration(
    hub: RunningHub, cpo: SandboxPlatform
) -> None:
    platform_id = await registered(hub, cpo)

    again = await hub.operations.reinvite(platform_id)

    assert isinstance(again, Invited)
    assert stored(hub, platform_id).connection is not None
    assert (await cpo.call("GET", names.CREDENTIALS, None)).ok
    handshake = await cpo.register(hub.identity.versions_url, again.registration_token)
    assert handshake.ok, handshake.problem
    assert [platform.id for platform in hub.registry.snapshot.platforms] == [platform_id]
    assert not known(hub, again.registration_token)


async def test_a_platform_that_unregistered_itself_comes_back_by_invitation(
    hub: RunningHub, cpo: SandboxPlatform
) -> None:
    platform_id = await registered(hub, cpo)
    assert (await cpo.unregister()).ok
    assert refusal(await hub.operations.resume(platform_id)).kind is RefusalKind.CONFLICT

    again = await hub.operations.reinvite(platform_id)

    assert isinstance(again, Invited)
    assert (await cpo.register(hub.identity.versions_url, again.registration_token)).ok
    assert stored(hub, platform_id).status is ConnectionStatus.CONNECTED


async def test_calls_about_a_platform_that_is_not_there(hub: RunningHub) -> None:
    operations = hub.operations
    calls = [
        operations.reinvite("nobody"),
        operations.connect("nobody", "http://127.0.0.1:1/versions", "token"),
        operations.approve("nobody", [role("CPO:NL:CPA")]),
        operations.suspend("nobody"),
        operations.resume("nobody"),
        operations.rotate("nobody"),
        operations.change_settings("nobody", {}),
        operations.remove("nobody"),
        operations.suspend_party(PartyId("NL", "CPA"), Role.CPO),
        operations.resume_party(PartyId("NL", "CPA"), Role.CPO),
        operations.move_party(PartyId("NL", "CPA"), Role.CPO, "nobody"),
    ]

    assert {refusal(await call).kind for call in calls} == {RefusalKind.UNKNOWN}


# --- the hub as Sender ---


async def test_the_hub_registers_at_a_platform(hub: RunningHub, cpo: SandboxPlatform) -> None:
    invitation = await invited(hub)

    platform = changed(await hub.operations.connect(invitation.platform.id, cpo.versions_url, cpo.issue_token("reg-A")))

    assert platform.status is ConnectionStatus.CONNECTED
    assert [str(held.party) for held in platform.roles] == ["NL/CPA", "BE/CPB"]
    assert cpo.counterpart is not None
    assert known(hub, cpo.counterpart.token)
    # The hub's own invitation would otherwise stay a second way in.
    assert not known(hub, invitation.registration_token)


async def test_a_handshake_that_fails_names_the_step_and_changes_nothing(hub: RunningHub, cpo: SandboxPlatform) -> None:
    invitation = await invited(hub)
    before = invitation.platform.tokens

    unknown_token = refusal(await hub.operations.connect(invitation.platform.id, cpo.versions_url, "not-issued"))
    await cpo.go_dark()
    down = refusal(await hub.operations.connect(invitation.platform.id, cpo.versions_url, "not-issued"))

    assert (unknown_token.kind, down.kind) == (RefusalKind.FAILED, RefusalKind.FAILED)
    assert "versions" in unknown_token.title
    assert "401" in (unknown_token.detail or "")
    assert "not-issued" not in f"{unknown_token}{down}"
    assert stored(hub, invitation.platform.id).tokens == before


async def test_a_handshake_with_a_taken_role_is_withdrawn(hub: RunningHub, cpo: SandboxPlatform) -> None:
    await invited(hub, "First", "CPO:NL:CPA")
    invitation = await invited(hub, "Second")

    result = refusal(await hub.operations.connect(invitation.platform.id, cpo.versions_url, cpo.issue_token()))

    assert result.kind is RefusalKind.FAILED
    assert "CPO NL/CPA" in (result.detail or "")
    assert cpo.counterpart is None
    assert any(alarm.kind == "role_conflict" for alarm in hub.alarms.newest_first)


@pytest.mark.parametrize(
    ("url", "token", "pointer"),
    [
        ("ftp://example.com/versions", "token", "/versions_url"),
        ("http://10.0.0.1/versions", "token", "/versions_url"),
        (f"http://127.0.0.1/{'x' * 300}", "token", "/versions_url"),
        ("http://127.0.0.1:1/versions", "with space", "/registration_token"),
        ("http://127.0.0.1:1/versions", "x" * 65, "/registration_token"),
    ],
)
async def test_what_the_hub_does_not_even_try(hub: RunningHub, url: str, token: str, pointer: str) -> None:
    invitation = await invited(hub)

    result = refusal(await hub.operations.connect(invitation.platform.id, url, token))

    assert (result.kind, result.pointer) == (RefusalKind.INVALID, pointer)


async def test_a_registered_platform_is_not_connected_again(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)

    assert refusal(await hub.operations.connect(platform_id, cpo.versions_url, "token")).kind is RefusalKind.CONFLICT


async def test_two_handshakes_with_one_platform_never_run_together(hub: RunningHub, cpo: SandboxPlatform) -> None:
    invitation = await invited(hub)
    token = cpo.issue_token()
    held = cpo.faults.on(names.VERSIONS, times=1).hang()
    first = asyncio.create_task(hub.operations.connect(invitation.platform.id, cpo.versions_url, token))
    await cpo.wait_for(names.VERSIONS)

    second = refusal(await hub.operations.connect(invitation.platform.id, cpo.versions_url, token))
    held.release()

    assert second.kind is RefusalKind.CONFLICT
    assert changed(await first).status is ConnectionStatus.CONNECTED


async def test_rotating_gives_new_tokens_both_ways(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    assert cpo.counterpart is not None
    before = (cpo.counterpart.token, stored(hub, platform_id).connection)

    changed(await hub.operations.rotate(platform_id))

    assert cpo.counterpart.token != before[0]
    assert stored(hub, platform_id).connection != before[1]
    assert (await cpo.call("GET", names.CREDENTIALS, None)).ok


async def test_there_is_nothing_to_rotate_before_a_registration(hub: RunningHub) -> None:
    invitation = await invited(hub)

    assert refusal(await hub.operations.rotate(invitation.platform.id)).kind is RefusalKind.CONFLICT


async def test_a_rotation_that_fails_keeps_both_tokens(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    cpo.faults.on(names.CREDENTIALS, method="PUT").answer(500)

    result = refusal(await hub.operations.rotate(platform_id))

    assert result.kind is RefusalKind.FAILED
    assert "PUT credentials" in result.title
    assert (await cpo.call("GET", names.CREDENTIALS, None)).ok
    assert [token.purpose for token in stored(hub, platform_id).tokens] == [TokenPurpose.CREDENTIALS]


# --- roles and standing ---


async def test_further_roles_are_approved_once(hub: RunningHub) -> None:
    invitation = await invited(hub, "Charge", "CPO:NL:CPA")
    await invited(hub, "Other", "CPO:FR:OTH")
    platform_id = invitation.platform.id

    once = changed(await hub.operations.approve(platform_id, [role("CPO:NL:CPA"), role("EMSP:NL:EMA")]))
    twice = changed(await hub.operations.approve(platform_id, [role("EMSP:NL:EMA")]))
    taken = refusal(await hub.operations.approve(platform_id, [role("CPO:FR:OTH")]))

    assert [str(name) for name in once.approved] == ["CPO NL/CPA", "EMSP NL/EMA"]
    assert twice.revision == once.revision
    assert taken.kind is RefusalKind.CONFLICT


async def test_a_suspended_platform_is_refused_until_it_is_resumed(
    hub: RunningHub, cpo: SandboxPlatform, settings: Settings
) -> None:
    platform_id = await registered(hub, cpo)

    suspended = changed(await hub.operations.suspend(platform_id))
    again = changed(await hub.operations.suspend(platform_id))
    refused = await cpo.call("GET", names.HUB_CLIENT_INFO, Interface.SENDER)
    durable = await hub.store.platforms.get(platform_id)
    resumed = changed(await hub.operations.resume(platform_id))
    answered = await cpo.call("GET", names.HUB_CLIENT_INFO, Interface.SENDER)

    assert suspended.status is ConnectionStatus.SUSPENDED
    assert again.revision == suspended.revision
    assert (refused.status, answered.status) == (403, 200)
    assert durable is not None
    assert durable.suspended
    assert resumed.status is ConnectionStatus.CONNECTED
    assert changed(await hub.operations.resume(platform_id)).revision == resumed.revision


async def test_one_party_is_suspended_and_its_neighbour_goes_on(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)

    platform = changed(await hub.operations.suspend_party(PartyId("nl", "cpa"), Role.CPO))

    assert [(str(held.party), held.suspended) for held in platform.roles] == [("NL/CPA", True), ("BE/CPB", False)]
    assert platform.status_of(platform.roles[0]) is ConnectionStatus.SUSPENDED
    back = changed(await hub.operations.resume_party(PartyId("NL", "CPA"), Role.CPO))
    assert not any(held.suspended for held in back.roles)
    assert back.id == platform_id


async def test_a_party_that_has_not_registered_cannot_be_suspended(hub: RunningHub) -> None:
    await invited(hub, "Charge", "CPO:NL:CPA")

    assert refusal(await hub.operations.suspend_party(PartyId("NL", "CPA"), Role.CPO)).kind is RefusalKind.CONFLICT
    assert refusal(await hub.operations.suspend_party(PartyId("NL", "CPA"), Role.EMSP)).kind is RefusalKind.UNKNOWN


# --- all of it ---


async def test_changes_survive_a_restart(settings: Settings) -> None:
    async with running(settings) as hub:
        invitation = await invited(hub, "Charge", "CPO:NL:CPA")
        await hub.operations.suspend(invitation.platform.id)

    async with running(settings) as hub:
        assert stored(hub, invitation.platform.id).status is ConnectionStatus.SUSPENDED
        assert known(hub, invitation.registration_token)


async def test_alarms_are_acknowledged_by_id(hub: RunningHub) -> None:
    hub.alarms.sound("role_conflict", "p1", "somebody claims too much")
    alarm = hub.alarms.newest_first[0]

    assert refusal(hub.operations.acknowledge("no such alarm")).kind is RefusalKind.UNKNOWN
    seen = hub.operations.acknowledge(alarm.id)

    assert not isinstance(seen, Refusal)
    assert seen.acknowledged
    hub.alarms.sound("role_conflict", "p1", "again")
    assert not hub.alarms.newest_first[0].acknowledged


async def test_no_token_reaches_a_log_line(hub: RunningHub, cpo: SandboxPlatform) -> None:
    with structlog.testing.capture_logs() as lines:
        platform_id = await registered(hub, cpo)
        again = await hub.operations.reinvite(platform_id)
        await hub.operations.rotate(platform_id)
        peer = cpo.counterpart
        await hub.operations.remove(platform_id)

    assert isinstance(again, Invited)
    assert peer is not None
    written = repr(lines)
    assert "platform invited" in written
    assert "platform removed" in written
    for token in (again.registration_token, peer.token, cpo.connection.inbound_token or "none"):
        assert token not in written
