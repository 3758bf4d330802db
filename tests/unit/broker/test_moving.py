"""A party goes to another platform: all of it, at once, and whatever fails it is on one of the two."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from hub.app import RunningHub, running
from hub.broker.refusal import RefusalKind
from hub.domain.agreements import Agreement, Side
from hub.domain.platform import Platform
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import SandboxPlatform, objects
from hub.settings import Settings
from hub.store.sqlite.store import SqliteStore
from tests.hubs import settled
from tests.unit.broker.operating import changed, invited, left_behind, refusal, registered, stored
from tests.waiting import until

CPA = PartyId("NL", "CPA")


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


@pytest.fixture
async def other() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Other", [(Role.CPO, "FR", "OTH")]) as platform:
        yield platform


@pytest.fixture
async def emsp() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Drive", [(Role.EMSP, "NL", "EMA")]) as platform:
        yield platform


def hosts(platforms: list[Platform]) -> list[str]:
    """The ids of those that have NL/CPA as a CPO."""
    return [one.id for one in platforms if any(role.key == "CPO*nl*cpa" for role in one.roles)]


async def test_everything_goes_with_the_party(
    hub: RunningHub, cpo: SandboxPlatform, other: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    await registered(hub, emsp)
    assert (await cpo.publish(names.LOCATIONS, objects.location("NL/CPA", "L1"))).ok
    await hub.registry.put_agreement(Agreement("a1", Side("NL", "CPA"), Side(), None, allow=True))
    before = stored(hub, cpo_id).roles[0]

    with structlog.testing.capture_logs() as lines:
        taker = changed(await hub.operations.move_party(PartyId("nl", "cpa"), Role.CPO, other_id))

    assert taker.id == other_id
    gone = taker.roles[-1]
    assert (gone.party, gone.business_details) == (CPA, before.business_details)
    assert gone.updated_at > before.updated_at
    assert [str(role.party) for role in stored(hub, cpo_id).roles] == ["BE/CPB"]
    assert hosts(await hub.store.platforms.load_all()) == [other_id]
    assert [line["before"] for line in lines if line["event"] == "party moved"] == [cpo_id]
    # Requests go where it is now, and its objects are still its own.
    other.habits.checks_to = False
    asked = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/CPA", sender="NL/EMA")
    assert asked.status_code == 1000
    assert other.received.of(names.LOCATIONS, Interface.SENDER)
    assert not cpo.received.of(names.LOCATIONS, Interface.SENDER)
    held = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/HUB", sender="NL/EMA")
    assert [row["id"] for row in held.data] == ["L1"]
    assert [one.id for one in hub.registry.snapshot.agreements.every] == ["a1"]
    # It speaks from there, and no longer from here.
    push = objects.location("NL/CPA", "L2")
    tail = "NL/CPA/L2"
    spoken = [
        await one.call("PUT", names.LOCATIONS, Interface.RECEIVER, tail, to="NL/HUB", sender="NL/CPA", body=push)
        for one in (cpo, other)
    ]
    assert [answer.status for answer in spoken] == [403, 201]


async def test_nobody_is_told_of_a_move_that_changes_nothing_for_them(
    hub: RunningHub, cpo: SandboxPlatform, other: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await registered(hub, cpo)
    other_id = await registered(hub, other)
    await registered(hub, emsp)
    await settled(hub)
    emsp.received.clear()

    changed(await hub.operations.move_party(CPA, Role.CPO, other_id))
    await settled(hub)

    infos = await emsp.call("GET", names.HUB_CLIENT_INFO, Interface.SENDER)
    assert [row["status"] for row in infos.data if row["party_id"] == "CPA"] == ["CONNECTED"]
    assert {one.data["status"] for one in emsp.received.of(names.HUB_CLIENT_INFO)} <= {"CONNECTED"}


async def test_it_is_reserved_where_it_went(hub: RunningHub, cpo: SandboxPlatform, other: SandboxPlatform) -> None:
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    changed(await hub.operations.move_party(CPA, Role.CPO, other_id))

    claimed_back = await cpo.update()
    forgotten = await other.update()

    assert not claimed_back.ok
    assert claimed_back.status_code == 2001
    assert forgotten.ok
    assert hosts([stored(hub, cpo_id), stored(hub, other_id)]) == []
    assert hub.registry.snapshot.holder_of("CPO*nl*cpa") == other_id
    assert (await other.update(roles=[*other.roles, (Role.CPO, "NL", "CPA")])).ok
    assert hosts([stored(hub, cpo_id), stored(hub, other_id)]) == [other_id]


async def test_there_and_back_again(hub: RunningHub, cpo: SandboxPlatform, other: SandboxPlatform) -> None:
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    changed(await hub.operations.suspend_party(CPA, Role.CPO))

    changed(await hub.operations.move_party(CPA, Role.CPO, other_id))
    back = changed(await hub.operations.move_party(CPA, Role.CPO, cpo_id))

    assert [(str(role.party), role.suspended) for role in back.roles] == [("BE/CPB", False), ("NL/CPA", True)]
    assert stored(hub, other_id).approved == ()


async def test_what_cannot_be_moved(hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo_id, emsp_id = await registered(hub, cpo), await registered(hub, emsp)
    planned_id = (await invited(hub, "Planned", "CPO:AT:NEW")).platform.id
    move = hub.operations.move_party

    unknown = refusal(await move(PartyId("XX", "ZZZ"), Role.CPO, emsp_id))
    wrong_role = refusal(await move(CPA, Role.EMSP, emsp_id))
    nowhere = refusal(await move(CPA, Role.CPO, "nobody"))
    there_already = refusal(await move(CPA, Role.CPO, cpo_id))
    not_registered = refusal(await move(CPA, Role.CPO, planned_id))
    only_reserved = refusal(await move(PartyId("AT", "NEW"), Role.CPO, cpo_id))
    useless = refusal(await move(CPA, Role.CPO, emsp_id))

    assert [one.kind for one in (unknown, wrong_role)] == [RefusalKind.UNKNOWN] * 2
    others = (nowhere, there_already, not_registered, only_reserved, useless)
    assert [one.kind for one in others] == [RefusalKind.CONFLICT] * 5
    assert "There is no platform nobody" in nowhere.title
    assert "already" in there_already.title
    assert "Planned" in not_registered.title
    assert "reserved but not registered" in only_reserved.title
    assert f"Platform Drive ({emsp_id}) offers nothing that a CPO is reached by" in useless.title
    assert useless.detail is not None
    assert "locations SENDER" in useless.detail
    assert hosts(list(hub.registry.snapshot.platforms)) == [cpo_id]


async def test_a_mark_of_missed_broadcasts_stays_behind(
    hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    emsp_id, ema = await left_behind(hub, cpo, emsp), PartyId("NL", "EMA")
    async with SandboxPlatform("Second", [(Role.EMSP, "DE", "SEC")]) as second:
        second_id = await registered(hub, second)

        changed(await hub.operations.move_party(ema, Role.EMSP, second_id))

        assert not hub.broadcasts.is_behind(emsp_id, ema)
        assert [alarm.standing for alarm in hub.alarms.newest_first if alarm.kind == "receiver_behind"] == [False]


# --- failures in the middle ---


class Faulty(SqliteStore):
    """A store that fails when it should write two platforms at once; `written` says whether it has done so first."""

    def break_once(self, problem: Exception, *, written: bool) -> None:
        whole = self.platforms.replace_both

        async def replace_both(giver: Platform, taker: Platform) -> None:
            self.platforms.replace_both = whole  # type: ignore[method-assign]  # a fault put into the middle
            if written:
                await whole(giver, taker)
            raise problem

        self.platforms.replace_both = replace_both  # type: ignore[method-assign]  # see above


@pytest.fixture
async def faulty(settings: Settings) -> AsyncIterator[tuple[RunningHub, Faulty]]:
    assert settings.sqlite_file is not None
    store = Faulty(settings.sqlite_file)
    async with running(settings, store=store) as hub:
        yield hub, store


@pytest.mark.parametrize("written", [False, True])
async def test_when_the_store_goes_away_in_the_middle_the_party_is_on_one_of_the_two(
    faulty: tuple[RunningHub, Faulty], cpo: SandboxPlatform, other: SandboxPlatform, *, written: bool
) -> None:
    hub, store = faulty
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    store.break_once(StoreUnavailable("the disk is slow"), written=written)

    with pytest.raises(StoreUnavailable):
        await hub.operations.move_party(CPA, Role.CPO, other_id)

    # Until the store is read again memory has it where it was, so nobody else can claim it meanwhile.
    assert hosts(list(hub.registry.snapshot.platforms)) == [cpo_id]
    expected = other_id if written else cpo_id
    await until(lambda: hosts(list(hub.registry.snapshot.platforms)) == [expected])
    if written:
        assert "already" in refusal(await hub.operations.move_party(CPA, Role.CPO, other_id)).title
    else:
        changed(await hub.operations.move_party(CPA, Role.CPO, other_id))
    assert hosts(await store.platforms.load_all()) == [other_id]


async def test_a_change_by_somebody_else_in_between_is_kept(
    faulty: tuple[RunningHub, Faulty], cpo: SandboxPlatform, other: SandboxPlatform
) -> None:
    hub, store = faulty
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    store.break_once(StoreConflict("revision"), written=False)

    moved = await asyncio.gather(
        hub.operations.move_party(CPA, Role.CPO, other_id),
        hub.operations.change_settings(cpo_id, {"page_limit": 7}),
        hub.operations.change_settings(other_id, {"page_limit": 8}),
    )

    for result in moved:
        changed(result)
    assert [stored(hub, one).settings.page_limit for one in (cpo_id, other_id)] == [7, 8]
    assert hosts(await store.platforms.load_all()) == [other_id]


async def test_a_platform_that_is_removed_in_between(
    faulty: tuple[RunningHub, Faulty], cpo: SandboxPlatform, other: SandboxPlatform
) -> None:
    hub, store = faulty
    cpo_id, other_id = await registered(hub, cpo), await registered(hub, other)
    await store.platforms.remove(other_id)

    gone = refusal(await hub.operations.move_party(CPA, Role.CPO, other_id))

    assert gone.kind is RefusalKind.CONFLICT
    assert "removed in this moment" in gone.title
    assert hosts(await store.platforms.load_all()) == [cpo_id]


async def test_moves_at_once_leave_the_party_on_one_platform(
    hub: RunningHub, cpo: SandboxPlatform, other: SandboxPlatform
) -> None:
    async with SandboxPlatform("Third", [(Role.CPO, "DE", "THI")]) as third:
        ids = [await registered(hub, one) for one in (cpo, other, third)]

        await asyncio.gather(*(hub.operations.move_party(CPA, Role.CPO, ids[number % 3]) for number in range(9)))

        (host,) = hosts(await hub.store.platforms.load_all())
        assert hosts(list(hub.registry.snapshot.platforms)) == [host]
        assert hub.registry.snapshot.holder_of("CPO*nl*cpa") == host
        assert stored(hub, host).status is ConnectionStatus.CONNECTED
