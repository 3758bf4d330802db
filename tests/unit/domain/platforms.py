"""Platforms to decide about, from a few words each."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hub.domain.platform import (
    Connection,
    Endpoint,
    HostedRole,
    Platform,
    PlatformSettings,
    ReportedParty,
    RoleName,
)
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import TokenEncoding

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HUB = PartyId("NL", "HUB")
S, R = Interface.SENDER, Interface.RECEIVER


def party(text: str) -> PartyId:
    """`NL/ABC`, in any spelling."""
    country_code, _, party_id = text.partition("/")
    return PartyId(country_code, party_id)


def hosted(role: Role, text: str, *, suspended: bool = False) -> HostedRole:
    named = party(text)
    return HostedRole(role, named.country_code, named.party_id, {"name": text}, NOW, suspended)


def reserved(role: Role, text: str) -> RoleName:
    return RoleName(role, *text.split("/"))


def behind(role: Role, text: str, status: ConnectionStatus = ConnectionStatus.CONNECTED) -> ReportedParty:
    """A party as a peer hub reports it."""
    named = party(text)
    return ReportedParty(role, named.country_code, named.party_id, status, NOW)


def url_of(platform_id: str, module: str, interface: Interface) -> str:
    return f"https://{platform_id.lower()}.test/{interface.value.lower()}/{module}"


def connection(platform_id: str, endpoints: Iterable[tuple[str, Interface | None]]) -> Connection:
    rows = tuple(Endpoint(module, side, url_of(platform_id, module, side or S)) for module, side in endpoints)
    return Connection(
        "2.2.1", f"https://{platform_id.lower()}.test/versions", "sealed", TokenEncoding.BASE64, rows, NOW
    )


def platform(
    platform_id: str,
    roles: Iterable[HostedRole] = (),
    endpoints: Iterable[tuple[str, Interface | None]] | None = (),
    *,
    approved: Iterable[RoleName] = (),
    open_roles: bool = False,
    reachable: bool = True,
    suspended: bool = False,
    was_registered: bool = True,
    settings: PlatformSettings | None = None,
    reported: Iterable[ReportedParty] = (),
) -> Platform:
    """A platform; without connection when `endpoints` is None."""
    return Platform(
        id=platform_id,
        name=platform_id,
        created_at=NOW,
        updated_at=NOW,
        status_changed_at=NOW,
        approved=tuple(approved),
        open_roles=open_roles,
        roles=tuple(roles),
        connection=None if endpoints is None else connection(platform_id, endpoints),
        was_registered=was_registered,
        reachable=reachable,
        suspended=suspended,
        settings=settings or PlatformSettings(),
        reported=tuple(reported),
    )
