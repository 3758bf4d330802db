"""What is asked for instead of told: sessions of CPOs, locations of the catalog, and who can be reached."""

from collections.abc import Callable, Iterable

from hub.ocpi import codec
from hub.ocpi.names import LOCATIONS, ConnectionStatus, Role
from hub.plugin import HubApi, StoreUnavailable, Term
from plugins.load_manager.config import LoadManagerConfig
from plugins.load_manager.knowledge.keys import owner
from plugins.load_manager.steering.facts import JsonObject
from plugins.load_manager.steering.news import News
from plugins.load_manager.steering.pulling import pull
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.stir import Stir
from plugins.load_manager.strides import Pace

_AGAIN_S = 5.0


class Asking:
    """Asks, in one term. `due` is told which trees to look at because of the answers."""

    def __init__(
        self,
        hub: HubApi,
        config: LoadManagerConfig,
        term: Term,
        scene: Scene,
        *,
        news: News,
        due: Callable[[Stir], None],
    ) -> None:
        self._hub = hub
        self._config = config
        self._term = term
        self._scene = scene
        self._news = news
        self._due = due
        self._pulling: set[str] = set()
        self._to_look_up: dict[str, set[str] | None] = {}
        self._looks_up = False

    def begin(self) -> None:
        """Every CPO counts as unreachable until it was asked."""
        for seen in self._hub.parties(Role.CPO):
            self.reached(str(seen.party), connected=seen.status is ConnectionStatus.CONNECTED)

    async def read_catalog(self) -> None:
        """Every location; without groups nobody needs them. Raises StoreUnavailable."""
        if self._scene.model.groups:
            pace = Pace(self._hub.sleep)
            async for held in self._hub.objects(LOCATIONS):
                await pace.step()
                self._scene.known.evses.put_location(held.owner, held.id, codec.loads(held.raw), self._hub.now())

    async def look_up(self, party: str, location_id: str) -> set[str]:
        """One location again; the trees it is in. Raises StoreUnavailable."""
        cpo, now = owner(party), self._hub.now()
        held = await self._hub.held(LOCATIONS, cpo, location_id)
        if held is None:
            self._scene.known.evses.removed(cpo, location_id)
        else:
            self._scene.known.evses.put_location(cpo, location_id, codec.loads(held.raw), now)
        return self._scene.trees_at(cpo, location_id)

    def look_up_all(self, party: str, ids: Iterable[str] | None) -> None:
        """These locations of a CPO again, or all that it has, beside everything else; trees are looked at when all are
        there.
        """
        waiting = self._to_look_up.get(party, set())
        self._to_look_up[party] = None if ids is None or waiting is None else waiting.union(ids)
        if not self._looks_up:
            self._looks_up = True
            self._hub.spawn(self._look_up_waiting(), name="locations that were read")

    async def _look_up_waiting(self) -> None:
        try:
            while self._to_look_up and not self._term.over:
                party, ids = next(iter(self._to_look_up.items()))
                del self._to_look_up[party]
                try:
                    await self._look_up_these(party, ids)
                except StoreUnavailable:
                    self._to_look_up[party] = None
                    await self._hub.sleep(_AGAIN_S)
        finally:
            self._looks_up = False

    async def _look_up_these(self, party: str, ids: set[str] | None) -> None:
        told, cpo, evses = Stir(), owner(party), self._scene.known.evses
        if ids is None:
            ids = set(evses.of(cpo))
            async for held in self._hub.objects(LOCATIONS, cpo):
                evses.put_location(cpo, held.id, codec.loads(held.raw), self._hub.now())
                told.trees |= self._scene.trees_at(cpo, held.id)
                told.trees |= self._scene.trees_at(cpo, held.id)
                ids.discard(held.id)
                await self._hub.sleep(0)  # a page of the catalog comes at once, and messages wait meanwhile
        for location_id in ids:
            told.trees |= await self.look_up(party, location_id)
        self._due(told)

    def reached(self, cpo: str, *, connected: bool) -> None:
        """A CPO can be reached, or cannot: then, and until it was asked, its sessions stay as they are."""
        self._scene.unreachable.add(cpo)
        for tree in self._scene.trees.values():
            tree.board.offline(cpo)
        if connected:
            self.pull(cpo)

    def asks(self, cpo: str) -> bool:
        """Whether a CPO is being asked for its sessions."""
        return cpo in self._pulling

    def pull_all(self) -> None:
        """Asks everybody who has consented."""
        for cpo in self._news.consenting(self._hub.now()):
            self.pull(cpo)

    def pull(self, cpo: str) -> None:
        """Asks the CPO for its sessions, beside everything else; once at a time."""
        if cpo not in self._pulling and not self._term.over:
            self._pulling.add(cpo)
            self._hub.spawn(self._pull(cpo), name=f"sessions of {cpo}")

    async def _pull(self, cpo: str) -> None:
        party, told = owner(cpo), Stir(at_once=True)
        known = self._scene.known

        def tell(body: JsonObject) -> None:
            now = self._hub.now()
            session = known.sessions.pulled(party, body, now)
            if session is not None:
                told.trees |= self._news.heard(session, now).trees

        try:
            now = self._hub.now()
            if self._scene.model.groups and known.cpos.of(party).consents(now):
                await pull(self._hub, self._config.party, party, known.sessions.date_from(party, now), tell)
        finally:
            self._pulling.discard(cpo)
        if self._connected(cpo):
            self._scene.unreachable.discard(cpo)
            for root, tree in self._scene.trees.items():
                if cpo in tree.board.state.offline:
                    tree.board.online(cpo)
                    told.trees.add(root)
        self._due(told)

    def _connected(self, cpo: str) -> bool:
        return any(
            one.status is ConnectionStatus.CONNECTED for one in self._hub.parties(Role.CPO) if str(one.party) == cpo
        )
