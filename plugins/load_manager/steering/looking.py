"""When each tree is looked at, and what is done then: plan, decide, keep, send.

Rules
- What is to be sent is on the shelf before it leaves.
- One tree is looked at by one at a time; an eMSP's profile does not wait for a look, nor for a plan.
- What is urgent is looked at now, the rest a moment later, all of it every minute.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.plugin import HubApi, StoreUnavailable, Term, TermOver, Timer
from plugins.load_manager.config import LoadManagerConfig
from plugins.load_manager.dispatch import Action, Alarm, Board, Deficit, Put, Reason, Release, WakeAt
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.planning import Plan
from plugins.load_manager.steering import refusing
from plugins.load_manager.steering.carrying_out import CarryingOut
from plugins.load_manager.steering.keeping import Keeping
from plugins.load_manager.steering.proving import Proving
from plugins.load_manager.steering.recording import Recording
from plugins.load_manager.steering.rounds import Rounds
from plugins.load_manager.steering.scene import NOWHERE, Scene
from plugins.load_manager.steering.sending import Message, Said, Sending
from plugins.load_manager.steering.stir import Stir
from plugins.load_manager.steering.watching import Watching
from plugins.load_manager.strides import Strides, unhurried

_AGAIN = timedelta(seconds=5)
_RAMP_STEP = timedelta(minutes=1)
_LEAST = timedelta(milliseconds=10)
# What a signal asks for; rises and refreshes are not.
_LOWERING = frozenset({Reason.FIRST, Reason.LOWER, Reason.AGAIN})


class Looking:
    """Looks at the trees of the scene, in one term."""

    def __init__(
        self,
        hub: HubApi,
        config: LoadManagerConfig,
        term: Term,
        scene: Scene,
        *,
        keeping: Keeping,
        watching: Watching,
        carrying_out: CarryingOut,
        recording: Recording,
        proving: Proving,
        looked: Callable[[], None],
    ) -> None:
        """`looked` is called after every look."""
        self.sending = Sending(hub, config.party, term, self._answered)
        self._hub = hub
        self._config = config
        self._term = term
        self._scene = scene
        self._keeping = keeping
        self._watching = watching
        self._carrying_out = carrying_out
        self._recording = recording
        self._proving = proving
        self._looked = looked
        self._rounds = Rounds(hub, scene, config.planning, config.dispatch)
        self._looks: dict[str, asyncio.Lock] = {}
        self._wakes: dict[str, tuple[datetime, Timer]] = {}
        self._recorded: dict[str, int] = {}
        self._outdated: list[Timer] = []
        self._ended = False

    def due(self, stir: Stir) -> None:
        """These trees are to be looked at."""
        now = self._hub.now()
        at = now if stir.at_once else now + timedelta(seconds=self._config.debounce_s)
        for root in stir.trees:
            self._wake(root, at)

    def all_due(self) -> None:
        """Every tree is to be looked at now."""
        self._scene.known.prune(self._hub.now())
        self.due(Stir(set(self._scene.trees), at_once=True))

    async def keep_board(self, root: str) -> None:
        """Raises StoreUnavailable, TermOver."""
        await self._keeping.boards.keep(root, self._scene.tree(root).board, self._term)

    def end(self) -> None:
        """Looks at none any more; what still wakes up finds nothing to do."""
        self._ended = True
        self._wakes.clear()

    def _wake(self, root: str, at: datetime) -> None:
        """Looks at the tree then, or before if that was wanted already."""
        known = self._wakes.get(root)
        if known is not None:
            if known[0] <= at:
                return
            self._outdated.append(known[1])
        if self._ended:
            return
        self._wakes[root] = (at, self._hub.call_at(at, lambda: self._round(root, at)))

    async def _round(self, root: str, at: datetime) -> None:
        try:
            # What becomes due while another look goes on waits for one more look, not for one each.
            async with self._looks.setdefault(root, asyncio.Lock()):
                wanted = self._wakes.get(root)
                if wanted is None or wanted[0] != at:
                    return  # outdated: an earlier look has taken its place
                del self._wakes[root]
                outdated, self._outdated = self._outdated, []
                await self._hub.sleep(0)  # what was begun in this turn of the loop is under way then
                for timer in outdated:
                    timer.cancel()
                if not (self._ended or self._term.over) and root in self._scene.trees:
                    await self._look(root)
                    self._looked()
        except TermOver:
            self.end()
        except StoreUnavailable:
            self._wake(root, self._hub.now() + _AGAIN)

    async def _look(self, root: str) -> None:
        now, scene = self._hub.now(), self._scene
        started_s = self._hub.monotonic()
        plan = await self._rounds.look(root, now)
        if plan is None and root != NOWHERE and not scene.leaving:
            return
        now = self._hub.now()
        actions = [] if scene.mode.shadow else await self._rounds.decide(root, now)
        self._watching.planned(root, scene, self._hub.monotonic() - started_s)
        board = scene.tree(root).board
        try:
            await self.keep_board(root)
        except StoreUnavailable:
            self._doubt(board, actions, now)
            raise
        await unhurried(self._carried_out(root, board, actions, now), self._hub.sleep)
        self._look_again(root, plan, actions, now)
        await self._keeping.keep_known(scene.known, self._term)
        if plan is not None:
            await self._keeping.keep_capacities(scene, plan.groups, self._term)
            await self._record(plan, now, sent=any(isinstance(action, Put | Release) for action in actions))
        await self._proving.keep(self._term)

    @staticmethod
    def _doubt(board: Board, actions: Sequence[Action], now: datetime) -> None:
        """Nothing of it leaves. What the board takes for sent is in doubt, and is sent again later."""
        for action in actions:
            if isinstance(action, Put | Release):
                board.unanswered(now, action.session_id, action.epoch, action.seq)

    def _carried_out(self, root: str, board: Board, actions: Sequence[Action], now: datetime) -> Strides[None]:
        for action in actions:
            yield
            self._do(root, board, action, now)

    def _do(self, root: str, board: Board, action: Action, now: datetime) -> None:
        if not isinstance(action, Put | Release):
            if isinstance(action, Deficit):
                self._proving.fell_short(action, now)
            elif isinstance(action, Alarm) and action.session_id in board.state.rows:
                self._proving.stuck(board.state.rows[action.session_id], now)
            self._carrying_out.carry_out(root, action)
            return
        row = board.state.rows.get(action.session_id)
        session = self._scene.known.sessions.find(SessionKey(action.session_id))
        if row is None or session is None:
            return
        if isinstance(action, Put) and action.reason in _LOWERING:
            self._proving.put(action, row.session.path, now)
        self.sending.send(Message(action, session.owner, session.id, row.session.scale))

    def _look_again(self, root: str, plan: Plan | None, actions: Sequence[Action], now: datetime) -> None:
        wakes = [action.at for action in actions if isinstance(action, WakeAt)]
        if plan is not None:
            if plan.plan_again_at is not None:
                wakes.append(plan.plan_again_at)
            if any(self._scene.capacities[each].standing.ramp is not None for each in plan.groups):
                wakes.append(now + _RAMP_STEP)
        if wakes:
            self._wake(root, max(min(wakes), now + _LEAST))

    async def _record(self, plan: Plan, now: datetime, *, sent: bool) -> None:
        """Notes the plan if something was sent by it, or it says something new."""
        decisions = tuple(decision.sentence for decision in plan.decisions.values())
        said = hash((decisions, tuple((group.limit_mw, group.rule) for group in plan.groups.values())))
        if sent or said != self._recorded.get(plan.tree):
            self._recorded[plan.tree] = said
            self._proving.planned(plan, now)
            await self._recording.planned(plan)

    def _answered(self, message: Message, said: Said) -> None:
        """A CPO has answered a message, or has not."""
        now, action = self._hub.now(), message.action
        self._watching.answered(message, said)
        found = self._scene.row(SessionKey(action.session_id))
        if found is None:
            return
        root, board, row = found
        about = (now, action.session_id, action.epoch, action.seq)
        if said.answer is None:
            board.unanswered(*about)
        else:
            board.answered(*about, answer=said.answer, timeout_s=said.timeout_s)
            refusing.said(self._scene, row, said.answer, now)
        if said.answer is not Response.ACCEPTED:
            self._wake(root, now)
