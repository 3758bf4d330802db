"""Picks the store that a DATABASE_URL means. Opening and closing it is the caller's part."""

from pathlib import Path

from hub.errors import SettingsError
from hub.store.ports import Store

DEFAULT_FILE = "hub.sqlite3"
_FORMS = "sqlite:///relative/path, sqlite:////absolute/path or mongodb://host/database"


def create(database_url: str | None, driver: str, data_dir: Path) -> Store:
    """The store, not yet open. Without a URL it is SQLite in `data_dir`; `driver` (motor, pymongo) is for MongoDB only.

    Raises SettingsError for what cannot be used; its text never repeats the URL, which may hold a password.
    """
    if not database_url:
        return _sqlite(data_dir / DEFAULT_FILE)
    if database_url.startswith("sqlite:///"):
        name = database_url.removeprefix("sqlite:///")
        if name in {"", ":memory:"} or name.endswith("/"):
            raise SettingsError(f"DATABASE_URL must name a database file: {_FORMS}")
        return _sqlite(Path(name))
    if database_url.startswith(("mongodb://", "mongodb+srv://")):
        from hub.store.mongo.store import MongoStore

        return MongoStore(database_url, driver)
    raise SettingsError(f"DATABASE_URL must be {_FORMS}")


def _sqlite(path: Path) -> Store:
    from hub.store.sqlite.store import SqliteStore

    return SqliteStore(path)
