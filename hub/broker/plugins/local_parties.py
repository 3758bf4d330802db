"""Parties that plugins play: registered like any other, with a wire that ends inside the hub.

A plugin's parties are a platform in the registry, so routing, agreements, client info and callbacks know them without
knowing what they are. Their URLs lead nowhere; `deliver` is what answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from hub.broker.departures import Departures
from hub.broker.legs import Leg
from hub.broker.liveness import LivenessBoard
from hub.broker.plugins.json_text import json_text
from hub.broker.plugins.local_ids import platform_of
from hub.broker.plugins.spoken import Spoken
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.opposites import USEFUL_ENDPOINTS
from hub.domain.outcome import Answer as WireAnswer
from hub.domain.outcome import Lost, Outcome, TimedOut, Unsent, UnsentReason
from hub.domain.platform import Connection, Endpoint, HostedRole, Platform, RoleName
from hub.errors import StoreConflict
from hub.ocpi import codec, urls
from hub.ocpi.names import FUNCTIONAL_MODULES, Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.token import TokenEncoding, new_token
from hub.ocpi.versions import SERVED
from hub.plugin.api import LocalParty, Plugin
from hub.plugin.exchange import Content, PartyRequest, Result
from hub.plugin.guard import Guard, Refused, TookTooLong, told
from hub.plugin.verdicts import Answer, Reject, checked
from hub.plugin.words import Body
from hub.store.records import Callback
from hub.store.vault import Vault

_INTERFACES = {interface.value.lower(): interface for interface in Interface}
_MOST_BODY = 20 * 1024 * 1024
_RESULT = "result"
_CONTEXT = "context"
MOST_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class Player:
    """A plugin that plays parties now."""

    plugin: Plugin[Any]
    guard: Guard


class LocalParties:
    """The wire to plugins' parties, and their places in the registry."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        departures: Departures,
        vault: Vault,
        contexts: Vault,
        spoken: Spoken,
        hub: PartyId,
        clock: Clock,
    ) -> None:
        """`contexts` opens what plugins gave with their requests; `hub` is the hub's own party."""
        self._registry = registry
        self._liveness = liveness
        self._departures = departures
        self._vault = vault
        self._contexts = contexts
        self._spoken = spoken
        self._hub = hub
        self._clock = clock
        self._players: dict[str, Player] = {}

    # --- who is there ---

    async def settle(self, wanted: Mapping[str, Sequence[LocalParty]]) -> dict[str, str]:
        """Gives the parties of all plugins their places in the registry: first everybody gives up what is not theirs
        any more, then everybody takes what is new, so that a party may go from one plugin to another. By plugin, why it
        cannot have its parties. Raises StoreUnavailable.
        """
        keys = {one.key: name for name, parties in wanted.items() for one in map(_role_name, parties)}
        for platform in self._registry.snapshot.platforms:
            if platform.plugin is not None:
                await self._give_up(platform, wanted.get(platform.plugin), keys)
        problems = {}
        for name, parties in wanted.items():
            problem = await self._take(name, parties)
            if problem is not None:
                problems[name] = problem
        return problems

    async def _give_up(
        self, platform: Platform, parties: Sequence[LocalParty] | None, taken: Mapping[str, str]
    ) -> None:
        """A plugin that is not there any more keeps its parties unless another wants them: it may come back."""
        mine = None if parties is None else {one.key for one in map(_role_name, parties)}
        kept = tuple(
            role
            for role in platform.roles
            if (role.key in mine if mine is not None else taken.get(role.key, platform.plugin) == platform.plugin)
        )
        if len(kept) == len(platform.roles):
            return
        now = self._clock.now()
        after = await self._registry.change(platform.id, lambda stored: stored.changed(now, roles=kept))
        if after is not None:
            self._departures.left(platform, after)
            await self._departures.follow(platform)

    async def _take(self, name: str, parties: Sequence[LocalParty]) -> str | None:
        platform_id = platform_of(name)
        known = self._registry.snapshot.platform(platform_id)
        if any(one.party == self._hub for one in parties):
            return f"{self._hub} is the hub's own party"
        if not parties and known is None:
            return None
        now = self._clock.now()
        roles = tuple(_role(one, known, now) for one in parties)
        endpoints = _endpoints(platform_id, parties)
        try:
            if known is None:
                await self._registry.add(self._made(platform_id, name, roles, endpoints))
            else:
                after = await self._registry.change(platform_id, lambda stored: _changed(stored, roles, endpoints, now))
                if after is not None:
                    await self._departures.inherit_nothing(known, after)
        except StoreConflict as conflict:
            return f"{conflict.key} is hosted by another platform, or reserved for one"
        return None

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

    def play(self, players: Mapping[str, Player | None]) -> None:
        """From now on these instances answer for the parties of these plugins; None: nobody does."""
        for name, player in players.items():
            if player is None:
                self._players.pop(platform_of(name), None)
            else:
                self._players[platform_of(name)] = player
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
            request = _request(leg, correlation_id)
            if request is None:
                return Unsent(UnsentReason.UNUSABLE, "no endpoint of the plugin's party is at this URL")
            said = await player.guard.call(
                "handle", player.plugin.handle, request, timeout_s=leg.timeout_s, counts=False
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
        context = context_of(callback.response_url, self._contexts)
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
            checked(said)
            answer = self._spoken.answer(said, None)
        except Exception as problem:  # noqa: BLE001 - what somebody's values do when they are looked at
            player.guard.misspoke("handle", told(problem))
            return Lost("the plugin gave an answer that cannot be sent")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        link = headers.get("link")
        return WireAnswer(answer.http, headers, answer.body, () if link is None else (link,))


def result_url(platform_id: str, context: object, contexts: Vault) -> str:
    """Where results of a plugin's own send go. The context travels in it, sealed, and so lasts as long as the way home
    does. Raises ValueError for a context that is not JSON or too large.
    """
    text = json_text(context, "the context")
    if len(text) > MOST_CONTEXT:
        raise ValueError(f"the context has {len(text)} bytes; {MOST_CONTEXT} are kept")
    sealed = "" if context is None else contexts.seal(text.decode())
    return f"{_base(platform_id)}/{_RESULT}?{_CONTEXT}={quote(sealed, safe='')}"


def context_of(url: str, contexts: Vault) -> Any:
    """The context in such a URL. Raises KeyUnusable."""
    found = urls.query_value(url.partition("?")[2], _CONTEXT) or ""
    return codec.loads(contexts.open(found)) if found else None


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


def _role_name(party: LocalParty) -> RoleName:
    return RoleName(party.role, party.country_code, party.party_id)


def _request(leg: Leg, correlation_id: str) -> PartyRequest | None:
    """The request at an endpoint of a plugin's party; None for any other URL."""
    path, _, query = leg.url.removeprefix(_base(leg.platform.id)).lstrip("/").partition("?")
    version, side, module, tail = [*path.split("/", 3), "", "", ""][:4]
    interface = _INTERFACES.get(side)
    if version not in SERVED or interface is None or not module:
        return None
    return PartyRequest(
        sender=leg.sender,
        receiver=leg.receiver,
        version=version,
        module=unquote(module),
        interface=interface,
        method=leg.method,
        path=tail,
        query=query,
        correlation_id=correlation_id,
        body=Content(leg.body, Body.READ, _MOST_BODY),
    )
