"""The stores the contract is held against, each at a place where it can be opened again and again."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

from hub.store.mongo.store import MongoStore
from hub.store.ports import Store
from hub.store.sqlite.store import SqliteStore
from tests.faultproxy import FaultProxy

# Of an operation of a store behind the proxy.
TIMEOUT_S = 1.0
KINDS = ("sqlite", "mongo-motor", "mongo-pymongo")
# The ports whose contracts run over both drivers; behind the others the same calls stand, so there the second driver
# runs with the slow ones.
BOTH_DRIVERS = ("test_store_contract", "test_records_contract", "test_shelf_contract", "test_mongo", "test_hand_over")

# Makes one more store over the same place, not yet open.
Place = Callable[[], Store]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "hub.sqlite3")
    url: str = request.getfixturevalue("mongodb_url")
    driver = request.param.removeprefix("mongo-")
    return lambda: MongoStore(url, driver)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    opened = place()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(params=["motor", "pymongo"])
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def proxy(mongodb_url: str) -> AsyncIterator[FaultProxy]:
    with MongoClient[dict[str, object]](mongodb_url, serverSelectionTimeoutMS=5000) as client:
        client.admin.command("ping")
        primary = client.primary or client.address
    assert primary is not None
    async with FaultProxy(*primary) as opened:
        yield opened


@pytest.fixture
async def distant(mongodb_url: str, proxy: FaultProxy, driver: str) -> AsyncIterator[MongoStore]:
    """A store whose every byte crosses the proxy."""
    opened = MongoStore(through(proxy, mongodb_url), driver, timeout_s=TIMEOUT_S)
    await opened.open()
    yield opened
    await opened.close()


def through(proxy: FaultProxy, url: str) -> str:
    """The same URL by way of the proxy. Without `directConnection` a replica set would lead the driver past it."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    kept = [option for option in parts.query.split("&") if option and not option.startswith("replicaSet=")]
    query = "&".join((*kept, "directConnection=true"))
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}", query=query))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The second driver goes through every contract that asks for it, some of them only when slow tests run."""
    for item in items:
        path = item.path
        if path.parent.name == "contracts" and path.stem not in BOTH_DRIVERS and "pymongo" in item.name:
            item.add_marker(pytest.mark.slow)
