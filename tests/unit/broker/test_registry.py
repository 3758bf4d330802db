"""What the keeper of the registry reads again, and what it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.broker.registry import POLL_S, REREAD_S, RegistryKeeper
from hub.clock import ManualClock
from hub.domain.agreements import Agreement, Side
from hub.domain.platform import Platform, RoleName
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import Role
from hub.store.sqlite.store import SqliteStore
from hub.store.vault import Fingerprints, Vault
from tests.contracts.samples import invited, registered
from tests.waiting import until

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AGREEMENT = Agreement("a", Side("NL"), Side(), None, allow=True)


@dataclass
class Node:
    """One node over the store that a test uses as another node does, and how often it read everything."""

    keeper: RegistryKeeper
    store: SqliteStore
    clock: ManualClock
    reads: int = 0
    told: int = 0

    @property
    def snapshot(self) -> RegistrySnapshot:
        return self.keeper.snapshot

    async def polls(self, seconds: float = POLL_S) -> int:
        """How often it read everything in this time."""
        before = self.reads
        asleep_until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < asleep_until:
            await self.clock.advance(POLL_S)
            await until(lambda: self.clock.asleep > 0)
        return self.reads - before

    async def renames(self, platform: Platform, name: str) -> Platform:
        """This node changes a platform."""
        changed = await self.keeper.change(platform.id, lambda one: one.changed(self.clock.now(), name=name))
        assert changed is not None
        return changed

    async def elsewhere(self, platform_id: str, name: str) -> None:
        """Another node changes a platform."""
        stored = await self.store.platforms.get(platform_id)
        assert stored is not None
        await self.store.platforms.replace(stored.changed(self.clock.now(), name=name))

    def name_of(self, platform: Platform) -> str | None:
        known = self.snapshot.platform(platform.id)
        return None if known is None else known.name


FIRST = replace(registered("NGA"), created_at=NOW)
SECOND = replace(registered("NGB"), created_at=NOW + timedelta(minutes=1))
THIRD = invited(RoleName(Role.CPO, "NL", "NGC"), created_at=NOW + timedelta(minutes=2))
PLATFORMS = (FIRST, SECOND, THIRD)


@asynccontextmanager
async def a_node(path: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    """A node that has read the three platforms and an agreement, and follows."""
    store, clock = SqliteStore(path / "hub.sqlite3"), ManualClock()
    await store.open()
    for platform in PLATFORMS:
        await store.platforms.insert(platform)
    await store.agreements.put(AGREEMENT)
    vault = Vault(["a-secret-key-only-for-these-tests-1"])
    keeper = RegistryKeeper(
        store.platforms, store.agreements, vault, Fingerprints(b"k" * 32), clock, connections=1, open_by_default=False
    )
    node, read = Node(keeper, store, clock), store.platforms.load_all

    async def counted() -> list[Platform]:
        node.reads += 1
        return await read()

    def told() -> None:
        node.told += 1

    patch.setattr(store.platforms, "load_all", counted)
    keeper.on_change = told
    await keeper.load()
    following = asyncio.create_task(keeper.follow())
    await clock.until_asleep()
    node.reads = 0
    yield node
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await keeper.close()
    await store.close()


@pytest.fixture
async def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    async with a_node(tmp_path, monkeypatch) as made:
        yield made


async def test_what_is_read_again_and_has_not_changed_keeps_the_snapshot(node: Node) -> None:
    before, told = node.snapshot, node.told

    assert await node.polls(REREAD_S + POLL_S) == 1
    assert node.snapshot is before
    assert node.told == told
    assert not before.agreements.default_open
    assert before.agreements.every == (AGREEMENT,)


async def test_changes_of_this_node_are_not_read_again(node: Node) -> None:
    changed = await node.renames(FIRST, "one")
    await node.keeper.put_agreement(replace(AGREEMENT, id="b"))
    await node.keeper.remove_agreement("a")
    assert not await node.keeper.remove_agreement("a")
    fourth = invited(RoleName(Role.CPO, "NL", "NGD"), created_at=NOW + timedelta(days=1))
    await node.keeper.add(fourth)
    assert await node.keeper.remove(THIRD.id)
    assert not await node.keeper.remove(THIRD.id)
    both = await node.keeper.change_both(
        FIRST.id, SECOND.id, lambda one, two: (one.changed(NOW, roles=()), two.changed(NOW, name="two"))
    )
    assert both is not None
    after = node.snapshot

    assert await node.polls(3) == 0
    assert node.snapshot is after
    assert after.generation == await node.keeper._stored_generation()
    assert after.platforms == (both[0], both[1], fourth)
    assert both[0].name == changed.name
    assert [one.id for one in after.agreements.every] == ["b"]
    # What they wrote and what is read are the same.
    await node.keeper.load()
    assert node.snapshot is after


@pytest.mark.parametrize("before_ours", [True, False])
async def test_a_change_of_another_node_beside_ours_is_seen_at_the_next_poll(node: Node, before_ours: bool) -> None:
    if before_ours:
        await node.elsewhere(SECOND.id, "theirs")
    await node.renames(FIRST, "ours")
    if not before_ours:
        await node.elsewhere(SECOND.id, "theirs")
    kept = node.snapshot.platform(FIRST.id)
    assert node.name_of(SECOND) != "theirs"

    assert await node.polls() == 1
    assert node.name_of(SECOND) == "theirs"
    assert node.snapshot.platform(FIRST.id) is kept
    assert node.snapshot.platform(THIRD.id) == THIRD
    assert await node.polls(3) == 0


async def test_a_change_of_ours_on_top_of_one_of_theirs_is_read_once_and_changes_nothing(node: Node) -> None:
    await node.elsewhere(FIRST.id, "theirs")
    changed = await node.renames(FIRST, "ours")
    after = node.snapshot

    assert changed.revision == FIRST.revision + 2
    assert await node.polls(3) == 1
    assert node.snapshot is after


async def test_an_agreement_of_another_node_is_seen_beside_ours(node: Node) -> None:
    await node.keeper.put_agreement(replace(AGREEMENT, id="ours"))
    await node.store.agreements.put(replace(AGREEMENT, id="theirs"))

    assert await node.polls() == 1
    assert {one.id for one in node.snapshot.agreements.every} == {"a", "ours", "theirs"}


@pytest.mark.parametrize("one_more", [True, False])
async def test_a_change_that_was_read_before_its_writer_knew_hides_no_other(
    node: Node, monkeypatch: pytest.MonkeyPatch, one_more: bool
) -> None:
    """Ours is stored and counted by a reader, another node is faster with the next one, and only then we hear of ours:
    memory has the older one of both, and must not believe that it knows everything.
    """
    real, stored, gate = node.store.platforms.replace, asyncio.Event(), asyncio.Event()

    async def slow(platform: Platform) -> None:
        await real(platform)
        stored.set()
        await gate.wait()

    monkeypatch.setattr(node.store.platforms, "replace", slow)
    renaming = asyncio.create_task(node.renames(FIRST, "ours"))
    await asyncio.wait_for(stored.wait(), 5)
    monkeypatch.setattr(node.store.platforms, "replace", real)
    await node.elsewhere(FIRST.id, "theirs")
    await node.keeper.load()
    assert node.name_of(FIRST) == "theirs"
    gate.set()
    await renaming
    if one_more:  # which a count that was carried too far would take for ours
        await node.elsewhere(SECOND.id, "also theirs")

    assert await node.polls() == 1
    assert node.name_of(FIRST) == "theirs"
    assert (node.name_of(SECOND) == "also theirs") is one_more
    assert await node.polls(3) == 0


async def test_a_write_that_failed_but_was_stored_is_found(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    real = node.store.platforms.replace

    async def answer_lost(platform: Platform) -> None:
        await real(platform)
        raise OSError("the answer got lost")

    monkeypatch.setattr(node.store.platforms, "replace", answer_lost)
    with pytest.raises(OSError, match="lost"):
        await node.renames(FIRST, "ours")
    assert node.name_of(FIRST) == FIRST.name

    assert await node.polls() == 1
    assert node.name_of(FIRST) == "ours"
