"""What the hub holds of parties that leave, however they leave, and what it keeps of those that are only away."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from hub.app import RunningHub, running
from hub.broker.departures import Departures
from hub.broker.refusal import RefusalKind
from hub.broker.removal import Removed
from hub.errors import StoreUnavailable
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import SandboxPlatform, objects
from hub.settings import Settings
from hub.store.sqlite.store import SqliteStore
from tests.hubs import role, settled
from tests.unit.broker.operating import changed, invited, left_behind, refusal, registered, stored
from tests.waiting import until

CPA, CPB, DUO = PartyId("NL", "CPA"), PartyId("BE", "CPB"), PartyId("FR", "DUO")


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


@pytest.fixture
async def emsp() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Drive", [(Role.EMSP, "NL", "EMA"), (Role.EMSP, "FR", "DUO")]) as platform:
        yield platform


async def published(platform: SandboxPlatform, owner: PartyId, *ids: str) -> None:
    for location_id in ids:
        answer = await platform.publish(names.LOCATIONS, objects.location(str(owner), location_id))
        assert answer.ok, answer


async def held(hub: RunningHub, module: str = names.LOCATIONS) -> dict[str, int]:
    """How many objects of a module the hub holds, by owner."""
    return {str(row.owner): row.count for row in await hub.store.catalog.owners(module)}


# --- removing ---


async def test_a_removed_platform_takes_its_objects_along(
    hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    cpo_id = await registered(hub, cpo)
    await registered(hub, emsp)
    await published(cpo, CPA, "L1", "L2")
    await published(cpo, CPB, "L1")
    assert (await cpo.publish(names.TARIFFS, objects.tariff("NL/CPA", "T1"))).ok
    assert (await emsp.publish(names.TOKENS, objects.token("NL/EMA", "K1"))).ok

    assert isinstance(await hub.operations.remove(cpo_id), Removed)

    assert (await held(hub), await held(hub, names.TARIFFS)) == ({}, {})
    assert await held(hub, names.TOKENS) == {"NL/EMA": 1}


async def test_a_party_that_is_on_another_platform_too_keeps_what_it_is_there(
    hub: RunningHub, emsp: SandboxPlatform
) -> None:
    """FR/DUO is a CPO on one platform and an eMSP on another."""
    async with SandboxPlatform("Duo", [(Role.CPO, "FR", "DUO")]) as duo:
        duo_id = await registered(hub, duo)
        await registered(hub, emsp)
        await published(duo, DUO, "L1")
        assert (await emsp.publish(names.TOKENS, objects.token("FR/DUO", "K1"))).ok

        await hub.operations.remove(duo_id)

        assert (await held(hub), await held(hub, names.TOKENS)) == ({}, {"FR/DUO": 1})


async def test_others_are_told_once_that_its_parties_are_gone(
    hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    cpo_id = await registered(hub, cpo)
    await registered(hub, emsp)
    await settled(hub)
    emsp.received.clear()

    await hub.operations.remove(cpo_id)
    await settled(hub)

    told = [(one.data["party_id"], one.data["status"]) for one in emsp.received.of(names.HUB_CLIENT_INFO)]
    assert sorted(told) == [("CPA", "SUSPENDED"), ("CPB", "SUSPENDED")]


async def test_its_pulls_end_with_it(hub: RunningHub, cpo: SandboxPlatform) -> None:
    cpo.own.put(names.LOCATIONS, objects.location("NL/CPA", "L1"))
    cpo_id = await registered(hub, cpo)
    changed(await hub.operations.change_settings(cpo_id, {"pull": {names.LOCATIONS: 3600.0}}))
    cpo.faults.on(names.LOCATIONS, method="GET").hang()
    assert isinstance(await hub.pulls.resync(cpo_id), list)
    await cpo.wait_for(names.LOCATIONS)

    await hub.operations.remove(cpo_id)

    assert hub.pulls.overview() == []
    await until(lambda: hub.pulls.quiet)

    async def forgotten() -> bool:
        return await hub.store.pulls.load_all() == []

    await until(forgotten)
    assert await held(hub) == {}


async def test_a_mark_of_missed_broadcasts_goes_with_it(
    hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    emsp_id = await left_behind(hub, cpo, emsp)

    await hub.operations.remove(emsp_id)

    assert not hub.broadcasts.is_behind(emsp_id, PartyId("NL", "EMA"))
    assert [alarm.standing for alarm in hub.alarms.newest_first if alarm.kind == "receiver_behind"] == [False]


class Losing(SqliteStore):
    """A store that goes away once, when objects should be removed."""

    def lose_once(self) -> None:
        whole = self.catalog.remove_owner

        async def remove_owner(owner: PartyId, modules: Collection[str]) -> int:
            self.catalog.remove_owner = whole  # type: ignore[method-assign]  # a fault put into the middle
            raise StoreUnavailable("the disk is slow")

        self.catalog.remove_owner = remove_owner  # type: ignore[method-assign]  # see above


@pytest.fixture
async def losing(settings: Settings) -> AsyncIterator[tuple[RunningHub, Losing]]:
    assert settings.sqlite_file is not None
    store = Losing(settings.sqlite_file)
    async with running(settings, store=store) as hub:
        yield hub, store


async def test_a_removal_that_fails_in_the_middle_can_be_repeated(
    losing: tuple[RunningHub, Losing], cpo: SandboxPlatform
) -> None:
    hub, store = losing
    cpo_id = await registered(hub, cpo)
    await published(cpo, CPA, "L1")
    store.lose_once()

    with pytest.raises(StoreUnavailable):
        await hub.operations.remove(cpo_id)

    # It is stopped, still there, told nothing, and nobody else can have its parties.
    assert stored(hub, cpo_id).status is ConnectionStatus.SUSPENDED
    assert cpo.counterpart is not None
    assert refusal(await hub.operations.invite("Other", [role("CPO:NL:CPA")])).kind is RefusalKind.CONFLICT
    refused = await cpo.publish(names.LOCATIONS, objects.location("NL/CPA", "L2"))
    assert refused.status == 403
    assert isinstance(await hub.operations.remove(cpo_id), Removed)
    assert await held(hub) == {}
    assert cpo.counterpart is None


# --- leaving a platform ---


async def test_a_party_that_its_platform_drops_is_gone(
    hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """S-019 the other way round."""
    cpo_id = await registered(hub, cpo)
    await registered(hub, emsp)
    await published(cpo, CPA, "L1")
    await published(cpo, CPB, "L2")
    await settled(hub)
    emsp.received.clear()

    assert (await cpo.update(roles=cpo.roles[:1])).ok
    await settled(hub)

    async def only_the_other() -> bool:
        return await held(hub) == {"NL/CPA": 1}

    await until(only_the_other)
    told = [(one.data["party_id"], one.data["status"]) for one in emsp.received.of(names.HUB_CLIENT_INFO)]
    assert told == [("CPB", "SUSPENDED")]
    asked = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to="BE/CPB", sender="NL/EMA")
    assert asked.status_code == 4001
    # Free for others again.
    await invited(hub, "Successor", "CPO:BE:CPB")
    assert [str(role.party) for role in stored(hub, cpo_id).roles] == ["NL/CPA"]


async def test_so_it_is_when_the_hub_asked_for_the_new_credentials(hub: RunningHub, cpo: SandboxPlatform) -> None:
    cpo_id = await registered(hub, cpo)
    await published(cpo, CPA, "L1")
    await published(cpo, CPB, "L2")
    cpo.roles = cpo.roles[:1]

    changed(await hub.operations.rotate(cpo_id))

    async def only_the_other() -> bool:
        return await held(hub) == {"NL/CPA": 1}

    await until(only_the_other)


async def test_a_role_that_is_dropped_takes_its_own_objects_alone(hub: RunningHub) -> None:
    async with SandboxPlatform("Duo", [(Role.CPO, "FR", "DUO"), (Role.EMSP, "FR", "DUO")]) as duo:
        await registered(hub, duo)
        await published(duo, DUO, "L1")
        assert (await duo.publish(names.TOKENS, objects.token("FR/DUO", "K1"))).ok

        assert (await duo.update(roles=duo.roles[:1])).ok

        async def tokens_are_gone() -> bool:
            return await held(hub, names.TOKENS) == {}

        await until(tokens_are_gone)
        assert await held(hub) == {"FR/DUO": 1}


async def test_objects_are_forgotten_when_the_store_is_back(
    losing: tuple[RunningHub, Losing], cpo: SandboxPlatform
) -> None:
    hub, store = losing
    await registered(hub, cpo)
    await published(cpo, CPB, "L2")
    store.lose_once()

    assert (await cpo.update(roles=cpo.roles[:1])).ok

    async def gone() -> bool:
        return await held(hub) == {}

    await until(gone)


async def test_who_is_only_away_keeps_everything(hub: RunningHub, cpo: SandboxPlatform) -> None:
    cpo_id = await registered(hub, cpo)
    await published(cpo, CPA, "L1")
    await published(cpo, CPB, "L2")

    changed(await hub.operations.suspend_party(CPB, Role.CPO))
    changed(await hub.operations.suspend(cpo_id))
    changed(await hub.operations.resume(cpo_id))
    assert (await cpo.update()).ok
    assert (await cpo.unregister()).ok
    await asyncio.gather(*hub.registry._background, *hub.registry._lasting)

    assert await held(hub) == {"NL/CPA": 1, "BE/CPB": 1}


# --- after a crash ---


async def test_objects_that_nobody_owns_go_at_the_next_start(settings: Settings, cpo: SandboxPlatform) -> None:
    """As if the hub had ended between forgetting a party and forgetting its objects."""
    async with running(settings) as hub:
        cpo_id = await registered(hub, cpo)
        await published(cpo, CPA, "L1")
        await published(cpo, CPB, "L2")
        await hub.registry.change(cpo_id, lambda one: one.changed(one.updated_at, roles=one.roles[:1]))

    async with running(settings) as hub:

        async def only_the_other() -> bool:
            return await held(hub) == {"NL/CPA": 1}

        await until(only_the_other)


async def test_nothing_goes_while_a_platform_cannot_be_read(settings: Settings, cpo: SandboxPlatform) -> None:
    assert settings.sqlite_file is not None
    async with running(settings) as hub:
        await registered(hub, cpo)
        await published(cpo, CPA, "L1")
    store = SqliteStore(settings.sqlite_file)
    await store.open()
    await store.database.write(lambda database: database.execute("UPDATE platforms SET doc = '{}'"))
    await store.close()

    async with running(settings) as hub:
        await Departures(hub.registry, hub.store.catalog, hub.broadcasts, hub.known).sweep()

        assert not hub.registry.complete
        assert await held(hub) == {"NL/CPA": 1}
