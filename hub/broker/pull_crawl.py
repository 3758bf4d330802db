"""One crawl through an owner's list: page by page into the catalog, and at its end what is gone (R-088, R-098, rulings
13 and 14).

Rules
- Every object takes the way of a push: same rules, same fan-out. While receivers have long queues the crawl waits.
- How the crawl stands is stored after every page, so a restart costs one page.
- Plugins are told what has changed, page by page; of a first crawl, which is hidden till its end, when it shows.
- Only a complete full crawl removes what it did not meet. A broken one removes nothing and sounds an alarm, which the
  next complete one ends.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from hub.broker.alarms import Alarms
from hub.broker.broadcasting import Broadcasting
from hub.broker.fan_out import FanOut
from hub.broker.lane import MOST_LEGS
from hub.broker.plugins.catalog_news import CatalogNews
from hub.broker.pull_book import PullBook
from hub.broker.pull_pages import ListPage, PullPages
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.domain.crawling import Course, Haul, after_page, dead_end, found, shortfall
from hub.domain.platform import Platform
from hub.domain.pulling import Broken, PullState, begun, completed, failed, first_url
from hub.domain.pulls import Pull, still_wanted
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import Interface
from hub.ocpi.status import StatusCode
from hub.store.ports import CatalogStore
from hub.store.records import CatalogEntry

T = TypeVar("T")

log = structlog.get_logger("hub.pulls")

# Pages that are read and stored at the same time, over all crawls.
MOST_PAGES_AT_ONCE = 4
# Objects that are on their way into the store together: they share its commits.
_BATCH = 50
_PAUSE_S = 0.25
# A receiver that is slow for ever must not stop everybody's crawls; beyond its bound it is told to fetch the list.
_LONGEST_PAUSE_S = 10.0
_STORE_AWAY = Broken("the hub's store is away", keeps_place=True)


class _Gone(Exception):
    """The pull was switched off, or cannot go on for a reason that is no failure."""


class PullCrawls:
    """Crawls lists. `book` knows how pulls stand."""

    def __init__(
        self,
        *,
        book: PullBook,
        pages: PullPages,
        registry: RegistryKeeper,
        catalog: CatalogStore,
        broadcasting: Broadcasting,
        fan_out: FanOut,
        alarms: Alarms,
        clock: Clock,
        news: CatalogNews,
    ) -> None:
        self._book = book
        self._pages = pages
        self._registry = registry
        self._catalog = catalog
        self._broadcasting = broadcasting
        self._fan_out = fan_out
        self._alarms = alarms
        self._clock = clock
        self._news = news
        # Fair: whoever has read a page goes behind the others that wait, so one slow platform holds up nobody's list.
        self._turns = asyncio.Semaphore(MOST_PAGES_AT_ONCE)

    async def run(self, pull: Pull) -> None:
        """Goes on with the crawl, or begins one, until it is complete, broken or no longer wanted."""
        try:
            broken = await self._crawl(pull)
            platform, _ = self._wanted(pull)
            if broken is None:
                await self._complete(platform, pull)
            else:
                self.sound(pull, broken.why)
                await self._book.keep(failed(self._book.of(pull), broken, self._clock.now()))
        except _Gone:
            log.info("a pull stopped in the middle", pull=str(pull))
        except StoreUnavailable:  # an alarm of its own stands
            self._book.note(failed(self._book.of(pull), _STORE_AWAY, self._clock.now()))

    def sound(self, pull: Pull, why: str) -> None:
        """Tells the operator that a pull is broken."""
        text = f"pulling {pull.module} of {pull.owner} failed: {why}; nothing was removed"
        self._alarms.sound("pull_failed", str(pull), text, standing=True)

    def hush(self, pull: Pull | PullState) -> None:
        """The pull works again, or is over."""
        self._alarms.clear("pull_failed", str(pull))

    async def show(self, state: PullState) -> None:
        """Ends the hiding of a first crawl, if this one hides. Raises StoreUnavailable."""
        if state.hides:
            await self._catalog.show(state.module, state.owner)
            self._news.changed(state.module, state.owner, None)

    async def _crawl(self, pull: Pull) -> Broken | None:
        """Reads the list to its end; None when it was read whole."""
        platform, endpoint = self._wanted(pull)
        state = begun(
            self._book.of(pull),
            pull,
            self._clock.now(),
            lambda found: self._registry.snapshot.owns_url(platform, found),
        )
        await self._book.keep(state)
        if state.hides:
            await self._catalog.hide(pull.module, pull.owner)
        course = Course()
        url = state.next_url or first_url(state, endpoint)
        while True:
            async with self._turns:
                step = await self._step(pull, course, url)
            if not isinstance(step, str):
                return step
            url = step

    def _wanted(self, pull: Pull) -> tuple[Platform, str]:
        """The platform as it is now, and its endpoint. Raises _Gone."""
        snapshot = self._registry.snapshot
        platform = snapshot.platform(pull.platform_id)
        endpoint = None if platform is None else snapshot.endpoint(platform, pull.module, Interface.SENDER)
        if platform is None or endpoint is None or not still_wanted(snapshot, pull):
            raise _Gone
        return platform, endpoint

    async def _step(self, pull: Pull, course: Course, url: str) -> str | Broken | None:
        """Takes one page in; the URL of the next one, or how the crawl ends."""
        platform, _ = self._wanted(pull)
        course.enter(url)
        page = await self._pages.read(platform, pull.owner, url)
        if isinstance(page, Broken):
            return page
        new = await self._take(platform, pull, course, page)
        if isinstance(page.following, Broken):
            return page.following
        state = self._book.of(pull)
        if page.following is None:
            return shortfall(state)
        return dead_end(state, course, new, page.following) or page.following

    async def _take(self, platform: Platform, pull: Pull, course: Course, page: ListPage) -> int:
        """Stores what a page has, and how the crawl stands; how many objects are new to the crawl."""
        started_at = self._book.of(pull).crawl_started_at
        haul = Haul()

        async def publish(row: tuple[ObjectKey, bytes]) -> Verdict:
            now = self._clock.now()
            # Should the clock be set back, what the crawl met must still not look as if it was last seen before.
            seen_at = now if started_at is None else max(now, started_at)
            push = Push("PUT", row[0], (), row[1])
            return await self._broadcasting.publish(platform, pull.owner, push, seen_at=seen_at)

        for start in range(0, len(page.objects), _BATCH):
            batch = page.objects[start : start + _BATCH]
            rows = [found(pull.module, pull.owner, raw) for raw in batch]
            haul.add(rows, course)
            own = [(row.key, raw) for row, raw in zip(rows, batch, strict=True) if row.key is not None]
            changed = []
            for (key, _), verdict in zip(own, await self._together(own, publish), strict=True):
                if verdict.code != StatusCode.OK:
                    haul.spoil(f"{key.object_id}: {verdict.message}")
                elif verdict.raw is not None:
                    changed.append(key.object_id)
            if not self._book.of(pull).hides:
                self._news.changed(pull.module, pull.owner, changed)
        following = page.following if isinstance(page.following, str) else None
        await self._book.keep(after_page(self._book.of(pull), haul, self._clock.now(), page.total, following))
        return haul.new

    async def _complete(self, platform: Platform, pull: Pull) -> None:
        """What a list that was read to its end means for what the hub holds."""
        state = self._book.of(pull)
        removed = await self._remove_absent(platform, pull, state) if state.full else 0
        await self.show(state)
        await self._book.keep(completed(self._book.of(pull), self._clock.now()))
        self.hush(pull)
        log.info(
            "a pull is complete",
            pull=str(pull),
            full=state.full,
            pages=state.pages,
            objects=state.objects,
            foreign=state.foreign,
            removed=removed,
        )

    async def _remove_absent(self, platform: Platform, pull: Pull, state: PullState) -> int:
        """Forgets the owner's objects that the crawl did not meet; how many."""
        before = state.crawl_started_at
        removed = 0

        async def withdraw(entry: CatalogEntry) -> Verdict:
            key = ObjectKey(entry.module, entry.owner, entry.object_id, entry.kind)
            return await self._broadcasting.withdraw(platform, pull.owner, key, entry.raw)

        while before is not None:
            gone = await self._catalog.absent(pull.module, pull.owner, before, _BATCH)
            verdicts = await self._together(gone, withdraw)
            removed += sum(verdict.removed for verdict in verdicts)
            forgotten = [entry.object_id for entry, each in zip(gone, verdicts, strict=True) if each.removed]
            self._news.changed(pull.module, pull.owner, forgotten)
            if all(verdict.code != StatusCode.OK for verdict in verdicts):
                break
        return removed

    async def _together(self, rows: Sequence[T], act: Callable[[T], Coroutine[Any, Any, Verdict]]) -> list[Verdict]:
        """The verdict on each row of a batch. Raises StoreUnavailable."""
        results = await asyncio.gather(*map(act, rows), return_exceptions=True)
        verdicts = [_verdict(result) for result in results]
        if any(verdict.fan_out for verdict in verdicts):
            await self._ease()
        return verdicts

    async def _ease(self) -> None:
        """Waits while a receiver has half as much to take as it may have."""
        until = self._clock.monotonic() + _LONGEST_PAUSE_S
        while self._fan_out.most_waiting() > MOST_LEGS // 2 and self._clock.monotonic() < until:
            await self._clock.sleep(_PAUSE_S)


def _verdict(result: Verdict | BaseException) -> Verdict:
    if isinstance(result, StoreConflict):
        return Verdict(200, StatusCode.HUB_ERROR, "it is being changed by somebody else")
    if isinstance(result, BaseException):
        raise result
    return result
