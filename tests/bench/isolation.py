"""What a hanging receiver costs its neighbours: a healthy pair alone, and with 100 requests stuck on another
platform.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.bench import load, setting
from tests.bench.processes import LOAD_CORE, MEASURED_CORE, pin, running

STUCK = 100
MOST_RATIO = 1.5
MOST_DIFFERENCE_S = 0.005


async def _stuck(port: int, request: bytes) -> list[asyncio.StreamWriter]:
    """Requests that nobody answers, each on a connection of its own."""
    writers = []
    for _ in range(STUCK):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writers.append(writer)
    return writers


async def _round(port: int, request: bytes, hanging: bytes | None, count: int, connections: int) -> float:
    """p95 of the healthy pair in seconds."""
    writers = [] if hanging is None else await _stuck(port, hanging)
    try:
        driven = await load.drive(port, request, count, connections)
    finally:
        for writer in writers:
            writer.transport.abort()
    if driven.wrong or driven.count != count:
        raise RuntimeError(f"{driven.wrong} of {driven.count} answers were wrong")
    return driven.quantile(0.95)


def isolation(console: Console, rounds: int, count: int, connections: int) -> bool:
    """Prints the table; True when the healthy pair hardly notices."""
    pin(0, LOAD_CORE)
    with (
        tempfile.TemporaryDirectory() as folder,
        running("tests.bench.upstream", core=LOAD_CORE) as slow,
        running("tests.bench.upstream", core=LOAD_CORE) as healthy,
    ):
        prepared = setting.run_prepare(Path(folder), slow.port, healthy.port)
        request = setting.get_request(prepared.p3, "FR/DUO", "NL/NSP")
        hanging = setting.get_request(prepared.p2, "NL/CPA", "NL/EMA", "hang")
        alone: list[float] = []
        beside: list[float] = []
        with (
            running("tests.bench.hub_process", folder, str(prepared.port), core=MEASURED_CORE) as hub,
            Progress(console=console, transient=True) as progress,
        ):
            steps = progress.add_task("measuring", total=rounds * 2)
            asyncio.run(_round(hub.port, request, None, count, connections))
            for _ in range(rounds):
                alone.append(asyncio.run(_round(hub.port, request, None, count, connections)))
                progress.advance(steps)
                beside.append(asyncio.run(_round(hub.port, request, hanging, count, connections)))
                progress.advance(steps)
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    difference_s = statistics.median(b - a for a, b in zip(alone, beside, strict=True))
    table = Table(title=f"A healthy pair while {STUCK} requests hang on another platform (median of rounds)")
    for column in ("p95 alone ms", "p95 beside ms", "ratio", "difference ms"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{statistics.median(alone) * 1000:.2f}",
        f"{statistics.median(beside) * 1000:.2f}",
        f"{ratio:.2f}",
        f"{difference_s * 1000:.2f}",
    )
    console.print(table)
    return ratio <= MOST_RATIO or difference_s <= MOST_DIFFERENCE_S
