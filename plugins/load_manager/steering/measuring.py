"""What the sessions of each group have been given, read at regular times and reported to its capacity provider.

Readings are at multiples of their interval on the clock, so that quarters of an hour are the same whoever steers.
"""

from datetime import UTC, datetime

from hub.plugin import HubApi, StoreUnavailable, Term, TermOver, Timer
from plugins.load_manager.evidence import Quality
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.register import GroupId, GroupMeasurement
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.oscp import CapacityProviders, NotDelivered, UnknownProvider
from plugins.load_manager.profiles import second
from plugins.load_manager.steering.keeping import Keeping
from plugins.load_manager.steering.proving import Proving
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.strides import Pace


class Measuring:
    """Reads the registers every `every_s`, from `begin` to `end` in one term. A reading is on the shelf before it is
    sent, so that none counts twice.
    """

    def __init__(
        self,
        hub: HubApi,
        term: Term,
        scene: Scene,
        *,
        every_s: int,
        keeping: Keeping,
        providers: CapacityProviders,
        proving: Proving,
    ) -> None:
        self._hub = hub
        self._term = term
        self._scene = scene
        self._keeping = keeping
        self._providers = providers
        self._proving = proving
        self._every_s = every_s
        self._timer: Timer | None = None

    def begin(self) -> None:
        next_s = (second(self._hub.now()) // self._every_s + 1) * self._every_s
        self._timer = self._hub.call_at(datetime.fromtimestamp(next_s, UTC), self._due)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _due(self) -> None:
        self.begin()
        await self.read()

    async def read(self) -> None:
        """Reads the register of every group that a capacity provider limits, and reports it."""
        now, scene = self._hub.now(), self._scene
        inside = await self._sessions(now)
        readings = [
            (group.capacity_provider, self._read(group.id, inside.get(group.id, []), now))
            for group in scene.model.groups.values()
            if group.capacity_provider is not None
        ]
        try:
            await self._keeping.keep_known(scene.known, self._term)
            await self._proving.keep(self._term)
        except (StoreUnavailable, TermOver) as away:
            self._hub.log.warning("measurements were not kept, and not sent", error=str(away))
            return
        for provider, reading in readings:
            self._hub.spawn(self._report(provider, reading), name="measurements")

    async def _sessions(self, now: datetime) -> dict[str, list[tuple[SessionKey, Session]]]:
        """The sessions in each group and below it, those that ended included."""
        scene = self._scene
        inside: dict[str, list[tuple[SessionKey, Session]]] = {}
        pace = Pace(self._hub.sleep)
        for key, session in list(scene.known.sessions.items()):
            await pace.step()
            group = scene.group_of(session, now)
            for group_id in scene.model.path(group.id) if group is not None else ():
                inside.setdefault(group_id, []).append((key, session))
        return inside

    def _read(self, group_id: str, sessions: list[tuple[SessionKey, Session]], now: datetime) -> GroupMeasurement:
        reading = self._scene.known.registers.measure(GroupId(group_id), sessions, now)
        if reading.average_mw is not None:
            quality = Quality(reading.quality.value)
            self._proving.measured(group_id, reading.since, now, reading.average_mw, quality)
        return reading

    async def _report(self, provider: str, reading: GroupMeasurement) -> None:
        register = self._scene.known.registers.find(reading.group)
        since = register.begun_at if register is not None else reading.since
        try:
            await self._providers.reports.measured(
                provider, reading.group, energy_kwh=reading.value_kwh, since=since, at=reading.at
            )
        except (NotDelivered, UnknownProvider) as failed:
            self._hub.log.info("a measurement was not delivered", provider=provider, error=str(failed))
