"""A plugin's shelf: JSON values by key, revisions, and saves that only stand while a duty is held."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.broker.plugins.duties import KEEP_S, Duties
from hub.broker.plugins.shelves import PluginShelf
from hub.clock import ManualClock
from hub.errors import StoreConflict, StoreUnavailable, TermOver
from hub.plugin.hub_api import Kept, Save, Shelf
from hub.store.records import Fence, Put
from hub.store.sqlite.shelf import SqliteShelf
from hub.store.sqlite.store import SqliteStore
from tests.unit.plugins.small_store import SmallDuty


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hub.sqlite3")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def shelf(store: SqliteStore) -> Shelf:
    return PluginShelf(store.shelf, "meter")


async def test_a_value_comes_back_with_its_digits_and_its_revision(shelf: Shelf) -> None:
    assert await shelf.load("limits") is None
    value = {"limit_w": 11000, "price": Decimal("0.10"), "who": ["Ä", None, True]}
    await shelf.save("limits", value)
    assert await shelf.load("limits") == Kept(value, 1)
    await shelf.save("limits", None)
    assert await shelf.load("limits") == Kept(None, 2)
    await shelf.remove("limits")
    assert await shelf.load("limits") is None


async def test_shelves_of_plugins_are_apart(store: SqliteStore, shelf: Shelf) -> None:
    await shelf.save("a", 1)
    other = PluginShelf(store.shelf, "met")
    assert (await other.load("a"), await other.keys()) == (None, [])


@pytest.mark.parametrize("count", [0, 199, 200, 401])
async def test_keys_are_all_there_and_sorted_however_many(shelf: Shelf, count: int) -> None:
    expected = sorted(f"k{number}" for number in range(count))
    await shelf.save_many([Save(key, 0) for key in [*reversed(expected), "other", "j"]])
    assert await shelf.keys("k") == expected
    assert await shelf.keys() == ["j", *expected, "other"]
    assert [one async for one in shelf.items("k")] == [(key, Kept(0, 1)) for key in expected]


async def test_a_save_over_another_revision_is_not_done(shelf: Shelf) -> None:
    assert await shelf.compare_and_set("a", "first", 0)
    assert not await shelf.compare_and_set("a", "again", 0)
    assert await shelf.compare_and_set("a", "second", 1)
    assert not await shelf.save_many([Save("b", "new"), Save("a", "third", 1)])
    assert (await shelf.load("a"), await shelf.load("b")) == (Kept("second", 2), None)
    assert await shelf.save_many([Save("b", "new", 0), Save("a", "third", 2), Save("c", "any")])
    assert (await shelf.load("a"), await shelf.load("b")) == (Kept("third", 3), Kept("new", 1))


@pytest.mark.parametrize("value", [object(), Decimal("NaN"), "\ud800", {"deep": [object()]}])
async def test_a_value_that_is_not_json_is_refused_by_its_key(shelf: Shelf, value: object) -> None:
    looped: list[Any] = []
    looped.append(looped)
    for bad in (value, looped):
        with pytest.raises(ValueError, match="the value of 'limits' is not JSON"):
            await shelf.save("limits", bad)
        with pytest.raises(ValueError, match="'limits'"):
            await shelf.save_many([Save("good", 1), Save("limits", bad)])
    assert await shelf.keys() == []


async def test_a_save_with_a_term_stands_only_while_it_lasts(store: SqliteStore, shelf: Shelf) -> None:
    duties = Duties(store.duties, ManualClock(), "n1", "meter")
    async with duties.duty("work") as term:
        await shelf.save("a", 1, term=term)
        assert await shelf.compare_and_set("a", 2, 1, term=term)
        assert not await shelf.compare_and_set("a", 3, 1, term=term)
        # Somebody took it, and this node does not know yet: the store does.
        await store.duties.take("meter/work", "n2", await store.duties.look("meter/work"))
        assert not term.over
        for late in (shelf.save("a", 4, term=term), shelf.remove("a", term=term), shelf.save_many([], term=term)):
            with pytest.raises(TermOver, match="meter/work"):
                await late
    assert await shelf.load("a") == Kept(2, 2)


async def test_a_term_that_is_over_here_is_over_whatever_the_store_says(store: SqliteStore, shelf: Shelf) -> None:
    clock = ManualClock()
    async with Duties(store.duties, clock, "n1", "meter").duty("work") as term:
        state = await store.duties.look("meter/work")
        assert state is not None
        # Time goes on in one step, so that no renewal comes in between.
        await clock.jump(KEEP_S)
        await store.shelf.save("meter", [Put("a", b"1")], Fence("meter/work", state.term))
        with pytest.raises(TermOver):
            await shelf.save("a", 2, term=term)
    assert await shelf.load("a") == Kept(1, 1)


async def test_only_a_term_of_the_very_plugin_counts(store: SqliteStore, shelf: Shelf) -> None:
    async with Duties(store.duties, ManualClock(), "n1", "other").duty("work") as term:
        for strange in (term, SmallDuty().next_term()):
            with pytest.raises(TypeError, match="of the plugin meter"):
                await shelf.save("a", 1, term=strange)
    assert await shelf.keys() == []


class CrossedShelf(SqliteShelf):
    """Saves of others cross the first ones, as may happen in a store with transactions."""

    crossings = 0

    async def save(self, plugin: str, puts: Sequence[Put], fence: Fence | None = None) -> None:
        if self.crossings:
            self.crossings -= 1
            raise StoreConflict("revision")
        await super().save(plugin, puts, fence)


async def test_a_save_that_was_crossed_is_done_again_and_never_lost_in_silence(store: SqliteStore) -> None:
    assert isinstance(store.shelf, SqliteShelf)
    crossed = CrossedShelf(store.shelf._database)
    shelf = PluginShelf(crossed, "meter")
    crossed.crossings = 2
    await shelf.save("a", 1)
    assert await shelf.load("a") == Kept(1, 1)
    crossed.crossings = 3
    with pytest.raises(StoreUnavailable, match="meter"):
        await shelf.save("a", 2)
    assert await shelf.load("a") == Kept(1, 1)
