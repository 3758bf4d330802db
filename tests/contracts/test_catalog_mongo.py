"""What MongoDB alone has to show about the catalog and broadcasts: several nodes at once, counters after a crash, a
failing network, indexes, databases of the first schema.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from hub.domain.catalog import Verdict
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.party_id import PartyId
from hub.store.mongo import schema
from hub.store.mongo.driver import Mongo
from hub.store.mongo.platforms import MongoPlatforms
from hub.store.mongo.store import MongoStore
from hub.store.records import LegClaim, OwnerCount, PartyOn
from tests.contracts.catalog_samples import (
    LEGS,
    MODULE,
    NGC,
    SUN,
    Judge,
    all_of,
    appended,
    broadcast,
    fan_out,
    gone,
    ids,
    kept,
    of,
    put,
    put_all,
    wanted,
)
from tests.contracts.conftest import TIMEOUT_S
from tests.contracts.samples import NOW, registered
from tests.faultproxy import FaultProxy
from tests.waiting import until

Documents = Database[dict[str, Any]]


@pytest.fixture
async def store(mongodb_url: str, driver: str) -> AsyncIterator[MongoStore]:
    opened = MongoStore(mongodb_url, driver)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def other(mongodb_url: str, store: MongoStore) -> AsyncIterator[MongoStore]:
    """Another node over the same database."""
    opened = MongoStore(mongodb_url, "pymongo")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def documents(mongodb_url: str) -> Iterator[Documents]:
    """The database itself, as nobody but a test looks at it."""
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client.get_default_database()


# --- several nodes


async def test_of_two_nodes_that_change_an_object_none_loses_a_change(store: MongoStore, other: MongoStore) -> None:
    await put(store, of("LOC1"), b"")

    async def push(node: MongoStore, name: str) -> list[int]:
        orders = []
        for number in range(10):
            text = b"%s%d," % (name.encode(), number)
            order = await applied_once(node, text)
            assert order is not None
            orders.append(order)
        return orders

    async def applied_once(node: MongoStore, text: bytes) -> int | None:
        while True:
            try:
                verdict_and_order = await node.catalog.apply(
                    of("LOC1"), appended(text), seen_at=NOW, broadcast=broadcast(), body=text
                )
            except StoreConflict:  # lost too many races in a row: nothing was applied, and the sender comes again
                continue
            return verdict_and_order[1]

    orders = await asyncio.gather(push(store, "a"), push(other, "b"))

    held = await store.catalog.get(of("LOC1"))
    assert held is not None
    applied = held.split(b",")[:-1]
    assert sorted(applied) == sorted(b"%s%d" % (name, number) for name in (b"a", b"b") for number in range(10))
    for name in (b"a", b"b"):
        assert [one for one in applied if one.startswith(name)] == [b"%s%d" % (name, number) for number in range(10)]
    # Orders grow in the order in which the changes were applied, whichever node applied them.
    unfinished = await store.broadcasts.unfinished(0, 100)
    assert sorted(one.order for one in unfinished) == sorted([*orders[0], *orders[1]])
    assert [one.body for one in unfinished] == [text + b"," for text in applied]


async def test_an_object_that_moved_on_is_judged_again_and_given_up_after_some_tries(
    store: MongoStore, documents: Documents
) -> None:
    await put(store, of("LOC1"), b"a")
    seen: list[bytes | None] = []

    def overtaken(times: int) -> Judge:
        """The verdict that appends a letter, while another node is faster so many times."""

        def judge(held: bytes | None) -> Verdict:
            seen.append(held)
            if len(seen) <= times:
                change = {"$set": {"raw": (held or b"") + b"x", "stamp": len(seen)}}
                documents.catalog.update_one({"_id": of("LOC1").text}, change)
            return appended(b"b")(held)

        return judge

    await store.catalog.apply(of("LOC1"), overtaken(2), seen_at=NOW)
    assert seen == [b"a", b"ax", b"axx"]
    assert await store.catalog.get(of("LOC1")) == b"axxb"

    seen.clear()
    calls = (
        store.catalog.apply(of("LOC1"), overtaken(1_000), seen_at=NOW, broadcast=broadcast(), body=b"lost"),
        store.catalog.apply(of("LOC2"), kept(b"beside"), seen_at=NOW, broadcast=broadcast(), body=b"beside"),
    )
    conflict, beside = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(conflict, StoreConflict)
    assert conflict.key == of("LOC1").text
    assert not isinstance(beside, BaseException)
    assert [one.body for one in await store.broadcasts.unfinished(0, 10)] == [b"beside"]
    assert await store.catalog.get(of("LOC1")) == b"axxb" + b"x" * len(seen)
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 2, shown=True)]


async def test_of_two_nodes_that_see_an_object_first_one_adds_it(store: MongoStore, other: MongoStore) -> None:
    keys = [of(f"LOC{number}") for number in range(20)]
    await asyncio.gather(*(put(node, key) for key in keys for node in (store, other)))
    entries = await all_of(store, wanted(NGC))
    assert sorted(ids(entries)) == sorted(key.object_id for key in keys)
    assert await other.catalog.owners(MODULE) == [OwnerCount(NGC, 20, shown=True)]


async def test_of_two_nodes_that_claim_a_leg_one_may(store: MongoStore, other: MongoStore) -> None:
    orders = [await fan_out(store, of(f"LOC{number}")) for number in range(5)]
    claims = [LegClaim(order, leg, 1) for order in orders for leg in range(len(LEGS))]
    granted = await asyncio.gather(*(node.broadcasts.claim([one]) for one in claims for node in (store, other)))
    for claim, pair in zip(claims, zip(granted[::2], granted[1::2], strict=True), strict=True):
        assert sorted(pair, key=len) == [frozenset(), frozenset({claim})]
    await asyncio.gather(
        *(node.broadcasts.settle([(order, leg)]) for order in orders for leg in range(4) for node in (store, other))
    )
    assert await store.broadcasts.unfinished(0, 10) == []


async def test_orders_of_two_nodes_are_apart(
    store: MongoStore, other: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clocks of both stand still at the same moment.
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    orders = [await fan_out(node, of(f"LOC{number}")) for number in range(3) for node in (store, other)]
    assert len(set(orders)) == 6
    assert len(await store.broadcasts.unfinished(0, 10)) == 6


# --- counters


async def test_counters_left_wrong_by_a_crash_are_counted_anew(
    store: MongoStore, mongodb_url: str, documents: Documents
) -> None:
    await put_all(store, [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(1_100)])
    await store.catalog.hide("tariffs", SUN)
    await store.catalog.hide(MODULE, PartyId("FR", "NEW"))
    # As a node would leave it that died between objects and counters. Nobody closes it in order.
    documents.catalog_owners.update_one({"_id": f"{MODULE}/{NGC.key}"}, {"$inc": {"count": 7}})
    documents.catalog_owners.delete_one({"_id": f"{MODULE}/{SUN.key}"})
    documents.catalog_blocks.update_many({}, {"$inc": {"count": -300}})

    again = MongoStore(mongodb_url, "pymongo")
    await again.open()
    assert await again.catalog.owners(MODULE) == [
        OwnerCount(SUN, 550, shown=True),
        OwnerCount(PartyId("FR", "NEW"), 0, shown=False),
        OwnerCount(NGC, 550, shown=True),
    ]
    assert await again.catalog.owners("tariffs") == [OwnerCount(SUN, 0, shown=False)]
    deep = wanted(NGC, SUN, offset=1_080)
    assert ids(await again.catalog.page(deep)) == [f"LOC{number}" for number in range(1_080, 1_100)]
    await again.close()


async def test_counters_of_a_store_that_was_closed_are_trusted(
    store: MongoStore, mongodb_url: str, documents: Documents
) -> None:
    await put(store, of("LOC1"))
    await store.close()
    documents.catalog_owners.update_one({"_id": f"{MODULE}/{NGC.key}"}, {"$set": {"count": 41}})
    await store.open()
    await put(store, of("LOC2"))
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 42, shown=True)]
    again = MongoStore(mongodb_url, "pymongo")
    await again.open()
    assert await again.catalog.owners(MODULE) == [OwnerCount(NGC, 2, shown=True)]
    await again.close()


# --- a network that fails


async def test_a_change_that_is_cut_is_there_once_or_refused(
    distant: MongoStore, proxy: FaultProxy, store: MongoStore
) -> None:
    await put(store, of("LOC1"), b"")
    told: list[bytes] = []
    cuts = 0
    for number in range(12):
        # Somewhere in the middle of what one change sends, the last time behind it.
        proxy.cut_after(150 * number, to_server=True)
        text = b"%d," % number
        try:
            await distant.catalog.apply(of("LOC1"), appended(text), seen_at=NOW, broadcast=broadcast(), body=text)
            told.append(text)
        except StoreUnavailable:
            pass
        cuts += proxy.struck.is_set()
    assert cuts > 3
    held = await store.catalog.get(of("LOC1"))
    assert held is not None
    applied = [one + b"," for one in held.split(b",")[:-1]]
    assert len(applied) == len(set(applied))
    assert set(told) <= set(applied)
    bodies = [one.body for one in await store.broadcasts.unfinished(0, 100)]
    assert set(told) <= set(bodies)
    assert len(bodies) == len(set(bodies))


async def test_a_server_out_of_reach_refuses_in_time_and_counts_stay_right(
    distant: MongoStore, proxy: FaultProxy, mongodb_url: str
) -> None:
    order = await fan_out(distant, of("LOC0"))
    proxy.refuse()
    proxy.cut()
    started = time.monotonic()
    outcomes = await asyncio.gather(
        *(put(distant, of(f"LOC{number}")) for number in range(1, 30)),
        distant.catalog.get(of("LOC0")),
        distant.catalog.owners(MODULE),
        distant.broadcasts.claim([LegClaim(order, 0, 1)]),
        distant.broadcasts.settle([(order, 1)]),
        return_exceptions=True,
    )
    assert time.monotonic() - started < 2 * TIMEOUT_S + 1.5
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}

    await proxy.accept()

    async def answers() -> bool:
        try:
            await distant.ping()
        except StoreUnavailable:
            return False
        return True

    await until(answers)
    await asyncio.gather(*(put(distant, of(f"LOC{number}")) for number in range(40)))
    await distant.close()
    again = MongoStore(mongodb_url, "pymongo")
    await again.open()
    assert await again.catalog.owners(MODULE) == [OwnerCount(NGC, 40, shown=True)]
    assert len(await all_of(again, wanted(NGC))) == 40
    await again.close()


# --- what is kept


async def test_lists_of_legs_are_shared_and_forgotten_when_long_unused(
    store: MongoStore, mongodb_url: str, documents: Documents
) -> None:
    used = await fan_out(store, of("LOC1"))
    await fan_out(store, of("LOC2"), tuple(replace(leg) for leg in LEGS))
    spent = await fan_out(store, of("LOC3"), (PartyOn("platform-9", "FR", "ABC"),))
    await store.broadcasts.settle([(spent, 0)])
    assert documents.audiences.count_documents({}) == 2

    again = MongoStore(mongodb_url, "pymongo")
    await again.open()
    assert documents.audiences.count_documents({}) == 2
    await again.close()
    documents.audiences.update_many({}, {"$set": {"used_at": time.time() - 100_000}})
    await again.open()
    assert documents.audiences.count_documents({}) == 1
    (first, second) = await again.broadcasts.unfinished(used - 1, 10)
    assert first.broadcast.legs == second.broadcast.legs == LEGS
    # The list is stored again when it is needed again.
    await fan_out(again, of("LOC3"), (PartyOn("platform-9", "FR", "ABC"),))
    assert len(await again.broadcasts.unfinished(used - 1, 10)) == 3
    await again.close()


def _stages(plan: Any) -> Iterator[tuple[str, str]]:
    """Stage and index of every step of a query plan, wherever a server version puts them."""
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"], plan.get("indexName", "")
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from _stages(part)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"module": MODULE, "last_updated": {"$gte": 1, "$lt": 2}}, "by_date"),
        ({"sequence": {"$gt": 5}, "module": MODULE}, None),
        ({"module": MODULE, "folded_id": "loc1"}, "by_id"),
        ({"module": MODULE, "owner": NGC.key, "seen_at": {"$lt": 1}}, "by_sight"),
        ({"sequence": {"$gt": 5}, "module": MODULE, "owner": NGC.key}, None),
    ],
)
async def test_what_is_asked_is_found_by_an_index(
    store: MongoStore, documents: Documents, query: dict[str, Any], index: str | None
) -> None:
    await put_all(store, [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(40)], apart_s=1)
    plan = documents.catalog.find(query).sort("sequence").explain()["queryPlanner"]["winningPlan"]
    scans = [(stage, name) for stage, name in _stages(plan) if stage in {"IXSCAN", "COLLSCAN"}]
    assert scans
    assert all(stage == "IXSCAN" and (index is None or name == index) for stage, name in scans)


async def test_a_removed_and_known_again_object_counts_once(store: MongoStore, documents: Documents) -> None:
    """In one round: an object that goes and comes back is a new one, and its owner still has one."""
    await put(store, of("LOC1"))
    await asyncio.gather(
        store.catalog.apply(of("LOC1"), gone, seen_at=NOW),
        store.catalog.apply(of("LOC1"), kept(b"again"), seen_at=NOW),
        store.catalog.apply(of("LOC2"), kept(b"short"), seen_at=NOW),
        store.catalog.apply(of("LOC2"), gone, seen_at=NOW),
    )
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]
    assert [entry.raw for entry in await store.catalog.page(wanted(NGC))] == [b"again"]
    assert sum(one["count"] for one in documents.catalog_blocks.find()) == 1


async def test_a_database_of_the_first_schema_is_brought_up_and_keeps_what_it_has(
    mongodb_url: str, driver: str, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = registered()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "STEPS", schema.STEPS[:1])
        mongo = Mongo(mongodb_url, driver)
        await mongo.connect()
        await schema.migrate(mongo)
        await MongoPlatforms(mongo).insert(platform)
        await mongo.close()
    assert documents.meta.find_one({"_id": "schema"}) == {"_id": "schema", "version": 1}

    store = MongoStore(mongodb_url, driver)
    await store.open()
    assert await store.platforms.load_all() == [platform]
    await put(store, of("LOC1"))
    assert ids(await store.catalog.page(wanted(NGC))) == ["LOC1"]
    assert documents.meta.find_one({"_id": "schema"}) == {"_id": "schema", "version": schema.STEPS[-1].number}
    await store.close()
