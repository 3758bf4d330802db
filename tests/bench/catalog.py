"""`python -m tests.bench.catalog`: pages of a large catalog in the stores alone, without the hub around them: the first
page, the last one behind a position and by offset, dates, and what a full crawl takes of memory.
"""

import asyncio
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hub.domain.catalog import ObjectKey, Verdict
from hub.ocpi.names import LOCATIONS
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.open import create
from hub.store.ports import Store, Wanted
from tests.mongodb import URL_VARIABLE, MongoServer, with_database

OWNERS = [PartyId("NL", f"{number:03d}") for number in range(50)]
SMALL = 10_000
LIMIT = 50
TIMES = 20
MOST_RATIO = 2.0
FLOOR_S = 0.005
OFFSET_S = 0.100
MOST_GROWN_MIB = 30.0
_AT_ONCE = 500
_START = datetime(2026, 1, 1, tzinfo=UTC)
_PAGE = Wanted(LOCATIONS, frozenset(owner.key for owner in OWNERS), LIMIT)


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of pages (medians) and of writing one object; MiB a process had at its peak after a crawl."""

    put_s: float
    first_s: float
    last_s: float
    offset_s: float
    some_s: float
    dated_s: float
    small_mib: float
    full_mib: float


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = create(url, "motor", Path())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def fill(store: Store, count: int, step: Callable[[int], None]) -> float:
    """Stores locations of 2 kB in turn of 50 owners, as pushes would; seconds per object."""
    started = time.perf_counter()
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(count, first + _AT_ONCE))
        await asyncio.gather(*(_put(store, number) for number in numbers))
        step(len(numbers))
    return (time.perf_counter() - started) / count


async def _put(store: Store, number: int) -> None:
    moment = _START + timedelta(seconds=number)
    raw = f'{{"id":"L{number}","name":"{"x" * 1920}","last_updated":"{moment:%Y-%m-%dT%H:%M:%SZ}"}}'.encode()
    verdict = Verdict(201, StatusCode.OK, raw=raw, last_updated=moment)
    key = ObjectKey(LOCATIONS, OWNERS[number % len(OWNERS)], f"L{number}")
    await store.catalog.apply(key, lambda _: verdict, seen_at=_START)


async def crawl(store: Store, most: int) -> tuple[int, int]:
    """Reads page after page up to so many objects; how many came, and the position before the last page."""
    count, before, after = 0, -1, -1
    while count < most and (page := await store.catalog.page(replace(_PAGE, after=after))):
        count += len(page)
        before, after = after, page[-1].sequence
    return count, before


def peak_mib(url: str, most: int) -> float:
    """The most memory this process ever had, after a crawl. Called in a process of its own."""

    async def run() -> None:
        async with opened(url) as store:
            count, _ = await crawl(store, most)
            if count != most:
                raise RuntimeError(f"{count} objects instead of {most}")

    asyncio.run(run())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(url: str, most: int) -> float:
    """`peak_mib` of a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(peak_mib, url, most).result()


async def median(store: Store, wanted: Wanted) -> float:
    """Seconds of a full page."""
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        if len(await store.catalog.page(wanted)) != wanted.limit:
            raise RuntimeError("a page is not what it should be")
        took.append(time.perf_counter() - started)
    return statistics.median(took)


async def pages(url: str, count: int, progress: Progress) -> Found:
    """Fills the store and measures single pages."""
    filling = progress.add_task("filling", total=count)
    async with opened(url) as store:
        put_s = await fill(store, count, lambda done: progress.advance(filling, done))
        crawling = progress.add_task("crawling", total=None)
        _, before = await crawl(store, count)
        progress.remove_task(crawling)

        some = frozenset(owner.key for owner in OWNERS[:40])
        return Found(
            put_s=put_s,
            first_s=await median(store, _PAGE),
            last_s=await median(store, replace(_PAGE, after=before)),
            offset_s=await median(store, replace(_PAGE, offset=count - LIMIT)),
            some_s=await median(store, replace(_PAGE, owners=some)),
            dated_s=await median(store, replace(_PAGE, date_from=_START + timedelta(seconds=count - 500))),
            small_mib=0.0,
            full_mib=0.0,
        )


def measure(url: str, count: int, limit_s: float, progress: Progress) -> Found:
    async def bounded() -> Found:
        async with asyncio.timeout(limit_s):
            return await pages(url, count, progress)

    found = asyncio.run(bounded())
    crawling = progress.add_task("crawling in processes of their own", total=2)
    small = in_own_process(url, min(SMALL, count))
    progress.advance(crawling)
    full = in_own_process(url, count)
    progress.advance(crawling)
    return replace(found, small_mib=small, full_mib=full)


@contextmanager
def place(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty store: SQLite in a folder, or the MongoDB of the tests."""
    if kind == "SQLite":
        yield f"sqlite:///{folder / 'hub.sqlite3'}"
    elif given := os.environ.get(URL_VARIABLE):
        yield with_database(given, f"ocpi_hub_bench_{os.getpid()}")
    else:
        server = MongoServer()
        server.start()
        try:
            yield with_database(server.url, "ocpi_hub_bench")
        finally:
            server.stop()


def report(console: Console, found: dict[str, Found], count: int) -> bool:
    """Prints figures and goals; whether all are kept."""
    table = Table(title=f"{count} locations of 2 kB, {len(OWNERS)} owners, pages of {LIMIT}, medians of {TIMES}")
    columns = ("", "put ms", "first ms", "last ms", "offset ms", "40 owners ms", "date ms", "crawl MiB", "full MiB")
    for column in columns:
        table.add_column(column, justify="right")
    kept = True
    for kind, one in found.items():
        seconds = (one.put_s, one.first_s, one.last_s, one.offset_s, one.some_s, one.dated_s)
        memory = (one.small_mib, one.full_mib)
        table.add_row(kind, *(f"{value * 1000:.2f}" for value in seconds), *(f"{value:.0f}" for value in memory))
    console.print(table)
    for kind, one in found.items():
        goals = {
            "last page behind a position at most 2 times the first": one.last_s
            <= max(MOST_RATIO * one.first_s, FLOOR_S),
            "plain offset near the end at most 100 ms": one.offset_s <= OFFSET_S,
            f"a full crawl takes less than 30 MiB over one of {SMALL}": one.full_mib - one.small_mib < MOST_GROWN_MIB,
        }
        for goal, holds in goals.items():
            console.print(f"{kind}: {goal}: {'yes' if holds else 'NO'}")
            kept = kept and holds
    return kept


@click.command()
@click.option("--count", default=100_000, show_default=True, help="Objects in the catalog.")
@click.option("--only", type=click.Choice(["SQLite", "MongoDB"], case_sensitive=False), help="Just one of the two.")
@click.option("--limit-s", default=900.0, show_default=True, help="Seconds filling and reading one store may take.")
def main(count: int, only: str | None, limit_s: float) -> None:
    """Prints the table; exit code 1 when a goal is missed."""
    console = Console(width=max(110, Console().width))
    found = {}
    for kind in [only] if only else ["SQLite", "MongoDB"]:
        with (
            tempfile.TemporaryDirectory() as folder,
            place(kind, Path(folder)) as url,
            Progress(console=console, transient=True) as progress,
        ):
            found[kind] = measure(url, count, limit_s, progress)
    sys.exit(0 if report(console, found, count) else 1)


if __name__ == "__main__":
    main()
