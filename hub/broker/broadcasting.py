"""Broadcast push: validate, store, answer, and leave the rest to fan-out (R-071 to R-081, ruling 8)."""

from collections.abc import Callable
from datetime import datetime

import structlog

from hub.broker.answer import Answers
from hub.broker.audience import Audience
from hub.broker.delivery import BROADCAST
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.fan_out import FanOut
from hub.broker.ids import message_id
from hub.broker.knowledge import Knowledge
from hub.broker.lane import Cast
from hub.broker.legs import Legs
from hub.broker.liveness import LivenessBoard
from hub.broker.plugins.watched import Watched
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain import decisions
from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.domain.crawling import judge_absent, judge_pulled
from hub.domain.decisions import Choices, Direct, Refused
from hub.domain.open_routing import Message, lessons
from hub.domain.platform import Platform
from hub.domain.push_paths import path_of, push_at
from hub.domain.pushes import judge
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import CatalogStore
from hub.store.records import Broadcast, PartyOn

log = structlog.get_logger("hub.broadcast")


class Broadcasting:
    """Takes pushes for everybody, from platforms and from the hub's own pulls."""

    def __init__(
        self,
        *,
        choices: Choices,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        legs: Legs,
        answers: Answers,
        catalog: CatalogStore,
        fan_out: FanOut,
        knowledge: Knowledge,
        clock: Clock,
    ) -> None:
        self._choices = choices
        self._registry = registry
        self._liveness = liveness
        self._legs = legs
        self._answers = answers
        self._catalog = catalog
        self._fan_out = fan_out
        self._knowledge = knowledge
        self._clock = clock
        self._audience = Audience(choices, registry, liveness)
        # The legs of the last decisions, ready to be stored; one tuple for all broadcasts to the same receivers.
        self._receivers: tuple[tuple[Direct, ...], frozenset[str], tuple[PartyOn, ...]] = ((), frozenset(), ())

    async def serve(self, exchange: Exchange, decision: decisions.Broadcast) -> HubAnswer:
        """The answer to a push for everybody; it does not depend on any receiver (R-072)."""
        assert exchange.match is not None  # noqa: S101 - a custom module is never broadcast
        push = push_at(exchange.module, exchange.method, exchange.match.segments, exchange.query, exchange.body)
        broadcast = Broadcast(
            platform_id=exchange.platform.id,
            sender=decision.sender,
            version=exchange.version,
            module=exchange.module,
            method=exchange.method,
            tail=exchange.tail.strip("/"),
            query=exchange.query,
            object_key=push.key.text,
            parts=push.parts,
            correlation_id=exchange.correlation_id,
            created_at=self._clock.now(),
            legs=() if decision.stored_only else self._legs_of(decision.receivers),
        )
        try:
            verdict = await self._apply(push, broadcast, watched=exchange.watched)
        except StoreUnavailable:
            away = Refused(200, StatusCode.HUB_ERROR, "The hub's store is away; nothing was stored or sent")
            return self._legs.refused(exchange, away, BROADCAST)
        except StoreConflict:
            busy = Refused(200, StatusCode.HUB_ERROR, "The object is being changed by somebody else; try again")
            return self._legs.refused(exchange, busy, BROADCAST)
        if verdict.stale:
            log.info("a push was older than what is held", object=push.key.text, platform=exchange.platform.id)
        answer = self._answers.routed(exchange, verdict.http, verdict.code, verdict.message)
        self._legs.note(exchange, answer, BROADCAST, "stale" if verdict.stale else str(int(verdict.code)))
        return answer

    async def publish(
        self, platform: Platform, owner: PartyId, push: Push, *, seen_at: datetime | None = None
    ) -> Verdict:
        """The same for a push the hub makes of what it pulled from the owner (ruling 13). What says the same as what is
        held changes nothing and is told to nobody.

        Raises StoreUnavailable, StoreConflict.
        """
        return await self._apply(push, self._own(platform, owner, push), judge_pulled, seen_at)

    async def withdraw(self, platform: Platform, owner: PartyId, key: ObjectKey, seen: bytes) -> Verdict:
        """Forgets an object that is no longer in its owner's list, unless it says something else than `seen` by now.
        Receivers are told of tariffs; of other objects OCPI knows no deletion (R-103).

        Raises StoreUnavailable, StoreConflict.
        """
        push = Push("DELETE", key, (), None)
        return await self._apply(
            push, self._own(platform, owner, push), lambda _, held: judge_absent(key, seen, held), None
        )

    def _own(self, platform: Platform, owner: PartyId, push: Push) -> Broadcast:
        """A broadcast that the hub starts itself, in the name of an owner."""
        tail, query = path_of(push.key)
        return Broadcast(
            platform_id=platform.id,
            sender=self._choices.hub,
            version=platform.connection.version if platform.connection else "",
            module=push.key.module,
            method=push.method,
            tail=tail,
            query=query,
            object_key=push.key.text,
            parts=push.parts,
            correlation_id=message_id(),
            created_at=self._clock.now(),
            legs=() if platform.is_peer else self._audience.of(platform, owner, push.key.module),
        )

    async def _apply(
        self,
        push: Push,
        broadcast: Broadcast,
        rule: Callable[[Push, bytes | None], Verdict] = judge,
        seen_at: datetime | None = None,
        watched: Watched | None = None,
    ) -> Verdict:
        verdict, order = await self._catalog.apply(
            push.key,
            lambda held: rule(push, held),
            seen_at=seen_at or broadcast.created_at,
            broadcast=broadcast if broadcast.legs else None,
            body=push.body,
        )
        if order is not None:
            if watched is None:
                watched = self._fan_out.watching.of_broadcast(broadcast, push.body)
            if watched is not None:
                watched.expect_legs(len(broadcast.legs))
            self._fan_out.add(Cast(order, broadcast, push.body, push, watched))
        if verdict.code == StatusCode.OK:
            key = push.key
            segments = (key.owner.country_code, key.owner.party_id, key.object_id)
            learnt = Message(
                key.module, Interface.RECEIVER, push.method, segments, f"type={key.kind}", Facts.none(), key.owner
            )
            self._knowledge.learn(lessons(learnt, key.owner, frozenset(), accepted=False))
        return verdict

    def _legs_of(self, receivers: tuple[Direct, ...]) -> tuple[PartyOn, ...]:
        """The receivers that are there just now; one that is away is skipped and fetches the list later (R-074)."""
        offline = frozenset(self._liveness.offline)
        known, away, legs = self._receivers
        if known is not receivers or away != offline:
            legs = tuple(
                PartyOn(leg.platform.id, leg.receiver.country_code, leg.receiver.party_id)
                for leg in receivers
                if leg.platform.id not in offline
            )
            self._receivers = (receivers, offline, legs)
        return legs
