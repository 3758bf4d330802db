"""What open routing has learnt, in SQLite: one row per kind, key and party."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from hub.ocpi.party_id import PartyId, party
from hub.store.documents import epoch_us
from hub.store.records import Known
from hub.store.sqlite.database import Database

_MOST_FOUND = 20
_ROWS_PER_WRITE = 1_000
_LEARN = """INSERT INTO known (kind, key, party, country_code, party_id, seen_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, key, party) DO UPDATE SET seen_at = excluded.seen_at"""


class SqliteKnown:
    """The KnownStore port. The row number is the order of learning: what is renewed keeps its place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, known: Sequence[Known], at: datetime) -> None:
        moment = epoch_us(at)
        for start in range(0, len(known), _ROWS_PER_WRITE):
            some = known[start : start + _ROWS_PER_WRITE]

            def change(database: sqlite3.Connection, some: Sequence[Known] = some) -> None:
                for one in some:
                    _learn(database, one, moment)

            await self._database.write(change)

    async def find(self, kind: str, key: str) -> list[PartyId]:
        sql = f"SELECT country_code, party_id FROM known WHERE kind = ? AND key = ? ORDER BY id LIMIT {_MOST_FOUND:d}"  # noqa: S608 - a number of ours
        return [party(country_code, party_id) for country_code, party_id in await self._database.read(sql, kind, key)]

    async def forget(self, party: PartyId) -> int:
        return await self._remove("party = ?", party.key)

    async def prune(self, before: datetime) -> int:
        return await self._remove("seen_at < ?", epoch_us(before))

    async def _remove(self, where: str, value: object) -> int:
        sql = f"DELETE FROM known WHERE id IN (SELECT id FROM known WHERE {where} LIMIT ?)"  # noqa: S608 - a text of ours
        removed = 0
        while True:

            def change(database: sqlite3.Connection) -> int:
                return database.execute(sql, (value, _ROWS_PER_WRITE)).rowcount

            count = await self._database.write(change)
            removed += count
            if count < _ROWS_PER_WRITE:
                return removed


def _learn(database: sqlite3.Connection, one: Known, moment: int) -> None:
    if one.only:
        forget = "DELETE FROM known WHERE kind = ? AND key = ? AND party <> ?"
        database.execute(forget, (one.kind, one.key, one.party.key))
    who = (one.party.key, one.party.country_code, one.party.party_id)
    database.execute(_LEARN, (one.kind, one.key, *who, moment))
