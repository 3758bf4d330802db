"""The ports of the store: what broker and admin may ask of it, whichever implementation stands behind.

Every write has returned only when it is durable (SQLite: committed with synchronous=FULL; MongoDB: acknowledged by a
majority). A store that cannot be reached raises `StoreUnavailable`; a write that collides raises `StoreConflict`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.domain.agreements import Agreement
from hub.domain.catalog import ObjectKey, Verdict
from hub.domain.platform import Platform
from hub.ocpi.party_id import PartyId
from hub.store.records import (
    Broadcast,
    Callback,
    CatalogEntry,
    CdrLocation,
    DutyState,
    Fence,
    Known,
    LegClaim,
    NewRecord,
    OwnerCount,
    PluginRecord,
    PullState,
    Put,
    Shelved,
    UnfinishedBroadcast,
)


class PlatformStore(Protocol):
    """Platforms with their parties, endpoints and tokens: one document each, so a handshake changes all or nothing."""

    async def generation(self) -> int:
        """A number that differs after any change to any platform, made by any node. Where changes are counted, it is
        one higher after every write of this port that changed something.
        """

    async def load_all(self) -> list[Platform]:
        """Every platform, by creation time, then id. One whose stored text is as it was when it was last read or
        written through this port is the very same object. RecordsUnreadable when some cannot be read.
        """

    async def get(self, platform_id: str) -> Platform | None: ...

    async def insert(self, platform: Platform) -> None:
        """StoreConflict(key) when the id, a held (role, country, party) key or a token fingerprint is taken."""

    async def replace(self, platform: Platform) -> None:
        """Stores revision n over revision n-1. StoreConflict("revision") if the stored one is another or gone;
        StoreConflict(key) if a held key or a fingerprint belongs to another platform."""

    async def replace_both(self, giver: Platform, taker: Platform) -> None:
        """Stores both as `replace` does, or neither; held keys may go from `giver` to `taker`. Whatever happens, at
        every moment one of the two has such a key. StoreConflict as of `replace`, and then nothing has changed."""

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


class AgreementStore(Protocol):
    async def generation(self) -> int:
        """A number that differs after any change to any agreement, made by any node; counted as with platforms."""

    async def load_all(self) -> list[Agreement]:
        """Every agreement, by id; the very same objects as with platforms."""

    async def put(self, agreement: Agreement) -> bool:
        """Stores it under its id; whether the id is new."""

    async def remove(self, agreement_id: str) -> bool:
        """False when there was none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of the catalog a page shows: those of `owners` (keys of parties) in one module, by sequence.

    Dates are a half-open interval over `last_updated`. `after` is a sequence to go on behind, else `offset` counts.
    """

    module: str
    owners: frozenset[str]
    limit: int
    after: int | None = None
    offset: int = 0
    date_from: datetime | None = None
    date_to: datetime | None = None


class CatalogStore(Protocol):
    """The functionality catalog: text exactly as received, by module, owner, id and kind."""

    async def apply(
        self,
        key: ObjectKey,
        judge: Callable[[bytes | None], Verdict],
        *,
        seen_at: datetime,
        broadcast: Broadcast | None = None,
        body: bytes | None = None,
    ) -> tuple[Verdict, int | None]:
        """Judges the stored text (None: not held) and does what the verdict says, together with storing the broadcast
        if there is one with legs and the verdict fans out: one commit, then this returns.

        The second value is the order of the stored broadcast, which grows in the order in which changes of one object
        were applied; None when none was stored. Calls for one object are applied, and return, in the order of calling.
        `judge` may be called more than once. A verdict that neither stores nor removes still marks a held object as
        seen at `seen_at` when its code is 1000. The first sight of an object gives it the next sequence.
        """

    async def get(self, key: ObjectKey) -> bytes | None: ...

    async def find(self, module: str, object_id: str) -> list[CatalogEntry]:
        """Every owner's object (and every kind) with this id in any spelling; at most 100, by sequence."""

    async def owners(self, module: str) -> list[OwnerCount]:
        """Every owner the module has or is about to have, by owner key. From counters, not by counting."""

    async def page(self, wanted: Wanted) -> list[CatalogEntry]:
        """At most `limit` entries, by sequence."""

    async def count(self, wanted: Wanted) -> int:
        """How many there are within the dates, whatever limit, after and offset say."""

    async def hide(self, module: str, owner: PartyId) -> None:
        """The owner is not shown until `show`, unless it is known in the module already."""

    async def show(self, module: str, owner: PartyId) -> None: ...

    async def absent(self, module: str, owner: PartyId, before: datetime, limit: int) -> list[CatalogEntry]:
        """Entries last seen before a time, at most `limit`, by sequence."""

    async def remove_owner(self, owner: PartyId, modules: Collection[str]) -> int:
        """Forgets an owner's objects in these modules, and that it was known there; how many objects."""


