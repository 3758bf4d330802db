"""What every store promises to who reads everything again and again."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.agreements import Agreement, Side
from hub.domain.platform import Platform
from hub.store.decoded import Decoded
from hub.store.documents import RecordsUnreadable, text_of
from hub.store.ports import Store
from hub.store.sqlite.store import SqliteStore
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, invited, registered

Write = Callable[[], Awaitable[object]]
AGREEMENT = Agreement("one", Side("NL", "NGC"), Side("DE"), frozenset({"locations", "cdrs"}), allow=True)


async def test_what_has_not_changed_is_the_very_same_object(place: Place, store: Store) -> None:
    first, second = registered("NGA"), registered("NGB")
    await store.platforms.insert(first)
    await store.platforms.insert(second)
    await store.agreements.put(AGREEMENT)
    platforms, agreements = await store.platforms.load_all(), await store.agreements.load_all()
    assert {id(one) for one in platforms} == {id(first), id(second)}
    assert agreements[0] is AGREEMENT

    await store.close()
    other = place()
    await other.open()
    stored = await other.platforms.get(first.id)
    assert stored == first
    assert stored is not first
    changed = stored.changed(NOW, name="changed elsewhere")
    await other.platforms.replace(changed)
    await other.agreements.put(replace(AGREEMENT, id="two"))
    await other.close()
    await store.open()

    again = {one.id: one for one in await store.platforms.load_all()}
    assert again[first.id] == changed
    assert again[first.id] is not changed
    assert again[second.id] is second
    assert await store.platforms.get(first.id) is again[first.id]
    assert [one is AGREEMENT for one in await store.agreements.load_all()] == [True, False]
    own = again[first.id].changed(NOW, name="changed here")
    await store.platforms.replace(own)
    assert await store.platforms.get(first.id) is own
    await store.platforms.replace_both(own.changed(NOW, roles=()), second.changed(NOW, name="both"))
    assert [one.revision for one in await store.platforms.load_all()].count(2) == 1
    assert await store.platforms.remove(first.id)
    assert [one.name for one in await store.platforms.load_all()] == ["both"]


async def test_where_changes_are_counted_each_write_counts_one(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "hub.sqlite3")
    await store.open()
    first, second = invited(), invited()

    async def counted() -> tuple[int, int]:
        return await store.platforms.generation(), await store.agreements.generation()

    platforms, agreements = await counted()
    writes: list[Write] = [
        lambda: store.platforms.insert(first),
        lambda: store.platforms.insert(second),
        lambda: store.platforms.replace(first.changed(NOW)),
        lambda: store.platforms.replace_both(first.changed(NOW).changed(NOW), second.changed(NOW)),
        lambda: store.platforms.remove(first.id),
    ]
    for done, write in enumerate(writes, 1):
        await write()
        assert await counted() == (platforms + done, agreements)
    assert not await store.platforms.remove(first.id)
    assert not await store.agreements.remove("one")
    assert await counted() == (platforms + 5, agreements)
    writes = [
        lambda: store.agreements.put(AGREEMENT),
        lambda: store.agreements.put(AGREEMENT),
        lambda: store.agreements.remove("one"),
    ]
    for done, write in enumerate(writes, 1):
        await write()
        assert await counted() == (platforms + 5, agreements + done)
    await store.close()


async def test_a_record_changed_by_hand_is_seen_and_one_that_is_repaired_too(tmp_path: Path) -> None:
    """The text counts, not the revision."""
    store = SqliteStore(tmp_path / "hub.sqlite3")
    await store.open()
    platform = registered()
    await store.platforms.insert(platform)
    assert await store.platforms.load_all() == [platform]

    def rewrite(old: str, new: str) -> None:
        with sqlite3.connect(tmp_path / "hub.sqlite3", timeout=5) as database:
            database.execute("UPDATE platforms SET doc = replace(doc, ?, ?)", (old, new))
        database.close()

    rewrite("0.2500", "0.25")
    (by_hand,) = await store.platforms.load_all()
    assert by_hand is not platform
    assert (by_hand.revision, "0.2500" in text_of(by_hand)) == (platform.revision, False)
    rewrite('"CPO"', '"NO_ROLE"')
    for _ in range(2):
        with pytest.raises(RecordsUnreadable) as caught:
            await store.platforms.load_all()
        assert list(caught.value.problems) == [platform.id]
    rewrite('"NO_ROLE"', '"CPO"')
    assert await store.platforms.load_all() == [by_hand]
    await store.close()


async def test_a_record_that_its_text_does_not_give_back_is_what_the_text_says() -> None:
    decoded = Decoded(Platform)
    platform = invited()
    decoded.wrote(platform.id, text_of(replace(platform, name="as stored")), platform)

    read, _ = await decoded.all([(platform.id, text_of(replace(platform, name="as stored")))])
    assert read[0].name == "as stored"


async def test_others_run_while_many_are_decoded() -> None:
    decoded, turns = Decoded(Platform), 0
    texts = [(platform.id, text_of(platform)) for platform in (invited() for _ in range(500))]

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    first, _ = await decoded.all(texts)
    assert turns >= 20
    again, problems = await decoded.all(texts[:400])
    assert all(one is other for one, other in zip(again, first, strict=False))
    assert (len(again), problems, len(decoded._known)) == (400, {}, 400)
    running.cancel()
