"""Which platforms are there: evidence from messages and legs, probes for the silent ones (R-154 to R-156)."""

import asyncio
import functools
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from hub.broker.alarms import Alarms
from hub.broker.outreach import Outreach
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.connection import NEVER, Liveness
from hub.domain.platform import HostedRole, Platform
from hub.ocpi.names import ConnectionStatus

log = structlog.get_logger("hub.liveness")

TICK_S = 1.0
REVIEW_S = 10.0
MAX_PROBES = 32


def _nobody() -> None:
    """Nobody asked to be told."""


class LivenessBoard:
    """One state per platform. `offline` is what routing looks at; it is persisted so that a restart does not forget
    it. `flips` grows with every change of it.
    """

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        outreach: Outreach,
        alarms: Alarms,
        clock: Clock,
        idle_s: float,
        spacing_s: float,
    ) -> None:
        self._registry = registry
        self._outreach = outreach
        self._alarms = alarms
        self._clock = clock
        self._idle_s = idle_s
        self._spacing_s = spacing_s
        self._states: dict[str, Liveness] = {}
        self._probing: set[str] = set()
        self._remembering: set[str] = set()
        self._flipped_at: dict[str, datetime] = {}
        self.on_flip: Callable[[], None] = _nobody
        self.offline: set[str] = set()
        self.flips = 0

    def _state(self, platform_id: str) -> Liveness:
        state = self._states.get(platform_id)
        if state is None:
            platform = self._registry.snapshot.platform(platform_id)
            online = platform is None or platform.reachable
            now = self._clock.monotonic()
            state = self._states[platform_id] = Liveness(self._idle_s, self._spacing_s, online=online, since=now)
            if not online:
                self.offline.add(platform_id)
        return state

    def restore(self) -> None:
        """Takes over what the store says, after the registry was loaded."""
        for platform in self._registry.snapshot.platforms:
            if platform.connection is not None:
                self._state(platform.id)

    def changed_at(self, platform: Platform) -> datetime:
        """When the platform's connection status last changed."""
        return max(platform.status_changed_at, self._flipped_at.get(platform.id, platform.status_changed_at))

    def status(self, platform: Platform, role: HostedRole | None = None) -> ConnectionStatus:
        """The connection status of a platform, or of one of its parties, as others are told it."""
        status = platform.status if role is None else platform.status_of(role)
        if status is ConnectionStatus.CONNECTED and platform.id in self.offline:
            return ConnectionStatus.OFFLINE
        return status

    def last_heard(self, platform_id: str) -> datetime | None:
        """When the platform last sent or answered something since this hub started."""
        state = self._states.get(platform_id)
        if state is None or state.heard_at == NEVER:
            return None
        return self._clock.now() - timedelta(seconds=self._clock.monotonic() - state.heard_at)

    def heard(self, platform_id: str) -> None:
        """A valid message came from the platform, or it answered."""
        if self._state(platform_id).heard(self._clock.monotonic()):
            self._flip(platform_id, online=True)

    def reached(self, platform_id: str) -> None:
        """It answered calls of the hub in a handshake, which proves as much as a probe."""
        if self._state(platform_id).probed(self._clock.monotonic(), succeeded=True):
            self._flip(platform_id, online=True)

    def said(self, platform_id: str, *, online: bool) -> None:
        """Whether the plugin that plays the platform's parties runs."""
        if self._state(platform_id).said(self._clock.monotonic(), online=online):
            self._flip(platform_id, online=online)

    def forget(self, platform_id: str) -> None:
        """The platform is gone."""
        self._states.pop(platform_id, None)
        self.offline.discard(platform_id)
        self._flipped_at.pop(platform_id, None)
        self.flips += 1

    def failed(self, platform_id: str) -> None:
        """It could not be connected."""
        if self._state(platform_id).failed(self._clock.monotonic()):
            self._flip(platform_id, online=False)

    def _flip(self, platform_id: str, *, online: bool) -> None:
        self._flipped_at[platform_id] = self._clock.now()
        self.flips += 1
        if online:
            self.offline.discard(platform_id)
            self._alarms.clear("platform_offline", platform_id)
            log.info("platform is back", platform=platform_id)
        else:
            self.offline.add(platform_id)
            self._alarms.sound("platform_offline", platform_id, "it cannot be reached", standing=True)

        self._registry.in_background(self._remember(platform_id))
        self.on_flip()

    async def _remember(self, platform_id: str) -> None:
        """Stores what holds now, one write at a time: a flip during a write is seen when that write is done."""
        if platform_id in self._remembering:
            return
        self._remembering.add(platform_id)
        try:
            while True:
                reachable = platform_id not in self.offline
                await self._registry.change(platform_id, functools.partial(self._marked, reachable))
                if (platform_id not in self.offline) is reachable:
                    return
        finally:
            self._remembering.discard(platform_id)

    def _marked(self, reachable: bool, platform: Platform) -> Platform | None:
        if platform.reachable is reachable:
            return None
        now = self._clock.now()
        # When it changed, not when that was stored: what others were told stays true.
        changed_at = max(platform.status_changed_at, self._flipped_at.get(platform.id, now))
        return platform.changed(now, reachable=reachable, status_changed_at=changed_at)

    def _review(self) -> None:
        """Stores what could not be stored when it changed, and forgets platforms that are gone."""
        snapshot = self._registry.snapshot
        for platform_id in list(self._states):
            platform = snapshot.platform(platform_id)
            if platform is None:
                self.forget(platform_id)
                self._alarms.clear("platform_offline", platform_id)
            elif platform.connection is not None and platform.reachable is (platform_id in self.offline):
                self._registry.in_background(self._remember(platform_id))

    async def watch(self) -> None:
        """Probes what is due, each in a task of its own, a bounded number at a time; reviews its memory now and
        then.
        """
        review_at = self._clock.monotonic() + REVIEW_S
        async with asyncio.TaskGroup() as probes:
            while True:
                await self._clock.sleep(TICK_S)
                now = self._clock.monotonic()
                if now >= review_at:
                    self._review()
                    review_at = now + REVIEW_S
                for platform in self._registry.snapshot.platforms:
                    if len(self._probing) >= MAX_PROBES:
                        break
                    if platform.connection is None or platform.suspended or platform.id in self._probing:
                        continue
                    if platform.plugin is not None:  # its host says
                        continue
                    if self._state(platform.id).probe_due(now):
                        self._probing.add(platform.id)
                        probes.create_task(self._probe(platform))

    async def _probe(self, platform: Platform) -> None:
        try:
            problem = await self._outreach.probe(platform)
        finally:
            self._probing.discard(platform.id)
        if problem is not None and problem.no_evidence:
            self._state(platform.id).probed_at = self._clock.monotonic()
            log.warning("probe could not be sent", platform=platform.id, problem=problem.why)
            return
        if problem is not None and problem.http == 401:
            self._alarms.sound("token_refused", platform.id, "it refuses the hub's token (HTTP 401)")
        if self._state(platform.id).probed(self._clock.monotonic(), succeeded=problem is None):
            self._flip(platform.id, online=problem is None)
        if problem is not None:
            log.info("probe failed", platform=platform.id, problem=problem.why)
