"""What every store promises about what plugins write down: found by its keys, counted, pruned from the oldest on."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store.ports import Store
from hub.store.records import NewRecord, PluginRecord
from tests.contracts.catalog_samples import later
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, anything, new_id

any_record = st.builds(
    NewRecord,
    at=anything(datetime),
    body=st.binary(max_size=50),
    keys=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4).map(tuple),
)


def record(number: int, **keys: str) -> NewRecord:
    """The record with this number, written so many seconds later; its body has as many bytes."""
    return NewRecord(later(number), b"x" * number, tuple(keys.items()))


def numbers(found: Sequence[PluginRecord]) -> list[int]:
    return [len(one.body) for one in found]


async def numbered(store: Store, before: int | None = None, limit: int = 100, **where: str) -> list[int]:
    return numbers(await store.plugin_records.find("log", "message", where, before=before, limit=limit))


async def test_records_are_found_newest_first_and_by_page(place: Place, store: Store) -> None:
    assert await numbered(store) == []
    await store.plugin_records.append_many("log", "message", [])
    await store.plugin_records.append_many("log", "message", [record(number, party="NL*NGC") for number in range(5)])
    await store.plugin_records.append_many("log", "other", [record(9, party="NL*NGC")])
    await store.plugin_records.append_many("meter", "message", [record(9, party="NL*NGC")])
    await store.close()
    again = place()
    await again.open()
    await again.plugin_records.append_many("log", "message", [record(5)])
    assert await numbered(again) == [5, 4, 3, 2, 1, 0]
    assert await numbered(again, limit=0) == []
    for where in ({}, {"party": "NL*NGC"}):
        newest = await again.plugin_records.find("log", "message", where, before=None, limit=3)
        assert await numbered(again, before=newest[-1].id, limit=2, **where) == [
            len(newest[-1].body) - n for n in (1, 2)
        ]
    await again.close()


async def test_records_are_found_by_all_of_the_keys_asked(store: Store) -> None:
    some = [record(number, party="NL*NGC" if number % 2 else "DE*SUN", status=f"{number % 3}") for number in range(12)]
    twice = NewRecord(later(12), b"x" * 12, (("party", "NL*NGC"), ("party", "DE*SUN"), ("party", "NL*NGC")))
    await store.plugin_records.append_many("log", "message", [*some, twice])
    assert await numbered(store, party="NL*NGC") == [12, 11, 9, 7, 5, 3, 1]
    assert await numbered(store, party="DE*SUN", limit=2) == [12, 10]
    assert await numbered(store, party="NL*NGC", status="0") == [9, 3]
    assert await numbered(store, status="0", party="NL*NGC", limit=1) == [9]
    assert await numbered(store, party="NL*NGC", status="3") == []
    assert await numbered(store, status="NL*NGC") == []
    assert await numbered(store, party="nl*ngc") == []
    (found, *_) = await store.plugin_records.find("log", "message", {"party": "DE*SUN"}, before=None, limit=1)
    assert (found.at, found.body, found.keys) == (twice.at, twice.body, twice.keys)


async def test_records_are_found_within_times(store: Store) -> None:
    await store.plugin_records.append_many("log", "message", [record(number, party="NL*NGC") for number in range(6)])
    for where in ({}, {"party": "NL*NGC"}):
        find = partial(store.plugin_records.find, "log", "message", where, before=None, limit=100)
        assert numbers(await find(since=later(2), until=later(4))) == [3, 2]
        assert numbers(await find(since=later(4))) == [5, 4]
        assert numbers(await find(until=later(1))) == [0]


async def test_names_and_values_of_any_text_are_apart(store: Store) -> None:
    pairs = [
        ("a", "b"),
        ("a\x00b", ""),
        ("a", "\x00b"),
        ("", "a\x00b"),
        ("a", 'b"'),
        ("ß", "\U0001f50c"),
        ("", ""),
        ("a", "B"),
    ]
    records = [NewRecord(NOW, b"x" * place, (pair,)) for place, pair in enumerate(pairs)]
    await store.plugin_records.append_many("log", "message", records)
    for place, (name, value) in enumerate(pairs):
        found = await store.plugin_records.find("log", "message", {name: value}, before=None, limit=9)
        assert numbers(found) == [place], (name, value)


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(written=any_record)
async def test_any_record_comes_back(store: Store, written: NewRecord) -> None:
    kind = new_id()
    await store.plugin_records.append_many("log", kind, [written])
    (found,) = await store.plugin_records.find("log", kind, dict(written.keys), before=None, limit=9)
    assert (found.at, found.body, found.keys) == (written.at, written.body, written.keys)


async def test_hundreds_are_counted_and_pruned(store: Store) -> None:
    count = 700
    records = [NewRecord(later(number), b"1234567890", (("number", f"{number}"),)) for number in range(count)]
    await store.plugin_records.append_many("log", "message", records)
    await store.plugin_records.append_many("log", "other", records[:3])
    assert await store.plugin_records.count("log", "message") == (count, count * 10)
    assert await store.plugin_records.prune("log", "message", most_bytes=count * 10) == 0
    # A record goes when a part of it is too much.
    assert await store.plugin_records.prune("log", "message", most_bytes=1_005) == count - 100
    assert await store.plugin_records.count("log", "message") == (100, 1_000)
    assert await store.plugin_records.find("log", "message", {"number": "599"}, before=None, limit=9) == []
    (oldest,) = await store.plugin_records.find("log", "message", {"number": "600"}, before=None, limit=9)
    assert oldest.at == later(600)
    assert await store.plugin_records.count("log", "other") == (3, 30)


async def test_what_is_old_is_pruned_whatever_was_appended_first(store: Store) -> None:
    await store.plugin_records.append_many("log", "message", [record(number) for number in (7, 2, 9, 1, 8, 3)])
    assert await store.plugin_records.prune("log", "message", before=later(1)) == 0
    assert await store.plugin_records.prune("log", "message", before=later(3)) == 2
    assert await numbered(store) == [3, 8, 9, 7]
    # Both bounds: 3 by its age, then 7 and 9 as the first appended.
    assert await store.plugin_records.prune("log", "message", before=later(5), most_bytes=10) == 3
    assert await numbered(store) == [8]
    assert await store.plugin_records.prune("log", "message") == 0
    assert await store.plugin_records.prune("log", "message", most_bytes=0) == 1
    assert await store.plugin_records.count("log", "message") == (0, 0)
    await store.plugin_records.append_many("log", "message", [record(4)])
    assert await numbered(store) == [4]


async def test_numbers_are_never_used_again(store: Store) -> None:
    await store.plugin_records.append_many("log", "message", [record(1), record(2)])
    (last,) = await store.plugin_records.find("log", "message", {}, before=None, limit=1)
    assert await store.plugin_records.prune("log", "message", most_bytes=0) == 2
    await store.plugin_records.append_many("log", "message", [record(3)])
    (found,) = await store.plugin_records.find("log", "message", {}, before=None, limit=9)
    assert found.id > last.id


async def test_a_plugin_is_forgotten_alone(store: Store) -> None:
    for plugin, kind in (("log", "message"), ("log", "other"), ("meter", "message")):
        await store.plugin_records.append_many(plugin, kind, [record(number, a="b") for number in range(210)])
    assert await store.plugin_records.remove_all("log") == 420
    assert await store.plugin_records.remove_all("log") == 0
    assert await numbered(store) == await numbered(store, a="b") == []
    assert await store.plugin_records.count("log", "other") == (0, 0)
    assert (await store.plugin_records.count("meter", "message"))[0] == 210
