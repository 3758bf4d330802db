"""What every store promises about the catalog: applying verdicts, owners, looking up, forgetting."""

import asyncio

import pytest

from hub.domain.catalog import ObjectKey, Verdict
from hub.errors import StoreUnavailable
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import Store
from hub.store.records import OwnerCount
from tests.contracts.catalog_samples import (
    LEGS,
    MODULE,
    NGC,
    SUN,
    all_of,
    appended,
    broadcast,
    fan_out,
    gone,
    ids,
    kept,
    later,
    left_alone,
    of,
    put,
    put_all,
    refused,
    wanted,
)
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW

# Not UTF-8, digits no float holds, and a NUL: the catalog keeps bytes.
ODD = b'\x00\xff{"power":0.1000000000000000000001, "a":null }\r\n'


# --- one object


async def test_an_empty_catalog_has_nothing(store: Store) -> None:
    assert await store.catalog.get(of()) is None
    assert await store.catalog.find(MODULE, "LOC1") == []
    assert await store.catalog.owners(MODULE) == []
    assert await store.catalog.page(wanted(NGC)) == []
    assert await store.catalog.count(wanted(NGC)) == 0
    assert await store.catalog.absent(MODULE, NGC, later(1), 10) == []
    assert await store.catalog.remove_owner(NGC, [MODULE]) == 0


async def test_what_the_verdict_says_is_stored_byte_for_byte(store: Store) -> None:
    seen: list[bytes | None] = []

    def judge(held: bytes | None) -> Verdict:
        seen.append(held)
        return Verdict(201, StatusCode.OK, "welcome", raw=ODD, last_updated=later(-3), fan_out=True)

    verdict, order = await store.catalog.apply(of(), judge, seen_at=NOW)

    assert verdict == Verdict(201, StatusCode.OK, "welcome", raw=ODD, last_updated=later(-3), fan_out=True)
    assert order is None
    assert set(seen) == {None}
    assert await store.catalog.get(of()) == ODD
    (entry,) = await store.catalog.find(MODULE, "LOC1")
    assert (entry.module, entry.owner, entry.object_id, entry.kind, entry.raw) == (MODULE, NGC, "LOC1", "", ODD)
    assert (entry.last_updated, entry.seen_at) == (later(-3), NOW)
    seen.clear()
    await store.catalog.apply(of(), judge, seen_at=NOW)
    assert set(seen) == {ODD}


async def test_an_object_is_the_same_in_any_spelling_and_keeps_its_place(store: Store) -> None:
    await put(store, of("LOC1"))
    await put(store, of("LOC2"))
    (before,) = await store.catalog.find(MODULE, "LOC1")

    await store.catalog.apply(of("loc1", PartyId("nl", "ngc")), kept(b"new", later(9)), seen_at=later(10))

    (after,) = await store.catalog.find(MODULE, "lOC1")
    assert (after.sequence, after.raw) == (before.sequence, b"new")
    assert (after.last_updated, after.seen_at) == (later(9), later(10))
    assert await store.catalog.get(of("Loc1")) == b"new"
    assert ids(await store.catalog.page(wanted(NGC))) == ["LOC1", "LOC2"]
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 2, shown=True)]
    assert str((await store.catalog.owners(MODULE))[0].owner) == "NL/NGC"


async def test_kinds_modules_and_owners_are_apart(store: Store) -> None:
    keys = [
        of("X", kind="RFID", module="tokens"),
        of("X", kind="APP_USER", module="tokens"),
        of("X", SUN, kind="RFID", module="tokens"),
        of("X", module="tariffs"),
        of("X/RFID", module="tokens"),
    ]
    for key in keys:
        await put(store, key, key.text.encode())
    for key in keys:
        assert await store.catalog.get(key) == key.text.encode()
    found = await store.catalog.find("tokens", "x")
    assert [(entry.owner, entry.kind) for entry in found] == [(NGC, "RFID"), (NGC, "APP_USER"), (SUN, "RFID")]
    assert [entry.sequence for entry in found] == sorted(entry.sequence for entry in found)


async def test_looking_up_an_id_gives_a_hundred_at_most(store: Store) -> None:
    await put_all(store, [of("SAME", PartyId("NL", f"{number:03d}")) for number in range(103)])
    found = await store.catalog.find(MODULE, "same")
    assert [entry.owner.party_id for entry in found] == [f"{number:03d}" for number in range(100)]


async def test_a_removed_object_is_gone_and_comes_back_at_the_end(store: Store) -> None:
    await put(store, of("LOC1"))
    await put(store, of("LOC2"))
    verdict, _ = await store.catalog.apply(of("loc1"), gone, seen_at=NOW)
    assert verdict.removed
    assert await store.catalog.get(of("LOC1")) is None
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]
    await store.catalog.apply(of("LOC2"), gone, seen_at=NOW)
    # Its owner stays known, and a second removal takes nothing from anybody.
    await store.catalog.apply(of("LOC2"), gone, seen_at=NOW)
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 0, shown=True)]

    await put(store, of("LOC3"))
    await put(store, of("LOC1"))
    assert ids(await store.catalog.page(wanted(NGC))) == ["LOC3", "LOC1"]


