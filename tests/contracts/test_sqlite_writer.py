"""The writer of SQLite when it is slow: changes that take long, commits that hang, a disk that does not answer."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.domain.catalog import Verdict
from hub.errors import StoreUnavailable
from hub.store.records import LegClaim
from hub.store.sqlite.store import SqliteStore
from hub.store.sqlite.writer import Writer
from tests.contracts.catalog_samples import appended, fan_out, of
from tests.contracts.samples import NOW, callback
from tests.waiting import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.sqlite3"


@asynccontextmanager
async def opened(path: Path, writer: Writer) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, writer)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class Held:
    """A change that holds the writer up until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.free = threading.Event()

    def __call__(self, _: sqlite3.Connection) -> str:
        self.begun.set()
        self.free.wait(30)
        return "written"


def slow(text: bytes, cost_s: float) -> Callable[[bytes | None], Verdict]:
    def judge(held: bytes | None) -> Verdict:
        time.sleep(cost_s)
        return appended(text)(held)

    return judge


async def test_changes_that_take_long_are_committed_in_portions_and_nobody_is_turned_away(path: Path) -> None:
    async with opened(path, Writer(commit_timeout_s=5.0)) as store:
        before = store.database.writer.commits
        answered: list[int] = []

        async def push(number: int) -> bytes | None:
            verdict, _ = await store.catalog.apply(of(), slow(b"%d," % number, 0.025), seen_at=NOW)
            answered.append(number)
            return verdict.raw

        started = time.monotonic()
        first = asyncio.create_task(push(0))
        others = [asyncio.create_task(push(number)) for number in range(1, 40)]
        await first
        waited = time.monotonic() - started
        texts = await asyncio.gather(first, *others)

        assert texts == [b"".join(b"%d," % one for one in range(number + 1)) for number in range(40)]
        assert answered == list(range(40))
        # One second of work in portions of 0.2 s: the first caller did not wait for all of it.
        assert store.database.writer.commits - before >= 4
        assert waited < 0.75 * (time.monotonic() - started)
        assert await store.catalog.get(of()) == texts[-1]


async def test_whose_commit_has_begun_gets_its_result_however_late(path: Path) -> None:
    async with opened(path, Writer(commit_timeout_s=0.1)) as store:
        order = await fan_out(store)
        # Somebody looks into the file with another program: BEGIN waits for its lock.
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        claim = LegClaim(order, 0, 1)
        begun = asyncio.create_task(store.broadcasts.claim([claim]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queued = asyncio.create_task(store.callbacks.save(home := callback()))
        with pytest.raises(StoreUnavailable, match="did not commit"):
            await queued
        assert not begun.done()
        other.execute("ROLLBACK")
        other.close()

        assert await begun == {claim}
        assert await store.broadcasts.claim([claim]) == frozenset()
        # Who was turned away was not written for.
        assert await store.callbacks.get(home.id) is None


async def test_a_change_behind_slow_ones_waits_no_longer_than_it_may_and_is_not_written_then(path: Path) -> None:
    async with opened(path, Writer(commit_timeout_s=0.5)) as store:
        calls = [store.catalog.apply(of(), slow(b"%d," % one, 0.1), seen_at=NOW) for one in range(20)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await store.ping()

        written = [b"%d," % one for one, outcome in enumerate(outcomes) if not isinstance(outcome, Exception)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert 4 <= len(written) < 20
        assert {type(one) for one in refused} == {StoreUnavailable}
        assert await store.catalog.get(of()) == b"".join(written)


async def test_a_disk_that_does_not_answer_holds_up_neither_callers_nor_the_end(path: Path) -> None:
    writer = Writer(stuck_timeout_s=0.2, last_commits_s=0.1)
    store = SqliteStore(path, writer)
    await store.open()
    change = Held()
    with pytest.raises(StoreUnavailable, match="began to commit"):
        await store.database.write(change)
    queued = asyncio.create_task(store.ping())
    await asyncio.sleep(0)
    async with asyncio.timeout(3):
        await store.close()
    with pytest.raises(StoreUnavailable, match="was closed"):
        await queued

    # The transaction may still come about, so that the file is not free yet.
    assert change.begun.is_set()
    second = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="in use"):
        await second.open()
    change.free.set()

    async def free() -> bool:
        await store.close()
        try:
            await second.open()
        except StoreUnavailable:
            return False
        return True

    await until(free)
    await second.ping()
    await second.close()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.ping()
