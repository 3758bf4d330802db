"""Broadcasts under way, in SQLite: a row with the body, a row with the progress of the legs, and the list of legs once
for all that share it.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from hub.store import legs as leg_list
from hub.store.documents import record_from, text_of
from hub.store.legs import Audience, Audiences
from hub.store.records import Broadcast, LegClaim, PartyOn, UnfinishedBroadcast
from hub.store.sqlite.database import Database

# How many lists of legs come between two looks for those that nobody uses any more.
_AUDIENCES_PER_SWEEP = 64
_SWEEP = "DELETE FROM audiences WHERE NOT EXISTS (SELECT 1 FROM broadcasts WHERE audience = audiences.id) AND id <> ?"
# The length of a body is known without reading it.
_UNFINISHED = """SELECT broadcasts.id, doc, body, attempts, digest
    FROM (
        SELECT id, size, sum(size) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS sizes
        FROM (SELECT id, ifnull(length(body), 0) AS size FROM broadcasts WHERE id > ? ORDER BY id LIMIT ?)
    ) AS page
    JOIN broadcasts USING (id) JOIN broadcast_progress USING (id) JOIN audiences ON audiences.id = audience
    WHERE sizes <= ? OR sizes = size ORDER BY broadcasts.id"""


class SqliteBroadcasts:
    """The BroadcastStore port. The row number is the order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audiences = Audiences()

    def add(self, database: sqlite3.Connection, broadcast: Broadcast, body: bytes | None) -> int:
        """Its order. Part of somebody's change, in the writer's thread."""
        audience = _audience_id(database, self._audiences.of(broadcast.legs))
        added = database.execute(
            "INSERT INTO broadcasts (audience, doc, body) VALUES (?, ?, ?)",
            (audience, text_of(replace(broadcast, legs=())), body),
        )
        order = int(added.lastrowid or 0)
        progress = leg_list.fresh(len(broadcast.legs))
        database.execute("INSERT INTO broadcast_progress VALUES (?, ?)", (order, progress))
        return order

    async def claim(self, claims: Sequence[LegClaim]) -> frozenset[LegClaim]:
        if not claims:
            return frozenset()
        by_order: dict[int, list[LegClaim]] = {}
        for claim in claims:
            by_order.setdefault(claim.order, []).append(claim)

        def change(database: sqlite3.Connection) -> frozenset[LegClaim]:
            granted: list[LegClaim] = []
            for order, wanted in by_order.items():
                progress = _progress(database, order)
                if begun := leg_list.begin(progress, wanted):
                    _store(database, order, progress)
                    granted += begun
            return frozenset(granted)

        return await self._database.write(change)

    async def settle(self, legs: Collection[tuple[int, int]]) -> None:
        if not legs:
            return
        by_order: dict[int, list[int]] = {}
        for order, leg in legs:
            by_order.setdefault(order, []).append(leg)

        def change(database: sqlite3.Connection) -> None:
            for order, done in by_order.items():
                progress = _progress(database, order)
                if not leg_list.settle(progress, done):
                    continue
                if leg_list.is_done(progress):
                    database.execute("DELETE FROM broadcasts WHERE id = ?", (order,))
                else:
                    _store(database, order, progress)

        await self._database.write(change)

    async def unfinished(self, after: int, limit: int) -> list[UnfinishedBroadcast]:
        while rows := await self._database.read(_UNFINISHED, after, limit, leg_list.MOST_BODIES_BYTES):
            after = rows[-1][0]
            if found := await self._whole(rows):
                return found
        return []

    async def _whole(self, rows: list[Any]) -> list[UnfinishedBroadcast]:
        found = []
        for order, doc, body, progress, digest in rows:
            legs = await self._legs(digest)
            if legs is None:  # settled since the rows were read
                continue
            broadcast = replace(record_from(Broadcast, doc, f"number {order}"), legs=legs)
            found.append(UnfinishedBroadcast(order, broadcast, body, leg_list.attempts(progress)))
        return found

    async def _legs(self, digest: bytes) -> tuple[PartyOn, ...] | None:
        remembered = self._audiences.remembered(digest)
        if remembered is not None:
            return remembered
        rows = await self._database.read("SELECT legs FROM audiences WHERE digest = ?", digest)
        return self._audiences.read(digest, rows[0][0]) if rows else None


def _audience_id(database: sqlite3.Connection, audience: Audience) -> int:
    row = database.execute("SELECT id FROM audiences WHERE digest = ?", (audience.digest,)).fetchone()
    if row is not None:
        return int(row[0])
    insert = "INSERT INTO audiences (digest, legs) VALUES (?, ?)"
    added = int(database.execute(insert, (audience.digest, audience.text)).lastrowid or 0)
    if added % _AUDIENCES_PER_SWEEP == 0:
        database.execute(_SWEEP, (added,))
    return added


def _progress(database: sqlite3.Connection, order: int) -> bytearray:
    """Empty when nobody knows the broadcast, so that nothing of it can be claimed or settled."""
    row = database.execute("SELECT attempts FROM broadcast_progress WHERE id = ?", (order,)).fetchone()
    return bytearray(row[0]) if row else bytearray()


def _store(database: sqlite3.Connection, order: int, progress: bytearray) -> None:
    database.execute("UPDATE broadcast_progress SET attempts = ? WHERE id = ?", (bytes(progress), order))
