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
_SECOND = (
    "INSERT INTO meta VALUES ('agreements', 1)",
    "CREATE TABLE agreements (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
    # AUTOINCREMENT: the number of an object that is gone is never given to another, or a page link would skip one.
    """CREATE TABLE catalog (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        module TEXT NOT NULL,
        owner TEXT NOT NULL,
        country_code TEXT NOT NULL,
        party_id TEXT NOT NULL,
        object_id TEXT NOT NULL,
        folded_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        last_updated INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    )""",
    # Each of them answers its question alone, so that only the rows of the page shown are fetched.
    "CREATE INDEX catalog_by_module ON catalog (module, sequence, owner)",
    "CREATE INDEX catalog_by_owner ON catalog (module, owner, sequence)",
    "CREATE INDEX catalog_by_date ON catalog (module, last_updated, owner, sequence)",
    "CREATE INDEX catalog_by_id ON catalog (module, folded_id)",
    # Apart from the rest: an object that is only seen again costs a small row, whatever its size.
    """CREATE TABLE catalog_texts (
        sequence INTEGER PRIMARY KEY REFERENCES catalog (sequence) ON DELETE CASCADE,
        raw BLOB NOT NULL
    )""",
    """CREATE TABLE catalog_owners (
        module TEXT NOT NULL,
        owner TEXT NOT NULL,
        country_code TEXT NOT NULL,
        party_id TEXT NOT NULL,
        objects INTEGER NOT NULL,
        shown INTEGER NOT NULL,
        PRIMARY KEY (module, owner)
    ) WITHOUT ROWID""",
    # Lists of legs, each kept once: thousands of broadcasts under way mostly have the same one.
    "CREATE TABLE audiences (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, legs TEXT NOT NULL)",
    """CREATE TABLE broadcasts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        audience INTEGER NOT NULL REFERENCES audiences (id),
        doc TEXT NOT NULL,
        body BLOB
    )""",
    "CREATE INDEX broadcasts_by_audience ON broadcasts (audience)",
    # Apart from the body, because it changes with every claim: one byte per leg.
    """CREATE TABLE broadcast_progress (
        id INTEGER PRIMARY KEY REFERENCES broadcasts (id) ON DELETE CASCADE,
        attempts BLOB NOT NULL
    )""",
    """CREATE TABLE known (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        party TEXT NOT NULL,
        country_code TEXT NOT NULL,
        party_id TEXT NOT NULL,
        seen_at INTEGER NOT NULL,
        UNIQUE (kind, key, party)
    )""",
    "CREATE INDEX known_by_age ON known (seen_at)",
    "CREATE INDEX known_by_party ON known (party)",
    """CREATE TABLE pulls (
        platform_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        module TEXT NOT NULL,
        doc TEXT NOT NULL,
        PRIMARY KEY (platform_id, owner, module)
    ) WITHOUT ROWID""",
)
_THIRD = (
    # Keys are UTF-8, so that all keys with a prefix are a range.
    """CREATE TABLE shelf (
        plugin TEXT NOT NULL,
        key BLOB NOT NULL,
        revision INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (plugin, key)
    )""",
    # AUTOINCREMENT: records that come later have a higher number, also than those pruned.
    """CREATE TABLE plugin_records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        plugin TEXT NOT NULL,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        keys TEXT NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX plugin_records_by_kind ON plugin_records (plugin, kind, id, at)",
    "CREATE INDEX plugin_records_by_age ON plugin_records (plugin, kind, at)",
    # The hash stands for plugin, kind, name and value: four texts in each of several keys per record cost more than the
    # record itself.
    """CREATE TABLE plugin_record_keys (
        hash INTEGER NOT NULL,
        id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (hash, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE plugin_record_counts (
        plugin TEXT NOT NULL,
        kind TEXT NOT NULL,
        records INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (plugin, kind)
    ) WITHOUT ROWID""",
    """CREATE TABLE duties (
        name TEXT PRIMARY KEY,
        holder TEXT,
        term INTEGER NOT NULL,
        beat INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE TABLE duty_events (id INTEGER PRIMARY KEY, duty TEXT NOT NULL, event BLOB NOT NULL)",
    "CREATE INDEX duty_events_by_duty ON duty_events (duty, id)",
)


def _statements(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def apply(database: sqlite3.Connection) -> None:
        for statement in statements:
            database.execute(statement)

    return apply


STEPS: tuple[Step[Callable[[sqlite3.Connection], None]], ...] = (
    Step(1, "platforms, callbacks, CDR locations and own keys", _statements(*_FIRST)),
    Step(2, "agreements, catalog, broadcasts, open routing and pulls", _statements(*_SECOND)),
    Step(3, "what plugins keep and write down, and duties", _statements(*_THIRD)),
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
