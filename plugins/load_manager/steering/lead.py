"""One term of the duty: what stood on the shelf is taken over, facts are taken in, and what has to last is kept first.

Rules
- What an operator asks for gets an outcome on the shelf, refusals too: who asked may be on another node.
- Signals, grids, settings and what CPOs and eMSPs say are on the shelf before whoever said them is answered.
- After a takeover a CPO counts as unreachable until it was asked for its sessions.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from hub.plugin import HubApi, StoreUnavailable, Term, Timer
from plugins.load_manager.config import LoadManagerConfig
from plugins.load_manager.grid.group import GridRefused
from plugins.load_manager.steering.asking import Asking
from plugins.load_manager.steering.carrying_out import CarryingOut
from plugins.load_manager.steering.facts import Asked, CpoReached, Fact, LocationsRead, ResultCame, SignalCame
from plugins.load_manager.steering.keeping import Keeping
from plugins.load_manager.steering.looking import Looking
from plugins.load_manager.steering.measuring import Measuring
from plugins.load_manager.steering.news import News
from plugins.load_manager.steering.outcome import Outcome
from plugins.load_manager.steering.parting import Parting
from plugins.load_manager.steering.proving import Proving
from plugins.load_manager.steering.recording import Recording
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.stir import Stir
from plugins.load_manager.steering.stopping import Stopping
from plugins.load_manager.steering.surveying import Surveying
from plugins.load_manager.steering.watching import Watching

_TIDY_EVERY_S = 3600.0
_PAST_KEPT = timedelta(days=1)
_OUTCOMES_KEPT = timedelta(minutes=10)


class Lead:
    """Steers while the term lasts. `begin` first, then `take` whatever is told."""

    def __init__(
        self,
        hub: HubApi,
        config: LoadManagerConfig,
        term: Term,
        *,
        scene: Scene,
        keeping: Keeping,
        watching: Watching,
    ) -> None:
        self.scene = scene
        self.term = term
        self.news = News(scene)
        self._hub = hub
        self._config = config
        self._keeping = keeping
        self._recording = Recording(hub)
        self._proving = Proving(hub)
        self._stirred = asyncio.Event()
        carrying_out = CarryingOut(
            hub,
            term,
            scene,
            keeping=keeping,
            watching=watching,
            stopping=Stopping(hub, config.party, term, scene),
            pull=self._pull,
            settled=self._stirred.set,
        )
        self._looking = Looking(
            hub,
            config,
            term,
            scene,
            keeping=keeping,
            watching=watching,
            carrying_out=carrying_out,
            recording=self._recording,
            proving=self._proving,
            looked=self._stirred.set,
        )
        self._asking = Asking(hub, config, term, scene, news=self.news, due=self._due)
        self._measuring = Measuring(
            hub,
            term,
            scene,
            every_s=config.measure_s,
            keeping=keeping,
            providers=watching.providers,
            proving=self._proving,
        )
        self._surveying = Surveying(hub, scene, watching)
        self._parting = Parting(
            hub,
            term,
            scene,
            asking=self._asking,
            carrying_out=carrying_out,
            look=self._looking.all_due,
            stirred=self._stirred,
        )
        self.sending = self._looking.sending
        self._timers: list[Timer] = []

    async def begin(self) -> None:
        """Takes over what stood on the shelf. Raises StoreUnavailable, TermOver."""
        now, scene = self._hub.now(), self.scene
        await self._proving.open()
        for root, tree in scene.trees.items():
            tree.board.restarted()
            await self._keeping.boards.keep(root, tree.board, self.term)
        for group_id, group in scene.model.groups.items():
            scene.capacities[group_id] = scene.capacities[group_id].restarted(group, now)
        await self._asking.read_catalog()
        scene.place_all(now)
        scene.settle_rows(now)
        for ids in scene.model.trees():
            scene.tree(ids[0])
        self._asking.begin()
        # A moment later: by then most CPOs have said which sessions they have.
        self._due(Stir(set(scene.trees)))
        every = self._hub.every
        self._timers = [
            every(self._config.recompute_s, self._looking.all_due),
            every(self._config.recompute_s, self._surveying.survey),
            every(self._config.pull_s, self._asking.pull_all),
            every(_TIDY_EVERY_S, self._tidy),
        ]
        self._measuring.begin()

    async def leave(self) -> None:
        """Takes back all that was sent: nobody is steered any more. The term goes on, for what CPOs have to say."""
        await self._parting.leave()

    def end(self) -> None:
        """Nothing is done by this term any more."""
        self._looking.end()
        self._measuring.end()
        self._surveying.end()
        self._stirred.set()
        for timer in self._timers:
            timer.cancel()

    async def take(self, fact: Fact) -> bool:
        """Takes a fact over; False for a signal that was heard before. Raises SignalRefused, StoreUnavailable and
        TermOver.
        """
        now = self._hub.now()
        try:
            stir = self.news.tell(fact, now)
        except GridRefused as refused:
            stir = Stir(outcome=Outcome(now, problems=refused.problems))
        if stir.grid:
            await self._asking.read_catalog()
        if stir.look_up is not None:
            stir.trees |= await self._asking.look_up(*stir.look_up)
        await self._keep(stir)
        if isinstance(fact, SignalCame) and not stir.repeated:
            self._proving.signalled(fact.signal, self.scene, self._hub.now())
        if isinstance(fact, ResultCame) and fact.result == "ACCEPTED":
            self._proving.called_back(fact.session, fact.epoch, fact.seq, now)
        if isinstance(fact, ResultCame) and stir.late:
            about = {"session": fact.session, "epoch": fact.epoch, "seq": fact.seq, "result": fact.result}
            self._hub.log.info("a result changes nothing: it is not about the newest profile", **about)
        if isinstance(fact, Asked):
            await self._keeping.keep_outcome(fact.asked, stir.outcome or Outcome(now), self.term)
        self._due(stir)
        if isinstance(fact, CpoReached):
            self._asking.reached(fact.party, connected=fact.connected)
        if isinstance(fact, LocationsRead):
            self._asking.look_up_all(fact.party, fact.ids)
        for cpo in stir.pull:
            self._asking.pull(cpo)
        return not stir.repeated

    async def _keep(self, stir: Stir) -> None:
        scene = self.scene
        if stir.grid:
            await self._keeping.keep_grid(scene, self.term)
        if stir.known:
            await self._keeping.keep_known(scene.known, self.term)
        if stir.mode:
            await self._keeping.keep_mode(scene, self.term)
        if stir.capacities:
            await self._keeping.keep_capacities(scene, stir.capacities, self.term)
        if stir.heard:
            await self._keeping.keep_heard(scene, self.term)
        for root in stir.boards:
            await self._looking.keep_board(root)

    def _due(self, stir: Stir) -> None:
        self._looking.due(stir)
        self._stirred.set()

    def _pull(self, cpo: str) -> None:
        self._asking.pull(cpo)

    async def _tidy(self) -> None:
        """Forgets what nothing follows from any more."""
        now, scene = self._hub.now(), self.scene
        for group_id, capacity in scene.capacities.items():
            scene.capacities[group_id] = replace(capacity, limits=capacity.limits.without_the_past(now - _PAST_KEPT))
        try:
            await self._recording.tidy()
            await self._proving.tidy(self.term)
            await self._keeping.forget_outcomes(now - _OUTCOMES_KEPT, self.term)
        except StoreUnavailable as away:
            self._hub.log.warning("old records were not dropped", error=str(away))
