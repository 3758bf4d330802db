"""Keys of the hub's own and their rotation, over every store: what is sealed moves to the new key, nothing else."""

import asyncio
from dataclasses import replace

import pytest

from hub.domain.platform import ClientCertificate, Platform
from hub.errors import KeyUnusable, StoreUnavailable
from hub.store.ports import PlatformStore, Store
from hub.store.vault import Resealed, Vault, own_key, rotate
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, invited, registered

OLD, BOTH, NEW = Vault(["old secret"]), Vault(["new secret", "old secret"]), Vault(["new secret"])


def sealed_platform(party: str, vault: Vault) -> Platform:
    platform = registered(party)
    assert platform.connection is not None
    certificate = ClientCertificate("PEM", vault.seal(f"key of {party}"))
    return replace(
        platform,
        connection=replace(platform.connection, sealed_token=vault.seal(f"token of {party}")),
        settings=replace(platform.settings, client_certificate=certificate),
    )


def opened(platform: Platform | None, vault: Vault) -> tuple[str, str]:
    """The secrets of a platform, in the clear."""
    assert platform is not None
    assert platform.connection is not None
    assert platform.settings.client_certificate is not None
    return vault.open(platform.connection.sealed_token), vault.open(platform.settings.client_certificate.sealed_key)


def without_secrets(platform: Platform | None) -> Platform:
    assert platform is not None
    return replace(platform, revision=0, connection=None, settings=replace(platform.settings, client_certificate=None))


async def test_an_own_key_is_made_once_for_all_nodes(store: Store) -> None:
    made = await asyncio.gather(*(own_key(store.keys, OLD, "fingerprint") for _ in range(4)))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert await own_key(store.keys, BOTH, "fingerprint") == made[0]
    assert await own_key(store.keys, OLD, "link") != made[0]
    sealed = await store.keys.get("fingerprint")
    assert sealed is not None
    assert made[0].hex() not in sealed
    with pytest.raises(KeyUnusable):
        await own_key(store.keys, NEW, "fingerprint")


async def test_rotation_moves_everything_sealed_and_nothing_else(store: Store) -> None:
    fingerprint_key, link_key = [await own_key(store.keys, OLD, name) for name in ("fingerprint", "link")]
    platforms = [sealed_platform(party, OLD) for party in ("AAA", "BBB")]
    current = sealed_platform("CCC", NEW)
    bare = invited()
    for platform in (*platforms, current, bare):
        await store.platforms.insert(platform)

    assert await rotate(store, BOTH) == Resealed(keys=2, platforms=2)

    assert await own_key(store.keys, NEW, "fingerprint") == fingerprint_key
    assert await own_key(store.keys, NEW, "link") == link_key
    for before, party in zip(platforms, ("AAA", "BBB"), strict=True):
        after = await store.platforms.get(before.id)
        assert opened(after, NEW) == (f"token of {party}", f"key of {party}")
        assert without_secrets(after) == without_secrets(before)
        assert after is not None
        assert after.revision == before.revision + 1
    assert await store.platforms.get(current.id) == current
    assert await store.platforms.get(bare.id) == bare
    assert await rotate(store, BOTH) == Resealed(keys=0, platforms=0)
    assert await rotate(store, NEW) == Resealed(keys=0, platforms=0)


class Meddling:
    """Platforms whose replacements meet somebody else: a change that came first, or a store that went away."""

    def __init__(self, platforms: PlatformStore, *, rivals: int = 0, writes: int = 1_000) -> None:
        self._platforms = platforms
        self._rivals = rivals
        self._writes = writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._platforms, name)

    async def replace(self, platform: Platform) -> None:
        if self._rivals:
            self._rivals -= 1
            stored = await self._platforms.get(platform.id)
            assert stored is not None
            await self._platforms.replace(stored.changed(NOW, name=f"rival {self._rivals}"))
        if not self._writes:
            raise StoreUnavailable("gone")
        self._writes -= 1
        await self._platforms.replace(platform)


async def test_rotation_gives_way_to_other_changes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = sealed_platform("AAA", OLD)
    await store.platforms.insert(platform)
    monkeypatch.setattr(store, "platforms", Meddling(store.platforms, rivals=2))
    assert await rotate(store, BOTH) == Resealed(keys=0, platforms=1)
    after = await store.platforms.get(platform.id)
    assert opened(after, NEW) == ("token of AAA", "key of AAA")
    assert after is not None
    assert (after.name, after.revision) == ("rival 0", platform.revision + 3)


async def test_an_interrupted_rotation_is_finished_by_the_next(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await own_key(store.keys, OLD, "fingerprint")
    platforms = [sealed_platform(party, OLD) for party in ("AAA", "BBB", "CCC")]
    for platform in platforms:
        await store.platforms.insert(platform)
    with monkeypatch.context() as patch:
        patch.setattr(store, "platforms", Meddling(store.platforms, writes=1))
        with pytest.raises(StoreUnavailable):
            await rotate(store, BOTH)
    # In between, who knows both keys reads everything.
    assert await own_key(store.keys, BOTH, "fingerprint") == key
    for platform in platforms:
        assert opened(await store.platforms.get(platform.id), BOTH) == opened(platform, OLD)

    assert await rotate(store, BOTH) == Resealed(keys=0, platforms=2)
    for platform in platforms:
        assert opened(await store.platforms.get(platform.id), NEW) == opened(platform, OLD)


async def test_rotation_stops_at_what_no_key_opens(store: Store) -> None:
    await store.platforms.insert(platform := sealed_platform("AAA", Vault(["forgotten"])))
    with pytest.raises(KeyUnusable):
        await rotate(store, BOTH)
    assert await store.platforms.get(platform.id) == platform
