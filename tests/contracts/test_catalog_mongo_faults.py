"""The catalog in MongoDB when a write fails in the middle: counters that do not follow, lists of legs that are gone,
documents that are too large.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from hub.errors import StoreUnavailable
from hub.store.mongo import counters, rounds
from hub.store.mongo.driver import Insert, Mongo
from hub.store.mongo.store import MongoStore
from hub.store.records import OwnerCount, PartyOn
from tests.contracts.catalog_samples import (
    LEGS,
    MODULE,
    NGC,
    SUN,
    all_of,
    fan_out,
    ids,
    of,
    put,
    put_all,
    wanted,
)

Documents = Database[dict[str, Any]]
# What no number can be added to: a server that refuses one write, and no other.
BROKEN = {"$set": {"count": "broken"}}


@pytest.fixture
async def store(mongodb_url: str, driver: str) -> AsyncIterator[MongoStore]:
    opened = MongoStore(mongodb_url, driver)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def documents(mongodb_url: str) -> Iterator[Documents]:
    """The database itself, as nobody but a test looks at it."""
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client.get_default_database()


def owner_id(name: str = NGC.key) -> dict[str, str]:
    return {"_id": f"{MODULE}/{name}"}


# --- counters


async def test_an_owner_whose_first_object_was_not_counted_is_counted_before_the_next_answer(
    store: MongoStore, documents: Documents
) -> None:
    await put(store, of("SUN1", SUN))
    documents.catalog_blocks.update_many({}, BROKEN)
    with pytest.raises(StoreUnavailable):
        await put(store, of("LOC1"))
    # The object is there, so that nothing moves when its sender tries again.
    assert await store.catalog.get(of("LOC1")) == b"{}"

    await put(store, of("LOC1"))

    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True), OwnerCount(NGC, 1, shown=True)]
    assert [one["count"] for one in documents.catalog_blocks.find()] == [2]


async def test_an_owner_that_was_not_counted_is_counted_before_the_next_answer(
    store: MongoStore, documents: Documents
) -> None:
    await put(store, of("LOC1"))
    documents.catalog_owners.update_one(owner_id(), BROKEN)
    with pytest.raises(StoreUnavailable):
        await put(store, of("LOC2"))

    # Whoever it is that comes next.
    await put(store, of("SUN1", SUN))

    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True), OwnerCount(NGC, 2, shown=True)]
    assert [one["count"] for one in documents.catalog_blocks.find()] == [3]


async def test_a_removal_that_was_not_counted_is_counted_before_it_goes_on(
    store: MongoStore, documents: Documents
) -> None:
    await put_all(store, [of(f"LOC{number}") for number in range(7)] + [of("SUN1", SUN)])
    documents.catalog_blocks.update_many({}, BROKEN)
    with pytest.raises(StoreUnavailable):
        await store.catalog.remove_owner(NGC, {MODULE})

    assert await store.catalog.remove_owner(NGC, {MODULE}) == 0
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True)]
    assert [one["count"] for one in documents.catalog_blocks.find()] == [1]


async def test_an_owner_has_a_counter_before_it_has_an_object(store: MongoStore, documents: Documents) -> None:
    documents.catalog_owners.insert_one({**owner_id(), "count": "broken"})
    with pytest.raises(StoreUnavailable):
        await put(store, of("LOC1"))
    assert documents.catalog.count_documents({}) == 0

    documents.catalog_owners.delete_one(owner_id())
    await put(store, of("LOC1"))
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]


async def test_an_owner_that_was_removed_gets_a_counter_again(store: MongoStore) -> None:
    await put(store, of("LOC1"))
    assert await store.catalog.remove_owner(NGC, {MODULE}) == 1
    assert await store.catalog.owners(MODULE) == []
    await put(store, of("LOC1"))
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]


async def test_an_owner_of_many_objects_is_counted_in_stretches(
    store: MongoStore, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_all(store, [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(24)])
    for at_once in (1, 5, 6, 12, 13, 50):
        monkeypatch.setattr(counters, "_COUNTED_AT_ONCE", at_once)
        documents.catalog_owners.update_one(owner_id(), BROKEN)
        with pytest.raises(StoreUnavailable):
            await put(store, of(f"NEW{at_once}"))
        assert await store.catalog.remove_owner(SUN, {"tariffs"}) == 0
        held = documents.catalog.count_documents({"owner": NGC.key})
        assert (await store.catalog.owners(MODULE))[-1] == OwnerCount(NGC, held, shown=True)


async def test_counters_that_failed_once_are_not_trusted_when_opened_again(
    store: MongoStore, documents: Documents
) -> None:
    await put(store, of("LOC1"))
    documents.catalog_owners.update_one(owner_id(), BROKEN)
    with pytest.raises(StoreUnavailable):
        await put(store, of("LOC2"))
    await put(store, of("LOC3"))
    await store.close()
    documents.catalog_owners.update_one(owner_id(), {"$set": {"count": 41}})
    await store.open()
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 3, shown=True)]


# --- lists of legs


async def test_broadcasts_whose_list_is_gone_are_given_up_and_the_others_are_not(
    store: MongoStore, mongodb_url: str, driver: str, documents: Documents
) -> None:
    await fan_out(store, of("LOC0"))
    (lost,) = [one["_id"] for one in documents.audiences.find()]
    other_legs = (PartyOn("platform-9", "FR", "ABC"),)
    await fan_out(store, of("LOC1"))
    kept = await fan_out(store, of("LOC2"), other_legs)
    await fan_out(store, of("LOC3"))
    documents.audiences.delete_one({"_id": lost})
    again = MongoStore(mongodb_url, driver)
    await again.open()

    # However small the portions: an empty one would say that there is nothing behind.
    (found,) = await again.broadcasts.unfinished(0, 1)
    assert (found.order, found.broadcast.legs) == (kept, other_legs)
    assert await again.broadcasts.unfinished(kept, 1) == []

    assert [one["_id"] for one in documents.broadcasts.find()] == [kept]
    await again.close()


# --- what is large


async def test_what_no_document_can_hold_is_refused_and_harms_nobody_after_it(store: MongoStore) -> None:
    with pytest.raises(StoreUnavailable):
        await put(store, of("HUGE"), b'"%b"' % (b"x" * 17 * 1024 * 1024))
    assert await store.catalog.get(of("HUGE")) is None
    await put(store, of("LOC1"))
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]


async def test_what_the_driver_itself_refuses_is_a_refusal_of_the_store(mongodb_url: str, driver: str) -> None:
    mongo = Mongo(mongodb_url, driver)
    await mongo.connect()
    for document in ({"_id": 1, "name\0": 1}, {"_id": 1, "value": object()}):
        with pytest.raises(StoreUnavailable, match="MongoDB cannot hold the document"):
            await mongo.collection("any").insert(document)
        with pytest.raises(StoreUnavailable, match="MongoDB cannot hold the document"):
            await mongo.collection("any").write([Insert(document)])
    await mongo.close()


async def test_a_round_ends_behind_bodies_of_many_bytes(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_MOST_BODIES_BYTES", 25)
    orders = [await fan_out(store, of(f"LOC{number}"), LEGS) for number in range(4)]
    assert orders == sorted(orders)
    await put_all(store, [of(f"NEW{number}") for number in range(40)])
    expected = [f"LOC{number}" for number in range(4)] + [f"NEW{number}" for number in range(40)]
    assert ids(await all_of(store, wanted(NGC))) == expected
