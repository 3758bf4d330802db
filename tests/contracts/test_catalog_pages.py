"""What every store promises about pages of the catalog: which entries, in which order, at what cost."""

import statistics
import time
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.catalog import ObjectKey
from hub.ocpi.party_id import PartyId
from hub.store.ports import Store, Wanted
from tests.contracts.catalog_samples import (
    NGC,
    SUN,
    TNM,
    all_of,
    gone,
    ids,
    kept,
    later,
    left_alone,
    of,
    put,
    put_all,
    wanted,
)
from tests.contracts.samples import NOW, new_id

FIFTY = [PartyId("NL", f"{number:03d}") for number in range(50)]


async def test_pages_follow_first_sight_across_owners(store: Store) -> None:
    keys = [of(f"LOC{number}", (NGC, SUN, TNM)[number % 3]) for number in range(12)]
    await put_all(store, keys)
    await put(store, of("T1", NGC, "tariffs"))
    await put(store, keys[0], b"changed", later(1000))
    assert ids(await store.catalog.page(wanted(NGC, SUN, TNM))) == [f"LOC{number}" for number in range(12)]
    assert ids(await store.catalog.page(wanted(SUN))) == ["LOC1", "LOC4", "LOC7", "LOC10"]
    assert ids(await store.catalog.page(wanted(SUN, TNM, limit=3))) == ["LOC1", "LOC2", "LOC4"]
    assert await store.catalog.page(wanted()) == []
    assert await store.catalog.page(wanted(NGC, limit=0)) == []
    assert await store.catalog.page(wanted(PartyId("FR", "XXX"))) == []


async def test_offset_counts_and_after_goes_on_behind(store: Store) -> None:
    await put_all(store, [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(10)])
    assert ids(await store.catalog.page(wanted(NGC, SUN, limit=3, offset=6))) == ["LOC6", "LOC7", "LOC8"]
    assert ids(await store.catalog.page(wanted(NGC, SUN, limit=3, offset=9))) == ["LOC9"]
    assert await store.catalog.page(wanted(NGC, SUN, offset=10)) == []
    assert ids(await store.catalog.page(wanted(SUN, limit=2, offset=3))) == ["LOC7", "LOC9"]
    (fourth,) = await store.catalog.page(wanted(NGC, SUN, limit=1, offset=4))
    # A position says all: the offset beside it is not counted.
    behind = wanted(NGC, SUN, limit=2, after=fourth.sequence, offset=5)
    assert ids(await store.catalog.page(behind)) == ["LOC5", "LOC6"]
    # It also holds when its object is gone.
    await store.catalog.apply(of("LOC4", NGC), gone, seen_at=NOW)
    assert ids(await store.catalog.page(behind)) == ["LOC5", "LOC6"]
    assert await store.catalog.page(wanted(NGC, SUN, after=2**40)) == []


async def test_dates_are_half_open_and_exact_to_the_microsecond(store: Store) -> None:
    tick = 0.000001
    for name, seconds in (("A", -tick), ("B", 0), ("C", 10), ("D", 10 + tick), ("E", 20)):
        await put(store, of(name), at=later(seconds))
    between = replace(wanted(NGC), date_from=NOW, date_to=later(10 + tick))
    assert ids(await store.catalog.page(between)) == ["B", "C"]
    assert await store.catalog.count(between) == 2
    since = replace(wanted(NGC), date_from=later(10 + tick))
    assert ids(await store.catalog.page(since)) == ["D", "E"]
    until = replace(wanted(NGC), date_to=NOW)
    assert ids(await store.catalog.page(until)) == ["A"]
    assert [await store.catalog.count(one) for one in (since, until, replace(since, date_to=NOW))] == [2, 1, 0]
    assert [entry.last_updated for entry in await store.catalog.page(between)] == [NOW, later(10)]


async def test_a_count_heeds_owners_and_dates_alone(store: Store) -> None:
    await put_all(store, [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(9)], apart_s=1)
    small = wanted(NGC, SUN, limit=1, offset=7, after=2**40)
    assert await store.catalog.count(small) == 9
    assert await store.catalog.count(replace(small, owners=frozenset({NGC.key}))) == 5
    assert await store.catalog.count(replace(small, date_from=later(5))) == 4
    assert await store.catalog.count(replace(small, owners=frozenset({SUN.key}), date_from=later(5))) == 2


async def test_owners_who_are_not_wanted_never_show(store: Store) -> None:
    """Whatever way is chosen: few of many, most of them, all but one."""
    await put_all(store, [of(f"LOC{number}", FIFTY[number % 50]) for number in range(500)], apart_s=1)
    for count in (1, 2, 4, 25, 49):
        visible = FIFTY[:count]
        expected = [f"LOC{number}" for number in range(500) if number % 50 < count]
        assert ids(await all_of(store, wanted(*visible, limit=37))) == expected
        deep = wanted(*visible, limit=5, offset=len(expected) - 3)
        assert ids(await store.catalog.page(deep)) == expected[-3:]
        dated = replace(wanted(*visible, limit=500), date_from=later(250))
        assert ids(await store.catalog.page(dated)) == [one for one in expected if int(one[3:]) >= 250]
        assert await store.catalog.count(dated) == len(await store.catalog.page(dated))


# --- a model


@dataclass
class Model:
    """The catalog as it should be: objects in the order of first sight."""

    held: dict[str, tuple[ObjectKey, bytes, datetime]] = field(default_factory=dict)

    def page(self, wanted: Wanted) -> list[bytes]:
        found = [
            raw
            for key, raw, updated in self.held.values()
            if key.owner.key in wanted.owners
            and (wanted.date_from is None or updated >= wanted.date_from)
            and (wanted.date_to is None or updated < wanted.date_to)
        ]
        return found[wanted.offset : wanted.offset + wanted.limit]


