"""The catalog in SQLite. Judging and writing are one change in the writer's thread, so nothing comes in between."""

import sqlite3
from collections.abc import Callable, Collection
from datetime import datetime

from hub.domain.catalog import ObjectKey, Verdict
from hub.ocpi.party_id import PartyId, party
from hub.ocpi.status import StatusCode
from hub.store.documents import epoch_us
from hub.store.ports import Wanted
from hub.store.records import Broadcast, CatalogEntry, OwnerCount
from hub.store.sqlite import pages
from hub.store.sqlite.broadcasts import SqliteBroadcasts
from hub.store.sqlite.database import Database
from hub.store.walks import Walk, is_dated, walk

# Forgetting an owner of very many objects is cut into transactions, so that other writes are not held up behind it.
_ROWS_PER_REMOVAL = 2_000
_MOST_FOUND = 100
_INSERT = """INSERT INTO catalog
    (key, module, owner, country_code, party_id, object_id, folded_id, kind, last_updated, seen_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COUNT_ONE_MORE = """INSERT INTO catalog_owners VALUES (?, ?, ?, ?, 1, 1)
    ON CONFLICT (module, owner) DO UPDATE SET objects = objects + 1"""
_COUNT_LESS = "UPDATE catalog_owners SET objects = objects - ? WHERE module = ? AND owner = ?"
_ENTRIES = f"SELECT {pages.ENTRY} FROM catalog JOIN catalog_texts USING (sequence)"  # noqa: S608 - a text of ours


class SqliteCatalog:
    """The CatalogStore port. Counters of owners change in the transaction that changes what they count."""

    def __init__(self, database: Database, broadcasts: SqliteBroadcasts) -> None:
        self._database = database
        self._broadcasts = broadcasts

    async def apply(
        self,
        key: ObjectKey,
        judge: Callable[[bytes | None], Verdict],
        *,
        seen_at: datetime,
        broadcast: Broadcast | None = None,
        body: bytes | None = None,
    ) -> tuple[Verdict, int | None]:
        def change(database: sqlite3.Connection) -> tuple[Verdict, int | None]:
            sql = "SELECT sequence, raw FROM catalog JOIN catalog_texts USING (sequence) WHERE key = ?"
            sequence, raw = database.execute(sql, (key.text,)).fetchone() or (None, None)
            verdict = judge(raw)
            _follow(database, key, sequence, verdict, seen_at)
            if broadcast is None or not broadcast.legs or not verdict.fan_out:
                return verdict, None
            return verdict, self._broadcasts.add(database, broadcast, body)

        return await self._database.write(change)

    async def get(self, key: ObjectKey) -> bytes | None:
        sql = "SELECT raw FROM catalog JOIN catalog_texts USING (sequence) WHERE key = ?"
        rows = await self._database.read(sql, key.text)
        return rows[0][0] if rows else None

    async def find(self, module: str, object_id: str) -> list[CatalogEntry]:
        sql = f"{_ENTRIES} WHERE module = ? AND folded_id = ? ORDER BY sequence LIMIT {_MOST_FOUND:d}"
        return list(map(pages.entry, await self._database.read(sql, module, object_id.casefold())))

    async def owners(self, module: str) -> list[OwnerCount]:
        sql = "SELECT country_code, party_id, objects, shown FROM catalog_owners WHERE module = ? ORDER BY owner"
        rows = await self._database.read(sql, module)
        return [OwnerCount(party(country, name), count, bool(shown)) for country, name, count, shown in rows]

    async def page(self, wanted: Wanted) -> list[CatalogEntry]:
        if not wanted.owners or wanted.limit < 1:
            return []
        way = await self._walk(wanted)
        found = await self._shown(wanted, way)
        if not way.filtered and any(one.owner.key not in wanted.owners for one in found):
            # Somebody's first object came after the owners were asked for.
            way = Walk(way.along, filtered=True)
            found = await self._shown(wanted, way)
        return found

    async def count(self, wanted: Wanted) -> int:
        if not is_dated(wanted):
            owners = await self.owners(wanted.module)
            return sum(one.count for one in owners if one.owner.key in wanted.owners)
        sql, parameters = pages.count(wanted, await self._walk(wanted))
        ((count,),) = await self._database.read(sql, *parameters)
        return int(count)

    async def hide(self, module: str, owner: PartyId) -> None:
        row = (module, owner.key, owner.country_code, owner.party_id)

        def change(database: sqlite3.Connection) -> None:
            database.execute("INSERT INTO catalog_owners VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING", row)

        await self._database.write(change)

    async def show(self, module: str, owner: PartyId) -> None:
        def change(database: sqlite3.Connection) -> None:
            sql = "UPDATE catalog_owners SET shown = 1 WHERE module = ? AND owner = ?"
            database.execute(sql, (module, owner.key))

        await self._database.write(change)

    async def absent(self, module: str, owner: PartyId, before: datetime, limit: int) -> list[CatalogEntry]:
        sql = f"{_ENTRIES} WHERE module = ? AND owner = ? AND seen_at < ? ORDER BY sequence LIMIT ?"
        return list(map(pages.entry, await self._database.read(sql, module, owner.key, epoch_us(before), limit)))

    async def remove_owner(self, owner: PartyId, modules: Collection[str]) -> int:
        removed = 0
        for module in sorted(modules):

            def change(database: sqlite3.Connection, module: str = module) -> int:
                return _forget_some(database, module, owner)

            while True:
                count = await self._database.write(change)
                removed += count
                if count < _ROWS_PER_REMOVAL:
                    break
        return removed

    async def _walk(self, wanted: Wanted) -> Walk:
        dated = None
        if is_dated(wanted):
            sql, parameters = pages.few_dated(wanted)
            ((dated,),) = await self._database.read(sql, *parameters)
        return walk(wanted, await self.owners(wanted.module), dated)

    async def _shown(self, wanted: Wanted, way: Walk) -> list[CatalogEntry]:
        sql, parameters = pages.page(wanted, way)
        return list(map(pages.entry, await self._database.read(sql, *parameters)))


def _follow(
    database: sqlite3.Connection, key: ObjectKey, sequence: int | None, verdict: Verdict, seen_at: datetime
) -> None:
    """Does what the verdict says about the object, which is held under this sequence if there is one."""
    seen = epoch_us(seen_at)
    if verdict.removed:
        if sequence is not None:
            database.execute("DELETE FROM catalog WHERE sequence = ?", (sequence,))
            database.execute(_COUNT_LESS, (1, key.module, key.owner.key))
    elif verdict.raw is not None:
        last_updated = epoch_us(seen_at if verdict.last_updated is None else verdict.last_updated)
        if sequence is None:
            _add(database, key, verdict.raw, last_updated, seen)
        else:
            sql = "UPDATE catalog SET last_updated = ?, seen_at = ? WHERE sequence = ?"
            database.execute(sql, (last_updated, seen, sequence))
            database.execute("UPDATE catalog_texts SET raw = ? WHERE sequence = ?", (verdict.raw, sequence))
    elif sequence is not None and verdict.code == StatusCode.OK:
        database.execute("UPDATE catalog SET seen_at = ? WHERE sequence = ?", (seen, sequence))


def _add(database: sqlite3.Connection, key: ObjectKey, raw: bytes, last_updated: int, seen_at: int) -> None:
    owner = (key.module, key.owner.key, key.owner.country_code, key.owner.party_id)
    what = (key.object_id, key.object_id.casefold(), key.kind)
    added = database.execute(_INSERT, (key.text, *owner, *what, last_updated, seen_at))
    database.execute("INSERT INTO catalog_texts VALUES (?, ?)", (added.lastrowid, raw))
    database.execute(_COUNT_ONE_MORE, owner)


def _forget_some(database: sqlite3.Connection, module: str, owner: PartyId) -> int:
    """Removes objects of an owner, up to the bound, and the owner when nothing is left; how many objects."""
    some = "SELECT sequence FROM catalog WHERE module = ? AND owner = ? LIMIT ?"
    sql = f"DELETE FROM catalog WHERE sequence IN ({some})"  # noqa: S608 - texts of ours
    count = database.execute(sql, (module, owner.key, _ROWS_PER_REMOVAL)).rowcount
    if count < _ROWS_PER_REMOVAL:
        database.execute("DELETE FROM catalog_owners WHERE module = ? AND owner = ?", (module, owner.key))
    else:
        database.execute(_COUNT_LESS, (count, module, owner.key))
    return count
