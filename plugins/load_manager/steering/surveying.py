"""What is looked at now and then for those who watch: what groups draw, and where sessions run that no group has."""

from collections.abc import Mapping
from datetime import datetime

from hub.ocpi.party_id import PartyId
from hub.plugin import HubApi
from plugins.load_manager.grid.group import Member
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.steering.drawing import drawn_by_group
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.watching import Watching
from plugins.load_manager.strides import Pace

UNMAPPED = "evse_unmapped"


class Surveying:
    """Surveys the scene, in one term."""

    def __init__(self, hub: HubApi, scene: Scene, watching: Watching) -> None:
        self._hub = hub
        self._scene = scene
        self._watching = watching
        self._alarmed: dict[PartyId, int] = {}

    async def survey(self) -> None:
        """Looks at every session once."""
        scene = self._scene
        scene.drawn = await drawn_by_group(self._hub, scene)
        self._watching.drawn(scene.drawn)
        self._alarm(await self._unmapped())

    def end(self) -> None:
        """Whoever steers next looks for itself."""
        self._alarm({})

    async def _unmapped(self) -> dict[PartyId, list[Member]]:
        """By CPO that has consented, where its sessions run that belong to no group."""
        now, known = self._hub.now(), self._scene.known
        found: dict[PartyId, list[Member]] = {}
        pace = Pace(self._hub.sleep)
        for _, session in known.sessions.running() if self._scene.model.groups else ():
            await pace.step()
            if known.cpos.of(session.owner).consents(now) and (place := self._place(session, now)) is not None:
                found.setdefault(session.owner, []).append(place)
        return found

    def _place(self, session: Session, now: datetime) -> Member | None:
        """Where a session runs, if no group has the place; None also when nobody knows where it is."""
        if not session.drawing or session.location_id is None or self._scene.group_of(session, now) is not None:
            return None
        if session.evse_uid is None and self._scene.trees_at(session.owner, session.location_id):
            return None  # at one of the location's EVSEs that are in a group, maybe
        return Member(session.owner, session.location_id, session.evse_uid)

    def _alarm(self, unmapped: Mapping[PartyId, list[Member]]) -> None:
        for cpo in [cpo for cpo in self._alarmed if cpo not in unmapped]:
            del self._alarmed[cpo]
            self._hub.clear_alarm(UNMAPPED, str(cpo))
        for cpo, places in unmapped.items():
            # Said again when there are more: one that is told every minute would never stay acknowledged.
            if len(places) > self._alarmed.get(cpo, 0):
                self._alarmed[cpo] = len(places)
                self._hub.alarm(UNMAPPED, str(cpo), _sentence(places), standing=True)


def _sentence(places: list[Member]) -> str:
    many = f"{len(places)} sessions run" if len(places) > 1 else "A session runs"
    return f"{many} where no group of the grid limits anything: at {places[0]}, for example"
