"""Group commit without a database: who is answered, when, and who is turned away."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from hub.errors import StoreUnavailable
from hub.store.group import Group
from tests.waiting import until


class Commits:
    """Commits that wait until they are let through, and remember what was in them."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.free = asyncio.Event()

    async def __call__(self, writes: Sequence[str]) -> list[object]:
        self.batches.append(list(writes))
        await self.free.wait()
        if "break" in writes:
            raise OSError("the disk is on fire")
        return [ValueError(write) if write.startswith("bad") else write.upper() for write in writes]


@pytest.fixture
def commits() -> Commits:
    return Commits()


@pytest.fixture
async def group(commits: Commits) -> AsyncIterator[Group[str]]:
    opened: Group[str] = Group("Test", queue_limit=4, batch_limit=3, queue_timeout_s=5.0, commit_timeout_s=5.0)
    opened.open(commits)
    yield opened
    commits.free.set()
    await opened.close()


async def test_what_arrives_during_a_commit_shares_the_next_one(commits: Commits, group: Group[str]) -> None:
    first = asyncio.create_task(group.write("a"))
    await until(lambda: commits.batches == [["a"]])
    others = [asyncio.create_task(group.write(name)) for name in "bcde"]
    commits.free.set()
    assert list(await asyncio.gather(first, *others)) == list("ABCDE")
    assert commits.batches == [["a"], ["b", "c", "d"], ["e"]]


