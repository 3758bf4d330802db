"""What a plugin writes down comes back as it was, by every key it was given."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.broker.plugins.plugin_records import PluginRecords
from hub.ocpi import codec
from hub.plugin.hub_api import Record, Records
from hub.store.sqlite.store import SqliteStore

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hub.sqlite3")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def records(store: SqliteStore) -> Records:
    return PluginRecords(store.plugin_records, "log", "message")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def test_records_are_found_by_keys_newest_first(records: Records) -> None:
    await records.append_many(
        [
            Record(at(0), {"n": 0, "price": codec.loads("0.10")}, {"party": "DEABC", "id": ["a", "b", "a"]}),
            Record(at(1), {"n": 1}, {"party": ("DEABC",), "id": "b"}),
            Record(at(2), [2]),
        ]
    )
    found = await records.find()
    assert [one.raw for one in found] == [b"[2]", b'{"n":1}', b'{"n":0,"price":0.10}']
    assert [one.at for one in found] == [at(2), at(1), at(0)]
    assert found[0].id > found[1].id > found[2].id
    assert [one.read()["n"] for one in await records.find({"id": "b"})] == [1, 0]
    assert [one.read()["n"] for one in await records.find({"id": "a", "party": "DEABC"})] == [0]
    assert [one.read()["n"] for one in await records.find({"party": "DEABC"}, limit=1)] == [1]
    assert [one.read() for one in await records.find(before=found[0].id, since=at(1), until=at(2))] == [{"n": 1}]
    assert await records.size() == (3, len(b'[2]{"n":1}{"n":0,"price":0.10}'))


async def test_what_is_old_or_too_much_is_dropped(records: Records) -> None:
    await records.append_many([Record(at(n), n) for n in range(6)])
    assert await records.prune(before=at(2)) == 2
    assert await records.prune(most_bytes=3) == 1
    assert [one.read() for one in await records.find()] == [5, 4, 3]


async def test_kinds_and_plugins_are_apart(store: SqliteStore, records: Records) -> None:
    await records.append_many([Record(at(0), "mine")])
    await records.append_many([])
    for plugin, kind in (("log", "other"), ("meter", "message")):
        assert await PluginRecords(store.plugin_records, plugin, kind).find() == []


@pytest.mark.parametrize("kind", ["", "Message", "9lives", "a-b", "a" * 41, "a\n"])
def test_a_kind_is_a_short_plain_word(store: SqliteStore, kind: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        PluginRecords(store.plugin_records, "log", kind)
    PluginRecords(store.plugin_records, "log", "a" * 40)


async def test_of_records_one_of_which_cannot_be_kept_none_is(records: Records) -> None:
    good = Record(at(0), "good")
    with pytest.raises(ValueError, match="kind message is not JSON"):
        await records.append_many([good, Record(at(0), object())])
    with pytest.raises(ValueError, match="no zone"):
        await records.append_many([good, Record(at(0).replace(tzinfo=None), 1)])
    with pytest.raises(TypeError, match="the key id"):
        await records.append_many([good, Record(at(0), 1, {"id": codec.loads('["a",7]')})])
    assert await records.find() == []
