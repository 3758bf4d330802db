"""CPU per message: the hub against the plain proxy, direct GET and PUT, interleaved in one run."""

import asyncio
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.bench import load, setting
from tests.bench.processes import LOAD_CORE, MEASURED_CORE, Measured, pin, running

GOAL = 1.0
HUB = "hub"
# What it costs with the plugins it runs by default: a record per exchange, a tenth of the bodies checked.
WITH_PLUGINS = "hub, default plugins"


def measure(process: Measured, request: bytes, count: int, connections: int) -> tuple[float, load.Load]:
    """CPU microseconds per message, and the load that was driven."""
    before = process.cpu_s
    driven = asyncio.run(load.drive(process.port, request, count, connections))
    if driven.wrong:
        raise RuntimeError(f"{driven.wrong} of {driven.count} answers were wrong")
    return (process.cpu_s - before) / driven.count * 1e6, driven


def cost(console: Console, rounds: int, count: int, connections: int, *, uvloop: bool) -> bool:
    """Prints the table; True when the hub costs at most what the plain proxy costs, for both methods."""
    pin(0, LOAD_CORE)
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as other_folder,
        running("tests.bench.upstream", core=LOAD_CORE) as upstream,
    ):
        prepared = setting.run_prepare(Path(folder), upstream.port)
        other = setting.run_prepare(Path(other_folder), upstream.port)
        requests = {
            name: {"GET": setting.get_request(made.p2), "PUT": setting.put_request(made.p1)}
            for name, made in (("plain proxy", prepared), (HUB, prepared), (WITH_PLUGINS, other))
        }
        speed = ["--uvloop"] if uvloop else []
        with (
            running("tests.bench.plain_proxy", str(upstream.port), core=MEASURED_CORE) as plain,
            running("tests.bench.hub_process", folder, str(prepared.port), *speed, core=MEASURED_CORE) as hub,
            running(
                "tests.bench.hub_process", other_folder, str(other.port), "--plugins", *speed, core=MEASURED_CORE
            ) as plugged,
            Progress(console=console, transient=True) as progress,
        ):
            variants = {"plain proxy": plain, HUB: hub, WITH_PLUGINS: plugged}
            found: dict[tuple[str, str], list[tuple[float, load.Load]]] = {}
            steps = progress.add_task("measuring", total=rounds * 6 + 6)
            for name, process in variants.items():
                for request in requests[name].values():
                    measure(process, request, count // 4, connections)
                    progress.advance(steps)
            for _ in range(rounds):
                for method in ("GET", "PUT"):
                    for name, process in variants.items():
                        request = requests[name][method]
                        found.setdefault((name, method), []).append(measure(process, request, count, connections))
                        progress.advance(steps)
            return _report(console, found, {name: process.rss_mib for name, process in variants.items()})


def _report(
    console: Console, found: dict[tuple[str, str], list[tuple[float, load.Load]]], rss_mib: dict[str, float]
) -> bool:
    table = Table(title="CPU per message (median of rounds)")
    for column in ("", "method", "CPU µs", "ratio", "messages/s", "p50 ms", "p99 ms", "RSS MiB"):
        table.add_column(column, justify="right")
    kept = True
    for (name, method), runs in sorted(
        found.items(), key=lambda item: (item[0][1], item[0][0] != "plain proxy", item[0][0])
    ):
        ratios = [run[0] / base[0] for run, base in zip(runs, found["plain proxy", method], strict=True)]
        ratio = statistics.median(ratios)
        kept = kept and (name != HUB or ratio <= GOAL)
        table.add_row(
            name,
            method,
            f"{statistics.median(run[0] for run in runs):.1f}",
            f"{ratio:.2f}",
            f"{statistics.median(run[1].count / run[1].wall_s for run in runs):.0f}",
            f"{statistics.median(run[1].quantile(0.5) for run in runs) * 1000:.2f}",
            f"{statistics.median(run[1].quantile(0.99) for run in runs) * 1000:.2f}",
            f"{rss_mib[name]:.0f}",
        )
    console.print(table)
    return kept
