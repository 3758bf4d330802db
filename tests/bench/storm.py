"""`python -m tests.bench.storm`: 50,000 EVSE status changes pushed to everybody as fast as the sender can, as after an
outage. Every one must be answered, every receiver must end with the newest status of every EVSE, memory must be
bounded.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from hub.ocpi import times
from tests.bench.crowd import Crowd, location, prepare, push, receiver_names
from tests.bench.fan_out import call, tally
from tests.bench.processes import LOAD_CORE, MEASURED_CORE, Measured, pin, running

LOCATIONS = 100
EVSES = 20
CONNECTIONS = 16
MOST_GROWN_MIB = 200
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_STATUSES = ("CHARGING", "AVAILABLE", "BLOCKED", "OUTOFORDER")


@dataclass(frozen=True, slots=True)
class Change:
    """One status change: where, and the body."""

    tail: str
    body: bytes


def changes(count: int, connection: int) -> Iterator[Change]:
    """The share of one connection: all changes of an EVSE come from the same one, in order."""
    mine = [
        f"L{number}/E{evse}"
        for number in range(LOCATIONS)
        for evse in range(EVSES)
        if (number * EVSES + evse) % CONNECTIONS == connection
    ]
    for step in range(count):
        stamp = times.render(_START + timedelta(milliseconds=step + 1))
        body = f'{{"status":"{_STATUSES[step % len(_STATUSES)]}","last_updated":"{stamp}"}}'.encode()
        yield Change(mine[step % len(mine)], body)


async def _send(port: int, access: str, share: Iterator[Change], progress: tuple[Progress, TaskID]) -> dict[str, str]:
    """Sends one change after the other; the newest body by tail."""
    newest: dict[str, str] = {}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, change in enumerate(share):
        writer.write(push(access, change.tail, change.body, "PATCH"))
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        answer = await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
        if b'"status_code":1000' not in answer:
            raise RuntimeError(answer.decode())
        newest[change.tail] = change.body.decode()
        if number % 100 == 99:
            progress[0].advance(progress[1], 100)
    writer.close()
    return newest


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds until all were answered and until all receivers knew the newest; legs received; memory of the hub."""

    answered_s: float
    told_s: float
    legs: int
    wrong: int
    grown_mib: float


async def _storm(hub: Measured, receivers: Measured, crowd: Crowd, names: list[str], count: int) -> Outcome:
    stamp = times.render(_START)
    for number in range(LOCATIONS):
        await call(hub.port, push(crowd.pusher, f"L{number}", location(number, stamp, evses=EVSES)))
    before_mib, started = hub.rss_mib, time.perf_counter()
    with Progress(transient=True) as progress:
        task = progress.add_task("pushing", total=count)
        shares = await asyncio.gather(
            *(
                _send(hub.port, crowd.pusher, changes(count // CONNECTIONS, connection), (progress, task))
                for connection in range(CONNECTIONS)
            )
        )
    answered_s = time.perf_counter() - started
    expected = {
        f"/{name}/locations/NL/CPO/{tail}": body for share in shares for tail, body in share.items() for name in names
    }
    grown_mib = hub.rss_mib - before_mib
    wrong, legs = len(expected), 0
    async with asyncio.timeout(300):
        while wrong:
            found = await tally(receivers.port, whole=True)
            newest, counts = found["newest"], found["counts"]
            assert isinstance(newest, dict)
            assert isinstance(counts, dict)
            wrong, legs = sum(newest.get(path) != body for path, body in expected.items()), sum(counts.values())
            grown_mib = max(grown_mib, hub.rss_mib - before_mib)
            await asyncio.sleep(0.25 if wrong else 0)
    return Outcome(answered_s, time.perf_counter() - started, legs, wrong, grown_mib)


@click.command()
@click.option("--count", default=50_000, show_default=True)
@click.option("--receivers", default=10, show_default=True)
def main(count: int, receivers: int) -> None:
    """Prints the table; exit code 1 when a goal is missed."""
    pin(0, LOAD_CORE)
    names = receiver_names(receivers, 0)
    with tempfile.TemporaryDirectory() as folder, running("tests.bench.receivers", core=LOAD_CORE) as crowd_process:
        crowd = asyncio.run(prepare(Path(folder), crowd_process.port, names))
        with running("tests.bench.hub_process", folder, str(crowd.port), core=MEASURED_CORE) as hub:
            outcome = asyncio.run(_storm(hub, crowd_process, crowd, names, count))
    console = Console(width=120)
    table = Table(title=f"{count} EVSE status changes to {receivers} receivers ({LOCATIONS * EVSES} EVSEs)")
    for column in ("answered s", "pushes/s", "all newest known s", "legs received", "of possible", "memory +MiB"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{outcome.answered_s:.1f}",
        f"{count / outcome.answered_s:.0f}",
        f"{outcome.told_s:.1f}",
        str(outcome.legs),
        str(count * receivers),
        f"{outcome.grown_mib:.0f}",
    )
    console.print(table)
    kept = outcome.grown_mib <= MOST_GROWN_MIB
    console.print(f"memory grows by at most {MOST_GROWN_MIB} MiB: {'yes' if kept else 'NO'}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
