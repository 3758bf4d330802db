"""Removing platforms: told once, forgotten whatever they say, and only when it can be stored."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from hub.app import RunningHub
from hub.broker.refusal import RefusalKind
from hub.broker.removal import Removed
from hub.errors import StoreUnavailable
from hub.ocpi import names
from hub.ocpi.names import Role
from hub.sandbox import SandboxPlatform
from hub.store.records import Callback, PartyOn
from tests.unit.broker.operating import invited, known, refusal, registered

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


async def saved_callback(hub: RunningHub, platform_id: str) -> str:
    party = PartyOn(platform_id, "NL", "CPA")
    callback = Callback(
        id="callback-1",
        issuer=party,
        receiver=party,
        module=names.COMMANDS,
        operation="START_SESSION",
        response_url="http://127.0.0.1:9/cb",
        correlation_id="c",
        created_at=NOW,
        expires_at=NOW + dt.timedelta(days=3650),
    )
    await hub.store.callbacks.save(callback)
    return callback.id


async def test_a_removed_platform_is_told_once_and_frees_its_parties(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    callback_id = await saved_callback(hub, platform_id)
    assert cpo.counterpart is not None
    token = cpo.counterpart.token

    removed = await hub.operations.remove(platform_id)

    assert removed == Removed(platform_id, told=True, detail=None)
    assert [received.method for received in cpo.received.of(names.CREDENTIALS)] == ["DELETE"]
    assert cpo.counterpart is None
    assert not known(hub, token)
    assert await hub.store.platforms.get(platform_id) is None
    assert await hub.store.callbacks.get(callback_id) is None
    await invited(hub, "Successor", "CPO:NL:CPA")
    assert refusal(await hub.operations.remove(platform_id)).kind is RefusalKind.UNKNOWN


async def test_a_platform_that_does_not_answer_is_removed_all_the_same(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    await cpo.go_dark()
    hub.liveness.offline.add(platform_id)
    hub.alarms.sound("platform_offline", platform_id, "it cannot be reached", standing=True)

    removed = await hub.operations.remove(platform_id)

    assert isinstance(removed, Removed)
    assert not removed.told
    assert removed.detail
    assert hub.registry.snapshot.platform(platform_id) is None
    assert platform_id not in hub.liveness.offline
    assert [alarm.standing for alarm in hub.alarms.newest_first] == [False]


async def test_an_invited_platform_is_removed_without_a_word(hub: RunningHub) -> None:
    invitation = await invited(hub)

    removed = await hub.operations.remove(invitation.platform.id)

    assert isinstance(removed, Removed)
    assert (removed.told, removed.detail) == (False, "it was not registered")
    assert not known(hub, invitation.registration_token)


async def test_nothing_is_told_while_nothing_can_be_stored(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    await hub.store.close()

    for call in (
        hub.operations.invite("New"),
        hub.operations.suspend(platform_id),
        hub.operations.reinvite(platform_id),
        hub.operations.remove(platform_id),
    ):
        with pytest.raises(StoreUnavailable):
            await call

    assert cpo.received.of(names.CREDENTIALS) == []
    assert cpo.counterpart is not None
