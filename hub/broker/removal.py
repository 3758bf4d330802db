"""Removing a platform (ruling 12): its parties become free, and nothing of theirs is kept.

Order: it is suspended first, so that nothing new comes in; its objects go while its parties are still its own, and
nobody who claims one of them can inherit any; then it is forgotten, and told so. If the store goes away in between, the
platform stays listed as SUSPENDED and can be removed again.
"""

from dataclasses import dataclass

import structlog

from hub.broker import farewell
from hub.broker.ceremony import Ceremony
from hub.broker.liveness import LivenessBoard
from hub.broker.operator_changes import changed, unknown
from hub.broker.pulls import Pulls
from hub.broker.refusal import Refusal
from hub.domain.platform import Platform

log = structlog.get_logger("hub.operations")


@dataclass(frozen=True, slots=True)
class Removed:
    """A platform that is forgotten; `told` says whether it took the hub's DELETE, `detail` why not."""

    platform_id: str
    told: bool
    detail: str | None


class Removal:
    """Ends what the hub has with a platform."""

    def __init__(self, ceremony: Ceremony, liveness: LivenessBoard, pulls: Pulls) -> None:
        self._ceremony = ceremony
        self._liveness = liveness
        self._pulls = pulls

    async def of(self, platform_id: str) -> Removed | Refusal:
        """Forgets the platform, then tells it so once, whatever it says. Raises StoreUnavailable."""
        ceremony = self._ceremony
        platform = ceremony.registry.snapshot.platform(platform_id)
        if platform is None:
            return unknown(platform_id)
        goodbye = farewell.prepared(platform, ceremony)
        stopped = await changed(ceremony.registry, platform_id, self._stopped)
        if isinstance(stopped, Refusal):
            return stopped
        self._pulls.forget(platform_id)
        await ceremony.callbacks.remove_of(platform_id)
        await ceremony.departures.empty(stopped)
        if not await ceremony.registry.remove(platform_id):
            return unknown(platform_id)
        ceremony.departures.left(stopped)
        self._pulls.forget(platform_id)
        ceremony.alarms.clear("platform_offline", platform_id)
        self._liveness.forget(platform_id)
        problem = goodbye if isinstance(goodbye, str) else await farewell.say(goodbye, ceremony)
        ceremony.forwarder.drop(platform_id)
        log.info("platform removed", platform=platform_id, told=problem is None, detail=problem)
        return Removed(platform_id, told=problem is None, detail=problem)

    def _stopped(self, stored: Platform) -> Platform | None:
        now = self._ceremony.clock.now()
        return None if stored.suspended else stored.changed(now, suspended=True, status_changed_at=now)
