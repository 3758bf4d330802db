"""Work in another process: what comes back, what fails and how, and that nothing is left of it."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.broker.plugins import computing as module
from hub.broker.plugins.computing import Computing
from hub.plugin import NotComputed
from tests.unit.broker.plugins import computing_samples as samples
from tests.waiting import until


@pytest.fixture
async def computing() -> AsyncIterator[Computing]:
    made = Computing(samples.initialize)
    yield made
    await made.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # One that nobody has waited for yet is dead all the same.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


async def marked(mark: Path) -> int:
    """The process id, once the work is under way."""
    await until(mark.exists)
    return pid_in(mark)


def pid_in(mark: Path) -> int:
    return int(mark.read_text())


async def test_results_and_failures_come_back(computing: Computing) -> None:
    assert await asyncio.gather(*(computing.run(samples.add, number, 1) for number in range(5))) == [1, 2, 3, 4, 5]
    assert await computing.run(samples.was_initialized)
    assert await computing.run(samples.survive_sigint) == "alive"
    with pytest.raises(KeyError, match="no such tariff"):
        await computing.run(samples.refuse, "no such tariff")
    # What cannot be sent is told, and harms neither the hub nor the next call.
    with pytest.raises(RuntimeError, match="NeedsMore: refused by hand"):
        await computing.run(samples.refuse_strangely)
    with pytest.raises(RuntimeError, match="SystemExit: enough"):
        await computing.run(samples.leave)
    unsendable: list[tuple[Callable[..., object], object]] = [(samples.add, lambda: None), (lambda _: 1, 1)]
    for work, argument in unsendable:
        with pytest.raises(TypeError, match="cannot go to another process"):
            await computing.run(work, argument)
    with pytest.raises(TypeError, match=r"result of .*give_function cannot come back"):
        await computing.run(samples.give_function)
    pid = await computing.run(samples.pid)
    assert pid == await computing.run(samples.pid) != os.getpid()


async def test_the_event_loop_does_not_make_processes(computing: Computing, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    class Noted(ProcessPoolExecutor):
        def __init__(self, *args: Any, **named: Any) -> None:
            threads.append(threading.get_ident())
            super().__init__(*args, **named)

        def submit(self, *args: Any, **named: Any) -> Future[Any]:
            threads.append(threading.get_ident())
            return super().submit(*args, **named)

    monkeypatch.setattr(module, "ProcessPoolExecutor", Noted)
    assert await computing.run(samples.add, 1, 2) == 3
    assert len(threads) == 2
    assert threading.get_ident() not in threads


async def test_a_process_that_dies_fails_its_call_alone(computing: Computing) -> None:
    dying = asyncio.create_task(computing.run(samples.die))
    waiting = asyncio.create_task(computing.run(samples.add, 1, 2))
    with pytest.raises(NotComputed, match=r"computing_samples\.die ended before it was done, as if killed"):
        await dying
    assert await waiting == 3


async def test_a_process_that_died_with_nothing_to_do_is_replaced(computing: Computing) -> None:
    pid = await computing.run(samples.pid)
    pool = computing._pool
    assert pool is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bool(pool._broken))
    assert await computing.run(samples.add, 1, 2) == 3


async def test_a_call_that_nobody_waits_for_is_ended(computing: Computing, tmp_path: Path) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    staying = asyncio.create_task(computing.run(samples.mark_and_stay, str(tmp_path / "mark")))
    pid = await marked(tmp_path / "mark")
    next_in_turn = asyncio.create_task(computing.run(samples.pid))
    staying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staying
    assert gone(pid)
    assert await next_in_turn != pid
    del staying
    gc.collect()
    assert told == []


async def test_closing_ends_what_runs_and_refuses_what_waits(tmp_path: Path) -> None:
    computing = Computing()
    staying = asyncio.create_task(computing.run(samples.mark_and_stay, str(tmp_path / "mark")))
    waiting = asyncio.create_task(computing.run(samples.pid))
    pid = await marked(tmp_path / "mark")
    async with asyncio.timeout(1):
        await computing.close()
    assert gone(pid)
    with pytest.raises(NotComputed, match="because the hub is stopping"):
        await staying
    for late in (waiting, computing.run(samples.pid)):
        with pytest.raises(NotComputed, match="computes nothing any more"):
            await late
    await computing.close()


async def test_a_process_that_cannot_begin_is_told() -> None:
    computing = Computing(samples.fail_to_initialize)
    with pytest.raises(NotComputed):
        await computing.run(samples.pid)
    await computing.close()


async def test_a_process_that_cannot_be_made_is_told_and_tried_again(
    computing: Computing, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(ProcessPoolExecutor):
        def submit(self, *args: Any, **named: Any) -> Future[Any]:
            raise BlockingIOError("too many processes")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(module, "ProcessPoolExecutor", Full)
        with pytest.raises(NotComputed, match="could be made to compute in: too many"):
            await computing.run(samples.pid)
    assert await computing.run(samples.add, 1, 2) == 3


_HUB = """
import asyncio, sys
from hub.broker.plugins.computing import Computing
from tests.unit.broker.plugins import computing_samples as samples
if __name__ == "__main__":
    asyncio.run(Computing().run(samples.mark_and_stay, sys.argv[1]))
"""


async def test_the_process_ends_with_a_hub_that_was_killed(tmp_path: Path) -> None:
    script, mark = tmp_path / "hub_like.py", tmp_path / "mark"
    script.write_text(_HUB)
    root = Path(__file__).parents[4]
    with subprocess.Popen(  # noqa: ASYNC220 - it takes a moment
        [sys.executable, str(script), str(mark)], env={**os.environ, "PYTHONPATH": str(root)}
    ) as hub_like:
        try:
            pid = await marked(mark)
        finally:
            hub_like.kill()
    try:
        await until(lambda: gone(pid), timeout_s=5)
    finally:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
