"""Duties in SQLite: one row each, and the events that wait for whoever holds them."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.errors import TermOver
from hub.store.records import DutyState, Fence
from hub.store.sqlite.database import Database

_TAKE = """UPDATE duties SET holder = ?, term = term + 1, beat = 0
    WHERE name = ? AND holder IS ? AND term = ? AND beat = ?"""
_RENEW = "UPDATE duties SET beat = beat + 1 WHERE name = ? AND holder = ? AND term = ? RETURNING beat"
_RELEASE = "UPDATE duties SET holder = NULL WHERE name = ? AND holder = ? AND term = ?"
_OLDEST = "SELECT id, event FROM duty_events WHERE duty = ? ORDER BY id LIMIT ?"


class SqliteDuties:
    """The DutyStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, name: str) -> DutyState | None:
        rows = await self._database.read("SELECT name, holder, term, beat FROM duties WHERE name = ?", name)
        return DutyState(*rows[0]) if rows else None

    async def take(self, name: str, holder: str, seen: DutyState | None) -> DutyState | None:
        taken = DutyState(name, holder, 1 if seen is None else seen.term + 1, 0)
        if seen is None:
            change = _execute("INSERT INTO duties VALUES (?, ?, 1, 0) ON CONFLICT DO NOTHING", name, holder)
        else:
            change = _execute(_TAKE, holder, name, seen.holder, seen.term, seen.beat)
        return taken if await self._database.write(change) else None

    async def renew(self, state: DutyState) -> DutyState | None:
        def change(database: sqlite3.Connection) -> list[tuple[int]]:
            return database.execute(_RENEW, (state.name, state.holder, state.term)).fetchall()

        rows = await self._database.write(change)
        return replace(state, beat=rows[0][0]) if rows else None

    async def release(self, state: DutyState) -> None:
        await self._database.write(_execute(_RELEASE, state.name, state.holder, state.term))

    async def send(self, name: str, events: Sequence[bytes], most: int) -> int:
        def change(database: sqlite3.Connection) -> int:
            sql = "SELECT count(*) FROM (SELECT 1 FROM duty_events WHERE duty = ? LIMIT ?)"
            (waiting,) = database.execute(sql, (name, max(most, 0))).fetchone()
            taken = events[: max(most - waiting, 0)]
            database.executemany(
                "INSERT INTO duty_events (duty, event) VALUES (?, ?)", [(name, event) for event in taken]
            )
            return len(taken)

        return await self._database.write(change)

    async def receive(self, state: DutyState, limit: int) -> list[bytes]:
        def change(database: sqlite3.Connection) -> list[bytes]:
            sql = "SELECT 1 FROM duties WHERE name = ? AND holder = ? AND term = ?"
            if not database.execute(sql, (state.name, state.holder, state.term)).fetchone():
                raise TermOver(state.name)
            rows = database.execute(_OLDEST, (state.name, max(limit, 0))).fetchall()
            database.executemany("DELETE FROM duty_events WHERE id = ?", [(number,) for number, _ in rows])
            return [event for _, event in rows]

        return await self._database.write(change)


def stands(database: sqlite3.Connection, fence: Fence) -> None:
    """For a change that is to stand in this term only. Raises TermOver when it is over."""
    sql = "SELECT 1 FROM duties WHERE name = ? AND term = ? AND holder IS NOT NULL"
    if not database.execute(sql, (fence.duty, fence.term)).fetchone():
        raise TermOver(fence.duty)


def _execute(sql: str, *parameters: object) -> Callable[[sqlite3.Connection], int]:
    """A change of one statement; its result is the number of rows it touched."""

    def change(database: sqlite3.Connection) -> int:
        return database.execute(sql, parameters).rowcount

    return change
