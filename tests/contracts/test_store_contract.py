"""What every store promises, in one suite: the same tests over SQLite and over MongoDB with either driver."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from hub.domain.platform import HostedRole, Platform, RoleName
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import Role
from hub.store.ports import Store
from hub.store.records import Callback
from tests.contracts.conftest import Place
from tests.contracts.samples import (
    NOW,
    any_callback,
    any_platform,
    callback,
    cdr_location,
    invited,
    new_id,
    registered,
)

NGC = RoleName(Role.CPO, "NL", "NGC")


async def conflict(store: Store, write: str, platform: Platform) -> str:
    """The key of the conflict that this write ends in."""
    with pytest.raises(StoreConflict) as caught:
        await getattr(store.platforms, write)(platform)
    return caught.value.key


# --- opening and closing


async def test_a_fresh_store_is_empty_and_answers(store: Store) -> None:
    await store.ping()
    assert await store.platforms.load_all() == []
    assert await store.platforms.get("nobody") is None
    assert await store.platforms.remove("nobody") is False
    assert await store.callbacks.get("none") is None
    assert await store.cdr_locations.get("none") is None
    assert await store.keys.get("none") is None
    assert await store.keys.names() == []


async def test_opening_and_closing_twice_is_harmless(place: Place) -> None:
    store = place()
    await store.close()
    await store.open()
    await store.open()
    await store.platforms.insert(invited())
    await store.close()
    await store.close()

    with pytest.raises(StoreUnavailable):
        await store.platforms.load_all()
    with pytest.raises(StoreUnavailable):
        await store.ping()

    await store.open()
    assert len(await store.platforms.load_all()) == 1
    await store.close()


async def test_everything_is_there_after_opening_again(place: Place, store: Store) -> None:
    platform, home, location = registered(), callback(), cdr_location()
    await store.platforms.insert(platform)
    await store.callbacks.save(home)
    await store.cdr_locations.save(location)
    await store.keys.put_if_absent("fingerprint", "sealed")
    generation = await store.platforms.generation()
    await store.close()

    again = place()
    await again.open()
    try:
        assert await again.platforms.load_all() == [platform]
        assert await again.callbacks.get(home.id) == home
        assert await again.cdr_locations.get(location.id) == location
        assert await again.keys.get("fingerprint") == "sealed"
        assert await again.platforms.generation() == generation
        assert await conflict(again, "insert", invited(NGC)) == NGC.key
    finally:
        await again.close()


# --- platforms


async def test_every_member_of_a_platform_comes_back(store: Store) -> None:
    platform = registered()
    await store.platforms.insert(platform)
    found = await store.platforms.get(platform.id)
    assert found == platform
    assert found is not None
    assert str(found.roles[0].business_details["x_depth"][0]["$set"][2]) == "0.2500"
    assert await store.platforms.load_all() == [platform]


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(platform=any_platform)
async def test_any_platform_comes_back(store: Store, platform: Platform) -> None:
    await store.platforms.insert(platform)
    assert await store.platforms.get(platform.id) == platform
    await store.platforms.replace(changed := platform.changed(NOW, name="next"))
    assert await store.platforms.get(platform.id) == changed


async def test_platforms_are_listed_by_creation_then_id(store: Store) -> None:
    late = invited(created_at=NOW + timedelta(microseconds=1), platform_id="a")
    second, first = invited(platform_id="c"), invited(platform_id="b")
    for platform in (late, second, first):
        await store.platforms.insert(platform)
    assert await store.platforms.load_all() == [first, second, late]


async def test_platforms_that_claim_nothing_do_not_collide(store: Store) -> None:
    for _ in range(3):
        await store.platforms.insert(invited())
    assert len(await store.platforms.load_all()) == 3


async def test_a_taken_id_is_refused(store: Store) -> None:
    platform = invited()
    await store.platforms.insert(platform)
    assert await conflict(store, "insert", replace(invited(NGC), id=platform.id)) == platform.id
    assert await store.platforms.load_all() == [platform]


@pytest.mark.parametrize("spelling", ["NGC", "ngc", "nGc"])
async def test_a_taken_triple_is_refused_in_any_spelling(store: Store, spelling: str) -> None:
    await store.platforms.insert(invited(NGC))
    hosted = HostedRole(Role.CPO, "nl", spelling, {}, NOW)
    assert await conflict(store, "insert", invited(RoleName(Role.CPO, "Nl", spelling))) == NGC.key
    assert await conflict(store, "insert", replace(invited(), roles=(hosted,))) == NGC.key
    # The same party in another role is another triple.
    await store.platforms.insert(invited(RoleName(Role.EMSP, "NL", spelling)))


async def test_a_taken_fingerprint_is_refused(store: Store) -> None:
    await store.platforms.insert(invited(fingerprints=("f1", "f2")))
    assert await conflict(store, "insert", invited(fingerprints=("f3", "f2"))) == "f2"


async def test_a_refused_insert_leaves_nothing_behind(store: Store) -> None:
    await store.platforms.insert(invited(NGC))
    generation = await store.platforms.generation()
    other = RoleName(Role.EMSP, "DE", "XYZ")
    loser = invited(other, NGC, fingerprints=("f9",))
    await conflict(store, "insert", loser)
    assert await store.platforms.get(loser.id) is None
    assert await store.platforms.generation() == generation
    await store.platforms.insert(invited(other, fingerprints=("f9",)))


async def test_a_replacement_needs_the_revision_before_it(store: Store) -> None:
    platform = registered()
    await store.platforms.insert(platform)
    second = platform.changed(NOW, name="second")
    third = second.changed(NOW, name="third")

    assert await conflict(store, "replace", third) == "revision"
    await store.platforms.replace(second)
    assert await conflict(store, "replace", second) == "revision"
    assert await conflict(store, "replace", platform.changed(NOW, name="stale")) == "revision"
    await store.platforms.replace(third)
    assert await store.platforms.get(platform.id) == third


async def test_a_platform_that_is_gone_cannot_be_replaced(store: Store) -> None:
    platform = invited()
    assert await conflict(store, "replace", platform.changed(NOW)) == "revision"
    await store.platforms.insert(platform)
    assert await store.platforms.remove(platform.id) is True
    assert await conflict(store, "replace", platform.changed(NOW)) == "revision"
    assert await store.platforms.load_all() == []


async def test_a_replacement_may_not_take_what_another_holds(store: Store) -> None:
    own = RoleName(Role.EMSP, "DE", "XYZ")
    await store.platforms.insert(invited(NGC, fingerprints=("theirs",)))
    platform = invited(own, fingerprints=("ours",))
    await store.platforms.insert(platform)

    assert await conflict(store, "replace", platform.changed(NOW, approved=(NGC,))) == NGC.key
    stolen = invited(fingerprints=("theirs",)).tokens
    assert await conflict(store, "replace", platform.changed(NOW, tokens=stolen)) == "theirs"

    assert await store.platforms.get(platform.id) == platform
    assert await conflict(store, "insert", invited(own)) == own.key
    assert await conflict(store, "insert", invited(fingerprints=("ours",))) == "ours"


async def test_a_replacement_keeps_its_own_keys_and_frees_those_it_drops(store: Store) -> None:
    dropped = RoleName(Role.EMSP, "DE", "XYZ")
    platform = invited(NGC, dropped, fingerprints=("old", "kept"))
    await store.platforms.insert(platform)
    kept = invited(fingerprints=("kept", "new")).tokens
    # Hosting a triple that was reserved for it is one claim, not two.
    hosted = (HostedRole(Role.CPO, "NL", "ngc", {}, NOW),)
    await store.platforms.replace(platform.changed(NOW, approved=(NGC,), roles=hosted, tokens=kept))

    await store.platforms.insert(invited(dropped, fingerprints=("old",)))
    for taken in ("kept", "new"):
        assert await conflict(store, "insert", invited(fingerprints=(taken,))) == taken
    assert await conflict(store, "insert", invited(NGC)) == NGC.key


async def test_of_two_replacements_at_once_exactly_one_wins(store: Store) -> None:
    platform = invited()
    await store.platforms.insert(platform)
    rivals = [platform.changed(NOW, name=f"rival {number}") for number in range(8)]
    outcomes = await asyncio.gather(*map(store.platforms.replace, rivals), return_exceptions=True)

    won = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
    lost = [outcome for outcome in outcomes if outcome is not None]
    assert len(won) == 1
    assert [outcome.key for outcome in lost if isinstance(outcome, StoreConflict)] == ["revision"] * 7
    assert await store.platforms.load_all() == won


async def test_of_several_claims_at_once_exactly_one_wins(store: Store) -> None:
    rivals = [invited(NGC) for _ in range(8)]
    outcomes = await asyncio.gather(*map(store.platforms.insert, rivals), return_exceptions=True)
    won = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
    assert len(won) == 1
    assert [o.key for o in outcomes if isinstance(o, StoreConflict)] == [NGC.key] * 7
    assert await store.platforms.load_all() == won


async def test_removal_frees_triples_and_fingerprints(store: Store) -> None:
    platform = invited(NGC, fingerprints=("f1",))
    await store.platforms.insert(platform)
    assert await store.platforms.remove(platform.id) is True
    assert await store.platforms.remove(platform.id) is False
    assert await store.platforms.get(platform.id) is None
    await store.platforms.insert(invited(NGC, fingerprints=("f1",)))


async def test_the_generation_moves_with_every_change_and_only_then(store: Store) -> None:
    platform = invited(NGC)
    seen = [await store.platforms.generation()]
    await store.platforms.insert(platform)
    seen.append(await store.platforms.generation())
    await store.platforms.replace(platform.changed(NOW))
    seen.append(await store.platforms.generation())
    await conflict(store, "replace", platform.changed(NOW))
    await store.callbacks.save(callback())
    await store.ping()
    assert await store.platforms.generation() == seen[-1]
    await store.platforms.insert(invited())
    seen.append(await store.platforms.generation())
    await store.platforms.remove(platform.id)
    seen.append(await store.platforms.generation())
    assert len(set(seen)) == 5


# --- callbacks


@settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(home=any_callback)
async def test_any_callback_comes_back(store: Store, home: Callback) -> None:
    await store.callbacks.save(home := replace(home, id=new_id()))
    assert await store.callbacks.get(home.id) == home


async def test_a_callback_comes_back_whole(store: Store) -> None:
    home = callback()
    await store.callbacks.save(home)
    assert await store.callbacks.get(home.id) == home
    await store.callbacks.save(changed := replace(home, response_url="https://emsp.example/other"))
    assert await store.callbacks.get(home.id) == changed


async def test_a_callback_may_expire_later_or_earlier(store: Store) -> None:
    home = callback()
    await store.callbacks.save(home)
    for expires_at in (NOW + timedelta(days=3, microseconds=7), NOW - timedelta(days=400)):
        await store.callbacks.extend(home.id, expires_at)
        assert await store.callbacks.get(home.id) == replace(home, expires_at=expires_at)
    await store.callbacks.extend("unknown", NOW)
    assert await store.callbacks.get("unknown") is None


async def test_pruning_drops_what_expired_before(store: Store) -> None:
    homes = [callback(expires_at=NOW + timedelta(microseconds=number)) for number in range(-1, 2)]
    for home in homes:
        await store.callbacks.save(home)
    assert await store.callbacks.prune(NOW) == 1
    assert [await store.callbacks.get(home.id) for home in homes] == [None, *homes[1:]]
    await store.callbacks.extend(homes[2].id, NOW - timedelta(days=1))
    assert await store.callbacks.prune(NOW) == 1
    assert await store.callbacks.prune(NOW) == 0


async def test_callbacks_go_with_either_of_their_platforms(store: Store) -> None:
    issued, answered, stays = callback("p", "q"), callback("q", "p"), callback("q", "r")
    for home in (issued, answered, stays):
        await store.callbacks.save(home)
    assert await store.callbacks.remove_of("p") == 2
    assert await store.callbacks.remove_of("p") == 0
    assert await store.callbacks.get(stays.id) == stays
    assert await store.callbacks.get(issued.id) is None


# --- CDR locations and keys


async def test_a_cdr_location_comes_back_whole(store: Store) -> None:
    location = cdr_location()
    await store.cdr_locations.save(location)
    assert await store.cdr_locations.get(location.id) == location
    await store.cdr_locations.save(moved := replace(location, url="https://emsp.example/moved"))
    assert await store.cdr_locations.get(location.id) == moved


async def test_a_key_is_put_once_and_swapped_by_who_knows_it(store: Store) -> None:
    assert await store.keys.put_if_absent("link", "one") == "one"
    assert await store.keys.put_if_absent("link", "two") == "one"
    assert await store.keys.swap("link", "two", "three") is False
    assert await store.keys.swap("missing", "one", "three") is False
    assert await store.keys.get("link") == "one"
    assert await store.keys.swap("link", "one", "three") is True
    assert await store.keys.get("link") == "three"
    await store.keys.put_if_absent("fingerprint", "x")
    assert await store.keys.names() == ["fingerprint", "link"]


async def test_all_who_put_a_key_at_once_get_the_same(store: Store) -> None:
    puts = [store.keys.put_if_absent("link", f"value {number}") for number in range(8)]
    stood = set(await asyncio.gather(*puts))
    assert stood == {await store.keys.get("link")}
