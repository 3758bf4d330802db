"""The tables of the SQLite store, as numbered steps; `user_version` says how far a file has come."""

import sqlite3
from collections.abc import Callable

from hub.errors import StoreUnavailable
from hub.store.migrations import Step, pending

_FIRST = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('generation', 1), ('ping', 0)",
    "CREATE TABLE platforms (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, doc TEXT NOT NULL)",
    # Whatever only one platform may have: (role, country, party) keys and token fingerprints.
    """CREATE TABLE claims (
        key TEXT PRIMARY KEY,
        platform_id TEXT NOT NULL REFERENCES platforms (id) ON DELETE CASCADE
    ) WITHOUT ROWID""",
    "CREATE INDEX claims_by_platform ON claims (platform_id)",
    """CREATE TABLE callbacks (
        id TEXT PRIMARY KEY,
        issuer_platform TEXT NOT NULL,
        receiver_platform TEXT NOT NULL,
        expires_at REAL NOT NULL,
        doc TEXT NOT NULL
    )""",
    "CREATE INDEX callbacks_by_issuer ON callbacks (issuer_platform)",
    "CREATE INDEX callbacks_by_receiver ON callbacks (receiver_platform)",
    "CREATE INDEX callbacks_by_expiry ON callbacks (expires_at)",
    "CREATE TABLE cdr_locations (id TEXT PRIMARY KEY, doc TEXT NOT NULL)",
    "CREATE TABLE own_keys (name TEXT PRIMARY KEY, sealed TEXT NOT NULL) WITHOUT ROWID",
)


def _statements(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def apply(database: sqlite3.Connection) -> None:
        for statement in statements:
            database.execute(statement)

    return apply


STEPS: tuple[Step[Callable[[sqlite3.Connection], None]], ...] = (
    Step(1, "platforms, callbacks, CDR locations and own keys", _statements(*_FIRST)),
)


def migrate(database: sqlite3.Connection) -> None:
    """Brings the file to the newest schema, one transaction per step.

    Raises StoreUnavailable for a file that is not a hub's or that a newer hub has written.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0 and database.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreUnavailable("the database file holds tables that are not the hub's")
    for step in pending(STEPS, version):
        database.execute("BEGIN IMMEDIATE")
        step.apply(database)
        database.execute(f"PRAGMA user_version = {step.number:d}")
        database.execute("COMMIT")
