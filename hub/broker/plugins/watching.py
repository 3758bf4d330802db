"""Which messages are watched: the chain in use, and the beginning and end of every exchange as plugins see it."""

from hub.broker.exchange import Arrival, HubAnswer
from hub.broker.plugins.spoken import Spoken
from hub.broker.plugins.watched import Watched
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.ocpi.names import CONFIGURATION_MODULES, Interface
from hub.ocpi.party_id import PartyId, party
from hub.plugin.chain import NO_CHAIN, Chain
from hub.plugin.exchange import Exchange, Headers
from hub.plugin.inbox import Inbox, ObjectKey
from hub.plugin.words import Kind
from hub.store.records import Broadcast


class Watching:
    """Gives exchanges to watch. `chain` and `inboxes` are put in place whenever plugins change."""

    def __init__(self, spoken: Spoken, registry: RegistryKeeper, clock: Clock) -> None:
        self.chain: Chain = NO_CHAIN
        self.inboxes: dict[str, Inbox] = {}
        self._spoken = spoken
        self._registry = registry
        self._clock = clock

    @property
    def idle(self) -> bool:
        """Whether no plugin watches anything."""
        return not self.chain.watched

    def begin(self, arrival: Arrival) -> Watched | None:
        """The exchange as plugins see it, before its body is read; None when nobody watches this endpoint."""
        chain = self.chain
        if not chain.watched:
            return None
        if arrival.sent_by is not None:
            chain = chain.without(arrival.sent_by)
        hooks = chain.at(arrival.module, arrival.interface, arrival.method)
        if hooks is None:
            return None
        arrival.watched = watched = Watched(
            self._facts(arrival), hooks, chain.under_way, self.inboxes, self._spoken, self._registry
        )
        return watched

    async def finish(self, arrival: Arrival, answer: HubAnswer) -> None:
        """The requester has its answer. Also for requests that were refused before they became an exchange."""
        watched = arrival.watched or self.begin(arrival)
        if watched is not None:
            await watched.answered_with(answer, self._clock.monotonic() - arrival.started)

    def of_broadcast(self, broadcast: Broadcast, body: bytes | None) -> Watched | None:
        """A broadcast that nobody's request stands behind: of the hub's own pulls, or left over from before a start."""
        if not self.chain.watched:
            return None
        hooks = self.chain.at(broadcast.module, Interface.RECEIVER, broadcast.method)
        if hooks is None:
            return None
        facts = Exchange(
            request_id="",
            correlation_id=broadcast.correlation_id,
            at=broadcast.created_at,
            platform=broadcast.platform_id,
            version=broadcast.version,
            module=broadcast.module,
            interface=Interface.RECEIVER,
            method=broadcast.method,
            path=broadcast.tail,
            query=broadcast.query,
            sender=broadcast.sender,
            kind=Kind.BROADCAST,
            receivers=tuple(leg.party for leg in broadcast.legs),
        )
        facts.owner, facts.object_id = _object_at(broadcast.tail, Interface.RECEIVER)
        watched = Watched(facts, hooks, self.chain.under_way, self.inboxes, self._spoken, self._registry)
        watched.body(body)
        watched.nobody_asked()
        return watched

    def _facts(self, arrival: Arrival) -> Exchange:
        facts = Exchange(
            request_id=arrival.request_id,
            correlation_id=arrival.correlation_id,
            at=self._clock.now(),
            platform=None if arrival.caller is None else arrival.caller.platform.id,
            version=arrival.version,
            module=arrival.module,
            interface=arrival.interface,
            method=arrival.method,
            path=arrival.tail,
            query=arrival.query,
            to=arrival.to,
            sender=arrival.sender,
            headers=Headers(arrival.headers),
            depth=arrival.depth,
        )
        if arrival.module in CONFIGURATION_MODULES:
            facts.kind = Kind.CONFIGURATION
        elif arrival.interface is not None:
            facts.owner, facts.object_id = _object_at(arrival.tail, arrival.interface)
        return facts


def _object_at(tail: str, interface: Interface) -> tuple[PartyId | None, str | None]:
    """The owner and the id in the path of a client-owned object."""
    segments = tail.strip("/").split("/")
    if interface is Interface.RECEIVER and len(segments) >= 3:
        return party(segments[0], segments[1]), segments[2]
    return None, segments[0] or None


def object_key(facts: Exchange) -> ObjectKey | None:
    """What exchanges of one object have in common: they reach LOSSLESS watchers in order. None: no object is
    changed.
    """
    if facts.method == "GET" or facts.object_id is None:
        return None
    owner = facts.owner or facts.to
    return facts.module, "" if owner is None else owner.key, facts.object_id.casefold()