class BroadcastStore(Protocol):
    """Broadcasts under way; `CatalogStore.apply` adds them. What is settled wholly is forgotten."""

    async def claim(self, claims: Sequence[LegClaim]) -> frozenset[LegClaim]:
        """Begins attempts, durably, before anything is sent: those claims whose leg is not settled and stood at the
        attempt before. The others are refused.
        """

    async def settle(self, legs: Collection[tuple[int, int]]) -> None:
        """These (order, leg) are done, whatever came of them. Unknown ones are no error."""

    async def unfinished(self, after: int, limit: int) -> list[UnfinishedBroadcast]:
        """At most `limit` broadcasts with unsettled legs and an order above `after`, by order; fewer where their bodies
        are large, none only when there are none."""


class KnownStore(Protocol):
    """What open routing has learnt. May lose the last moments in a crash (ruling 7)."""

    async def learn(self, known: Sequence[Known], at: datetime) -> None:
        """Adds all, or renews them; keys are compared as they are."""

    async def find(self, kind: str, key: str) -> list[PartyId]:
        """Whom the key leads to, in the order of learning; at most 20."""

    async def forget(self, party: PartyId) -> int:
        """Drops everything that leads to a party; how much."""

    async def prune(self, before: datetime) -> int:
        """Drops what was last learnt before this time; how many."""


class PullStore(Protocol):
    async def load_all(self) -> list[PullState]:
        """Every state, by platform, owner and module."""

    async def save(self, state: PullState) -> None:
        """Stands in place of the one with its platform, owner and module."""

    async def remove_of(self, platform_id: str) -> int:
        """How many."""


class ShelfStore(Protocol):
    """Values that plugins keep, each plugin on a shelf of its own. Keys are any text and are compared as they are; the
    name of a plugin holds no NUL.
    """

    async def load(self, plugin: str, key: str) -> Shelved | None: ...

    async def list(self, plugin: str, prefix: str, after: str, limit: int) -> list[Shelved]:
        """At most `limit` whose key begins with `prefix` and stands above `after`, by key, in the order of Unicode's
        numbers.
        """

    async def save(self, plugin: str, puts: Sequence[Put], fence: Fence | None = None) -> None:
        """All or nothing, in this order. StoreConflict(key) when a revision does not fit; TermOver when the fence is
        not the term its duty is in.

        A key that was removed begins at revision 1 again. On MongoDB several puts, and any with a fence, need a replica
        set; of such saves that keep crossing each other one may get StoreConflict("revision").
        """

    async def remove_all(self, plugin: str) -> int:
        """Clears the shelf; how many values."""


class PluginRecordStore(Protocol):
    """What plugins write down: by plugin and kind, in the order of appending, found by their keys."""

    async def append_many(self, plugin: str, kind: str, records: Sequence[NewRecord]) -> None:
        """Adds them in this order. A call of many thousands is written in parts, of which the first may stand alone
        when the store fails.
        """

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
        """At most `limit`, newest first: with ids below `before` and every key of `where`, within the half-open
        interval of times. Looked up by the first key of `where`, so the rarest belongs there.
        """

    async def count(self, plugin: str, kind: str) -> tuple[int, int]:
        """How many records, and how many bytes their bodies have in all."""

    async def prune(
        self, plugin: str, kind: str, *, before: datetime | None = None, most_bytes: int | None = None
    ) -> int:
        """Drops what is older than a time, then the first appended until the bodies have `most_bytes` at most; how
        many. In bites, so that others can write in between.
        """

    async def remove_all(self, plugin: str) -> int:
        """Drops the plugin's records of every kind; how many."""


class DutyStore(Protocol):
    """Who does a job that only one node may do.

    No clock of one node is ever compared with another's: a lease is over when somebody has watched it unrenewed for
    long enough by their own monotonic clock.
    """

    async def look(self, name: str) -> DutyState | None: ...

    async def take(self, name: str, holder: str, seen: DutyState | None) -> DutyState | None:
        """The next term, if `seen` is still what is stored (None: nothing is); None when somebody was faster."""

    async def renew(self, state: DutyState) -> DutyState | None:
        """One beat more, if holder and term still stand; None when they do not."""

    async def release(self, state: DutyState) -> None:
        """Nobody holds it any more, if holder and term still stood. The term is over with that, its number stays."""

    async def send(self, name: str, events: Sequence[bytes], most: int) -> int:
        """Puts the first of these events behind those that wait for whoever holds the duty, until `most` wait; how many
        were taken. Nodes that send in the same moment may go over it by what each of them sends.
        """

    async def receive(self, state: DutyState, limit: int) -> list[bytes]:
        """Takes the oldest events out, at most `limit`; TermOver when holder and term do not stand any more. On MongoDB
        it needs a replica set.
        """


class Store(Protocol):
    """All ports of one store. `open` connects, migrates and is idempotent; `close` flushes and is safe twice."""

    platforms: PlatformStore
    callbacks: CallbackStore
    cdr_locations: CdrLocationStore
    keys: KeyStore
    agreements: AgreementStore
    catalog: CatalogStore
    broadcasts: BroadcastStore
    known: KnownStore
    pulls: PullStore
    shelf: ShelfStore
    plugin_records: PluginRecordStore
    duties: DutyStore

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Returns when the store answers and can write; raises StoreUnavailable otherwise."""
