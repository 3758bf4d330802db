"""What every store promises about the shelves of plugins: revisions, and all or nothing."""

import asyncio
from collections.abc import Sequence

import pytest

from hub.errors import StoreConflict, StoreUnavailable
from hub.store.ports import Store
from hub.store.records import Fence, Put, Shelved
from tests.contracts.conftest import Place

# In the order of Unicode's numbers, which is not that of UTF-16.
ODD_KEYS = [
    "",
    "\x00",
    "\x00\x00",
    "a",
    "a\x00",
    "a\x00b",
    "a b",
    "a%",
    "a*b",
    "a/b",
    "a_",
    "ab",
    'b"\\\n',
    "ß",
    "\ue000",
]
ODD_KEYS += ["\uffff", "\U0001f50c", "\U0010ffff", "\U0010ffff\U0010ffff"]


async def conflict(store: Store, *puts: Put) -> str:
    with pytest.raises(StoreConflict) as caught:
        await store.shelf.save("meter", puts)
    return caught.value.key


async def keys(store: Store, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[str]:
    return [one.key for one in await store.shelf.list("meter", prefix, after, limit)]


async def test_values_are_kept_and_every_save_is_a_revision(store: Store) -> None:
    assert await store.shelf.load("meter", "a") is None
    await store.shelf.save("meter", [Put("a", b"one")])
    assert await store.shelf.load("meter", "a") == Shelved("a", b"one", 1)
    await store.shelf.save("meter", [Put("a", b"two")])
    assert await store.shelf.load("meter", "a") == Shelved("a", b"two", 2)
    assert await store.shelf.load("other", "a") is None
    await store.shelf.save("meter", [Put("a", None), Put("never there", None)])
    assert await store.shelf.load("meter", "a") is None
    await store.shelf.save("meter", [Put("a", b"again")])
    assert await store.shelf.load("meter", "a") == Shelved("a", b"again", 1)


async def test_a_revision_that_does_not_fit_is_refused(store: Store) -> None:
    for put in (Put("a", b"x", 1), Put("a", None, 1)):
        assert await conflict(store, put) == "a"
    await store.shelf.save("meter", [Put("a", b"one", 0)])
    for put in (Put("a", b"x", 0), Put("a", b"x", 2), Put("a", None, 0), Put("a", None, 2)):
        assert await conflict(store, put) == "a"
        assert await conflict(store, Put("b", b"x"), put) == "a"
    await store.shelf.save("meter", [Put("a", b"two", 1), Put("b", None, 0)])
    assert await store.shelf.list("meter", "", "", 9) == [Shelved("a", b"two", 2)]
    for puts in ([Put("meter\x00b", None, 3)], [Put("b", b""), Put("meter\x00b", None, 3)]):
        assert await conflict(store, *puts) == "meter\x00b"
    await store.shelf.save("meter", [Put("a", None, 2)])
    await store.shelf.save("meter", [Put("a", None, 0)])
    assert await keys(store) == []


async def test_several_are_saved_all_or_none(place: Place, store: Store) -> None:
    await store.shelf.save("meter", [Put("a", b"one"), Put("b", b"one")])
    assert await conflict(store, Put("a", b"two"), Put("b", None), Put("c", b"two", 0), Put("a", b"x", 7)) == "a"
    assert await store.shelf.list("meter", "", "", 9) == [Shelved("a", b"one", 1), Shelved("b", b"one", 1)]
    # One after the other, so that a key may come twice.
    await store.shelf.save(
        "meter", [Put("a", b"two", 1), Put("b", None, 1), Put("a", b"three", 2), Put("c", b"new", 0)]
    )
    await store.shelf.save("meter", [])
    await store.close()
    again = place()
    await again.open()
    assert await again.shelf.list("meter", "", "", 9) == [Shelved("a", b"three", 3), Shelved("c", b"new", 1)]
    await again.close()


@pytest.mark.parametrize("together", [1, 2])
async def test_of_many_that_save_over_one_revision_one_wins(store: Store, together: int) -> None:
    async def add_one() -> None:
        while True:
            there = await store.shelf.load("meter", "sum")
            count, revision = (int(there.value), there.revision) if there else (0, 0)
            puts = [Put("sum", b"%d" % (count + 1), revision), Put("last", b"")]
            try:
                return await store.shelf.save("meter", puts[:together])
            except StoreConflict:
                continue

    await asyncio.gather(*(add_one() for _ in range(8)))
    assert await store.shelf.load("meter", "sum") == Shelved("sum", b"8", 8)


async def test_values_are_any_bytes(store: Store) -> None:
    values = [b"", b"\x00", b"\xff\x00\x80", bytes(range(256)) * 4_096]
    await store.shelf.save("meter", [Put(str(place), value) for place, value in enumerate(values)])
    assert [one.value for one in await store.shelf.list("meter", "", "", 9)] == values
    loaded = await store.shelf.load("meter", "3")
    assert loaded is not None
    assert loaded.value == values[3]


async def test_keys_are_listed_in_order_by_prefix_and_page(store: Store) -> None:
    await store.shelf.save("meter", [Put(key, key.encode()) for key in reversed(ODD_KEYS)])
    await store.shelf.save("mete", [Put("r\x00", b"")])
    await store.shelf.save("meters", [Put("a", b"")])
    assert sorted(ODD_KEYS) == ODD_KEYS
    # Above the empty text, so that this key is only ever loaded.
    assert await keys(store) == ODD_KEYS[1:]
    for prefix in (*ODD_KEYS, "a\x00b\x00", "none"):
        assert await keys(store, prefix) == [key for key in ODD_KEYS[1:] if key.startswith(prefix)], repr(prefix)
        loaded = await store.shelf.load("meter", prefix)
        assert (loaded.value.decode() if loaded else None) == (prefix if prefix in ODD_KEYS else None)
    assert await keys(store, "a", "a b", 2) == ["a%", "a*b"]
    assert await keys(store, "a", "b") == []
    assert await keys(store, "b", "a", 1) == ['b"\\\n']
    assert await keys(store, limit=0) == []


async def test_a_shelf_is_cleared_alone(store: Store) -> None:
    await store.shelf.save("meter", [Put(f"{number}", b"") for number in range(30)])
    await store.shelf.save("other", [Put("a", b"")])
    assert await store.shelf.remove_all("meter") == 30
    assert await store.shelf.remove_all("meter") == 0
    assert await keys(store) == []
    assert await store.shelf.load("other", "a") is not None


async def test_a_closed_store_is_away(place: Place) -> None:
    closed = place()
    for call in (
        closed.shelf.save("meter", [Put("a", b"")]),
        closed.shelf.save("meter", [Put("a", b"")], Fence("x", 1)),
    ):
        with pytest.raises(StoreUnavailable):
            await call
