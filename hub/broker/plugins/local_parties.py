"""Parties that plugins play: registered like any other, with a wire that ends inside the hub.

A plugin's parties are a platform in the registry, so routing, agreements, client info and callbacks know them without
knowing what they are. Their URLs lead nowhere; `deliver` is what answers.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from hub.broker.legs import Leg
from hub.broker.liveness import LivenessBoard
from hub.broker.plugins.local_ids import platform_of
from hub.broker.plugins.spoken import Spoken, Unusable
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.opposites import USEFUL_ENDPOINTS
from hub.domain.outcome import Answer as WireAnswer
from hub.domain.outcome import Lost, Outcome, TimedOut, Unsent, UnsentReason
from hub.domain.platform import Connection, Endpoint, HostedRole, Platform
from hub.errors import StoreConflict
from hub.ocpi import codec, urls
from hub.ocpi.names import FUNCTIONAL_MODULES, Interface
from hub.ocpi.status import StatusCode
from hub.ocpi.token import TokenEncoding, new_token
from hub.ocpi.versions import SERVED
from hub.plugin.api import LocalParty, Plugin
from hub.plugin.exchange import Content, PartyRequest, Result
from hub.plugin.guard import Guard, Refused, TookTooLong
from hub.plugin.verdicts import Answer, Reject
from hub.plugin.words import Body
from hub.store.records import Callback
from hub.store.vault import Vault

_MOST_BODY = 20 * 1024 * 1024
_RESULT = "result"
_CONTEXT = "context"


class PartyTaken(Exception):
    """A party that a plugin wants to play is another platform's; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Player:
    """A plugin that plays parties now."""

    plugin: Plugin[Any]
    guard: Guard


class LocalParties:
    """The wire to plugins' parties, and their places in the registry."""

    def __init__(
        self, registry: RegistryKeeper, liveness: LivenessBoard, vault: Vault, spoken: Spoken, clock: Clock
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._vault = vault
        self._spoken = spoken
        self._clock = clock
        self._players: dict[str, Player] = {}

    # --- who is there ---

    async def settle(self, name: str, parties: Sequence[LocalParty]) -> None:
        """Gives the plugin's parties their places in the registry. Raises PartyTaken, StoreUnavailable."""
        platform_id = platform_of(name)
        known = self._registry.snapshot.platform(platform_id)
        if not parties and known is None:
            return
        now = self._clock.now()
        roles = tuple(_role(one, known, now) for one in parties)
        endpoints = _endpoints(platform_id, parties)
        try:
            if known is None:
                await self._registry.add(self._made(platform_id, name, roles, endpoints))
            else:
                await self._registry.change(platform_id, lambda stored: _changed(stored, roles, endpoints, now))
        except StoreConflict as conflict:
            raise PartyTaken(f"{conflict.key} is hosted by another platform, or reserved for one") from None

    def _made(
        self, platform_id: str, name: str, roles: tuple[HostedRole, ...], endpoints: tuple[Endpoint, ...]
    ) -> Platform:
        now = self._clock.now()
        connection = Connection(
            version=next(reversed(SERVED)),
            versions_url=f"{_base(platform_id)}/versions",
            sealed_token=self._vault.seal(new_token()),
            token_encoding=TokenEncoding.BASE64,
            endpoints=endpoints,
            registered_at=now,
        )
        return Platform(
            id=platform_id,
            name=f"plugin {name}",
            created_at=now,
            updated_at=now,
            status_changed_at=now,
            roles=roles,
            connection=connection,
            was_registered=True,
            plugin=name,
        )

    def play(self, name: str, player: Player | None) -> None:
        """From now on this instance answers for the plugin's parties; None: nobody does."""
        platform_id = platform_of(name)
        if player is None:
            self._players.pop(platform_id, None)
        else:
            self._players[platform_id] = player
        self.review()

    def review(self) -> None:
        """Tells liveness which plugins can be reached: those that run and are not tripped."""
        for platform in self._registry.snapshot.platforms:
            if platform.plugin is not None:
                player = self._players.get(platform.id)
                self._liveness.said(platform.id, online=player is not None and not player.guard.tripped)

    # --- the wire ---

    async def deliver(self, leg: Leg, correlation_id: str) -> Outcome:
        """What the plugin makes of a request, or of a result that it waits for."""
        player = self._players.get(leg.platform.id)
        if player is None:
            return Unsent(UnsentReason.REFUSED, f"no plugin plays {leg.receiver}")
        try:
            if leg.callback is not None:
                return await self._result(player, leg, leg.callback)
            said = await player.guard.call(
                "handle", player.plugin.handle, _request(leg, correlation_id), timeout_s=leg.timeout_s
            )
        except TookTooLong:
            return TimedOut()
        except Refused as refused:
            return Lost(str(refused))
        return self._outcome(player, said)

    async def _result(self, player: Player, leg: Leg, callback: Callback) -> Outcome:
        result = Result(
            callback.module,
            callback.operation,
            callback.correlation_id,
            callback.created_at,
            callback.issuer.party,
            callback.receiver.party,
            Content(leg.body, Body.READ, _MOST_BODY),
        )
        context = context_of(callback.response_url)
        try:
            await player.guard.call("on_callback", player.plugin.on_callback, context, result, timeout_s=leg.timeout_s)
        except Refused:
            return self._outcome(player, Reject(StatusCode.SERVER_ERROR, "The result could not be taken; try again"))
        return self._outcome(player, Answer())

    def _outcome(self, player: Player, said: object) -> Outcome:
        if not isinstance(said, Answer | Reject):
            player.guard.misspoke("handle", f"handle returned {type(said).__name__}, not an Answer")
            return Lost("the plugin gave no answer")
        try:
            answer = self._spoken.answer(said, None)
        except Unusable as problem:
            player.guard.misspoke("handle", str(problem))
            return Lost("the plugin gave an answer that cannot be sent")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        link = headers.get("link")
        return WireAnswer(answer.http, headers, answer.body, () if link is None else (link,))


def result_url(platform_id: str, context: object) -> str:
    """Where results of a plugin's own send go. The context travels in it, and so lasts as long as the way home does.
    Raises ValueError for a context that is not JSON or too large.
    """
    try:
        text = codec.dumps(context)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"the context is not JSON: {problem}") from None
    if len(text) > 4096:
        raise ValueError(f"the context has {len(text)} bytes; 4096 are kept")
    return f"{_base(platform_id)}/{_RESULT}?{_CONTEXT}={base64.urlsafe_b64encode(text).decode()}"


