"""What SQLite alone has to show about the catalog and broadcasts: indexes, shared lists of legs, shared commits, and
files of the first schema.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.platform import RoleName
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from hub.store.ports import Wanted
from hub.store.records import LegClaim, PartyOn
from hub.store.sqlite import pages, schema
from hub.store.sqlite.store import SqliteStore
from hub.store.walks import Along, Walk
from tests.contracts.catalog_samples import LEGS, MODULE, NGC, fan_out, ids, later, left_alone, of, put, put_all, wanted
from tests.contracts.samples import NOW, callback, cdr_location, invited, registered

OWNERS = [PartyId("NL", f"{number:03d}") for number in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(path)
    await opened.open()
    yield opened
    await opened.close()


# --- indexes


async def plan(store: SqliteStore, sql: str, *parameters: object) -> list[str]:
    """How SQLite goes about a query: one line per step."""
    return [str(row[3]) for row in await store.database.read(f"EXPLAIN QUERY PLAN {sql}", *parameters)]


@pytest.mark.parametrize("walk", [Walk(along, filtered) for along in Along for filtered in (False, True)])
@pytest.mark.parametrize(
    "asked",
    [
        wanted(*OWNERS),
        wanted(*OWNERS, after=7),
        wanted(*OWNERS, offset=99_900),
        replace(wanted(*OWNERS), date_from=NOW),
        replace(wanted(*OWNERS, after=7), date_from=NOW, date_to=later(1)),
    ],
)
async def test_every_page_is_found_along_an_index(store: SqliteStore, walk: Walk, asked: Wanted) -> None:
    sql, parameters = pages.page(asked, walk)
    steps = await plan(store, sql, *parameters)
    (walked,) = (step for step in steps if "catalog_by_" in step)
    assert walked.startswith("SEARCH catalog USING ")
    # Otherwise only rows of the page itself are looked at, by number.
    others = [step for step in steps if "catalog" in step and step != walked]
    assert others == [
        "SEARCH catalog USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH catalog_texts USING INTEGER PRIMARY KEY (rowid=?)",
    ]
    if asked.date_from is None or walk.along is Along.DATES:
        assert "COVERING INDEX" in walked


async def test_dates_are_a_range_of_their_index(store: SqliteStore) -> None:
    asked = replace(wanted(*OWNERS), date_from=NOW)
    dates = "SEARCH catalog USING COVERING INDEX catalog_by_date (module=? AND last_updated>? AND last_updated<?)"
    for filtered in (False, True):
        for sql, parameters in (
            pages.page(asked, Walk(Along.DATES, filtered)),
            pages.count(asked, Walk(Along.MODULE, filtered)),
            pages.few_dated(asked),
        ):
            assert dates in await plan(store, sql, *parameters)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (wanted(*OWNERS), "catalog_by_module"),
        (wanted(*OWNERS[:19], after=5), "catalog_by_module"),
        (wanted(OWNERS[0]), "catalog_by_owner"),
        (replace(wanted(*OWNERS), date_from=later(150)), "catalog_by_date"),
        (replace(wanted(OWNERS[0]), date_from=later(150)), "catalog_by_date"),
    ],
)
async def test_the_index_a_page_goes_along_follows_from_how_much_lies_on_the_way(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, asked: Wanted, index: str
) -> None:
    await put_all(store, [of(f"LOC{number}", OWNERS[number % 20]) for number in range(200)], apart_s=1)
    asked_of_database: list[str] = []
    read = store.database.read

    async def listened(sql: str, *parameters: object) -> list[object]:
        asked_of_database.append(sql)
        return await read(sql, *parameters)

    monkeypatch.setattr(store.database, "read", listened)
    assert await store.catalog.page(asked)
    assert f"INDEXED BY {index} " in asked_of_database[-1]


@pytest.mark.parametrize(
    ("sql", "step"),
    [
        ("SELECT raw FROM catalog JOIN catalog_texts USING (sequence) WHERE key = 'k'", "sqlite_autoindex_catalog_1"),
        ("DELETE FROM known WHERE seen_at < 1", "known_by_age"),
        ("SELECT party FROM known WHERE kind = 'k' AND key = 'x' ORDER BY id", "sqlite_autoindex_known_1"),
        ("DELETE FROM audiences WHERE id = 1", "broadcasts_by_audience"),
    ],
)
async def test_what_is_looked_up_is_found_by_an_index(store: SqliteStore, sql: str, step: str) -> None:
    steps = await plan(store, sql)
    assert any(step in one for one in steps) or "USING INTEGER PRIMARY KEY" in steps[0]
    assert not any(one.startswith("SCAN catalog") for one in steps)


# --- what is shared


async def test_broadcasts_to_the_same_receivers_share_one_list(store: SqliteStore) -> None:
    legs = tuple(PartyOn(f"platform-{number}", "DE", f"{number:03d}") for number in range(300))
    for number in range(20):
        await fan_out(store, of(f"LOC{number}"), legs)
    await fan_out(store, of("OTHER"), LEGS)
    # An equal list that is another object is the same list too.
    await fan_out(store, of("AGAIN"), tuple(replace(leg) for leg in legs))
    ((lists,),) = await store.database.read("SELECT count(*) FROM audiences")
    assert lists == 2
    found = await store.broadcasts.unfinished(0, 100)
    assert [len(one.broadcast.legs) for one in found] == [300] * 20 + [4, 300]


async def test_lists_nobody_uses_are_swept(store: SqliteStore) -> None:
    for number in range(150):
        legs = (PartyOn(f"platform-{number}", "DE", "ABC"),)
        order = await fan_out(store, of(f"LOC{number}"), legs)
        if number != 3:
            await store.broadcasts.settle([(order, 0)])
    ((lists,),) = await store.database.read("SELECT count(*) FROM audiences")
    assert lists < 70
    (kept,) = await store.broadcasts.unfinished(0, 10)
    assert kept.broadcast.legs == (PartyOn("platform-3", "DE", "ABC"),)
    for table in ("broadcasts", "broadcast_progress"):
        ((rows,),) = await store.database.read(f"SELECT count(*) FROM {table}")
        assert rows == 1


async def test_pushes_claims_and_settlements_that_arrive_together_share_a_commit(store: SqliteStore) -> None:
    orders = [await fan_out(store, of(f"LOC{number}")) for number in range(20)]
    before = store.database.writer.commits
    await asyncio.gather(
        *(put(store, of(f"NEW{number}")) for number in range(20)),
        *(store.broadcasts.claim([LegClaim(order, leg, 1) for order in orders]) for leg in range(4)),
        *(store.broadcasts.settle([(order, 0)]) for order in orders),
    )
    assert store.database.writer.commits - before <= 2


async def test_an_owner_of_very_many_objects_goes_in_several_transactions(store: SqliteStore) -> None:
    await put_all(store, [of(f"LOC{number}") for number in range(4_100)])
    before = store.database.writer.commits
    assert await store.catalog.remove_owner(NGC, [MODULE]) == 4_100
    assert store.database.writer.commits - before == 3
    assert await store.catalog.owners(MODULE) == []
    ((texts,),) = await store.database.read("SELECT count(*) FROM catalog_texts")
    assert texts == 0


async def test_what_is_only_seen_again_does_not_write_its_text_again(store: SqliteStore, path: Path) -> None:
    await put(store, of("LOC1"), b"x" * 100_000)
    log = path.with_name(path.name + "-wal")
    before = log.stat().st_size
    await store.catalog.apply(of("LOC1"), left_alone, seen_at=later(1))
    assert log.stat().st_size - before < 50_000


# --- the schema


async def test_a_file_of_the_first_schema_is_brought_up_and_keeps_what_it_has(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, home, location = registered(), callback(), cdr_location()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "STEPS", schema.STEPS[:1])
        old = SqliteStore(path)
        await old.open()
        await old.platforms.insert(platform)
        await old.callbacks.save(home)
        await old.cdr_locations.save(location)
        await old.keys.put_if_absent("fingerprint", "sealed")
        generation = await old.platforms.generation()
        await old.close()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'catalog'").fetchone() is None
    database.close()

    store = SqliteStore(path)
    await store.open()
    assert await store.platforms.load_all() == [platform]
    assert await store.platforms.generation() == generation
    assert await store.callbacks.get(home.id) == home
    assert await store.cdr_locations.get(location.id) == location
    assert await store.keys.get("fingerprint") == "sealed"
    await store.platforms.insert(invited(RoleName(Role.EMSP, "DE", "XYZ")))
    await put(store, of("LOC1"))
    assert ids(await store.catalog.page(wanted(NGC))) == ["LOC1"]
    await store.close()
