"""What plugins remember in MongoDB: numbers two nodes share, long counts, indexes, transactions that meet a take."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from hub.errors import StoreConflict, StoreUnavailable, TermOver
from hub.store.mongo import duties, plugin_records, shelf
from hub.store.mongo.driver import Mongo, Query
from hub.store.mongo.store import MongoStore
from hub.store.records import DutyState, Fence, NewRecord, Put, Shelved
from tests.contracts.catalog_samples import later

Documents = Database[dict[str, Any]]


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


def records(count: int, size: int = 10) -> list[NewRecord]:
    return [NewRecord(later(number), b"x" * size, (("number", f"{number}"), ("a", "b"))) for number in range(count)]


async def test_a_number_that_another_node_has_used_is_passed_over(
    store: MongoStore, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5_000)
    documents.plugin_records.insert_many([{"_id": number, "plugin": "other"} for number in (5, 7, 8)])
    await store.plugin_records.append_many("log", "message", records(4))
    found = await store.plugin_records.find("log", "message", {}, before=None, limit=9)
    assert {one.id for one in found}.isdisjoint({5, 7, 8})
    assert sorted(one.at for one in found) == [later(number) for number in range(4)]


async def test_many_are_counted_and_looked_through_in_parts(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_records, "_PER_SUM", 7)
    monkeypatch.setattr(plugin_records, "_PER_LOOK", 3)
    await store.plugin_records.append_many("log", "message", records(21))
    assert await store.plugin_records.count("log", "message") == (21, 210)
    # Two nodes that prune at once do not drop twice as much.
    dropped = await asyncio.gather(*(store.plugin_records.prune("log", "message", most_bytes=110) for _ in range(2)))
    assert sum(dropped) == 10
    assert await store.plugin_records.count("log", "message") == (11, 110)


def _stages(plan: object) -> Iterator[tuple[str, str | None]]:
    """The stages of a query plan with the indexes they use."""
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"], plan.get("indexName")
        for part in plan.values():
            yield from _stages(part)
    if isinstance(plan, list):
        for part in plan:
            yield from _stages(part)


@pytest.mark.parametrize("where", [{}, {"number": "7"}, {"number": "7", "a": "b"}])
async def test_records_are_found_by_an_index(store: MongoStore, documents: Documents, where: dict[str, str]) -> None:
    await store.plugin_records.append_many("log", "message", records(40))
    query, index = plugin_records.wanted("log", "message", where, before=2**50, since=later(0), until=later(9))
    found = documents.plugin_records.find(query).sort("_id", -1).hint(index)
    plan = found.explain()["queryPlanner"]["winningPlan"]
    scans = [(stage, name) for stage, name in _stages(plan) if stage in {"IXSCAN", "COLLSCAN"}]
    assert set(scans) == {("IXSCAN", "by_key" if where else "by_kind")}


# --- fences


@pytest.fixture
async def taker(mongodb_url: str, driver: str) -> AsyncIterator[MongoStore]:
    """Another node."""
    opened = MongoStore(mongodb_url, driver)
    await opened.open()
    yield opened
    await opened.close()


async def test_a_take_in_the_midst_of_a_save_refuses_it(
    store: MongoStore, taker: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction still sees the duty as it was."""
    first = await store.duties.take("meter:work", "one", None)
    takes: list[DutyState | None] = []

    async def late(mongo: Mongo, session: Any, held: Query) -> None:
        await mongo.raw("duties").find_one({}, session=session)
        if not takes:
            takes.append(await taker.duties.take("meter:work", "two", first))
        await duties.tie(mongo, session, held)

    monkeypatch.setattr(shelf, "tie", late)
    with pytest.raises(TermOver):
        await store.shelf.save("meter", [Put("a", b"late")], Fence("meter:work", 1))
    assert takes == [DutyState("meter:work", "two", term=2, beat=0)]
    assert await taker.shelf.load("meter", "a") is None


async def test_a_take_waits_for_a_save_that_has_looked(
    store: MongoStore, taker: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await store.duties.take("meter:work", "one", None)
    taking: list[asyncio.Task[DutyState | None]] = []

    async def early(mongo: Mongo, session: Any, held: Query) -> None:
        await duties.tie(mongo, session, held)
        taking.append(asyncio.create_task(taker.duties.take("meter:work", "two", first)))
        done, _ = await asyncio.wait(taking, timeout=0.2)
        assert not done

    monkeypatch.setattr(shelf, "tie", early)
    await store.shelf.save("meter", [Put("a", b"in time")], Fence("meter:work", 1))
    assert await taking[0] == DutyState("meter:work", "two", term=2, beat=0)
    assert await taker.shelf.load("meter", "a") == Shelved("a", b"in time", 1)


async def test_a_single_save_needs_no_transaction(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server without a replica set."""

    async def refused(*_: object) -> None:
        raise StoreUnavailable("MongoDB refused the operation (OperationFailure 20 IllegalOperation)")

    monkeypatch.setattr(Mongo, "together", refused)
    await store.shelf.save("meter", [Put("a", b"one")])
    await store.shelf.save("meter", [Put("a", b"two", 1)])
    await store.shelf.save("meter", [Put("b", b"one", 0)])
    await store.shelf.save("meter", [Put("b", None, 1)])
    await store.shelf.save("meter", [Put("b", None, 0)])
    for put in (Put("a", b"x", 0), Put("a", b"x", 1), Put("a", None, 1), Put("a", None, 0)):
        with pytest.raises(StoreConflict, match="a was"):
            await store.shelf.save("meter", [put])
    for puts, fence in (([Put("a", b"x"), Put("b", b"x")], None), ([Put("a", b"x")], Fence("meter:work", 1))):
        with pytest.raises(StoreUnavailable):
            await store.shelf.save("meter", puts, fence)
    assert await store.shelf.list("meter", "", "", 9) == [Shelved("a", b"two", 2)]
