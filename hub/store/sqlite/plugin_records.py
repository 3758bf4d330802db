"""What plugins write down, in SQLite: one row per record, one per key it is found by, and a count per kind.

A key is kept as a hash. Two that share one are told apart by the keys in the record itself.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain

from hub.ocpi import codec
from hub.store.documents import epoch_us, moment_of_us, text_of
from hub.store.records import NewRecord, PluginRecord
from hub.store.sqlite.database import Database

# A transaction of so many takes a tenth of a second with a handful of keys each.
_ROWS_PER_WRITE = 5_000
_ROWS_PER_REMOVAL = 500
# SQLite lets go of the interpreter with every statement, and beside a busy event loop getting it back costs more than
# what a row does: many rows go into one.
_ROWS_PER_STATEMENT = 250
_ALSO = "EXISTS (SELECT 1 FROM plugin_record_keys AS also WHERE also.hash = ? AND also.id = found.id)"
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'plugin_records'"
_COUNT = """INSERT INTO plugin_record_counts VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET records = records + excluded.records, bytes = bytes + excluded.bytes"""
# The rows of some records: number, kind, bytes and keys.
_SOME = "SELECT id, kind, bytes, keys FROM plugin_records WHERE plugin = ?"
_HASH_BYTES = 8
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
        found: list[PluginRecord] = []
        while (left := limit - len(found)) > 0:
            sql, parameters = wanted(plugin, kind, where, before=before, limit=left, since=since, until=until)
            rows = await self._database.read(sql, *parameters)
            some = (PluginRecord(number, moment_of_us(at), body, _keys(text)) for number, at, body, text in rows)
            found += [one for one in some if where.items() <= set(one.keys)]
            if len(rows) < left:
                break
            before = rows[-1][0]
        return found

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
    """The query for records, whose rows are number, time, body and keys, and its parameters. Others whose keys share
    the hashes may be among them.

    Which records they are is read from one index alone, so that only the rows shown are fetched.
    """
    hashes = [key_hash(plugin, kind, *pair) for pair in where.items()]
    terms = ["hash = ?", *(_ALSO for _ in hashes[1:])] if hashes else ["plugin = ? AND kind = ?"]
    asked: list[object] = [*hashes] or [plugin, kind]
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


def key_hash(plugin: str, kind: str, name: str, value: str) -> int:
    """What a key is kept as: a whole number of 64 bits with a sign, the same in every process."""
    text = f"{plugin}\0{kind}\0{name}\0{value}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=_HASH_BYTES).digest(), signed=True)


def _append(plugin: str, kind: str, records: Sequence[NewRecord]) -> Callable[[sqlite3.Connection], None]:
    def change(database: sqlite3.Connection) -> None:
        last: int = (database.execute(_LAST).fetchone() or (0,))[0]
        rows: list[tuple[object, ...]] = []
        keys: list[tuple[int, int, int]] = []
        hashes: dict[tuple[str, str], int] = {}  # most values stand in many records
        size = 0
        for number, one in enumerate(records, last + 1):
            at = epoch_us(one.at)
            size += len(one.body)
            rows.append((number, plugin, kind, at, len(one.body), text_of(one.keys), one.body))
            for pair in one.keys:
                found = hashes.get(pair)
                if found is None:
                    found = hashes[pair] = key_hash(plugin, kind, *pair)
                keys.append((found, number, at))
        _many(database, "INSERT INTO plugin_records VALUES {}", rows)
        _many(database, "INSERT OR IGNORE INTO plugin_record_keys VALUES {}", keys)
        database.execute(_COUNT, (plugin, kind, len(rows), size))

    return change


def _many(database: sqlite3.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Runs the statement with as many rows at once as it takes, in place of `{}`."""
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        some = rows[start : start + _ROWS_PER_STATEMENT]
        one = f"({','.join('?' * len(some[0]))})"
        database.execute(sql.format(",".join([one] * len(some))), [*chain.from_iterable(some)])


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
    _many(database, "DELETE FROM plugin_records WHERE id IN (VALUES {})", [(row[0],) for row in rows])
    keys = [(key_hash(plugin, kind, *pair), number) for number, kind, _, text in rows for pair in _keys(text)]
    # One by one: SQLite looks no pairs up in an index here, it would read the whole table.
    database.executemany("DELETE FROM plugin_record_keys WHERE hash = ? AND id = ?", keys)
    for kind in {row[1] for row in rows}:
        sizes = [size for _, of_kind, size, _ in rows if of_kind == kind]
        database.execute(_COUNT, (plugin, kind, -len(sizes), -sum(sizes)))


def _keys(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in codec.loads(text))