_OWNERS = [NGC, SUN, PartyId("nl", "ngc")]
_steps = st.lists(
    st.tuples(
        st.sampled_from(["keep", "keep", "keep", "remove", "see", "remove owner"]),
        st.sampled_from(_OWNERS),
        st.sampled_from(["A", "a", "B", "Ü", "ü/1"]),
        st.integers(-3, 3),
    ),
    max_size=25,
)
_moments = st.none() | st.integers(-3, 3).map(later)
_pages = st.builds(
    Wanted,
    module=st.just(""),
    owners=st.sets(st.sampled_from([NGC.key, SUN.key, TNM.key])).map(frozenset),
    limit=st.integers(1, 4),
    offset=st.integers(0, 4),
    date_from=_moments,
    date_to=_moments,
)


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=_steps, pages=st.lists(_pages, min_size=1, max_size=4))
async def test_any_history_shows_what_a_plain_list_would(
    store: Store, steps: list[tuple[str, PartyId, str, int]], pages: list[Wanted]
) -> None:
    module, model = new_id(), Model()
    for number, (what, owner, object_id, seconds) in enumerate(steps):
        key = of(object_id, owner, module)
        if what == "keep":
            raw = b"%d" % number
            model.held[key.text] = key, raw, later(seconds)
            await put(store, key, raw, later(seconds))
        elif what == "remove":
            model.held.pop(key.text, None)
            await store.catalog.apply(key, gone, seen_at=NOW)
        elif what == "see":
            await store.catalog.apply(key, left_alone, seen_at=NOW)
        else:
            mine = [text for text, (held, _, _) in model.held.items() if held.owner == owner]
            assert await store.catalog.remove_owner(owner, [module]) == len(mine)
            for text in mine:
                del model.held[text]

    for page in (replace(one, module=module) for one in pages):
        assert [entry.raw for entry in await store.catalog.page(page)] == model.page(page)
        every = replace(page, limit=1_000, offset=0)
        assert await store.catalog.count(page) == len(model.page(every))
        assert [entry.raw for entry in await all_of(store, replace(page, offset=0))] == model.page(every)
    counts = {one.owner: one.count for one in await store.catalog.owners(module)}
    for owner in (NGC, SUN):
        assert counts.get(owner, 0) == sum(key.owner == owner for key, _, _ in model.held.values())


# --- what it costs


@pytest.fixture
async def filled(store: Store) -> Store:
    """2,000 objects of 50 owners, one after the other, each a second later than the one before."""
    await put_all(store, [of(f"LOC{number}", FIFTY[number % 50]) for number in range(2_000)], apart_s=1)
    return store


async def medians_s(store: Store, *pages: Wanted, times: int = 20) -> list[float]:
    """How long each of the pages takes. They take turns, so that what else the machine does slows all of them alike."""
    took: list[list[float]] = [[] for _ in pages]
    for _ in range(times):
        for page, seconds in zip(pages, took, strict=True):
            started = time.perf_counter()
            assert await store.catalog.page(page)
            seconds.append(time.perf_counter() - started)
    return [statistics.median(seconds) for seconds in took]


async def test_the_last_page_costs_what_the_first_costs_and_a_deep_offset_little(filled: Store) -> None:
    page = wanted(*FIFTY)
    entries = await all_of(filled, page)
    assert ids(entries) == [f"LOC{number}" for number in range(2_000)]
    last = replace(page, after=entries[-51].sequence)
    assert ids(await filled.catalog.page(last)) == [f"LOC{number}" for number in range(1_950, 2_000)]
    deep = replace(page, offset=1_950)
    assert await filled.catalog.page(deep) == await filled.catalog.page(last)

    first_s, last_s = await medians_s(filled, page, last)
    assert last_s <= max(2 * first_s, 0.005)
    first_s, deep_s = await medians_s(filled, page, deep, times=5)
    assert deep_s <= max(10 * first_s, 0.1)


async def test_offsets_beyond_counted_stretches_find_their_place(store: Store) -> None:
    """Objects that went and others that came shift what lies behind them."""
    await put_all(store, [of(f"LOC{number}", FIFTY[number % 50]) for number in range(1_300)], apart_s=1)
    for number in range(0, 100, 2):
        await store.catalog.apply(of(f"LOC{number}", FIFTY[number % 50]), gone, seen_at=NOW)
    await store.catalog.apply(of("NEW", FIFTY[0]), kept(b"new"), seen_at=NOW)
    page = wanted(*FIFTY)
    assert await store.catalog.count(page) == 1_251
    assert ids(await store.catalog.page(replace(page, limit=2, offset=1_100))) == ["LOC1150", "LOC1151"]
    assert ids(await store.catalog.page(replace(page, limit=5, offset=1_248))) == ["LOC1298", "LOC1299", "NEW"]
    assert await store.catalog.page(replace(page, offset=1_251)) == []
    # Without the first owner, who has 24 of its 26 left, and the new one.
    most = wanted(*FIFTY[1:])
    assert ids(await store.catalog.page(replace(most, limit=1, offset=1_225))) == ["LOC1299"]
    assert await store.catalog.page(replace(most, offset=1_226)) == []
    dated = replace(page, date_from=later(100), limit=1, offset=1_199)
    assert ids(await store.catalog.page(dated)) == ["LOC1299"]
