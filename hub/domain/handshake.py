"""Decisions of the registration handshake: which version, roles and endpoints, which tokens stay (R-167 to R-183,
rulings 2, 20).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.opposites import USEFUL_ENDPOINTS
from hub.domain.platform import Endpoint, InboundToken, Platform, RoleName, TokenPurpose
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.configuration import CredentialsRole, Version, VersionDetails
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.versions import SERVED

TOKEN_GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a handshake cannot go on: the status code for the other side, a sentence, and whether an operator must
    know.
    """

    code: StatusCode
    message: str
    alarm: bool = False


def best_version(offered: Sequence[Version]) -> Version | Flaw:
    """The highest version both sides have."""
    rows = {row.version: row for row in offered}
    for version in reversed(SERVED):
        if version in rows:
            return rows[version]
    return Flaw(StatusCode.UNSUPPORTED_VERSION, f"None of the offered versions is served here: {', '.join(SERVED)}")


def wanted_version(offered: Sequence[Version], version: str) -> Version | Flaw:
    """The row of the version whose credentials endpoint was called (R-170)."""
    for row in offered:
        if row.version == version:
            return row
    return Flaw(StatusCode.UNSUPPORTED_VERSION, f"Your versions list does not offer {version}")


def endpoints_of(details: VersionDetails) -> tuple[Endpoint, ...]:
    """Endpoints as kept; the interface of configuration modules other than client info means nothing (R-162)."""
    return tuple(Endpoint(row.identifier, row.role, row.url) for row in details.endpoints)


def judge_endpoints(roles: Collection[Role], endpoints: Sequence[Endpoint]) -> Flaw | None:
    """Each role needs at least one endpoint that makes it useful to others (R-171); OTHER and HUB any functional
    one.
    """
    offered = {(endpoint.module, endpoint.interface) for endpoint in endpoints if endpoint.interface is not None}
    for role in sorted(set(roles)):
        useful = USEFUL_ENDPOINTS.get(role) or frozenset().union(*USEFUL_ENDPOINTS.values())
        if not useful & offered:
            wanted = ", ".join(sorted(f"{module} {interface.value}" for module, interface in useful))
            return Flaw(
                StatusCode.NO_MATCHING_ENDPOINTS,
                f"A platform with role {role.value} needs at least one of these endpoints, with its role: {wanted}",
            )
    return None


def judge_roles(
    platform: Platform,
    claimed: Sequence[CredentialsRole],
    registry: RegistrySnapshot,
    hub: PartyId,
    *,
    approval_needed: bool,
) -> Flaw | None:
    """Whether the platform may have these roles (R-061, T-10, rulings 2 and 20). A takeover attempt is an alarm."""
    allowed = {name.key for name in platform.approved}
    held = {role.key for role in platform.roles}
    seen: set[str] = set()
    for role in claimed:
        name = RoleName(role.role, role.country_code, role.party_id)
        if name.party == hub:
            return Flaw(StatusCode.INVALID_PARAMETERS, f"{name.party} is the hub itself", alarm=True)
        if name.key in seen:
            return Flaw(StatusCode.INVALID_PARAMETERS, f"{name} is listed twice")
        seen.add(name.key)
        holder = registry.holder_of(name.key)
        if holder is not None and holder != platform.id:
            return Flaw(StatusCode.INVALID_PARAMETERS, f"{name} belongs to another platform", alarm=True)
        free_claims = platform.open_roles and not approval_needed
        if name.key not in allowed and name.key not in held and not free_claims:
            return Flaw(
                StatusCode.INVALID_PARAMETERS, f"{name} is not approved for your platform; ask the hub's operator"
            )
    return None


def find_endpoint(endpoints: Sequence[Endpoint], module: str, interface: Interface | None = None) -> str | None:
    """The URL of an endpoint by identifier, and by interface unless that is None."""
    for endpoint in endpoints:
        if endpoint.module == module and (interface is None or endpoint.interface is interface):
            return endpoint.url
    return None


def with_grace(tokens: tuple[InboundToken, ...], now: datetime) -> tuple[InboundToken, ...]:
    """The credentials tokens still valid, each for ten minutes at most or until the new one is used (R-176). An open
    invitation stays open (ruling 17).
    """
    return tuple(
        token
        if token.purpose is TokenPurpose.REGISTRATION
        else replace(token, expires_at=min(token.expires_at or now + TOKEN_GRACE, now + TOKEN_GRACE))
        for token in tokens
        if token.expires_at is None or token.expires_at > now
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write of a handshake: what stood before, what was to stand after it, and the fingerprint of the new token."""

    before: Platform
    after: Platform
    fingerprint: str


def unregistered(platform: Platform, now: datetime) -> Platform:
    """The platform without connection and tokens."""
    roles = tuple(replace(role, updated_at=now) for role in platform.roles)
    return platform.changed(now, connection=None, tokens=(), roles=roles, status_changed_at=now)


def fingerprints(platform: Platform) -> set[str]:
    """Of every token the platform may use."""
    return {token.fingerprint for token in platform.tokens}


def undone(stored: Platform, attempts: Sequence[Attempt], now: datetime) -> Platform:
    """The platform as if the attempts had not been made; what others changed since then stays.

    It is a new revision in any case: an attempt that is still under way to the store finds another one and fails.
    """
    fingerprint = attempts[0].fingerprint
    kept = tuple(token for token in stored.tokens if token.fingerprint != fingerprint)
    for attempt in attempts:
        made = attempt.after.connection
        if made is None or stored.connection is None or made.sealed_token != stored.connection.sealed_token:
            continue
        before = attempt.before
        later = tuple(token for token in kept if token.fingerprint not in fingerprints(before))
        return stored.changed(
            now,
            roles=before.roles,
            tokens=(*before.tokens, *later),
            connection=before.connection,
            was_registered=before.was_registered,
            reachable=before.reachable,
            status_changed_at=now,
        )
    return stored.changed(now, tokens=kept)
