"""Which parties are behind peer hubs: their lists are read when they may have changed unseen (R-204, R-039).

Rules
- A list is read after the peer registered, after it came back from OFFLINE, after a start of this hub, and every few
  hours. Changes in between are the peer's to report.
- What the whole list lacks is gone. A list that cannot be read changes nothing.
- While it cannot be read it is tried again, ever more seldom. A first failure says little: a peer that has just
  registered may not know yet that it has. From the third on an alarm stands until the list could be read.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from hub.broker.alarms import Alarms
from hub.broker.departures import Departures
from hub.broker.liveness import LivenessBoard
from hub.broker.peer_list import Listed, PeerLists
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.leaving import parties_on
from hub.domain.platform import Platform, ReportedParty
from hub.domain.pulling import Broken
from hub.domain.reported import replaced
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.names import ConnectionStatus

log = structlog.get_logger("hub.peers")

TICK_S = 0.25
REFRESH_S = 4 * 3600.0
# Seconds until the next attempt, after the first failure in a row, the second and so on.
AGAIN_S = (0.2, 2.0, 10.0, 60.0, 300.0, 900.0)
SILENT_FAILURES = 2
MOST_AT_ONCE = 8

# What makes a list worth reading again: when the peer registered, and when its status last changed.
_Occasion = tuple[datetime, datetime]


@dataclass(slots=True)
class _Course:
    """How reading one peer's list goes: for which occasion it was read last, when it is due again."""

    occasion: _Occasion
    due_at: float
    failures: int = 0


class Peers:
    """Keeps what peer hubs report up to date."""

    def __init__(
        self,
        *,
        lists: PeerLists,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        alarms: Alarms,
        clock: Clock,
        departures: Departures,
    ) -> None:
        self._lists = lists
        self._registry = registry
        self._liveness = liveness
        self._alarms = alarms
        self._clock = clock
        self._departures = departures
        self._courses: dict[str, _Course] = {}
        self._reading: set[str] = set()
        self._stirred = asyncio.Event()

    def changed(self) -> None:
        """Registry or liveness may have changed."""
        self._stirred.set()

    @property
    def quiet(self) -> bool:
        """Whether no list is being read or due."""
        return not self._stirred.is_set() and not self._reading

    async def run(self) -> None:
        """Reads what is due, for ever."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._tick())
            self._stirred.set()
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                self._forget()
                for platform, occasion in self._due():
                    self._reading.add(platform.id)
                    work.create_task(self._read(platform, occasion))

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            self._stirred.set()

    def _forget(self) -> None:
        """Of what is no peer hub any more nothing needs to be known."""
        snapshot = self._registry.snapshot
        for platform_id in list(self._courses):
            platform = snapshot.platform(platform_id)
            if platform is None or not platform.is_peer or platform.connection is None:
                del self._courses[platform_id]
                self._alarms.clear("peer_list_failed", platform_id)

    def _due(self) -> list[tuple[Platform, _Occasion]]:
        found: list[tuple[Platform, _Occasion]] = []
        for platform in self._registry.snapshot.platforms:
            connection = platform.connection
            if connection is None or not platform.is_peer or platform.id in self._reading:
                continue
            if self._liveness.status(platform) is not ConnectionStatus.CONNECTED or not self._lists.endpoint(platform):
                continue
            occasion = (connection.registered_at, self._liveness.changed_at(platform))
            course = self._courses.get(platform.id)
            if course is None or course.occasion != occasion or self._clock.monotonic() >= course.due_at:
                found.append((platform, occasion))
        return found[: MOST_AT_ONCE - len(self._reading)]

    async def _read(self, platform: Platform, occasion: _Occasion) -> None:
        course = self._courses.setdefault(platform.id, _Course(occasion, 0.0))
        course.failures = course.failures if course.occasion == occasion else 0
        course.occasion = occasion
        try:
            problem = await self._taken_over(platform)
        finally:
            self._reading.discard(platform.id)
            self._stirred.set()
        now = self._clock.monotonic()
        if problem is None:
            course.failures, course.due_at = 0, now + REFRESH_S
            self._alarms.clear("peer_list_failed", platform.id)
            return
        course.due_at = now + AGAIN_S[min(course.failures, len(AGAIN_S) - 1)]
        course.failures += 1
        log.info("a peer hub's list was not taken over", platform=platform.id, problem=problem)
        if course.failures > SILENT_FAILURES:
            self._alarms.sound("peer_list_failed", platform.id, problem, standing=True)

    async def _taken_over(self, platform: Platform) -> str | None:
        """Reads the list and stores what it says; the problem if there is one."""
        before = {one.key: one for one in platform.reported}
        listed = await self._lists.read(platform.id)
        if isinstance(listed, Broken):
            return listed.why
        try:
            changed = await self._registry.change(
                platform.id, lambda stored: self._with(stored, platform, before, listed)
            )
            if changed is not None and parties_on(platform) - parties_on(changed):
                await self._departures.follow(platform)
        except (StoreUnavailable, StoreConflict) as problem:
            return f"its list could not be stored: {problem}"
        log.info("a peer hub's list was read", platform=platform.id, parties=len(listed.parties))
        return listed.problem

    def _with(
        self, stored: Platform, asked: Platform, before: Mapping[str, ReportedParty], listed: Listed
    ) -> Platform | None:
        if stored.connection is None or asked.connection is None or not stored.is_peer:
            return None
        if stored.connection.registered_at != asked.connection.registered_at:
            return None  # what was read belongs to a registration that is over
        whole = listed.problem is None
        reported = replaced(stored.reported, before, list(listed.parties.values()), whole=whole)
        return None if reported == stored.reported else stored.changed(self._clock.now(), reported=reported)
