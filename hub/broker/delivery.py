"""Delivering one leg of a broadcast: the push as it was, the object as it is now where the push is history, and the
whole object to a receiver that lacks it (R-101, ruling 10).
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from hub.broker.exchange import HubAnswer
from hub.broker.lane import WaitingLeg
from hub.broker.legs import Leg, Legs
from hub.broker.plugins.watched import Outgoing, Watched
from hub.clock import Clock
from hub.domain.decisions import Direct
from hub.domain.outcome import Answer, Outcome, Unsent, UnsentReason
from hub.domain.push_paths import path_of
from hub.domain.pushes import judge
from hub.errors import StoreUnavailable
from hub.ocpi import urls
from hub.ocpi.envelope import status_code_of
from hub.ocpi.status import StatusCode
from hub.plugin.exchange import Leg as LegFacts
from hub.store.ports import CatalogStore

BROADCAST = "broadcast"
_LACKS = frozenset({StatusCode.INVALID_PARAMETERS, StatusCode.UNKNOWN_LOCATION, StatusCode.UNKNOWN_TOKEN})
_FULL_S = 0.1
_AWAY_S = 1.0


class Letter(NamedTuple):
    """What a leg says: the push as it was made, or the whole object as it is."""

    method: str
    tail: str
    query: str
    body: bytes | None
    # whether the body is the push's own, so that the whole object may follow where the receiver lacks it
    as_pushed: bool = True
    headers: Mapping[str, str] | None = None
    seen: LegFacts | None = None


class Unwritten(Enum):
    """Why there is nothing to send."""

    SUPERSEDED = "superseded"
    BY_PLUGIN = "plugin"


class Delivery:
    """Sends legs that were claimed."""

    def __init__(self, legs: Legs, catalog: CatalogStore, clock: Clock) -> None:
        self._legs = legs
        self._catalog = catalog
        self._clock = clock

    async def letter(self, leg: WaitingLeg, direct: Direct) -> Letter | Unwritten:
        """What is to be sent, or why nothing is. Looked up before the leg is claimed: between a claim and its sending
        nothing may take time, because a claim that a crash leaves unsent is an attempt less.
        """
        broadcast = leg.cast.broadcast
        if leg.resumed and await self._is_history(leg):
            held = await self._now(leg)
            if held is None:
                return Unwritten.SUPERSEDED
            return await self._edited(leg, direct, Letter("PUT", *path_of(leg.cast.push.key), held, as_pushed=False))
        letter = Letter(broadcast.method, broadcast.tail, broadcast.query, leg.cast.body)
        return await self._edited(leg, direct, letter)

    async def _edited(self, leg: WaitingLeg, direct: Direct, letter: Letter) -> Letter | Unwritten:
        """The letter as plugins leave it."""
        watched = leg.cast.watched
        if watched is None or direct.platform.plugin is not None:
            return letter
        seen = watched.begin_leg(
            (direct.sender, direct.receiver),
            direct.platform.id,
            letter.method,
            leg.cast.broadcast.version,
            letter.body,
        )
        if watched.sees_legs:
            out = await watched.forwarding(seen, letter.body)
            if not isinstance(out, Outgoing):
                watched.facts.legs.remove(seen)
                return Unwritten.BY_PLUGIN
            letter = letter._replace(body=out.body, headers=out.headers)
        return letter._replace(seen=seen)

    async def of(self, leg: WaitingLeg, direct: Direct, letter: Letter) -> Outcome:
        """What came of it."""
        outcome = await self._send(leg, direct, letter)
        if letter.as_pushed and self._lacks_object(leg, outcome):
            await self._send_whole(leg, direct)
        return outcome

    async def _is_history(self, leg: WaitingLeg) -> bool:
        """Whether the object has moved on since: others may have been told of newer states before this hub stopped."""
        held = await self._now(leg)
        push = leg.cast.push
        return held is not None if push.method == "DELETE" else held is None or judge(push, held).stale

    async def _now(self, leg: WaitingLeg) -> bytes | None:
        """The object as it is held now. While the store is away nothing is known, and nothing is sent."""
        while True:
            try:
                return await self._catalog.get(leg.cast.push.key)
            except StoreUnavailable:
                await self._clock.sleep(_AWAY_S)

    async def _send(self, leg: WaitingLeg, direct: Direct, letter: Letter) -> Outcome:
        platform = direct.platform
        timeout_s = self._legs.timeout_s(platform, authorize=False)
        url = urls.join(direct.endpoint, letter.tail, letter.query)
        sent = Leg(
            platform,
            direct.receiver,
            direct.sender,
            letter.method,
            url,
            letter.body,
            BROADCAST,
            timeout_s,
            headers=letter.headers,
        )
        give_up_at = self._clock.monotonic() + timeout_s
        while True:
            result = await self._legs.carry(sent, leg.cast.broadcast.correlation_id)
            if not is_full(result[0]) or self._clock.monotonic() >= give_up_at:
                word = self._legs.note_broadcast(leg.cast.broadcast, sent, result)
                if letter.seen is not None and leg.cast.watched is not None:
                    await _told(leg.cast.watched, letter.seen, result, word)
                return result[0]
            await self._clock.sleep(_FULL_S)  # others use all its slots just now, and nothing was sent

    def _lacks_object(self, leg: WaitingLeg, outcome: Outcome) -> bool:
        """Whether the receiver could not apply a change because it lacks the object (ruling 10)."""
        push = leg.cast.push
        if not isinstance(outcome, Answer) or (push.method != "PATCH" and not push.parts):
            return False
        code = status_code_of(outcome.body)
        return outcome.status == 404 or code in _LACKS

    async def _send_whole(self, leg: WaitingLeg, direct: Direct) -> None:
        """The object as it is now, whole: what its owner would do next (R-101)."""
        key = leg.cast.push.key
        try:
            raw = await self._catalog.get(key)
        except StoreUnavailable:
            return
        if raw is None:
            return
        letter = await self._edited(leg, direct, Letter("PUT", *path_of(key), raw, as_pushed=False))
        if isinstance(letter, Letter):
            await self._send(leg, direct, letter)


def is_full(outcome: Outcome) -> bool:
    """Whether all slots of the platform, or of the hub, were taken: nothing was sent."""
    return isinstance(outcome, Unsent) and outcome.reason is UnsentReason.FULL


async def _told(watched: Watched, seen: LegFacts, result: tuple[Outcome, str, float], word: str) -> None:
    """Shows plugins what came of the leg. The requester has its answer, so what they say to it changes nothing."""
    outcome, _, seen.seconds = result
    seen.outcome = word
    answer = None
    if isinstance(outcome, Answer):
        answer = HubAnswer(outcome.status, outcome.body, status_code_of(outcome.body))
    await watched.told(seen, answer)