async def test_a_sequence_is_never_given_twice(place: Place, store: Store) -> None:
    await put(store, of("LOC1"))
    (first,) = await store.catalog.find(MODULE, "LOC1")
    await store.catalog.apply(of("LOC1"), gone, seen_at=NOW)
    await store.close()
    again = place()
    await again.open()
    await put(again, of("T1", module="tariffs"))
    (second,) = await again.catalog.find("tariffs", "T1")
    assert second.sequence > first.sequence
    await again.close()


async def test_what_is_left_alone_counts_as_seen_and_what_is_refused_does_not(store: Store) -> None:
    await put(store, of())
    await store.catalog.apply(of(), refused, seen_at=later(5))
    assert (await store.catalog.find(MODULE, "LOC1"))[0].seen_at == NOW
    await store.catalog.apply(of(), left_alone, seen_at=later(7.000001))
    (entry,) = await store.catalog.find(MODULE, "LOC1")
    assert (entry.seen_at, entry.last_updated, entry.raw) == (later(7.000001), NOW, b"{}")
    # What is not held cannot be seen.
    for judge in (left_alone, refused, gone):
        await store.catalog.apply(of("LOC9"), judge, seen_at=NOW)
    assert await store.catalog.find(MODULE, "LOC9") == []
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]


async def test_a_judge_that_breaks_harms_nobody_else(store: Store) -> None:
    def broken(_: bytes | None) -> Verdict:
        raise ValueError("a mistake of the caller")

    await put(store, of("LOC1"), b"before")
    outcomes = await asyncio.gather(
        store.catalog.apply(of("LOC1"), appended(b" first"), seen_at=NOW),
        store.catalog.apply(of("LOC1"), broken, seen_at=NOW),
        store.catalog.apply(of("LOC2"), kept(b"two"), seen_at=NOW),
        store.catalog.apply(of("LOC1"), appended(b" last"), seen_at=NOW),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [tuple, ValueError, tuple, tuple]
    assert await store.catalog.get(of("LOC1")) == b"before first last"
    assert await store.catalog.get(of("LOC2")) == b"two"


# --- many at once


async def test_a_hundred_calls_for_one_object_are_applied_and_return_in_order(store: Store) -> None:
    returned: list[int] = []

    async def push(number: int) -> int:
        judge = appended(b"%d," % number)
        _, order = await store.catalog.apply(of(), judge, seen_at=NOW, broadcast=broadcast(), body=b"%d" % number)
        returned.append(number)
        assert order is not None
        return order

    orders = await asyncio.gather(*map(push, range(100)))

    assert await store.catalog.get(of()) == b"".join(b"%d," % number for number in range(100))
    assert returned == list(range(100))
    assert orders == sorted(set(orders))
    unfinished = await store.broadcasts.unfinished(0, 1_000)
    assert [(one.order, one.body) for one in unfinished] == [
        (order, b"%d" % number) for number, order in enumerate(orders)
    ]
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 1, shown=True)]


async def test_many_objects_at_once_get_sequences_of_their_own(store: Store) -> None:
    keys = [of(f"LOC{number}", (NGC, SUN)[number % 2]) for number in range(300)]
    await asyncio.gather(*(put(store, key, key.text.encode()) for key in keys))
    entries = await all_of(store, wanted(NGC, SUN))
    assert {entry.object_id: entry.raw for entry in entries} == {key.object_id: key.text.encode() for key in keys}
    assert len({entry.sequence for entry in entries}) == 300
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 150, shown=True), OwnerCount(NGC, 150, shown=True)]


async def test_removing_and_storing_at_once_end_as_called(store: Store) -> None:
    calls: list[tuple[ObjectKey, object]] = []
    for number in range(30):
        calls += [(of(f"LOC{number}"), kept(b"first")), (of(f"LOC{number}"), gone)]
        if number % 3:
            calls.append((of(f"LOC{number}"), appended(b"again")))
    await asyncio.gather(*(store.catalog.apply(key, judge, seen_at=NOW) for key, judge in calls))  # type: ignore[arg-type]  # judges
    entries = await all_of(store, wanted(NGC))
    assert {entry.object_id: entry.raw for entry in entries} == {
        f"LOC{number}": b"again" for number in range(30) if number % 3
    }
    assert await store.catalog.owners(MODULE) == [OwnerCount(NGC, 20, shown=True)]


# --- the broadcast beside it


