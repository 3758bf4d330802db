"""The ports of the store: what broker and admin may ask of it, whichever implementation stands behind.

Every write has returned only when it is durable (SQLite: committed with synchronous=FULL; MongoDB: acknowledged by a
majority). A store that cannot be reached raises `StoreUnavailable`; a write that collides raises `StoreConflict`.
"""

from datetime import datetime
from typing import Protocol

from hub.domain.platform import Platform
from hub.store.records import Callback, CdrLocation


class PlatformStore(Protocol):
    """Platforms with their parties, endpoints and tokens: one document each, so a handshake changes all or nothing."""

    async def generation(self) -> int:
        """A number that differs after any change to any platform, made by any node."""

    async def load_all(self) -> list[Platform]:
        """Every platform, by creation time, then id."""

    async def get(self, platform_id: str) -> Platform | None: ...

    async def insert(self, platform: Platform) -> None:
        """StoreConflict(key) when the id, a held (role, country, party) key or a token fingerprint is taken."""

    async def replace(self, platform: Platform) -> None:
        """Stores revision n over revision n-1. StoreConflict("revision") if the stored one is another or gone;
        StoreConflict(key) if a held key or a fingerprint belongs to another platform."""

    async def remove(self, platform_id: str) -> bool:
        """Forgets the platform and frees its triples; False when there was none."""


class CallbackStore(Protocol):
    async def save(self, callback: Callback) -> None: ...

    async def get(self, callback_id: str) -> Callback | None:
        """Also returns expired ones that were not pruned yet; the caller judges `expires_at`."""

    async def extend(self, callback_id: str, expires_at: datetime) -> None:
        """Moves the expiry to this time, earlier or later."""

    async def remove_of(self, platform_id: str) -> int:
        """Drops every callback issued by or answered by this platform; how many."""

    async def prune(self, before: datetime) -> int:
        """Drops what expired before this time; how many."""


class CdrLocationStore(Protocol):
    async def save(self, location: CdrLocation) -> None: ...

    async def get(self, location_id: str) -> CdrLocation | None: ...


class KeyStore(Protocol):
    """Named secrets of the hub itself, sealed by the vault before they come here."""

    async def put_if_absent(self, name: str, sealed: str) -> str:
        """Stores the value unless the name is taken; the value that stands afterwards."""

    async def swap(self, name: str, old: str, new: str) -> bool:
        """Replaces `old` by `new`; False when something else stood there."""

    async def get(self, name: str) -> str | None: ...

    async def names(self) -> list[str]:
        """The names taken, sorted."""


class Store(Protocol):
    """All ports of one store. `open` connects, migrates and is idempotent; `close` flushes and is safe twice."""

    platforms: PlatformStore
    callbacks: CallbackStore
    cdr_locations: CdrLocationStore
    keys: KeyStore

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Returns when the store answers and can write; raises StoreUnavailable otherwise."""