async def test_everybody_is_written_and_answered_in_the_order_of_coming_however_full_it_is(
    commits: Commits, group: Group[str]
) -> None:
    answered: list[str] = []

    async def write(name: str) -> None:
        await group.write(name)
        answered.append(name)

    names = [f"w{number}" for number in range(30)]
    tasks = [asyncio.create_task(write(name)) for name in names[:15]]
    await until(lambda: len(commits.batches) == 1)
    commits.free.set()
    for name in names[15:]:
        # They come while those before them still stand in line.
        tasks.append(asyncio.create_task(write(name)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert [name for batch in commits.batches for name in batch] == names
    assert answered == names


async def test_a_commit_that_breaks_fails_its_own_callers_alone(commits: Commits, group: Group[str]) -> None:
    commits.free.set()
    outcomes = await asyncio.gather(
        group.write("fine"), group.write("bad one"), group.write("last"), return_exceptions=True
    )
    assert [str(outcome) for outcome in outcomes] == ["FINE", "bad one", "LAST"]
    assert isinstance(outcomes[1], ValueError)
    broken = await asyncio.gather(group.write("break"), group.write("beside"), return_exceptions=True)
    assert {type(outcome) for outcome in broken} == {OSError}
    assert await group.write("after") == "AFTER"


async def test_who_gave_up_is_not_written_for(commits: Commits, group: Group[str]) -> None:
    first = asyncio.create_task(group.write("first"))
    await until(lambda: len(commits.batches) == 1)
    given_up = asyncio.create_task(group.write("given up"))
    kept = asyncio.create_task(group.write("kept"))
    await asyncio.sleep(0)
    given_up.cancel()
    commits.free.set()
    assert list(await asyncio.gather(first, kept)) == ["FIRST", "KEPT"]
    assert commits.batches == [["first"], ["kept"]]


async def test_a_full_queue_and_a_stuck_commit_are_said_in_time(commits: Commits) -> None:
    group: Group[str] = Group(
        "Test", queue_limit=2, batch_limit=9, queue_timeout_s=0.05, commit_timeout_s=0.2, stuck_timeout_s=0.4
    )
    group.open(commits)
    first = asyncio.create_task(group.write("first"))
    await until(lambda: len(commits.batches) == 1)
    outcomes = await asyncio.gather(*(group.write(f"w{number}") for number in range(4)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert sorted("2 writes to Test are waiting already" in str(outcome) for outcome in outcomes) == [
        *(False, False),
        *(True, True),
    ]
    with pytest.raises(StoreUnavailable, match=r"Test began to commit and did not end within 0\.4 s"):
        await first
    commits.free.set()
    assert await group.write("again") == "AGAIN"
    # Of those who gave up nothing was written.
    assert commits.batches == [["first"], ["again"]]
    await group.close()


async def test_closing_commits_what_was_taken_and_turns_the_others_away(commits: Commits, group: Group[str]) -> None:
    tasks = [asyncio.create_task(group.write(f"w{number}")) for number in range(9)]
    await until(lambda: len(commits.batches) == 1)
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    commits.free.set()
    await closing
    async with asyncio.timeout(2):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    written = [name for batch in commits.batches for name in batch]
    # Three were in the commit, four waited in the queue, the rest had no place yet.
    assert written == [f"w{number}" for number in range(7)]
    assert outcomes[:7] == [name.upper() for name in written]
    assert {type(outcome) for outcome in outcomes[7:]} == {StoreUnavailable}
    with pytest.raises(StoreUnavailable, match="the Test store is not open"):
        await group.write("late")
    await group.close()

    group.open(commits)
    assert await group.write("reopened") == "REOPENED"


async def test_whose_commit_has_begun_is_waited_for_and_who_is_queued_is_turned_away(commits: Commits) -> None:
    group: Group[str] = Group("Test", queue_limit=9, batch_limit=9, queue_timeout_s=5.0, commit_timeout_s=0.05)
    group.open(commits)
    first = asyncio.create_task(group.write("first"))
    await until(lambda: len(commits.batches) == 1)
    with pytest.raises(StoreUnavailable, match=r"Test did not commit within 0\.05 s"):
        await group.write("queued")
    assert not first.done()
    commits.free.set()
    assert await first == "FIRST"
    assert await group.write("again") == "AGAIN"
    assert commits.batches == [["first"], ["again"]]
    await group.close()


class Portions:
    """Commits of which each ends after two writes, when it is let through."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.turns = asyncio.Semaphore(0)

    async def __call__(self, writes: Sequence[str]) -> list[object]:
        self.batches.append(list(writes))
        await self.turns.acquire()
        return [write.upper() for write in writes[:2]]


async def test_what_a_commit_left_leads_the_next_one() -> None:
    portions = Portions()
    group: Group[str] = Group("Test", queue_limit=9, batch_limit=5, queue_timeout_s=5.0, commit_timeout_s=5.0)
    group.open(portions)
    tasks = [asyncio.create_task(group.write(name)) for name in "abcdefg"]
    await until(lambda: len(portions.batches) == 1)
    portions.turns.release()
    assert list(await asyncio.gather(*tasks[:2])) == ["A", "B"]
    await until(lambda: len(portions.batches) == 2)
    assert not any(task.done() for task in tasks[2:])
    # One that waits behind gives up meanwhile.
    tasks[4].cancel()
    for _ in range(3):
        portions.turns.release()
    assert list(await asyncio.gather(*tasks[2:4], *tasks[5:])) == ["C", "D", "F", "G"]
    assert portions.batches == [list("abcde"), list("cdefg"), list("fg")]
    await group.close()


async def test_who_was_left_by_a_commit_waits_no_longer_than_others() -> None:
    portions = Portions()
    group: Group[str] = Group("Test", queue_limit=9, batch_limit=9, queue_timeout_s=5.0, commit_timeout_s=0.1)
    group.open(portions)
    tasks = [asyncio.create_task(group.write(name)) for name in "abcde"]
    await until(lambda: len(portions.batches) == 1)
    # Each of them may be in the commit that runs, so that nobody is turned away before that is known.
    done, _ = await asyncio.wait(tasks, timeout=0.2)
    assert not done
    portions.turns.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[:2] == ["A", "B"]
    assert {type(outcome) for outcome in outcomes[2:]} == {StoreUnavailable}
    portions.turns.release()
    assert await group.write("again") == "AGAIN"
    assert portions.batches == [list("abcde"), ["again"]]
    await group.close()


async def test_a_queue_too_long_to_be_committed_at_the_end_is_turned_away() -> None:
    portions = Portions()
    group: Group[str] = Group(
        "Test", queue_limit=9, batch_limit=3, queue_timeout_s=5.0, commit_timeout_s=5.0, last_commits_s=0.1
    )
    group.open(portions)
    tasks = [asyncio.create_task(group.write(name)) for name in "abcdefg"]
    await until(lambda: len(portions.batches) == 1)
    closing = asyncio.create_task(group.close())
    done, _ = await asyncio.wait({closing}, timeout=0.15)
    assert not done
    # The commit that runs is waited for a moment longer.
    portions.turns.release()
    assert await closing
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[:2] == ["A", "B"]
    assert [str(outcome) for outcome in outcomes[2:]] == ["the Test store was closed"] * 5
    assert portions.batches == [list("abc")]


async def test_the_end_does_not_wait_for_a_commit_that_hangs(commits: Commits) -> None:
    group: Group[str] = Group(
        "Test", queue_limit=9, batch_limit=2, queue_timeout_s=5.0, commit_timeout_s=5.0, last_commits_s=0.05
    )
    group.open(commits)
    tasks = [asyncio.create_task(group.write(name)) for name in "abcd"]
    await until(lambda: len(commits.batches) == 1)
    async with asyncio.timeout(2):
        assert not await group.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert await group.close()
