"""What plugins write down, in SQLite: one row per record, one per key it is found by, and a count per kind."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hub.ocpi import codec
from hub.store.documents import epoch_us, moment_of_us, text_of
from hub.store.records import NewRecord, PluginRecord
from hub.store.sqlite.database import Database

# A transaction of so many takes a tenth of a second with a handful of keys each.
_ROWS_PER_WRITE = 5_000
_ROWS_PER_REMOVAL = 500
_APPEND = "INSERT INTO plugin_records (plugin, kind, at, bytes, keys, body) VALUES (?, ?, ?, ?, ?, ?)"
_ALSO = """EXISTS (SELECT 1 FROM plugin_record_keys AS also
    WHERE also.plugin = ? AND also.kind = ? AND also.name = ? AND also.value = ? AND also.id = found.id)"""
_KEY = "INSERT OR IGNORE INTO plugin_record_keys VALUES (?, ?, ?, ?, ?, ?)"
_COUNT = """INSERT INTO plugin_record_counts VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET records = records + excluded.records, bytes = bytes + excluded.bytes"""
# The rows of some records: number, kind, bytes and keys.
_SOME = "SELECT id, kind, bytes, keys FROM plugin_records WHERE plugin = ?"
Row = tuple[int, str, int, str]


class SqlitePluginRecords:
    """The PluginRecordStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append_many(self, plugin: str, kind: str, records: Sequence[NewRecord]) -> None:
        for start in range(0, len(records), _ROWS_PER_WRITE):
            await self._database.write(_append(plugin, kind, records[start : start + _ROWS_PER_WRITE]))

    async def find(
        self,
        plugin: str,
        kind: str,
        where: Mapping[str, str],
        *,
        before: int | None,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[PluginRecord]:
        sql, parameters = wanted(plugin, kind, where, before=before, limit=limit, since=since, until=until)
        rows = await self._database.read(sql, *parameters)
        return [PluginRecord(number, moment_of_us(at), body, _keys(text)) for number, at, body, text in rows]

    async def count(self, plugin: str, kind: str) -> tuple[int, int]:
        sql = "SELECT records, bytes FROM plugin_record_counts WHERE plugin = ? AND kind = ?"
        rows = await self._database.read(sql, plugin, kind)
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    async def prune(
        self, plugin: str, kind: str, *, before: datetime | None = None, most_bytes: int | None = None
    ) -> int:
        removed = 0
        if before is not None:
            moment = epoch_us(before)
            old = f"{_SOME} AND kind = ? AND at < ? ORDER BY at, id LIMIT {_ROWS_PER_REMOVAL:d}"
            removed += await self._remove(
                plugin, lambda database: database.execute(old, (plugin, kind, moment)).fetchall()
            )
        if most_bytes is not None:
            removed += await self._remove(plugin, lambda database: _too_many(database, plugin, kind, most_bytes))
        return removed

    async def remove_all(self, plugin: str) -> int:
        some = f"{_SOME} LIMIT {_ROWS_PER_REMOVAL:d}"
        removed = await self._remove(plugin, lambda database: database.execute(some, (plugin,)).fetchall())

        def change(database: sqlite3.Connection) -> None:
            database.execute("DELETE FROM plugin_record_counts WHERE plugin = ? AND records = 0", (plugin,))

        await self._database.write(change)
        return removed

    async def _remove(self, plugin: str, some: Callable[[sqlite3.Connection], list[Row]]) -> int:
        """Removes what `some` gives, again and again until it gives nothing; how many."""
        removed = 0
        while True:

            def change(database: sqlite3.Connection) -> int:
                rows = some(database)
                _drop(database, plugin, rows)
                return len(rows)

            count = await self._database.write(change)
            removed += count
            if not count:
                return removed


def wanted(
    plugin: str,
    kind: str,
    where: Mapping[str, str],
    *,
    before: int | None,
    limit: int,
    since: datetime | None,
    until: datetime | None,
) -> tuple[str, list[object]]:
    """The query for records, whose rows are number, time, body and keys, and its parameters.

    Which records they are is read from one index alone, so that only the rows shown are fetched.
    """
    terms = ["plugin = ? AND kind = ?"]
    asked: list[object] = [plugin, kind]
    for place, pair in enumerate(where.items()):
        terms.append(_ALSO if place else "name = ? AND value = ?")
        asked += (plugin, kind, *pair) if place else pair
    bounds = (
        ("id < ?", before),
        ("at >= ?", None if since is None else epoch_us(since)),
        ("at < ?", None if until is None else epoch_us(until)),
    )
    for term, bound in bounds:
        if bound is not None:
            terms.append(term)
            asked.append(bound)
    table = "plugin_record_keys" if where else "plugin_records"
    some = f"SELECT id FROM {table} AS found WHERE {' AND '.join(terms)} ORDER BY id DESC LIMIT ?"  # noqa: S608 - of texts of ours
    sql = f"SELECT id, at, body, keys FROM plugin_records WHERE id IN ({some}) ORDER BY id DESC"  # noqa: S608
    return sql, [*asked, max(limit, 0)]


def _append(plugin: str, kind: str, records: Sequence[NewRecord]) -> Callable[[sqlite3.Connection], None]:
    def change(database: sqlite3.Connection) -> None:
        rows = [(plugin, kind, epoch_us(one.at), len(one.body), text_of(one.keys), one.body) for one in records]
        keys: list[tuple[object, ...]] = []
        for one, row in zip(records, rows, strict=True):
            number = database.execute(_APPEND, row).lastrowid
            keys += [(plugin, kind, name, value, number, row[2]) for name, value in one.keys]
        database.executemany(_KEY, keys)
        database.execute(_COUNT, (plugin, kind, len(rows), sum(row[3] for row in rows)))

    return change


def _too_many(database: sqlite3.Connection, plugin: str, kind: str, most_bytes: int) -> list[Row]:
    """Some of the first appended, without which the others have `most_bytes` at most, or more have to go."""
    sql = "SELECT bytes FROM plugin_record_counts WHERE plugin = ? AND kind = ?"
    row = database.execute(sql, (plugin, kind)).fetchone()
    excess: int = row[0] - most_bytes if row else 0
    gone: list[Row] = []
    if excess > 0:
        first = f"{_SOME} AND kind = ? ORDER BY id LIMIT {_ROWS_PER_REMOVAL:d}"
        for one in database.execute(first, (plugin, kind)):
            if excess <= 0:
                break
            gone.append(one)
            excess -= one[2]
    return gone


def _drop(database: sqlite3.Connection, plugin: str, rows: Sequence[Row]) -> None:
    """Removes records with the keys they were found by, and from the counts."""
    database.executemany("DELETE FROM plugin_records WHERE id = ?", [(row[0],) for row in rows])
    database.executemany(
        "DELETE FROM plugin_record_keys WHERE plugin = ? AND kind = ? AND name = ? AND value = ? AND id = ?",
        [(plugin, kind, *pair, number) for number, kind, _, text in rows for pair in _keys(text)],
    )
    database.executemany(_COUNT, [(plugin, kind, -1, -size) for _, kind, size, _ in rows])


def _keys(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in codec.loads(text))
