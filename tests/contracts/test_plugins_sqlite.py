"""What plugins remember in SQLite: along which index it is found, in how many transactions it goes."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from hub.store.records import NewRecord, Put
from hub.store.sqlite import plugin_records
from hub.store.sqlite.store import SqliteStore
from tests.contracts.catalog_samples import later


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hub.sqlite3")
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize("where", [{}, {"number": "7"}, {"number": "7", "a": "b"}])
@pytest.mark.parametrize("since", [None, later(0)])
async def test_records_are_found_along_one_index_in_its_order(
    store: SqliteStore, where: dict[str, str], since: datetime | None
) -> None:
    sql, parameters = plugin_records.wanted("log", "message", where, before=7, limit=9, since=since, until=since)
    steps = [str(row[3]) for row in await store.database.read(f"EXPLAIN QUERY PLAN {sql}", *parameters)]
    (found,) = [step for step in steps if " found " in step]
    if where:
        assert "USING PRIMARY KEY (hash=? AND id<?)" in found
    else:
        assert "USING COVERING INDEX plugin_records_by_kind (plugin=? AND kind=? AND id<?)" in found
    assert not [step for step in steps if "SCAN" in step]
    assert not [step for step in steps if "TEMP B-TREE" in step]


async def test_thousands_are_written_at_once_and_dropped_in_bites(store: SqliteStore) -> None:
    records = [
        NewRecord(later(number), b"0123456789", (("number", f"{number}"), ("a", "b"))) for number in range(5_600)
    ]
    commits = store.database.writer.commits
    await store.plugin_records.append_many("log", "message", records[:5_000])
    assert store.database.writer.commits == commits + 1
    await store.plugin_records.append_many("log", "message", records)
    assert store.database.writer.commits == commits + 3
    assert await store.plugin_records.count("log", "message") == (10_600, 106_000)

    assert await store.plugin_records.prune("log", "message", most_bytes=100_000) == 600
    assert await store.plugin_records.remove_all("log") == 10_000
    assert store.database.writer.commits > commits + 20
    for table in ("plugin_records", "plugin_record_keys", "plugin_record_counts"):
        assert await store.database.read(f"SELECT * FROM {table}") == []


async def test_keys_that_share_a_hash_are_told_apart(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_records, "key_hash", lambda *_: 7)
    records = [
        NewRecord(later(number), b"x" * number, (("party", f"p{number % 3}"), ("id", f"{number}")))
        for number in range(30)
    ]
    await store.plugin_records.append_many("log", "message", records)

    async def numbers(limit: int, before: int | None = None, **where: str) -> list[int]:
        found = await store.plugin_records.find("log", "message", where, before=before, limit=limit)
        return [len(one.body) for one in found]

    assert await numbers(3, party="p1") == [28, 25, 22]
    assert await numbers(100, party="p1") == list(range(28, 0, -3))
    assert await numbers(2, before=20, party="p1") == [16, 13]
    assert await numbers(9, party="p1", id="22") == [22]
    assert await numbers(9, party="p1", id="23") == []
    assert await store.plugin_records.remove_all("log") == 30
    assert await store.database.read("SELECT * FROM plugin_record_keys") == []


def test_a_hash_is_the_same_in_every_process() -> None:
    assert plugin_records.key_hash("log", "message", "party", "nl*abc") == -679792158513874396
    assert len({plugin_records.key_hash(*texts) for texts in ("abcd", "bacd", "abdc", "abcD")}) == 4


async def test_a_long_shelf_is_cleared_in_bites(store: SqliteStore) -> None:
    await store.shelf.save("meter", [Put(f"{number}", b"") for number in range(1_200)])
    commits = store.database.writer.commits
    assert await store.shelf.remove_all("meter") == 1_200
    assert store.database.writer.commits == commits + 3
