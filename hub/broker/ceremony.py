"""What both directions of the handshake work with: judging, connecting back, and storing what was agreed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from hub.broker.alarms import Alarms
from hub.broker.departures import Departures
from hub.broker.identity import HubIdentity
from hub.broker.outreach import Access, Discovery, Failed, Outreach
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain import handshake
from hub.domain.handshake import Flaw
from hub.domain.platform import Connection, HostedRole, InboundToken, Platform, TokenPurpose
from hub.errors import KeyUnusable, StoreUnavailable
from hub.net.forwarder import Forwarder
from hub.ocpi import codec
from hub.ocpi.configuration import Credentials, CredentialsRole
from hub.ocpi.status import StatusCode
from hub.ocpi.token import TokenEncoding
from hub.store.ports import CallbackStore
from hub.store.vault import Fingerprints, Vault

T = TypeVar("T")

# Seconds between attempts to store a handshake: while the other side waits, and later, for about an hour.
SHORTLY_S = (0.5, 1.0)
PATIENTLY_S = (1.0, 2.0, 5.0, 10.0, 30.0, *(60.0 for _ in range(60)))


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What both directions of the handshake work with."""

    identity: HubIdentity
    registry: RegistryKeeper
    outreach: Outreach
    forwarder: Forwarder
    vault: Vault
    fingerprints: Fingerprints
    callbacks: CallbackStore
    alarms: Alarms
    clock: Clock
    departures: Departures
    approval_needed: bool

    async def stored(self, write: Callable[[], Awaitable[T]], pauses_s: Sequence[float]) -> T:
        """Calls `write` again, after these pauses, while the store is away; in the end it raises StoreUnavailable.
        Nobody knows what became of an attempt that failed, so `write` must look before it writes.
        """
        for pause_s in pauses_s:
            try:
                return await write()
            except StoreUnavailable:
                await self.clock.sleep(pause_s)
        return await write()

    def inbound(self, token: str, purpose: TokenPurpose, now: datetime) -> InboundToken:
        return InboundToken(self.fingerprints.of(token), purpose, now)

    def judge(self, platform: Platform, claimed: list[CredentialsRole]) -> Flaw | None:
        """Roles against approvals and other platforms; a takeover attempt raises an alarm."""
        flaw = handshake.judge_roles(
            platform,
            claimed,
            self.registry.snapshot,
            self.identity.party,
            approval_needed=self.approval_needed,
        )
        if flaw is not None and flaw.alarm:
            self.alarms.sound("role_conflict", platform.id, flaw.message)
        return flaw

    async def arrived(self, before: Platform, after: Platform) -> None:
        """A handshake is stored. What a peer hub published for parties that are here from now on goes before they can
        publish themselves, if the store lets it.
        """
        try:
            await self.departures.inherit_nothing(before, after)
        except StoreUnavailable:
            forgetting = self.stored(lambda: self.departures.inherit_nothing(before, after), PATIENTLY_S)
            self.registry.in_background(forgetting, lasting=True)

    def parted(self, before: Platform, after: Platform) -> None:
        """A handshake is stored. Whoever is not on the platform any more has left: what the hub holds of them goes."""
        if self.departures.left(before, after):
            forgetting = self.stored(lambda: self.departures.follow(before), PATIENTLY_S)
            self.registry.in_background(forgetting, lasting=True)

    def encodings(self, platform: Platform) -> list[TokenEncoding]:
        """Encodings to try: the operator's choice alone, else what works now or Base64, then the other (R-006)."""
        chosen = platform.settings.token_encoding
        if chosen is not None:
            return [chosen]
        first = platform.connection.token_encoding if platform.connection else TokenEncoding.BASE64
        return [first, first.other]

    async def discover(
        self, platform: Platform, url: str, accesses: list[Access], version: str | None
    ) -> Discovery | Flaw:
        """Versions and details of a platform. `version` is the one it called us with, or None for the best common
        one.
        """
        problem = self.outreach.url_problem(url)
        if problem is not None:
            return Flaw(StatusCode.INVALID_PARAMETERS, f"/url cannot be used: {problem}")
        try:
            wire = self.registry.wire(platform)
        except KeyUnusable:
            return Flaw(StatusCode.SERVER_ERROR, "The hub cannot open its own key for your platform; tell its operator")
        found = await self.outreach.versions(wire, url, accesses)
        if isinstance(found, Failed):
            return Flaw(StatusCode.UNABLE_TO_USE_CLIENT_API, found.why)
        offered, access = found
        row = handshake.best_version(offered) if version is None else handshake.wanted_version(offered, version)
        if isinstance(row, Flaw):
            return row
        endpoints = await self.outreach.details(wire, row, access)
        if isinstance(endpoints, Failed):
            return Flaw(StatusCode.UNABLE_TO_USE_CLIENT_API, endpoints.why)
        return Discovery(row.version, endpoints, access)

    def connected(
        self,
        platform: Platform,
        credentials: Credentials,
        found: Discovery,
        tokens: tuple[InboundToken, ...],
        now: datetime,
    ) -> Platform:
        """The platform after a handshake: roles replaced as a whole, new tokens, new endpoints (R-175)."""
        before = {role.key: role for role in platform.roles}
        returning = platform.connection is None or not platform.reachable
        connection = Connection(
            version=found.version,
            versions_url=credentials.url,
            sealed_token=self.vault.seal(credentials.token),
            token_encoding=found.access.encoding,
            endpoints=found.endpoints,
            registered_at=now,
        )
        return platform.changed(
            now,
            roles=tuple(_hosted(role, before, now, moved=returning) for role in credentials.roles),
            tokens=tokens,
            connection=connection,
            was_registered=True,
            reachable=True,
            status_changed_at=now if returning else platform.status_changed_at,
        )


def _hosted(role: CredentialsRole, before: dict[str, HostedRole], now: datetime, *, moved: bool) -> HostedRole:
    details: dict[str, Any] = codec.loads(codec.dumps(role.business_details.model_dump(exclude_none=True)))
    fresh = HostedRole(role.role, role.country_code, role.party_id, details, now)
    known = before.get(fresh.key)
    if known is None:
        return fresh
    return replace(fresh, suspended=known.suspended, updated_at=now if moved else known.updated_at)
