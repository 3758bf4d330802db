"""Which store a DATABASE_URL means, and what is said when it means none."""

from pathlib import Path

import pytest

from hub.errors import SettingsError, StoreUnavailable
from hub.store.documents import record_from
from hub.store.migrations import Step, pending
from hub.store.mongo.store import MongoStore
from hub.store.open import create
from hub.store.records import CdrLocation
from hub.store.sqlite.store import SqliteStore


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (None, "/data/hub.sqlite3"),
        ("", "/data/hub.sqlite3"),
        ("sqlite:///hub.db", "hub.db"),
        ("sqlite:///folder/hub.db", "folder/hub.db"),
        ("sqlite:////var/lib/hub.db", "/var/lib/hub.db"),
    ],
)
def test_sqlite_urls(url: str | None, path: str) -> None:
    store = create(url, "motor", Path("/data"))
    assert isinstance(store, SqliteStore)
    assert store.database.path == Path(path)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
@pytest.mark.parametrize(
    "url",
    [
        "mongodb://h/db",
        "mongodb://user:p%40ss@a:1,b:2/db?replicaSet=rs&authSource=admin",
        "mongodb+srv://cluster.example",
    ],
)
def test_mongodb_urls(url: str, driver: str) -> None:
    assert isinstance(create(url, driver, Path()), MongoStore)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://hub.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///folder/",
        "postgresql://user:hunter2@h/db",
        "hub.sqlite3",
        "mongodb://",
        "mongodb://user:hunter2:x@h/db",
        "mongodb://user:hunter2/x@h/db",
        "mongodb://user:x@hunter2@h/db",
        "mongodb://h:hunter2/db",
    ],
)
def test_other_urls_are_refused_by_name_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as caught:
        create(url, "motor", Path())
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_unknown_driver_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="MONGODB_DRIVER"):
        create("mongodb://h/db", "beanie", Path())


def test_only_missing_steps_are_pending_and_newer_schemas_are_refused() -> None:
    steps = [Step(number, str(number), None) for number in (1, 2, 3)]
    assert [step.number for step in pending(steps, 0)] == [1, 2, 3]
    assert [step.number for step in pending(steps, 2)] == [3]
    assert not pending(steps, 3)
    with pytest.raises(StoreUnavailable, match="schema 4"):
        pending(steps, 4)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 7}', '{"id": "a"}'])
def test_a_document_that_does_not_fit_is_named(text: str) -> None:
    with pytest.raises(StoreUnavailable, match="CdrLocation c1 cannot be read"):
        record_from(CdrLocation, text, "c1")
