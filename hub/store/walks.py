"""Which index a page of the catalog is read along. Pure, and the same for both stores; how an index is named to the
database is each store's own business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from hub.store.ports import Wanted
from hub.store.records import OwnerCount

# Up to so many entries within the dates are gathered and sorted; of more, the next page is near on any other way.
FEW_DATED = 2_000
# Owners that hold less than this part of a module are asked one by one instead of walking past everybody else's.
_SMALL_PART = 10


class Along(Enum):
    """The index to walk: each of them knows the sequence, MODULE and OWNERS are sorted by it."""

    MODULE = "module"
    OWNERS = "owners"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Walk:
    """`filtered`: entries of owners who are not wanted lie on the way and must be left out."""

    along: Along
    filtered: bool


def is_dated(wanted: Wanted) -> bool:
    """Whether the page is limited by dates."""
    return wanted.date_from is not None or wanted.date_to is not None


def walk(wanted: Wanted, owners: Iterable[OwnerCount], dated: int | None = None) -> Walk:
    """How to read a page. `owners` are those of the module; `dated`: how many entries lie within the dates, if there
    are dates, where FEW_DATED + 1 stands for any larger number.
    """
    visible = total = 0
    for one in owners:
        total += one.count
        if one.owner.key in wanted.owners:
            visible += one.count
    filtered = visible < total
    if dated is not None and dated <= FEW_DATED:
        return Walk(Along.DATES, filtered)
    if visible * _SMALL_PART < total:
        return Walk(Along.OWNERS, filtered=True)
    return Walk(Along.MODULE, filtered)
