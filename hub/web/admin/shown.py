"""From what the hub knows to what an operator is shown: statuses, settings, facts about tokens."""

from datetime import datetime

from cryptography import x509

from hub.broker.alarms import Alarm
from hub.domain.platform import (
    ClientCertificate,
    HostedRole,
    InboundToken,
    Platform,
    PlatformSettings,
    RoleName,
    TokenPurpose,
)
from hub.ocpi.names import ConnectionStatus, Interface
from hub.ocpi.party_id import PartyId
from hub.web.admin.outputs import (
    AlarmOutput,
    ApprovedRole,
    CertificateOutput,
    EndpointOutput,
    PartyOutput,
    PartyRow,
    PlatformOutput,
    PlatformRow,
    RoleOutput,
    SettingsOutput,
    TokenOutput,
)
from hub.web.admin.parts import AdminParts


def platform_row(parts: AdminParts, platform: Platform) -> PlatformRow:
    """A platform as lists show it."""
    return PlatformRow(
        id=platform.id,
        name=platform.name,
        status=_live(parts, platform, platform.status),
        version=platform.connection.version if platform.connection else None,
        roles=roles_of(parts, platform),
        created_at=platform.created_at,
        updated_at=platform.updated_at,
    )


def platform_output(parts: AdminParts, platform: Platform) -> PlatformOutput:
    """A platform with everything about it."""
    connection = platform.connection
    return PlatformOutput(
        **dict(platform_row(parts, platform)),
        suspended=platform.suspended,
        offline=platform.id in parts.liveness.offline,
        open_roles=platform.open_roles,
        approved_roles=[_approved(name) for name in platform.approved],
        versions_url=connection.versions_url if connection else None,
        registered_at=connection.registered_at if connection else None,
        status_changed_at=platform.status_changed_at,
        last_heard_at=parts.last_heard(platform.id),
        behind=_behind(parts, platform),
        endpoints=_endpoints(platform),
        settings=_settings(platform.settings),
        tokens=_tokens(platform),
    )


def roles_of(parts: AdminParts, platform: Platform) -> list[RoleOutput]:
    """Its parties with the status of each; those approved and not registered yet come last."""
    hosted = [_hosted(role, _live(parts, platform, platform.status_of(role))) for role in platform.roles]
    known = {role.key for role in platform.roles}
    return hosted + [_planned(name) for name in platform.approved if name.key not in known]


def party_rows(parts: AdminParts, platform: Platform) -> list[PartyRow]:
    """The same roles as rows of the parties list."""
    versions = [platform.connection.version] if platform.connection else []
    return [
        PartyRow(
            **dict(role),
            platform_id=platform.id,
            platform_name=platform.name,
            versions=versions,
            behind=parts.is_behind(platform.id, PartyId(role.country_code, role.party_id)),
        )
        for role in roles_of(parts, platform)
    ]


def alarm_output(alarm: Alarm) -> AlarmOutput:
    return AlarmOutput(
        id=alarm.id,
        kind=alarm.kind,
        subject=alarm.subject,
        text=alarm.text,
        first_at=alarm.first_at,
        last_at=alarm.last_at,
        count=alarm.count,
        standing=alarm.standing,
        acknowledged=alarm.acknowledged,
    )


def _live(parts: AdminParts, platform: Platform, status: ConnectionStatus) -> ConnectionStatus:
    """What is stored follows what liveness found; until then the finding counts."""
    if status is ConnectionStatus.CONNECTED and platform.id in parts.liveness.offline:
        return ConnectionStatus.OFFLINE
    return status


def _hosted(role: HostedRole, status: ConnectionStatus) -> RoleOutput:
    name = role.business_details.get("name")
    return RoleOutput(
        role=role.role,
        country_code=role.country_code,
        party_id=role.party_id,
        name=name if isinstance(name, str) else None,
        status=status,
    )


def _planned(name: RoleName) -> RoleOutput:
    return RoleOutput(
        role=name.role,
        country_code=name.country_code,
        party_id=name.party_id,
        name=name.name,
        status=ConnectionStatus.PLANNED,
    )


def _approved(name: RoleName) -> ApprovedRole:
    return ApprovedRole(role=name.role, country_code=name.country_code, party_id=name.party_id, name=name.name)


def _behind(parts: AdminParts, platform: Platform) -> list[PartyOutput]:
    parties = dict.fromkeys(role.party for role in platform.roles)
    return [
        PartyOutput(country_code=party.country_code, party_id=party.party_id)
        for party in parties
        if parts.is_behind(platform.id, party)
    ]


def _endpoints(platform: Platform) -> list[EndpointOutput]:
    """What it advertises, then overrides of endpoints it does not advertise."""
    overrides = dict(platform.settings.endpoint_overrides)
    rows = [
        EndpointOutput(
            module=endpoint.module,
            interface=endpoint.interface,
            url=endpoint.url,
            override=overrides.pop(f"{endpoint.module}/{endpoint.interface}", None),
        )
        for endpoint in (platform.connection.endpoints if platform.connection else ())
    ]
    for name, url in overrides.items():
        module, _, interface = name.partition("/")
        rows.append(EndpointOutput(module=module, interface=Interface(interface), url=None, override=url))
    return rows


def _settings(settings: PlatformSettings) -> SettingsOutput:
    certificate = settings.client_certificate
    return SettingsOutput(
        token_encoding=settings.token_encoding,
        endpoint_overrides=dict(settings.endpoint_overrides),
        response_url_hosts=list(settings.response_url_hosts),
        forward_timeout_s=settings.forward_timeout_s,
        authorize_timeout_s=settings.authorize_timeout_s,
        client_certificate=None if certificate is None else _certificate(certificate),
        page_limit=settings.page_limit,
        broadcast_as_direct=settings.broadcast_as_direct,
        pull=dict(settings.pull),
    )


def _certificate(certificate: ClientCertificate) -> CertificateOutput:
    try:
        leaf = x509.load_pem_x509_certificates(certificate.certificate_pem.encode())[0]
        subject, issuer = leaf.subject.rfc4514_string(), leaf.issuer.rfc4514_string()
        expires_at: datetime | None = leaf.not_valid_after_utc
    except ValueError:  # TLS takes some certificates that strict readers do not
        subject, issuer, expires_at = "(cannot be read)", "(cannot be read)", None
    return CertificateOutput(subject=subject, issuer=issuer, expires_at=expires_at)


def _tokens(platform: Platform) -> list[TokenOutput]:
    rows = [_inbound(token) for token in platform.tokens]
    connection = platform.connection
    if connection is not None:
        rows.append(
            TokenOutput(
                direction="outbound",
                purpose=TokenPurpose.CREDENTIALS,
                issued_at=connection.registered_at,
                expires_at=None,
                encoding=connection.token_encoding,
            )
        )
    return rows


def _inbound(token: InboundToken) -> TokenOutput:
    return TokenOutput(
        direction="inbound",
        purpose=token.purpose,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        encoding=None,
    )
