"""The stores the contract is held against, each at a place where it can be opened again and again."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.store.mongo.store import MongoStore
from hub.store.ports import Store
from hub.store.sqlite.store import SqliteStore

KINDS = ("sqlite", "mongo-motor", "mongo-pymongo")

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