@pytest.mark.parametrize(
    ("judge", "legs", "stored"),
    [
        (kept(b"{}"), LEGS, True),
        (gone, LEGS, True),
        (kept(b"{}", fan_out=False), LEGS, False),
        (kept(b"{}"), (), False),
        (refused, LEGS, False),
    ],
)
async def test_a_broadcast_is_stored_if_it_has_legs_and_the_verdict_fans_out(
    store: Store, judge: object, legs: tuple[object, ...], stored: bool
) -> None:
    asked = broadcast(legs=legs)  # type: ignore[arg-type]  # parameters of a test are not typed
    _, order = await store.catalog.apply(of(), judge, seen_at=NOW, broadcast=asked, body=ODD)  # type: ignore[arg-type]
    found = await store.broadcasts.unfinished(0, 10)
    assert [(one.order, one.broadcast, one.body) for one in found] == ([(order, asked, ODD)] if stored else [])


async def test_orders_grow_over_closing_and_opening(place: Place, store: Store) -> None:
    orders = [await fan_out(store), await fan_out(store)]
    await store.broadcasts.settle([(order, leg) for order in orders for leg in range(len(LEGS))])
    orders.append(await fan_out(store))
    await store.close()
    again = place()
    await again.open()
    orders.append(await fan_out(again))
    assert orders == sorted(set(orders))
    await again.close()


# --- owners


async def test_an_owner_is_hidden_until_shown(store: Store) -> None:
    await store.catalog.hide(MODULE, SUN)
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 0, shown=False)]
    await put(store, of("LOC1", SUN))
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=False)]
    await store.catalog.hide(MODULE, SUN)
    await store.catalog.show(MODULE, SUN)
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True)]
    # Known already: its next full crawl hides nothing.
    await store.catalog.hide(MODULE, SUN)
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True)]
    # Another module of the same owner is another matter.
    assert await store.catalog.owners("tariffs") == []


async def test_showing_an_owner_nobody_knows_makes_none(store: Store) -> None:
    await store.catalog.show(MODULE, SUN)
    assert await store.catalog.owners(MODULE) == []


async def test_owners_are_listed_by_key_in_their_first_spelling(store: Store) -> None:
    for owner in (PartyId("nl", "b"), PartyId("NL", "A"), PartyId("DE", "c")):
        await put(store, of("LOC1", owner))
    await put(store, of("LOC2", PartyId("NL", "B")))
    found = await store.catalog.owners(MODULE)
    assert [(str(one.owner), one.count) for one in found] == [("DE/c", 1), ("NL/A", 1), ("nl/b", 2)]


async def test_objects_last_seen_before_a_time_are_absent(store: Store) -> None:
    for number in range(5):
        await put(store, of(f"LOC{number}"), seen_at=later(number))
    await put(store, of("LOC0", SUN), seen_at=later(-100))
    await put(store, of("T0", module="tariffs"), seen_at=later(-100))
    absent = await store.catalog.absent(MODULE, NGC, later(3), 10)
    assert ids(absent) == ["LOC0", "LOC1", "LOC2"]
    assert [entry.seen_at for entry in absent] == [later(number) for number in range(3)]
    assert ids(await store.catalog.absent(MODULE, NGC, later(3), 2)) == ["LOC0", "LOC1"]
    await store.catalog.apply(of("LOC0"), left_alone, seen_at=later(3))
    assert ids(await store.catalog.absent(MODULE, NGC, later(3), 10)) == ["LOC1", "LOC2"]


async def test_removing_an_owner_forgets_it_in_these_modules_alone(store: Store) -> None:
    await put_all(store, [of(f"LOC{number}") for number in range(250)])
    await put(store, of("LOC1", SUN))
    await put(store, of("T1", module="tariffs"))
    await put(store, of("X1", module="tokens", kind="RFID"))
    await store.catalog.hide("sessions", NGC)

    assert await store.catalog.remove_owner(PartyId("nl", "ngc"), [MODULE, "tariffs", "sessions"]) == 251

    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True)]
    assert await store.catalog.owners("tariffs") == await store.catalog.owners("sessions") == []
    assert await store.catalog.owners("tokens") == [OwnerCount(NGC, 1, shown=True)]
    assert ids(await all_of(store, wanted(NGC, SUN))) == ["LOC1"]
    assert await store.catalog.get(of("LOC7")) is None
    await put(store, of("LOC7"))
    assert await store.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True), OwnerCount(NGC, 1, shown=True)]


# --- opening again


async def test_the_catalog_is_there_after_opening_again(place: Place, store: Store) -> None:
    await put(store, of("LOC1"), ODD, later(-1), later(2))
    await put(store, of("LOC2", SUN))
    await store.catalog.hide("tariffs", SUN)
    entries = await all_of(store, wanted(NGC, SUN))
    await store.close()
    with pytest.raises(StoreUnavailable):
        await put(store, of("LOC3"))
    with pytest.raises(StoreUnavailable):
        await store.catalog.get(of("LOC1"))

    again = place()
    await again.open()
    assert await all_of(again, wanted(NGC, SUN)) == entries
    assert await again.catalog.owners(MODULE) == [OwnerCount(SUN, 1, shown=True), OwnerCount(NGC, 1, shown=True)]
    assert await again.catalog.owners("tariffs") == [OwnerCount(SUN, 0, shown=False)]
    await again.close()
