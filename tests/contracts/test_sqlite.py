"""What SQLite alone has to show: group commit, one hub per file, a disk that fails, a process that is killed."""

import asyncio
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.domain.platform import RoleName
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import Role
from hub.store.sqlite.store import SqliteStore
from hub.store.sqlite.writer import Writer
from tests.contracts.catalog_samples import of
from tests.contracts.samples import NOW, callback, invited

ROOT = Path(__file__).resolve().parents[2]
NGC = RoleName(Role.CPO, "NL", "NGC")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "hub.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(path)
    await opened.open()
    yield opened
    await opened.close()


async def refusal(store: SqliteStore) -> str:
    """The sentence with which the store refuses to open."""
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    return str(caught.value)


# --- group commit


async def test_writes_that_arrive_together_share_a_commit_and_a_conflict_fails_alone(store: SqliteStore) -> None:
    await store.platforms.insert(invited(NGC))
    before = store.database.writer.commits
    saves = [store.callbacks.save(callback()) for _ in range(99)]
    rival = store.platforms.insert(invited(NGC))
    outcomes = await asyncio.gather(*saves[:50], rival, *saves[50:], return_exceptions=True)

    refused = outcomes.pop(50)
    assert isinstance(refused, StoreConflict)
    assert refused.key == NGC.key
    assert outcomes == [None] * 99
    assert store.database.writer.commits - before <= 3
    ((count,),) = await store.database.read("SELECT count(*) FROM callbacks")
    assert count == 99
    assert len(await store.platforms.load_all()) == 1


async def test_a_change_that_breaks_is_undone_alone(store: SqliteStore) -> None:
    def broken(database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM meta")
        raise ValueError("a mistake of the caller")

    outcomes = await asyncio.gather(
        store.callbacks.save(callback()), store.database.write(broken), store.ping(), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]
    assert await store.platforms.generation() == 1


async def test_closing_writes_what_was_accepted(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    home = callback()
    saving = asyncio.create_task(store.callbacks.save(home))
    await asyncio.sleep(0)
    await store.close()
    await saving
    await store.open()
    assert await store.callbacks.get(home.id) == home
    await store.close()


async def test_a_caller_that_gave_up_is_not_written_for(store: SqliteStore) -> None:
    abandoned, kept = callback(), callback()
    saving = asyncio.create_task(store.callbacks.save(abandoned))
    await asyncio.sleep(0)
    saving.cancel()
    await store.callbacks.save(kept)
    assert await store.callbacks.get(abandoned.id) is None
    assert await store.callbacks.get(kept.id) == kept


async def test_a_full_queue_and_a_stuck_disk_refuse_in_time(path: Path) -> None:
    store = SqliteStore(path, Writer(queue_limit=2, queue_timeout_s=0.05, commit_timeout_s=0.2, stuck_timeout_s=0.4))
    await store.open()
    started, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def stuck(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        release.wait(30)

    first = asyncio.create_task(store.database.write(stuck))
    await asyncio.wait_for(started.wait(), 5)
    outcomes = await asyncio.gather(*(store.ping() for _ in range(4)), return_exceptions=True)
    texts = sorted(str(outcome) for outcome in outcomes)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert [("waiting already" in text, "did not commit" in text) for text in texts] == [(True, False)] * 2 + [
        (False, True)
    ] * 2
    with pytest.raises(StoreUnavailable, match="began to commit"):
        await first

    release.set()
    await store.ping()
    await store.close()


async def test_many_expired_callbacks_go_in_several_transactions(store: SqliteStore) -> None:
    await asyncio.gather(*(store.callbacks.save(callback()) for _ in range(4_500)))
    before = store.database.writer.commits
    assert await store.callbacks.prune(NOW.replace(year=2100)) == 4_500
    assert store.database.writer.commits - before == 3


# --- one hub per file


async def test_a_second_hub_is_refused_until_the_first_is_gone(store: SqliteStore, path: Path) -> None:
    second = SqliteStore(path)
    assert "in use by another hub (process " in await refusal(second)
    await second.close()
    await store.ping()
    await store.close()
    await second.open()
    await second.close()


async def test_only_its_own_user_may_read_the_file(store: SqliteStore, path: Path) -> None:
    await store.platforms.insert(invited())
    names = ("hub.sqlite3", "hub.sqlite3-wal", "hub.sqlite3-shm", "hub.sqlite3.lock")
    assert {one.name: one.stat().st_mode & 0o077 for one in path.parent.iterdir()} == dict.fromkeys(names, 0)


# --- files that are not ours


async def test_a_newer_schema_is_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    await store.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    assert "schema 999" in await refusal(store)
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (999,)
    database.close()


async def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE platforms (id TEXT)")
    database.close()
    assert "not the hub's" in await refusal(SqliteStore(path))


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no database at all, but long enough to have a header" * 20)
    assert "file is not a database" in await refusal(SqliteStore(path))


async def test_a_place_where_no_file_can_be_is_refused(store: SqliteStore, path: Path) -> None:
    assert "cannot be opened" in await refusal(SqliteStore(path / "below-a-file.sqlite3"))


# --- a disk that fails


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: what a full disk looks like to SQLite."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_refuses_writes_and_loses_nothing(store: SqliteStore, path: Path) -> None:
    before = callback()
    await store.callbacks.save(before)
    log = path.with_name(path.name + "-wal")
    with full_disk(log.stat().st_size):
        outcomes = await asyncio.gather(*(store.callbacks.save(callback()) for _ in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        with pytest.raises(StoreUnavailable):
            await store.ping()
        assert await store.callbacks.get(before.id) == before

    await store.callbacks.save(after := callback())
    assert await store.callbacks.get(after.id) == after
    ((count,),) = await store.database.read("SELECT count(*) FROM callbacks")
    assert count == 2


async def test_a_file_locked_by_another_program_refuses_writes_until_it_is_free(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.ping()
    assert await store.platforms.load_all() == []
    other.execute("ROLLBACK")
    other.close()
    await store.ping()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every user reaches, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="ocpi-hub-readonly-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def make_read_only(folder: Path) -> None:
    for one in folder.iterdir():
        one.chmod(0o444)
    folder.chmod(0o555)


async def test_a_read_only_folder_is_refused_with_a_sentence(open_folder: Path) -> None:
    path = open_folder / "hub.sqlite3"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    make_read_only(open_folder)
    command = [sys.executable, "-m", "tests.contracts.readonly_opener", str(path)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    said, complaint = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, complaint.decode()
    assert f"the database file {path} cannot be opened" in said.decode()


# --- kill -9


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(store: SqliteStore, path: Path) -> None:
    await store.close()
    acknowledged: list[str] = []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.contracts.acknowledging_writer", str(path)), cwd=ROOT, stdout=PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            acknowledged += [(await process.stdout.readline()).decode() for _ in range(400)]
            process.send_signal(signal.SIGKILL)
            acknowledged += [line.decode() for line in (await process.stdout.read()).splitlines(keepends=True)]
            await process.wait()
        assert all(line.endswith("\n") for line in acknowledged)

        await store.open()
        unfinished = {one.order: one.broadcast for one in await store.broadcasts.unfinished(0, 100_000)}
        for line in acknowledged:
            port, key = line.split()
            if port == "catalog":
                object_id, order = key.split("=")
                assert await store.catalog.get(of(object_id)) is not None, line
                assert unfinished[int(order)].object_key == of(object_id).text
            else:
                assert await getattr(store, port).get(key) is not None, line
        await store.platforms.insert(invited())
        await store.close()
