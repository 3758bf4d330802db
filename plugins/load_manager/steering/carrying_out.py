"""What a board asks for besides messages to CPOs: results that eMSPs are owed, news for people and DSOs."""

from collections.abc import Callable
from contextlib import suppress

from hub.plugin import HubApi, NotAllowed, StoreUnavailable, Term, TermOver
from plugins.load_manager.dispatch import (
    Action,
    Alarm,
    Complied,
    Deficit,
    Forget,
    Regained,
    Settle,
    TimedOut,
    Verify,
)
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.oscp import NotDelivered, UnknownProvider
from plugins.load_manager.steering import refusing
from plugins.load_manager.steering.keeping import Keeping
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.stopping import Stopping
from plugins.load_manager.steering.watching import Watching

UNCONTROLLED, DEFICIT = "session_uncontrolled", "grid_deficit"


class CarryingOut:
    """Does it, each thing beside the others. `pull` asks a CPO for its sessions; `settling` counts sessions whose eMSPs
    are being told their result, and `settled` is called when they were.
    """

    def __init__(
        self,
        hub: HubApi,
        term: Term,
        scene: Scene,
        *,
        keeping: Keeping,
        watching: Watching,
        stopping: Stopping,
        pull: Callable[[str], None],
        settled: Callable[[], None],
    ) -> None:
        self.settling = 0
        self._hub = hub
        self._term = term
        self._scene = scene
        self._keeping = keeping
        self._watching = watching
        self._stopping = stopping
        self._pull = pull
        self._settled = settled

    def carry_out(self, root: str, action: Action) -> None:
        """One action of the board of that tree."""
        match action:
            case Settle():
                self._hub.spawn(self.settle(action), name="result for an eMSP")
            case Alarm():
                self._hub.alarm(UNCONTROLLED, action.session_id, action.text + self._where(action), standing=True)
            case Regained():
                self._hub.clear_alarm(UNCONTROLLED, action.session_id)
            case Forget():
                self._hub.clear_alarm(UNCONTROLLED, action.session_id)
                if SessionKey(action.session_id) in self._scene.debts:
                    self._hub.spawn(self.settle(Settle(action.session_id, accepted=True)), name="result for an eMSP")
            case Deficit():
                self._deficit(root, action)
                self._stopping.make_room(root, action)
            case Complied():
                self._hub.clear_alarm(DEFICIT, action.node)
                self._watching.complied(action)
            case TimedOut():
                found = self._scene.row(SessionKey(action.session_id))
                if found is not None:
                    refusing.timed_out(self._scene, found[2], self._hub.now())
            case Verify():
                session = self._scene.known.sessions.find(SessionKey(action.session_id))
                if session is not None:
                    self._pull(session.party)

    def _where(self, alarm: Alarm) -> str:
        """The end of its sentence: a session is not what people look for."""
        session = self._scene.known.sessions.find(SessionKey(alarm.session_id))
        if session is None or session.evse_uid is None:
            return ""
        return f", at EVSE {session.evse_uid} of location {session.location_id}"

    def _deficit(self, root: str, action: Deficit) -> None:
        text = f"What cannot be lowered is {kilowatts(action.mw)} kW above the limit of group {action.node}"
        self._hub.alarm(DEFICIT, action.node, text, standing=True)
        plan, group = self._scene.tree(root).plan, self._scene.model.groups.get(action.node)
        message_id = plan.groups[action.node].message_id if plan and action.node in plan.groups else ""
        if group is not None and group.capacity_provider is not None and message_id:
            self._hub.spawn(self._tell(group.capacity_provider, message_id, text), name="compliance error")

    async def _tell(self, provider: str, message_id: str, text: str) -> None:
        try:
            await self._watching.providers.reports.cannot_comply(provider, message_id, text)
        except (NotDelivered, UnknownProvider) as failed:
            self._hub.log.warning("a compliance error was not delivered", provider=provider, error=str(failed))

    async def settle(self, action: Settle) -> None:
        """Tells eMSPs what came of their DELETE of a session's profile, if any of them waits for it."""
        self.settling += 1
        try:
            await self._deliver(SessionKey(action.session_id), "ACCEPTED" if action.accepted else "REJECTED")
        finally:
            self.settling -= 1
            self._settled()

    async def _deliver(self, key: SessionKey, said: str) -> None:
        for handle in self._scene.debts.pop(key, []):
            try:
                answer = await self._hub.deliver(handle, {"result": said})
                if not answer.ok:
                    self._hub.log.warning("an eMSP did not take its result", status_code=answer.status_code)
            except NotAllowed as failed:
                self._hub.log.warning("a result is owed to nobody any more", error=str(failed))
            except StoreUnavailable as away:
                self._hub.log.warning("a result was not delivered", error=str(away))
                self._scene.debts.setdefault(key, []).append(handle)
                continue
            with suppress(StoreUnavailable, TermOver):
                await self._keeping.paid(handle, self._term)
