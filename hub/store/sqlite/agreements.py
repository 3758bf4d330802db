"""Agreements in SQLite: one document per row, and a number that moves with every change."""

import sqlite3

from hub.domain.agreements import Agreement
from hub.store.decoded import Decoded, agreements_from
from hub.store.documents import text_of
from hub.store.sqlite.database import Database


class SqliteAgreements:
    """The AgreementStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._decoded = Decoded(Agreement)

    async def generation(self) -> int:
        ((generation,),) = await self._database.read("SELECT value FROM meta WHERE name = 'agreements'")
        return int(generation)

    async def load_all(self) -> list[Agreement]:
        rows = await self._database.read("SELECT id, doc FROM agreements ORDER BY id")
        return await agreements_from(rows, self._decoded)

    async def put(self, agreement: Agreement) -> bool:
        text = text_of(agreement)

        def change(database: sqlite3.Connection) -> bool:
            updated = database.execute("UPDATE agreements SET doc = ? WHERE id = ?", (text, agreement.id)).rowcount
            if not updated:
                database.execute("INSERT INTO agreements VALUES (?, ?)", (agreement.id, text))
            _moved(database)
            return not updated

        added = await self._database.write(change)
        self._decoded.wrote(agreement.id, text, agreement)
        return added

    async def remove(self, agreement_id: str) -> bool:
        def change(database: sqlite3.Connection) -> bool:
            removed = database.execute("DELETE FROM agreements WHERE id = ?", (agreement_id,)).rowcount > 0
            if removed:
                _moved(database)
            return removed

        return await self._database.write(change)


def _moved(database: sqlite3.Connection) -> None:
    database.execute("UPDATE meta SET value = value + 1 WHERE name = 'agreements'")
