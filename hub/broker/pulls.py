"""Pulling lists from owners that do not push, on schedule and on demand (R-088, R-153, ruling 13).

Rules
- One crawl at a time per platform, and a bounded number over all; the one that is due longest comes first.
- A platform that is away, suspended or without the endpoint is not asked. Whatever was due runs when it is back.
- A pull that is switched off leaves its objects where they are. A party or platform that is gone leaves no state.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import structlog

from hub.broker.pull_book import PullBook
from hub.broker.pull_crawl import PullCrawls
from hub.broker.pull_plan import PullPlan
from hub.broker.refusal import Refusal, RefusalKind
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.platform import Platform
from hub.domain.pulling import Broken, PullState, failed
from hub.domain.pulls import Pull
from hub.errors import StoreUnavailable
from hub.ocpi.party_id import PartyId

log = structlog.get_logger("hub.pulls")

TICK_S = 1.0
MOST_CRAWLS = 32
_MISTAKE = Broken("the hub failed; its log says why")


class PullStatus(StrEnum):
    """WAITING: never ended yet. RUNNING: just now. FAILED and DONE: how the last crawl ended."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class PullRow:
    """How one pull stands, for an operator.

    `pages` and `objects` count the crawl under way, or the last one; `total` is what the platform says there is.
    `next_at` is None while it runs, and while something is in its way. `problem` says what broke the last crawl, else
    what is in its way.
    """

    platform_id: str
    owner: PartyId
    module: str
    status: PullStatus
    pages: int
    objects: int
    total: int | None
    started_at: datetime | None
    completed_at: datetime | None
    next_at: datetime | None
    problem: str | None


class Pulls:
    """Begins crawls when they are due."""

    def __init__(
        self, *, book: PullBook, plan: PullPlan, crawls: PullCrawls, registry: RegistryKeeper, clock: Clock
    ) -> None:
        self._book = book
        self._plan = plan
        self._crawls = crawls
        self._registry = registry
        self._clock = clock
        self._running: dict[str, tuple[Pull, asyncio.Task[None]]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def quiet(self) -> bool:
        """Whether nothing runs and nothing that could run is due."""
        self._plan.look()
        return self._book.loaded and self._plan.tidy and not self._running and not self._plan.due()

    def overview(self) -> list[PullRow]:
        """Every pull that is switched on, by platform, owner and module."""
        self._plan.look()
        return [self._row(pull) for pull in self._plan.wanted.values()]

    async def resync(self, platform_id: str) -> list[PullRow] | Refusal:
        """Makes full crawls of everything that is pulled from a platform due now; how they stand.

        Raises StoreUnavailable.
        """
        self._plan.look()
        mine = [pull for pull in self._plan.wanted.values() if pull.platform_id == platform_id]
        refusal = _no_resync(self._registry.snapshot.platform(platform_id), platform_id, mine)
        if refusal is not None:
            return refusal
        if not self._book.loaded:
            raise StoreUnavailable("how pulls stand has not been read yet")
        for pull in mine:
            await self._book.keep(replace(self._book.of(pull), resync_at=self._clock.now()))
        self._start_due()
        return [self._row(pull) for pull in mine]

    def forget(self, platform_id: str) -> None:
        """The platform is gone from the registry: its crawl ends now, and what was kept of its pulls soon."""
        running = self._running.get(platform_id)
        if running is not None:
            running[1].cancel()

    async def run(self) -> None:
        """Begins crawls, for ever."""
        await self._load()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                while True:
                    self._plan.look()
                    await self._plan.clear()
                    self._start_due()
                    await self._clock.sleep(TICK_S)
        finally:
            self._tasks = None

    async def _load(self) -> None:
        """Reads how pulls stand; alarms live in memory, so those that stood have to sound again."""
        while not self._book.loaded:
            try:
                await self._book.load()
            except StoreUnavailable as unavailable:
                log.warning("how pulls stand cannot be read", problem=str(unavailable))
                await self._clock.sleep(TICK_S)
        self._plan.look()
        for pull in self._plan.wanted.values():
            problem = self._book.of(pull).problem
            if problem is not None:
                self._crawls.sound(pull, problem)

    def _start_due(self) -> None:
        if self._tasks is None:
            return
        for pull in self._plan.due():
            if len(self._running) >= MOST_CRAWLS:
                return
            if pull.platform_id not in self._running:
                self._running[pull.platform_id] = (pull, self._tasks.create_task(self._crawl(pull)))

    async def _crawl(self, pull: Pull) -> None:
        try:
            await self._crawls.run(pull)
        except Exception:  # a boundary: a mistake about one list must not end the others
            log.exception("a pull failed", pull=str(pull))
            self._crawls.sound(pull, _MISTAKE.why)
            self._book.note(failed(self._book.of(pull), _MISTAKE, self._clock.now()))
        finally:
            del self._running[pull.platform_id]
        self._start_due()

    def _runs(self, pull: Pull) -> bool:
        running = self._running.get(pull.platform_id)
        return running is not None and running[0].key == pull.key

    def _row(self, pull: Pull) -> PullRow:
        state = self._book.of(pull)
        obstacle = self._plan.obstacle(pull)
        runs = self._runs(pull)
        return PullRow(
            platform_id=pull.platform_id,
            owner=pull.owner,
            module=pull.module,
            status=PullStatus.RUNNING if runs else _status(state),
            pages=state.pages,
            objects=state.objects,
            total=state.total,
            started_at=state.crawl_started_at or state.covers_until,
            completed_at=state.completed_at,
            next_at=None if runs or obstacle is not None else self._plan.due_at(pull),
            problem=state.problem or obstacle,
        )


def _status(state: PullState) -> PullStatus:
    if state.problem is not None:
        return PullStatus.FAILED
    return PullStatus.WAITING if state.completed_at is None else PullStatus.DONE


def _no_resync(platform: Platform | None, platform_id: str, mine: list[Pull]) -> Refusal | None:
    if platform is None:
        return Refusal(RefusalKind.UNKNOWN, f"There is no platform {platform_id[:40]}")
    if platform.connection is None:
        return Refusal(RefusalKind.CONFLICT, "The platform is not registered, so there is nothing to pull from it")
    if not platform.settings.pull:
        title = "Nothing is pulled from this platform: set `pull` in its settings, for each module the seconds between"
        return Refusal(RefusalKind.CONFLICT, f'{title} two pulls, such as {{"locations": 900}}')
    if not mine:
        modules = ", ".join(sorted(platform.settings.pull))
        return Refusal(RefusalKind.CONFLICT, f"None of the platform's parties owns what `pull` names: {modules}")
    return None
