"""`python -m tests.bench.lists`: GET ALL over 100,000 locations of 2 kB from 50 owners: the first page, the last one by
following links, a plain offset near the end, and what a full crawl does to the memory of the hub.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hub import app
from hub.domain.catalog import ObjectKey, Verdict
from hub.ocpi import headers, paging
from hub.ocpi.names import LOCATIONS, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import Store
from tests.bench.crowd import NOW, access, maker, party_ids
from tests.bench.load import http
from tests.bench.processes import LOAD_CORE, MEASURED_CORE, Measured, pin, running
from tests.hub_process import free_port
from tests.hubs import test_settings

OWNERS = 50
SMALL = 10_000
LIMIT = 100
TIMES = 20
MOST_RATIO = 2.0
FLOOR_S = 0.005
OFFSET_S = 0.100
MOST_GROWN_MIB = 30
_LIST = "/ocpi/2.2.1/sender/locations"


async def fill(store: Store, first: int, last: int) -> None:
    """Locations number `first` to `last - 1`, in turn of 50 owners, put into the catalog as a push would put them."""
    owners = [PartyId("DE", party_id) for _, party_id in zip(range(OWNERS), party_ids(), strict=False)]
    for start in range(first, last, 1000):
        await asyncio.gather(
            *(_put(store, owners[number % OWNERS], number) for number in range(start, min(last, start + 1000)))
        )


async def _put(store: Store, owner: PartyId, number: int) -> None:
    moment = NOW + timedelta(seconds=number)
    raw = (
        f'{{"country_code":"{owner.country_code}","party_id":"{owner.party_id}","id":"L{number}","name":"{"x" * 1850}",'
        f'"last_updated":"{moment:%Y-%m-%dT%H:%M:%SZ}"}}'
    ).encode()
    verdict = Verdict(201, StatusCode.OK, raw=raw, last_updated=moment)
    await store.catalog.apply(ObjectKey(LOCATIONS, owner, f"L{number}"), lambda _held: verdict, seen_at=NOW)


async def prepare(folder: Path, port: int, first: int, last: int, database_url: str | None) -> None:
    """Registers 50 owners and a reader at the first call; adds locations at each."""
    changes = {} if database_url is None else {"database_url": database_url}
    with (folder / "prepare.log").open("ab") as legs:
        async with app.running(test_settings(folder, port=port, **changes), legs_to=legs) as hub:
            if not first:
                made = await maker(hub.store, "http://127.0.0.1:9")
                for number, party_id in zip(range(OWNERS), party_ids(), strict=False):
                    await hub.store.platforms.insert(made.platform(f"o{number}", Role.CPO, "DE", party_id))
                await hub.store.platforms.insert(made.platform("reader", Role.EMSP, "NL", "EMA"))
            await fill(hub.store, first, last)


class Reader:
    """A client with one connection that fetches pages."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Reader":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def page(self, path: str) -> tuple[float, str | None]:
        """Seconds, and the path of the next page."""
        request = http(
            "GET",
            path,
            {
                headers.AUTHORIZATION: access("reader"),
                headers.TO_COUNTRY: "NL",
                headers.TO_PARTY: "HUB",
                headers.FROM_COUNTRY: "NL",
                headers.FROM_PARTY: "EMA",
            },
        )
        started = time.perf_counter()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
        body = await self._reader.readexactly(int(found["content-length"]))
        seconds = time.perf_counter() - started
        if b'"status_code":1000' not in body[-100:]:
            raise RuntimeError(body[:200].decode())
        url = paging.next_link([found["link"]]) if "link" in found else None
        return seconds, None if url is None else url[url.index("/ocpi/") :]

    async def crawl(self) -> str:
        """Every page; the path of the last one."""
        path: str | None = f"{_LIST}?limit={LIMIT}"
        last = ""
        while path is not None:
            last = path
            _, path = await self.page(path)
        return last

    async def median(self, path: str) -> float:
        """The median of 20 times the same page."""
        return statistics.median([(await self.page(path))[0] for _ in range(TIMES)])


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of the first page, the last one by its link and the last one by offset; memory a crawl added."""

    first_s: float
    last_s: float
    offset_s: float
    grown_mib: float


async def read(hub: Measured, count: int) -> Found:
    """Crawls the whole list once, then measures single pages."""
    async with Reader(hub.port) as reader:
        first = f"{_LIST}?limit={LIMIT}"
        await reader.median(first)
        before_mib = hub.rss_mib
        last = await reader.crawl()
        grown_mib = hub.rss_mib - before_mib
        offset = f"{_LIST}?offset={count - LIMIT}&limit={LIMIT}"
        return Found(await reader.median(first), await reader.median(last), await reader.median(offset), grown_mib)


def measure(count: int, database_url: str | None, progress: Progress) -> tuple[Found, Found]:
    """What a hub with 10,000 locations does, and one with `count`."""
    task = progress.add_task("filling and reading", total=4)
    port = free_port()
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder, first = Path(name), 0
        for size in (SMALL, count):
            asyncio.run(prepare(folder, port, first, size, database_url))
            first = size
            progress.advance(task)
            options = [] if database_url is None else [f"--database={database_url}"]
            with running("tests.bench.hub_process", name, str(port), *options, core=MEASURED_CORE) as hub:
                found.append(asyncio.run(read(hub, size)))
            progress.advance(task)
    return found[0], found[1]


@click.command()
@click.option("--count", default=100_000, show_default=True)
@click.option("--database", help="A MongoDB URL; without it SQLite.")
def main(count: int, database: str | None) -> None:
    """Prints the table; exit code 1 when a goal is missed."""
    pin(0, LOAD_CORE)
    console = Console(width=120)
    with Progress(console=console, transient=True) as progress:
        small, large = measure(count, database, progress)
    table = Table(
        title=f"GET ALL, {LIMIT} locations of 2 kB a page, {OWNERS} owners, {'MongoDB' if database else 'SQLite'}"
    )
    for column in ("locations", "first page ms", "last by link ms", "last by offset ms", "crawl adds MiB"):
        table.add_column(column, justify="right")
    for size, one in ((SMALL, small), (count, large)):
        shown = (f"{seconds * 1000:.1f}" for seconds in (one.first_s, one.last_s, one.offset_s))
        table.add_row(str(size), *shown, f"{one.grown_mib:.0f}")
    console.print(table)
    goals = {
        "last page by link at most 2 times the first": large.last_s <= MOST_RATIO * max(large.first_s, FLOOR_S),
        "plain offset near the end at most 100 ms": large.offset_s <= OFFSET_S,
        "memory of a crawl: less than 30 MiB over that of 10,000": large.grown_mib - small.grown_mib < MOST_GROWN_MIB,
    }
    for goal, kept in goals.items():
        console.print(f"{goal}: {'yes' if kept else 'NO'}")
    sys.exit(0 if all(goals.values()) else 1)


if __name__ == "__main__":
    main()
