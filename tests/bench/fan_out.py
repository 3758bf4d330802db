"""`python -m tests.bench.fan_out`: what broadcasts cost their sender and their neighbours, with 10 and 1,000 receivers,
and with 50 of them hanging. The receivers are in a process of their own, the hub has one core.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hub.ocpi import codec
from tests.bench import load
from tests.bench.crowd import ask, location, prepare, push, receiver_names
from tests.bench.processes import LOAD_CORE, MEASURED_CORE, Measured, pin, running

BROADCASTS = 30
MOST_RATIO = 1.5
ANSWER_SLACK_S = 0.020
DIRECT_SLACK_S = 0.025
HANGING = 50
_STAMP = "2026-01-01T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: median answer, direct p95 idle and during, time until the last healthy leg, all in seconds; memory."""

    receivers: int
    hanging: int
    answer_s: float
    idle_s: float
    during_s: float
    finished_s: float
    grown_mib: float


async def call(port: int, request: bytes) -> bytes:
    """One request on a connection of its own; the body of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        return await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
    finally:
        writer.close()


async def tally(port: int, *, whole: bool = False) -> dict[str, object]:
    """How many requests receivers got; `whole`: with the newest body of every path, which takes them a while."""
    path = "/tally" if whole else "/counts"
    found: dict[str, object] = codec.loads(await call(port, load.http("GET", path, {})))
    return found


async def _direct(port: int, request: bytes, until_done: asyncio.Event) -> list[float]:
    """Latencies of a direct pair, one request after the other, until the others are done."""
    latencies: list[float] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not until_done.is_set():
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
        latencies.append(time.perf_counter() - started)
        await asyncio.sleep(0.002)
    writer.close()
    return latencies


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


async def measure(hub: Measured, receivers: Measured, count: int, hanging: int, access: tuple[str, str]) -> Run:
    """30 broadcasts one after the other beside a direct pair, until every healthy receiver has all of them."""
    pusher, asker = access
    idle = asyncio.Event()
    asyncio.get_running_loop().call_later(2.0, idle.set)
    idle_s = _p95(await _direct(hub.port, ask(asker), idle))
    for warm in range(2):
        await call(hub.port, push(pusher, f"W{warm}", location(0, _STAMP).replace(b'"L0"', b'"W%d"' % warm)))
    await _until_told(receivers.port, 2 * (count - hanging))
    await call(receivers.port, load.http("GET", "/forget", {}))
    before_mib = hub.rss_mib
    done = asyncio.Event()
    beside = asyncio.create_task(_direct(hub.port, ask(asker), done))
    answers: list[float] = []
    started, wall = time.perf_counter(), time.time()
    for number in range(BROADCASTS):
        sent = time.perf_counter()
        answer = await call(hub.port, push(pusher, f"L{number}", location(number, _STAMP)))
        answers.append(time.perf_counter() - sent)
        if b'"status_code":1000' not in answer:
            raise RuntimeError(answer.decode())
    last_at = await _until_told(receivers.port, BROADCASTS * (count - hanging))
    done.set()
    during_s = _p95(await beside)
    del started
    return Run(count, hanging, statistics.median(answers), idle_s, during_s, last_at - wall, hub.rss_mib - before_mib)


async def _until_told(port: int, legs: int) -> float:
    """Waits until healthy receivers have got this many requests; when the last one came."""
    async with asyncio.timeout(180):
        while True:
            found = await tally(port)
            counts = found["counts"]
            assert isinstance(counts, dict)
            if sum(number for name, number in counts.items() if name.startswith("r")) >= legs:
                return float(str(found["last_at"]))
            await asyncio.sleep(0.1)


def one(count: int, hanging: int, *, pinned: bool = True) -> Run:
    """A run in a fresh store, with fresh processes; `pinned`: the hub on one core, all others on another."""
    load_core, hub_core = (LOAD_CORE, MEASURED_CORE) if pinned else (None, None)
    with tempfile.TemporaryDirectory() as folder, running("tests.bench.receivers", core=load_core) as receivers:
        crowd = asyncio.run(prepare(Path(folder), receivers.port, receiver_names(count, hanging)))
        with running("tests.bench.hub_process", folder, str(crowd.port), "--timeout=2", core=hub_core) as hub:
            return asyncio.run(measure(hub, receivers, count, hanging, (crowd.pusher, crowd.asker)))


def answers_hold(run: Run, few: Run) -> bool:
    """Whether answers take hardly longer than with few receivers."""
    return run.answer_s <= MOST_RATIO * few.answer_s + ANSWER_SLACK_S


def direct_holds(run: Run) -> bool:
    """Whether the direct pair hardly notices."""
    return run.during_s <= run.idle_s + DIRECT_SLACK_S


def told_in_time(stuck: Run, free: Run) -> bool:
    """Whether hanging receivers cost the others no time."""
    return stuck.finished_s <= MOST_RATIO * free.finished_s


@click.command()
@click.option("--receivers", default=1000, show_default=True)
def main(receivers: int) -> None:
    """Prints the table; exit code 1 when a goal is missed."""
    pin(0, LOAD_CORE)
    console = Console(width=120)
    with Progress(console=console, transient=True) as progress, contextlib.suppress(KeyboardInterrupt):
        steps = progress.add_task("measuring", total=3)
        runs = []
        for count, hanging in ((10, 0), (receivers, 0), (receivers, HANGING)):
            runs.append(one(count, hanging))
            progress.advance(steps)
    few, many, stuck = runs
    table = Table(title=f"{BROADCASTS} broadcasts of 2 kB, one after the other, beside a direct pair")
    for column in ("receivers", "hanging", "answer ms", "direct p95 idle ms", "during ms", "all told s", "memory +MiB"):
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(
            str(run.receivers),
            str(run.hanging),
            *(f"{seconds * 1000:.1f}" for seconds in (run.answer_s, run.idle_s, run.during_s)),
            f"{run.finished_s:.2f}",
            f"{run.grown_mib:.0f}",
        )
    console.print(table)
    goals = {
        "answers: at most 1.5 times those with 10 receivers + 20 ms": answers_hold(many, few)
        and answers_hold(stuck, few),
        "direct pair: p95 at most its idle p95 + 25 ms": direct_holds(many) and direct_holds(stuck),
        "with hanging receivers: the others told within 1.5 times the time": told_in_time(stuck, many),
    }
    for goal, kept in goals.items():
        console.print(f"{goal}: {'yes' if kept else 'NO'}")
    sys.exit(0 if all(goals.values()) else 1)


if __name__ == "__main__":
    main()
