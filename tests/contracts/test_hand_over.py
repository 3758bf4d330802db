"""Two platforms changed at once, so that a party can go from one to the other: every store does both or neither."""

import asyncio
from dataclasses import replace

import pytest

from hub.domain.platform import HostedRole, Platform, RoleName
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import Role
from hub.store.ports import Store
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, invited, new_id

NGC = RoleName(Role.CPO, "NL", "NGC")
XYZ = RoleName(Role.EMSP, "DE", "XYZ")
HOSTED = HostedRole(Role.CPO, "NL", "NGC", {"name": "North"}, NOW)


async def two(store: Store, *fingerprints: str) -> tuple[Platform, Platform]:
    """A platform that hosts NGC, and one that might; a third has XYZ."""
    giver, taker = replace(invited(NGC), roles=(HOSTED,)), invited(fingerprints=fingerprints)
    for platform in (giver, taker, invited(XYZ, fingerprints=("theirs",))):
        await store.platforms.insert(platform)
    return giver, taker


def handed_over(giver: Platform, taker: Platform) -> tuple[Platform, Platform]:
    return giver.changed(NOW, approved=(), roles=()), taker.changed(NOW, approved=(NGC,), roles=(HOSTED,))


async def conflict(store: Store, giver: Platform, taker: Platform) -> str:
    with pytest.raises(StoreConflict) as caught:
        await store.platforms.replace_both(giver, taker)
    return caught.value.key


async def is_taken(store: Store, name: RoleName) -> bool:
    rival = invited(name)
    try:
        await store.platforms.insert(rival)
    except StoreConflict as taken:
        return taken.key == name.key
    await store.platforms.remove(rival.id)
    return False


async def test_a_triple_goes_from_one_to_the_other(store: Store) -> None:
    giver, taker = await two(store, "ours")
    generation = await store.platforms.generation()
    after = handed_over(giver, taker)

    await store.platforms.replace_both(*after)

    assert [await store.platforms.get(one.id) for one in (giver, taker)] == list(after)
    assert await store.platforms.generation() != generation
    assert await is_taken(store, NGC)
    # It is the taker's now, and goes with it.
    await store.platforms.remove(giver.id)
    assert await is_taken(store, NGC)
    await store.platforms.remove(taker.id)
    assert not await is_taken(store, NGC)


async def test_there_and_back_again(store: Store) -> None:
    giver, taker = await two(store)
    less, more = handed_over(giver, taker)
    await store.platforms.replace_both(less, more)

    back = more.changed(NOW, approved=(), roles=()), less.changed(NOW, approved=(NGC,), roles=(HOSTED,))
    await store.platforms.replace_both(*back)

    assert [await store.platforms.get(one.id) for one in (taker, giver)] == list(back)


@pytest.mark.parametrize("stale", ["giver", "taker", "giver gone", "taker gone"])
async def test_nothing_changes_when_one_of_them_is_another_by_now(store: Store, stale: str) -> None:
    giver, taker = await two(store)
    after = handed_over(giver, taker)
    other = giver if stale.startswith("giver") else taker
    if stale.endswith("gone"):
        await store.platforms.remove(other.id)
    else:
        await store.platforms.replace(other.changed(NOW, name="faster"))
    before = await store.platforms.load_all()

    assert await conflict(store, *after) == "revision"

    assert await store.platforms.load_all() == before
    assert await is_taken(store, NGC) is (stale != "giver gone")


async def test_nothing_changes_when_a_third_has_what_the_taker_wants(store: Store) -> None:
    giver, taker = await two(store, "ours")
    before = await store.platforms.load_all()
    less, more = handed_over(giver, taker)

    assert await conflict(store, less, replace(more, approved=(NGC, XYZ))) == XYZ.key
    assert await conflict(store, less, replace(more, tokens=invited(fingerprints=("theirs",)).tokens)) == "theirs"

    assert await store.platforms.load_all() == before
    assert await is_taken(store, NGC)
    await store.platforms.replace_both(less, more)


async def test_of_many_at_once_exactly_one_wins(store: Store) -> None:
    giver, _ = await two(store)
    takers = [invited(platform_id=new_id()) for _ in range(6)]
    for taker in takers:
        await store.platforms.insert(taker)

    outcomes = await asyncio.gather(
        *(store.platforms.replace_both(*handed_over(giver, taker)) for taker in takers), return_exceptions=True
    )

    lost = [outcome for outcome in outcomes if outcome is not None]
    assert [outcome.key for outcome in lost if isinstance(outcome, StoreConflict)] == ["revision"] * 5
    hosts = [platform.id for platform in await store.platforms.load_all() if platform.roles]
    assert hosts == [taker.id for taker, outcome in zip(takers, outcomes, strict=True) if outcome is None]


async def test_nobody_ever_sees_the_triple_free_or_twice(store: Store) -> None:
    """Rivals try to take it all the while it goes to and fro."""
    one, other = await two(store)
    over = asyncio.Event()
    rival = invited(NGC)

    async def rivalry() -> int:
        tries = 0
        while not over.is_set():
            with pytest.raises(StoreConflict):
                await store.platforms.insert(rival)
            tries += 1
        return tries

    rivals = [asyncio.create_task(rivalry()) for _ in range(3)]
    for _ in range(10):
        less, more = handed_over(one, other)
        await store.platforms.replace_both(less, more)
        one, other = more, less
    over.set()

    assert min(await asyncio.gather(*rivals)) > 0


async def test_a_closed_store_is_away(place: Place) -> None:
    closed = place()

    with pytest.raises(StoreUnavailable):
        await closed.platforms.replace_both(*handed_over(invited(NGC), invited()))
