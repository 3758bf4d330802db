"""The queries behind pages of the catalog in SQLite. A page is found along one index alone; the objects' texts are
fetched for the entries shown.

Parameters of every query: 1 module, 2 the sequence to go on behind, 3 owners as a JSON array, 4 and 5 the dates,
6 limit, 7 offset.
"""

from hub.ocpi import codec
from hub.ocpi.party_id import party
from hub.store.documents import epoch_us, moment_of_us
from hub.store.ports import Wanted
from hub.store.records import CatalogEntry
from hub.store.walks import FEW_DATED, Along, Walk, is_dated

ENTRY = "sequence, module, country_code, party_id, object_id, kind, last_updated, seen_at, raw"
_INDEXES = {Along.MODULE: "catalog_by_module", Along.OWNERS: "catalog_by_owner", Along.DATES: "catalog_by_date"}
_OF_OWNERS = " AND owner IN (SELECT value FROM json_each(?3))"
_WITHIN_DATES = " AND last_updated >= ?4 AND last_updated < ?5"
_FIRST, _LAST = -(2**62), 2**62

Query = tuple[str, tuple[object, ...]]
Row = tuple[int, str, str, str, str, str, int, int, bytes]


def page(wanted: Wanted, walk: Walk) -> Query:
    """The rows of `ENTRY` of a page, by sequence."""
    found = _from(wanted, walk, "sequence") + " AND sequence > ?2 ORDER BY sequence LIMIT ?6 OFFSET ?7"
    sql = f"SELECT {ENTRY} FROM ({found}) CROSS JOIN catalog USING (sequence) CROSS JOIN catalog_texts USING (sequence)"  # noqa: S608 - texts of ours
    return f"{sql} ORDER BY sequence", (
        *_conditions(wanted),
        wanted.limit,
        0 if wanted.after is not None else wanted.offset,
    )


def count(wanted: Wanted, walk: Walk) -> Query:
    """How many entries there are, whatever the page."""
    # Counting needs no order, so that the dates are a range even where they leave many.
    along = Along.OWNERS if walk.along is Along.OWNERS else Along.DATES
    return _from(wanted, Walk(along, walk.filtered), "count(*)"), _conditions(wanted)


def few_dated(wanted: Wanted) -> Query:
    """How many entries of the whole module lie within the dates; FEW_DATED + 1 stands for any larger number."""
    found = _from(wanted, Walk(Along.DATES, filtered=False), "1")
    return f"SELECT count(*) FROM ({found} LIMIT {FEW_DATED + 1:d})", _conditions(wanted)  # noqa: S608 - texts of ours


def entry(row: Row) -> CatalogEntry:
    sequence, module, country_code, party_id, object_id, kind, last_updated, seen_at, raw = row
    return CatalogEntry(
        sequence=sequence,
        module=module,
        owner=party(country_code, party_id),
        object_id=object_id,
        kind=kind,
        last_updated=moment_of_us(last_updated),
        seen_at=moment_of_us(seen_at),
        raw=raw,
    )


def owners_text(wanted: Wanted) -> str:
    """The third parameter of every query."""
    return codec.dumps(sorted(wanted.owners)).decode()


def _from(wanted: Wanted, walk: Walk, what: str) -> str:
    """The index is named, because SQLite would guess without knowing how many owners or dates there are."""
    sql = f"SELECT {what} FROM catalog INDEXED BY {_INDEXES[walk.along]} WHERE module = ?1"  # noqa: S608 - texts of ours
    return sql + _OF_OWNERS * walk.filtered + _WITHIN_DATES * is_dated(wanted)


def _conditions(wanted: Wanted) -> tuple[object, ...]:
    return (
        wanted.module,
        -1 if wanted.after is None else wanted.after,
        owners_text(wanted),
        _FIRST if wanted.date_from is None else epoch_us(wanted.date_from),
        _LAST if wanted.date_to is None else epoch_us(wanted.date_to),
    )
