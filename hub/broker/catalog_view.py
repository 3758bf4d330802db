"""What the hub holds, for an operator to look at: owners, objects and how old they are (ruling 12: nothing is hidden
here).
"""

from dataclasses import dataclass
from datetime import datetime

from hub.broker.refusal import Refusal, RefusalKind
from hub.ocpi.names import BROADCAST_MODULES
from hub.ocpi.party_id import PartyId
from hub.store.ports import CatalogStore, Wanted
from hub.store.records import CatalogEntry, OwnerCount

# Objects read at a time: their texts may be large, and only their sizes are kept.
_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """Whose objects to show; None means any. With an id every owner's object with it, in any spelling."""

    module: str
    country_code: str | None = None
    party_id: str | None = None
    object_id: str | None = None

    def fits(self, owner: PartyId) -> bool:
        country, party = self.country_code, self.party_id
        return (country is None or country.casefold() == owner.country_code.casefold()) and (
            party is None or party.casefold() == owner.party_id.casefold()
        )


@dataclass(frozen=True, slots=True)
class Held:
    """One object; `size` in bytes, `raw` its text exactly as received, where it was asked for by its id."""

    sequence: int
    owner: PartyId
    object_id: str
    kind: str
    last_updated: datetime
    seen_at: datetime
    size: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of objects, by first sight, and their owners with counts. `more`: there are further ones behind."""

    objects: list[Held]
    owners: list[OwnerCount]
    total: int
    more: bool


class CatalogView:
    """Looks into the catalog."""

    def __init__(self, catalog: CatalogStore) -> None:
        self._catalog = catalog

    async def shelf(self, wanted: Filter, limit: int, after: int | None) -> Shelf | Refusal:
        """At most `limit` objects behind a sequence. Raises StoreUnavailable."""
        if wanted.module not in BROADCAST_MODULES:
            known = ", ".join(sorted(BROADCAST_MODULES))
            return Refusal(RefusalKind.UNKNOWN, f"The hub holds no {wanted.module[:64]}, only {known}")
        owners = [row for row in await self._catalog.owners(wanted.module) if wanted.fits(row.owner)]
        if wanted.object_id is not None:
            found = await self._catalog.find(wanted.module, wanted.object_id)
            fitting = [_held(entry, whole=True) for entry in found if wanted.fits(entry.owner)]
            shown = [one for one in fitting if after is None or one.sequence > after]
            return Shelf(shown[:limit], owners, len(fitting), more=len(shown) > limit)
        shown = await self._objects(wanted.module, owners, limit + 1, after)
        return Shelf(shown[:limit], owners, sum(row.count for row in owners), more=len(shown) > limit)

    async def _objects(self, module: str, owners: list[OwnerCount], limit: int, after: int | None) -> list[Held]:
        keys = frozenset(row.owner.key for row in owners)
        shown: list[Held] = []
        while keys and len(shown) < limit:
            wanted = Wanted(module, keys, min(_AT_A_TIME, limit - len(shown)), after=-1 if after is None else after)
            page = await self._catalog.page(wanted)
            shown += [_held(entry, whole=False) for entry in page]
            if len(page) < wanted.limit:
                break
            after = page[-1].sequence
        return shown


def _held(entry: CatalogEntry, *, whole: bool) -> Held:
    return Held(
        sequence=entry.sequence,
        owner=entry.owner,
        object_id=entry.object_id,
        kind=entry.kind,
        last_updated=entry.last_updated,
        seen_at=entry.seen_at,
        size=len(entry.raw),
        raw=entry.raw if whole else None,
    )
