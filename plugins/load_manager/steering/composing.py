"""What eMSPs say to charge points, brought under the grid's limit on its way: their PUT becomes the lower of both,
their DELETE becomes a PUT of ours.

Rules
- A session that stands under no limit, or whose CPO has not consented, is left alone; so is everything in shadow mode.
- The board is on the shelf before the message goes on. A node that does not steer works with the board as it was kept
  last, and tells whoever steers.
"""

import asyncio
from datetime import timedelta

from hub.ocpi.status import StatusCode
from hub.plugin import Answer, Change, Exchange, HubApi, Leg, Reject, Result, Take
from plugins.load_manager.dispatch import Board
from plugins.load_manager.knowledge.keys import SessionKey, session_key
from plugins.load_manager.profiles import NotAProfile, from_ocpi, to_ocpi
from plugins.load_manager.steering.facts import TheirsAnswered, TheirsGone, TheirsResulted, TheirsUnderWay
from plugins.load_manager.steering.intake import result_in
from plugins.load_manager.steering.node import Node
from plugins.load_manager.steering.sending import said_by

RESULT_WITHIN_S = 300
_TURN_WITHIN_S = 0.7
_ANSWER_WITHIN = timedelta(seconds=30)


class Composing:
    """Stands on the path of charging profiles that others send."""

    def __init__(self, hub: HubApi, node: Node) -> None:
        self._hub = hub
        self._node = node
        self._under_way: dict[str, asyncio.Event] = {}

    async def put(self, exchange: Exchange, leg: Leg) -> Change | Reject | None:
        """An eMSP's PUT on its way to the CPO. Raises StoreUnavailable."""
        key = session_key(leg.receiver, exchange.path.strip("/"))
        board = await self._board(key)
        if board is None:
            return None
        lead, body = self._node.lead, leg.body.value
        if lead is not None and not await lead.sending.turn(key, _TURN_WITHIN_S):
            return Reject(StatusCode.CLIENT_ERROR, "Another profile for this session is under way: try again")
        row, now = board.state.rows[key], self._hub.now()
        known = lead.scene.known.sessions.find(key) if lead is not None else None
        profile = body.get("charging_profile") if isinstance(body, dict) else None
        if not isinstance(profile, dict):
            return None
        scale, maximum_mw = row.session.scale, row.session.maximum_mw
        since = known.started_at if known else None
        try:
            theirs = from_ocpi(profile, scale=scale, maximum_mw=maximum_mw, now=now, charging_since=since)
        except NotAProfile as problem:
            return Reject(StatusCode.INVALID_PARAMETERS, f"charging_profile: {problem}")
        fact = TheirsUnderWay(key, theirs, exchange.correlation_id)
        self._hold(key, exchange.correlation_id)
        if lead is not None:
            await lead.take(fact)
            put = lead.news.under_way.get(exchange.correlation_id)
        else:
            put = board.theirs(now, key, theirs)
            await self._node.tell(fact)
        return None if put is None else Change({**body, "charging_profile": to_ocpi(put.profile, scale)})

    async def answered(self, exchange: Exchange, leg: Leg) -> None:
        """What the CPO said to it at once."""
        held = self._under_way.pop(exchange.correlation_id, None)
        if held is None:
            return
        said = said_by(Answer(leg.status_code or StatusCode.HUB_ERROR, http=leg.http or 500, body=leg.answer.raw))
        try:
            await self._node.tell(TheirsAnswered(exchange.correlation_id, said.answer, said.timeout_s))
        finally:
            held.set()

    async def resulted(self, result: Result) -> None:
        """The result on its way to the eMSP: whoever steers has to know it too."""
        found, lead = result_in(result), self._node.lead
        if lead is not None and result.correlation_id not in lead.news.under_way:
            return
        if found is not None:
            await self._node.tell(TheirsResulted(result.correlation_id, found))

    async def delete(self, exchange: Exchange) -> Take | None:
        """An eMSP's DELETE: taken over where a limit of ours holds, so that the car is never without one."""
        receiver = exchange.receivers[0] if exchange.receivers else None
        if receiver is None:
            return None
        key = session_key(receiver, exchange.path.strip("/"))
        board = await self._board(key)
        if board is None:
            return None
        row = board.state.rows[key]
        if row.target is None and not row.ours:
            return None
        taken = Take(Answer(data={"result": "ACCEPTED", "timeout": RESULT_WITHIN_S}))
        await self._node.keeping.owe(taken.handle, key)
        await self._node.tell(TheirsGone(key, taken.handle))
        return taken

    async def _board(self, key: SessionKey) -> Board | None:
        """The board that the session is on, if it is to be steered; a copy on a node that does not steer."""
        if not self._node.grid.groups:
            return None
        scene = await self._node.scene_of(key)
        found = scene.row(key)
        session = scene.known.sessions.find(key)
        if found is None or session is None or scene.mode.shadow:
            return None
        consents = scene.known.cpos.of(session.owner).consents(self._hub.now())
        return found[1] if consents else None

    def _hold(self, key: SessionKey, correlation_id: str) -> None:
        """Our own messages about the session wait until this one was answered, or cannot be any more."""
        held = self._under_way[correlation_id] = asyncio.Event()
        if self._node.lead is not None:
            self._node.lead.sending.hold(key, held)

        def give_up() -> None:
            self._under_way.pop(correlation_id, None)
            held.set()

        self._hub.call_at(self._hub.now() + _ANSWER_WITHIN, give_up)
