"""Which way a page of the catalog goes, decided without a store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi.party_id import PartyId
from hub.store.ports import Wanted
from hub.store.records import OwnerCount
from hub.store.walks import FEW_DATED, Along, Walk, walk

FIFTY = [OwnerCount(PartyId("NL", f"{number:03d}"), 100, shown=True) for number in range(50)]


def wanted(count: int) -> Wanted:
    return Wanted("locations", frozenset(one.owner.key for one in FIFTY[:count]), 50)


@pytest.mark.parametrize(
    ("visible", "dated", "way"),
    [
        (50, None, Walk(Along.MODULE, filtered=False)),
        (49, None, Walk(Along.MODULE, filtered=True)),
        (5, None, Walk(Along.MODULE, filtered=True)),
        (4, None, Walk(Along.OWNERS, filtered=True)),
        (0, None, Walk(Along.OWNERS, filtered=True)),
        (50, 0, Walk(Along.DATES, filtered=False)),
        (4, FEW_DATED, Walk(Along.DATES, filtered=True)),
        (4, FEW_DATED + 1, Walk(Along.OWNERS, filtered=True)),
        (50, FEW_DATED + 1, Walk(Along.MODULE, filtered=False)),
    ],
)
def test_the_way_follows_from_what_lies_on_it(visible: int, dated: int | None, way: Walk) -> None:
    assert walk(wanted(visible), FIFTY, dated) == way


def test_owners_without_objects_are_in_nobodys_way() -> None:
    empty = OwnerCount(PartyId("FR", "NEW"), 0, shown=False)
    assert walk(wanted(50), [*FIFTY, empty]) == Walk(Along.MODULE, filtered=False)
    assert walk(wanted(50), []) == Walk(Along.MODULE, filtered=False)


@given(
    counts=st.lists(st.integers(0, 1_000), max_size=8),
    visible=st.sets(st.integers(0, 9)),
    dated=st.none() | st.integers(0, FEW_DATED + 1),
)
def test_nobody_who_is_not_wanted_is_ever_let_through(counts: list[int], visible: set[int], dated: int | None) -> None:
    owners = [OwnerCount(PartyId("NL", f"{number}"), count, shown=True) for number, count in enumerate(counts)]
    asked = Wanted("locations", frozenset(f"nl*{number}" for number in visible), 50)
    way = walk(asked, owners, dated)
    hidden = any(one.count for one in owners if one.owner.key not in asked.owners)
    assert way.filtered or not hidden
