"""What MongoDB alone has to show: several nodes, migrations under a lease, a failing network, a killed server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

from hub.domain.platform import RoleName
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import Role
from hub.store.documents import RecordsUnreadable
from hub.store.mongo import schema
from hub.store.mongo.store import MongoStore
from tests.contracts.catalog_samples import fan_out, of
from tests.contracts.conftest import TIMEOUT_S, through
from tests.contracts.samples import NOW, callback, invited
from tests.faultproxy import FaultProxy
from tests.mongodb import MongoServer, with_database

NGC = RoleName(Role.CPO, "NL", "NGC")
# Room for a busy machine.
BOUND_S = TIMEOUT_S + 1.5


@pytest.fixture
async def store(mongodb_url: str, driver: str) -> AsyncIterator[MongoStore]:
    opened = MongoStore(mongodb_url, driver)
    await opened.open()
    yield opened
    await opened.close()


async def unavailable(call: Callable[[], Awaitable[object]]) -> str:
    """The sentence of a call that must fail within its bound."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        await call()
    assert time.monotonic() - started < BOUND_S
    return str(caught.value)


async def answers_again(store: MongoStore) -> None:
    """Returns once the store writes again; each failing attempt waits inside the driver."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await store.ping()
            except StoreUnavailable:
                continue


# --- several nodes


async def test_a_change_by_one_node_moves_the_generation_of_another(store: MongoStore, mongodb_url: str) -> None:
    other = MongoStore(mongodb_url, "pymongo")
    await other.open()
    seen = [await other.platforms.generation()]
    platform = invited(NGC)
    await store.platforms.insert(platform)
    seen.append(await other.platforms.generation())
    await store.platforms.replace(platform.changed(NOW, name="next"))
    seen.append(await other.platforms.generation())
    with pytest.raises(StoreConflict):
        await other.platforms.replace(platform.changed(NOW, name="too late"))
    await store.platforms.remove(platform.id)
    seen.append(await other.platforms.generation())
    assert len(set(seen[:3])) == 3
    assert seen[3] not in seen[1:3]
    await other.close()


async def test_a_platform_that_cannot_be_read_is_named_and_the_others_are_given(
    store: MongoStore, mongodb_url: str
) -> None:
    broken, whole = invited(), invited(NGC)
    await store.platforms.insert(broken)
    await store.platforms.insert(whole)
    with MongoClient[dict[str, object]](mongodb_url) as client:
        client.get_default_database()["platforms"].update_one({"_id": broken.id}, {"$set": {"doc": '{"id": 7}'}})

    with pytest.raises(RecordsUnreadable) as partly:
        await store.platforms.load_all()

    assert partly.value.readable == [whole]
    assert list(partly.value.problems) == [broken.id]


async def test_nodes_that_start_together_all_start(mongodb_url: str, driver: str) -> None:
    nodes = [MongoStore(mongodb_url, driver) for _ in range(4)]
    await asyncio.gather(*(node.open() for node in nodes))
    await asyncio.gather(*(node.ping() for node in nodes))
    await asyncio.gather(*(node.close() for node in nodes))


async def test_a_node_waits_while_another_migrates(
    mongodb_url: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = MongoStore(mongodb_url, driver)
    with MongoClient[dict[str, object]](mongodb_url) as client:
        meta = client.get_default_database().meta
        lease = [{"$set": {"version": 0, "holder": "other", "until_ms": {"$add": [{"$toLong": "$$NOW"}, 60_000]}}}]
        meta.update_one({"_id": "schema"}, lease, upsert=True)
        opening = asyncio.create_task(node.open())
        done, _ = await asyncio.wait({opening}, timeout=0.5)
        assert not done
        assert "claims" not in client.get_default_database().platforms.index_information()

        # The other node died: its lease runs out by the server's clock.
        meta.update_one({"_id": "schema"}, [{"$set": {"until_ms": {"$toLong": "$$NOW"}}}])
        await asyncio.wait_for(opening, 10)
        assert meta.find_one({"_id": "schema"}) == {"_id": "schema", "version": schema.STEPS[-1].number}
        assert client.get_default_database().platforms.index_information()["claims"]["unique"] is True
    await node.close()

    monkeypatch.setattr(schema, "_PATIENCE_S", 0.3)
    with MongoClient[dict[str, object]](mongodb_url) as client:
        client.get_default_database().meta.update_one({"_id": "schema"}, lease)
    with pytest.raises(StoreUnavailable, match="another node"):
        await node.open()
    await node.close()


async def test_a_newer_schema_is_refused_and_left_alone(mongodb_url: str, driver: str) -> None:
    with MongoClient[dict[str, object]](mongodb_url) as client:
        meta = client.get_default_database().meta
        meta.insert_one({"_id": "schema", "version": 999})
        store = MongoStore(mongodb_url, driver)
        with pytest.raises(StoreUnavailable, match="schema 999"):
            await store.open()
        assert meta.find_one({"_id": "schema"}) == {"_id": "schema", "version": 999}
    await store.close()


# --- a network that fails


async def test_no_server_is_said_in_time_and_without_the_password(driver: str, proxy: FaultProxy) -> None:
    proxy.refuse()
    url = f"mongodb://operator:hunter%402@127.0.0.1:{proxy.port}/ocpi?directConnection=true"
    store = MongoStore(url, driver, timeout_s=TIMEOUT_S)
    text = await unavailable(store.open)
    assert "hunter" not in text
    assert "operator" not in text
    assert "MongoDB did not answer" in text
    await store.close()


async def test_refused_credentials_are_said_without_them(mongodb_url: str, driver: str) -> None:
    parts = urlsplit(mongodb_url)
    netloc = f"nobody-here:hunter%402@{parts.netloc.rpartition('@')[2]}"
    store = MongoStore(urlunsplit(parts._replace(netloc=netloc)), driver, timeout_s=2.0)
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    assert "MongoDB refused" in str(caught.value)
    assert "hunter" not in repr(caught.value)
    assert caught.value.__suppress_context__
    await store.close()


@pytest.mark.parametrize("count", [0, 40, 300])
async def test_a_write_that_is_cut_is_either_there_or_refused(
    distant: MongoStore, proxy: FaultProxy, store: MongoStore, count: int
) -> None:
    proxy.cut_after(count, to_server=True)
    saved: list[str] = []
    for _ in range(5):
        home = callback()
        try:
            await distant.callbacks.save(home)
        except StoreUnavailable:
            continue
        saved.append(home.id)
    assert proxy.struck.is_set()
    await answers_again(distant)
    for key in saved:
        assert await store.callbacks.get(key) is not None


async def test_an_answer_that_is_cut_does_not_write_twice(distant: MongoStore, proxy: FaultProxy) -> None:
    platform = invited(NGC)
    await distant.platforms.insert(platform)
    # The write arrives, its answer does not: the driver asks again and the server knows that it has done it.
    proxy.cut_after(10, to_server=False)
    await distant.platforms.replace(changed := platform.changed(NOW, name="once"))
    assert proxy.struck.is_set()
    assert await distant.platforms.get(platform.id) == changed


async def test_a_server_that_is_out_of_reach_is_said_in_time_and_found_again(
    distant: MongoStore, proxy: FaultProxy
) -> None:
    proxy.refuse()
    proxy.cut()
    reads = (distant.platforms.load_all, distant.platforms.generation)
    writes = (lambda: distant.callbacks.save(callback()), lambda: distant.platforms.insert(invited(NGC)))
    await asyncio.gather(*map(unavailable, (distant.ping, *reads, *writes)))
    await proxy.accept()
    await answers_again(distant)
    # Another triple: the refused insert may have happened after all, nobody knows.
    await distant.platforms.insert(invited(RoleName(Role.EMSP, "DE", "XYZ")))


async def test_a_server_that_hangs_is_said_in_time(distant: MongoStore, proxy: FaultProxy) -> None:
    proxy.stall()
    calls = (distant.ping, distant.platforms.load_all, distant.platforms.generation)
    await asyncio.gather(*map(unavailable, calls))
    proxy.flow()
    proxy.cut()
    await answers_again(distant)


async def test_operations_beyond_the_limit_are_refused_at_once(
    mongodb_url: str, proxy: FaultProxy, driver: str
) -> None:
    store = MongoStore(through(proxy, mongodb_url), driver, timeout_s=TIMEOUT_S, in_flight_limit=3)
    await store.open()
    proxy.stall()
    outcomes = await asyncio.gather(*(store.ping() for _ in range(5)), return_exceptions=True)
    assert sum("under way already" in str(outcome) for outcome in outcomes) == 2
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    proxy.flow()
    await store.close()


# --- kill -9


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(own_mongodb: MongoServer, driver: str) -> None:
    store = MongoStore(with_database(own_mongodb.url, "ocpi_hub"), driver, timeout_s=TIMEOUT_S)
    await store.open()
    acknowledged: list[tuple[str, str]] = []
    enough, dead = asyncio.Event(), asyncio.Event()

    async def write_on() -> None:
        while not dead.is_set():
            home, platform = callback(), invited()
            try:
                await store.callbacks.save(home)
                acknowledged.append(("callbacks", home.id))
                await store.platforms.insert(platform)
                acknowledged.append(("platforms", platform.id))
                key = of(platform.id)
                acknowledged.append(("catalog", f"{key.object_id}={await fan_out(store, key)}"))
            except StoreUnavailable:
                return
            if len(acknowledged) >= 200:
                enough.set()

    writers = [asyncio.create_task(write_on()) for _ in range(8)]
    await asyncio.wait_for(enough.wait(), 20)
    await asyncio.to_thread(own_mongodb.kill)
    dead.set()
    await asyncio.wait_for(asyncio.gather(*writers), 20)
    await unavailable(store.ping)

    await asyncio.to_thread(own_mongodb.start)
    await answers_again(store)
    stored = {platform.id for platform in await store.platforms.load_all()}
    unfinished = {one.order: one.broadcast for one in await store.broadcasts.unfinished(0, 100_000)}
    for port, key in acknowledged:
        if port == "platforms":
            assert key in stored
        elif port == "callbacks":
            assert await store.callbacks.get(key) is not None
        else:
            object_id, order = key.split("=")
            assert await store.catalog.get(of(object_id)) is not None
            assert unfinished[int(order)].object_key == of(object_id).text
    await store.close()
