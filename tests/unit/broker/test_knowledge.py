"""What open routing knows: learnt off the path, known at once, bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.broker import knowledge
from hub.broker.knowledge import Knowledge
from hub.clock import ManualClock
from hub.domain.open_routing import LOCATION, SETTER, Clues, Lesson
from hub.errors import StoreUnavailable
from hub.metrics import Metrics
from hub.ocpi.party_id import PartyId
from hub.store.sqlite.store import SqliteStore
from tests.waiting import until

CPA, DUO, EMA, EMB = PartyId("NL", "CPA"), PartyId("FR", "DUO"), PartyId("NL", "EMA"), PartyId("DE", "EMB")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "hub.sqlite3")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def known(store: SqliteStore) -> AsyncIterator[Knowledge]:
    made = Knowledge(store.known, ManualClock(), Metrics())
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_lesson_counts_before_it_is_stored_and_after(known: Knowledge, store: SqliteStore) -> None:
    known.learn([Lesson(LOCATION, "loc1", CPA)])
    assert not known.quiet
    assert await known.find(Clues(keys=((LOCATION, "loc1"),))) == [CPA]
    await until(lambda: known.quiet)
    assert await store.known.find(LOCATION, "loc1") == [CPA]
    assert await known.find(Clues(keys=((LOCATION, "loc1"),))) == [CPA]


async def test_several_parties_may_have_the_same_id(known: Knowledge) -> None:
    known.learn([Lesson(LOCATION, "loc5", CPA)])
    await until(lambda: known.quiet)
    known.learn([Lesson(LOCATION, "loc5", DUO)])
    assert set(await known.find(Clues(keys=((LOCATION, "loc5"),)))) == {CPA, DUO}


async def test_of_some_things_only_the_last_counts(known: Knowledge, store: SqliteStore) -> None:
    for party in (EMA, EMB, EMA):
        known.learn([Lesson(SETTER, "k", party, only=True)])
        assert await known.find(Clues(keys=((SETTER, "k"),))) == [party]
        await until(lambda: known.quiet)
        assert await store.known.find(SETTER, "k") == [party]


async def test_the_best_clue_that_leads_anywhere_decides(known: Knowledge) -> None:
    known.learn([Lesson(LOCATION, "second", DUO)])
    clues = Clues(keys=((LOCATION, "first"), (LOCATION, "second")))
    assert await known.find(clues) == [DUO]
    assert await known.find(Clues(named=EMB, keys=clues.keys)) == [EMB]
    assert await known.find(Clues()) == []


async def test_what_repeats_itself_is_written_once_a_day(store: SqliteStore) -> None:
    clock = ManualClock()
    known = Knowledge(store.known, clock, Metrics())
    lesson = Lesson(LOCATION, "loc1", CPA)
    for _ in range(3):
        known.learn([lesson])
        await known.flush()
    commits = store.database.writer.commits
    known.learn([lesson])
    await known.flush()
    assert store.database.writer.commits == commits
    await clock.advance(knowledge.RENEW_S)
    known.learn([lesson])
    await known.flush()
    assert store.database.writer.commits == commits + 1


async def test_a_full_buffer_drops_and_counts(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "_MOST_WAITING", 3)
    known = Knowledge(store.known, ManualClock(), Metrics())
    known.learn([Lesson(LOCATION, f"loc{number}", CPA) for number in range(5)])
    assert known.dropped == 2
    await known.flush()
    assert known.quiet


async def test_while_the_store_is_away_nothing_learnt_is_lost(store: SqliteStore) -> None:
    known = Knowledge(store.known, ManualClock(), Metrics())
    known.learn([Lesson(LOCATION, "loc1", CPA)])
    await store.close()
    await known.flush()
    assert not known.quiet
    with pytest.raises(StoreUnavailable):
        await known.find(Clues(keys=((LOCATION, "other"),)))
    await store.open()
    await known.flush()
    assert await store.known.find(LOCATION, "loc1") == [CPA]
