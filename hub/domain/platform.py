"""What the hub knows about a platform, as frozen values: its parties, tokens, connection and the operator's settings
for it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId, role_key
from hub.ocpi.token import TokenEncoding


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint a platform advertises. `interface` is None where the platform left the role out (T-09)."""

    module: str
    interface: Interface | None
    url: str


@dataclass(frozen=True, slots=True)
class RoleName:
    """A (role, country, party) triple, approved by an operator or claimed by a platform."""

    role: Role
    country_code: str
    party_id: str
    name: str | None = None

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)

    @property
    def key(self) -> str:
        return role_key(self.role, self.party)

    def __str__(self) -> str:
        return f"{self.role.value} {self.country_code}/{self.party_id}"


@dataclass(frozen=True, slots=True)
class HostedRole:
    """A party in one role, hosted by a platform. `updated_at` moves only when its role or status changes (R-199)."""

    role: Role
    country_code: str
    party_id: str
    business_details: dict[str, Any]
    updated_at: datetime
    suspended: bool = False

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)

    @property
    def key(self) -> str:
        return role_key(self.role, self.party)


class TokenPurpose(StrEnum):
    """REGISTRATION: single use, opens the handshake only (R-008, R-173). CREDENTIALS: everything else."""

    REGISTRATION = "REGISTRATION"
    CREDENTIALS = "CREDENTIALS"


@dataclass(frozen=True, slots=True)
class InboundToken:
    """A token a platform may present, known by its keyed fingerprint only (R-011).

    After a PUT the previous token stays valid until the new one is first used, at most until `expires_at` (R-176).
    """

    fingerprint: str
    purpose: TokenPurpose
    issued_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """What a completed handshake agreed on. `sealed_token` is what the hub presents to the platform, encrypted."""

    version: str
    versions_url: str
    sealed_token: str
    token_encoding: TokenEncoding
    endpoints: tuple[Endpoint, ...]
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate the hub shows to this platform: PEM chain, and its private key encrypted by the vault."""

    certificate_pem: str
    sealed_key: str


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What an operator may set for one platform; None means the hub's own setting."""

    token_encoding: TokenEncoding | None = None
    # "module/INTERFACE" -> URL used instead of the advertised one
    endpoint_overrides: dict[str, str] = field(default_factory=dict)
    # further hosts ("host" or "host:port") its response_url may name
    response_url_hosts: tuple[str, ...] = ()
    forward_timeout_s: float | None = None
    authorize_timeout_s: float | None = None
    client_certificate: ClientCertificate | None = None
    # objects per page of lists the hub serves to it, at most
    page_limit: int | None = None
    # its broadcast legs come FROM the owner instead of the hub (T-24)
    broadcast_as_direct: bool = False
    # module -> seconds between two pulls from its parties (ruling 13); a module that is absent is not pulled
    pull: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportedParty:
    """A party behind a peer hub, in one role, as the peer's client info reports it (R-204)."""

    role: Role
    country_code: str
    party_id: str
    status: ConnectionStatus
    last_updated: datetime

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)

    @property
    def key(self) -> str:
        return role_key(self.role, self.party)


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, registered or invited. `revision` grows by one with every stored change.

    `approved` are the triples the operator reserved for it; `open_roles` lets it claim any free triple at registration.
    `reachable` is what liveness last found, for the next start; `suspended` is the operator's word.
    """

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    status_changed_at: datetime
    revision: int = 1
    approved: tuple[RoleName, ...] = ()
    open_roles: bool = False
    roles: tuple[HostedRole, ...] = ()
    tokens: tuple[InboundToken, ...] = ()
    connection: Connection | None = None
    was_registered: bool = False
    reachable: bool = True
    suspended: bool = False
    settings: PlatformSettings = field(default_factory=PlatformSettings)
    # what a peer hub reports to be behind it
    reported: tuple[ReportedParty, ...] = ()
    # the plugin that plays its parties, inside this hub
    plugin: str | None = None

    @property
    def is_peer(self) -> bool:
        """Whether the platform is a hub itself (R-191)."""
        return any(role.role is Role.HUB for role in self.roles)

    @property
    def status(self) -> ConnectionStatus:
        """The connection status by what is agreed (R-193, R-202). OFFLINE is liveness' word, which changes without a
        stored change: `broker.liveness` knows.
        """
        if self.suspended:
            return ConnectionStatus.SUSPENDED
        if self.connection is None:
            return ConnectionStatus.SUSPENDED if self.was_registered else ConnectionStatus.PLANNED
        return ConnectionStatus.CONNECTED

    def status_of(self, role: HostedRole) -> ConnectionStatus:
        """The connection status of one of its parties in one role."""
        return ConnectionStatus.SUSPENDED if role.suspended else self.status

    @property
    def held_keys(self) -> tuple[str, ...]:
        """Every triple nobody else may claim: hosted ones and reserved ones, without repeats (R-061, ruling 20)."""
        return tuple(dict.fromkeys((*(role.key for role in self.roles), *(name.key for name in self.approved))))

    def changed(self, now: datetime, **members: Any) -> "Platform":
        """The next revision with these members replaced."""
        return replace(self, revision=self.revision + 1, updated_at=now, **members)
