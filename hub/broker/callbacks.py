"""Asynchronous results: replacing `response_url` on the way out, finding the way home when the result comes (R-117 to
R-131).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from hub.broker.exchange import Exchange
from hub.broker.identity import HubIdentity
from hub.broker.ids import record_id
from hub.broker.outreach import Outreach
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.decisions import Direct, Refused
from hub.domain.outcome import Answer
from hub.domain.platform import Platform
from hub.errors import StoreUnavailable
from hub.ocpi import envelope, names, times, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import CallbackStore
from hub.store.records import Callback, PartyOn

log = structlog.get_logger("hub.callbacks")

LEAST_WAIT = timedelta(minutes=15)
MOST_WAIT = timedelta(days=366)
PRUNE_S = 600.0
_QUERY_METHODS = ("GET", "DELETE")
RESERVE_NOW = "RESERVE_NOW"
_NO_WAY_HOME = Refused(200, StatusCode.HUB_ERROR, "The hub cannot store the way home of the result; nothing was sent")


@dataclass(frozen=True, slots=True)
class Substituted:
    """Body and query with the hub's URL in place of the issuer's; `callback` is None when there was no response_url."""

    body: bytes | None
    query: str
    callback: Callback | None


class Callbacks:
    """`retention_s` is how long a callback lives at least, on top of what the command itself asks for (R-123)."""

    def __init__(
        self,
        *,
        store: CallbackStore,
        registry: RegistryKeeper,
        outreach: Outreach,
        identity: HubIdentity,
        clock: Clock,
        retention_s: float,
    ) -> None:
        self._store = store
        self._registry = registry
        self._outreach = outreach
        self._identity = identity
        self._clock = clock
        self._retention = timedelta(seconds=retention_s)

    async def substitute(self, exchange: Exchange, direct: Direct, facts: Facts) -> Substituted | Refused:
        """Stores the way home, durably, then swaps the URL. Nothing may be sent when this refuses."""
        found = self._way_home(exchange, facts)
        if isinstance(found, Refused):
            return found
        if found is None:
            return Substituted(exchange.body, exchange.query, None)
        callback = self._callback(exchange, (direct.platform.id, direct.receiver), found, facts)
        refusal = await self._saved(callback)
        if refusal is not None:
            return refusal
        url = self._url(exchange, callback)
        if exchange.method in _QUERY_METHODS:
            return Substituted(exchange.body, urls.with_query_value(exchange.query, "response_url", url), callback)
        return Substituted(envelope.replace_text(exchange.body or b"", "response_url", url), exchange.query, callback)

    async def keep(
        self, exchange: Exchange, asked: tuple[str, PartyId], facts: Facts, *, callback_id: str, asks_s: float
    ) -> Refused | None:
        """Stores the way home of a result that somebody else than the receiver owes, under an id of their own, for as
        long as they ask for in seconds.
        """
        found = self._way_home(exchange, facts)
        if isinstance(found, Refused):
            return found
        if found is None:
            return Refused(200, StatusCode.INVALID_PARAMETERS, "response_url is missing")
        callback = self._callback(exchange, asked, found, facts, callback_id)
        wanted = callback.created_at + timedelta(seconds=min(asks_s, MOST_WAIT.total_seconds())) + self._retention
        try:
            if await self._store.get(callback_id) is not None:
                return Refused(200, StatusCode.HUB_ERROR, "A plugin of this hub used a handle twice; nothing was done")
        except StoreUnavailable:
            return _NO_WAY_HOME
        return await self._saved(replace(callback, expires_at=max(callback.expires_at, wanted)))

    def _way_home(self, exchange: Exchange, facts: Facts) -> str | Refused | None:
        """The response_url of the request, if it may be used; None when there is none."""
        in_query = exchange.method in _QUERY_METHODS
        original = urls.unencoded_value(exchange.query, "response_url") if in_query else facts.response_url
        if original is None:
            if not in_query and facts.has_response_url:
                return Refused(200, StatusCode.INVALID_PARAMETERS, "response_url must be a text")
            return None
        problem = self.problem(exchange.platform, original)
        if problem is not None:
            return Refused(200, StatusCode.INVALID_PARAMETERS, f"response_url cannot be used: {problem}")
        return original

    async def _saved(self, callback: Callback) -> Refused | None:
        try:
            await self._store.save(callback)
        except StoreUnavailable:
            return _NO_WAY_HOME
        return None

    def problem(self, platform: Platform, url: str) -> str | None:
        """Why results may not be sent to this URL with the platform's token (R-125), or None."""
        if platform.plugin is not None:  # the URL is the hub's own
            return None
        problem = self._outreach.url_problem(url)
        if problem is not None:
            return problem
        if not urls.printable(url):
            return "it has characters that must be percent-encoded"
        if self._registry.snapshot.owns_url(platform, url):
            return None
        found = urls.origin(url)
        hosts = platform.settings.response_url_hosts
        if found is not None and (found[1] in hosts or f"{found[1]}:{found[2]}" in hosts):
            return None
        return "its host is not one of your platform's endpoint hosts"

    def _callback(
        self,
        exchange: Exchange,
        asked: tuple[str, PartyId],
        url: str,
        facts: Facts,
        callback_id: str | None = None,
    ) -> Callback:
        platform_id, receiver = asked
        now = self._clock.now()
        sender = exchange.sender or receiver
        operation = exchange.method if exchange.module == names.CHARGING_PROFILES else exchange.tail.strip("/")
        return Callback(
            id=callback_id or record_id(),
            issuer=PartyOn(exchange.platform.id, sender.country_code, sender.party_id),
            receiver=PartyOn(platform_id, receiver.country_code, receiver.party_id),
            module=exchange.module,
            operation=operation,
            response_url=url,
            correlation_id=exchange.correlation_id,
            created_at=now,
            expires_at=self._expiry(now, operation, facts),
        )

    def _expiry(self, now: datetime, operation: str, facts: Facts) -> datetime:
        least = now + LEAST_WAIT + self._retention
        expiry = times.parse(facts.expiry_date or "") if operation == RESERVE_NOW else None
        return least if expiry is None else max(least, min(expiry, now + MOST_WAIT) + self._retention)

    def _url(self, exchange: Exchange, callback: Callback) -> str:
        """Where the receiver reports: the hub's SENDER endpoint of the module (R-120)."""
        base = self._identity.module_url(exchange.version, exchange.module, Interface.SENDER)
        tail = f"{callback.operation}/{callback.id}" if exchange.module == names.COMMANDS else callback.id
        return urls.join(base, tail)

    async def note_answer(self, callback: Callback, answer: Answer) -> None:
        """A receiver that asks for more time than the least wait gets it."""
        verdict = envelope.verdict_of(answer.body)
        if verdict is None or verdict[1] <= LEAST_WAIT.total_seconds():
            return
        asked = timedelta(seconds=min(verdict[1], MOST_WAIT.total_seconds()))
        try:
            await self._store.extend(callback.id, max(callback.expires_at, self._clock.now() + asked + self._retention))
        except StoreUnavailable:
            log.warning("a callback could not be extended", callback=callback.id)

    async def find(self, callback_id: str, platform: Platform, module: str) -> Callback | Refused:
        """The callback a result belongs to; only the platform it was sent to may use it (R-121)."""
        unknown = Refused(404, StatusCode.INVALID_PARAMETERS, "There is no request waiting for a result at this URL")
        try:
            callback = await self._store.get(callback_id)
        except StoreUnavailable:
            return Refused(200, StatusCode.HUB_ERROR, "The hub's store is away; the result was not delivered")
        if callback is None or callback.receiver.platform_id != platform.id or callback.module != module:
            return unknown
        return callback if callback.expires_at > self._clock.now() else unknown

    async def owed(self, callback_id: str, platform_id: str) -> Callback | None:
        """The way home of a result that this platform owes. Raises StoreUnavailable."""
        callback = await self._store.get(callback_id)
        if callback is None or callback.receiver.platform_id != platform_id:
            return None
        return callback if callback.expires_at > self._clock.now() else None

    async def prune(self) -> None:
        """Drops expired callbacks, for ever."""
        while True:
            await self._clock.sleep(PRUNE_S)
            try:
                await self._store.prune(self._clock.now())
            except StoreUnavailable:
                continue