def context_of(url: str) -> Any:
    """The context in such a URL."""
    found = urls.query_value(url.partition("?")[2], _CONTEXT) or ""
    return codec.loads(base64.urlsafe_b64decode(found)) if found else None


def _base(platform_id: str) -> str:
    # RFC 6761: a name under .invalid is never anybody's.
    return f"https://{platform_id.replace('_', '-')}.invalid"


def _role(party: LocalParty, known: Platform | None, now: datetime) -> HostedRole:
    made = HostedRole(party.role, party.country_code, party.party_id, {"name": party.name}, now)
    for role in known.roles if known is not None else ():
        if role.key == made.key:
            return HostedRole(
                role.role, role.country_code, role.party_id, {"name": party.name}, role.updated_at, role.suspended
            )
    return made


def _endpoints(platform_id: str, parties: Sequence[LocalParty]) -> tuple[Endpoint, ...]:
    version, base = next(reversed(SERVED)), _base(platform_id)
    served: dict[tuple[str, Interface], None] = {}
    for party in parties:
        offered = party.endpoints
        if offered is None:
            offered = sorted(
                USEFUL_ENDPOINTS.get(party.role) or ((m, i) for m in FUNCTIONAL_MODULES for i in Interface)
            )
        served |= dict.fromkeys((module, interface) for module, interface in offered)
    return tuple(
        Endpoint(module, interface, f"{base}/{version}/{interface.value.lower()}/{quote(module, safe='')}")
        for module, interface in served
    )


def _changed(
    stored: Platform, roles: tuple[HostedRole, ...], endpoints: tuple[Endpoint, ...], now: datetime
) -> Platform | None:
    connection = stored.connection
    if connection is None or (stored.roles == roles and connection.endpoints == endpoints):
        return None
    fields: Mapping[str, Any] = {
        name: getattr(connection, name)
        for name in ("version", "versions_url", "sealed_token", "token_encoding", "registered_at")
    }
    return stored.changed(now, roles=roles, connection=Connection(endpoints=endpoints, **fields))


def _request(leg: Leg, correlation_id: str) -> PartyRequest:
    path, _, query = leg.url.partition("://")[2].partition("/")[2].partition("?")
    version, interface, module, tail = [*path.split("/", 3), ""][:4]
    return PartyRequest(
        sender=leg.sender,
        receiver=leg.receiver,
        version=version,
        module=module,
        interface=Interface(interface.upper()),
        method=leg.method,
        path=tail,
        query=query,
        correlation_id=correlation_id,
        body=Content(leg.body, Body.READ, _MOST_BODY),
    )
