"""Ending sessions where a limit cannot be kept in another way, and only those of CPOs that allow it.

Rules
- Sessions in the group that no limit can be brought to are told to stop, those that may draw most first, until what is
  above the limit is covered.
- Each is told once in a term, and counts until its CPO says that it has ended.
"""

from collections.abc import Iterator

from hub.ocpi.names import COMMANDS, Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import HubApi, NotAllowed, StoreUnavailable, Term, TermOver
from plugins.load_manager.dispatch import Deficit
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.steering.scene import Scene

COMMAND = "STOP_SESSION"


class Stopping:
    """Tells CPOs, in the name of a party, in one term."""

    def __init__(self, hub: HubApi, party: PartyId, term: Term, scene: Scene) -> None:
        self._hub = hub
        self._party = party
        self._term = term
        self._scene = scene
        self._told: set[SessionKey] = set()

    def make_room(self, root: str, deficit: Deficit) -> None:
        """Something in this tree is above its limit, and cannot be lowered."""
        now, short_mw = self._hub.now(), deficit.mw
        booked = [(row.booked.value_at(now), row) for row in self._stuck(root, deficit.node)]
        for booked_mw, row in sorted(booked, key=lambda one: (-one[0], one[1].session.id)):
            if short_mw <= 0:
                return
            short_mw -= booked_mw
            key = SessionKey(row.session.id)
            session = self._scene.known.sessions.find(key)
            if session is not None and key not in self._told:
                self._told.add(key)
                self._hub.spawn(self._stop(key, session, deficit), name="stopping a session")

    def _stuck(self, root: str, group_id: str) -> Iterator[Row]:
        now, board = self._hub.now(), self._scene.tree(root).board
        for row in board.state.rows.values():
            if group_id not in row.session.path or row.session.cpo in self._scene.unreachable:
                continue
            if row.target is not None and row.trouble is None:
                continue
            session = self._scene.known.sessions.find(SessionKey(row.session.id))
            settings = self._scene.known.cpos.of(session.owner) if session is not None else None
            if settings is not None and settings.stop_allowed and settings.consents(now):
                yield row

    async def _stop(self, key: SessionKey, session: Session, deficit: Deficit) -> None:
        about = {"session": key, "group": deficit.node, "short_kw": str(kilowatts(deficit.mw))}
        try:
            answer = await self._hub.send(
                session.owner,
                COMMANDS,
                Interface.RECEIVER,
                "POST",
                COMMAND,
                {"session_id": session.id},
                as_party=self._party,
                context={"stop": key},
                term=self._term,
            )
        except TermOver:
            return
        except (StoreUnavailable, NotAllowed) as failed:
            self._told.discard(key)
            self._hub.log.warning("a session was not told to stop", error=str(failed), **about)
            return
        said = "accepted" if answer.ok else f"refused: {answer.status_code}"
        self._hub.log.warning("a session was told to stop: its limit cannot be kept otherwise", cpo=said, **about)
