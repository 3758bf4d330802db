"""What calls give, as models. None of them has a place for a token or a private key but `Invited`, where it is due."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.domain.platform import TokenPurpose
from hub.ocpi import codec
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.token import TokenEncoding


class Output(BaseModel):
    model_config = ConfigDict(frozen=True)

    def rendered(self) -> bytes:
        """The JSON that goes out."""
        return codec.dumps(self.model_dump(mode="json", by_alias=True))


class Invited(Output):
    """An invitation. The token is shown this once; the platform starts the handshake at `versions_url` with it."""

    id: str
    name: str
    status: ConnectionStatus
    registration_token: str
    versions_url: str


class RoleOutput(Output):
    """A party of a platform in one role; PLANNED while it is approved and not registered."""

    role: Role
    country_code: str
    party_id: str
    name: str | None
    status: ConnectionStatus


class PlatformRow(Output):
    """A platform in a list."""

    id: str
    name: str
    status: ConnectionStatus
    version: str | None
    roles: list[RoleOutput]
    created_at: datetime
    updated_at: datetime


class ApprovedRole(Output):
    role: Role
    country_code: str
    party_id: str
    name: str | None


class EndpointOutput(Output):
    """An endpoint as the platform advertises it, and the URL used instead if the operator set one."""

    module: str
    interface: Interface | None
    url: str | None
    override: str | None


class CertificateOutput(Output):
    """A client certificate; its key is never shown."""

    subject: str
    issuer: str
    expires_at: datetime | None


class SettingsOutput(Output):
    """The operator's settings; null means the hub's own."""

    token_encoding: TokenEncoding | None
    endpoint_overrides: dict[str, str]
    response_url_hosts: list[str]
    forward_timeout_s: float | None
    authorize_timeout_s: float | None
    client_certificate: CertificateOutput | None
    page_limit: int | None
    broadcast_as_direct: bool
    pull: dict[str, float]


class TokenOutput(Output):
    """A fact about a token, never the token: inbound ones are presented to the hub, the outbound one by the hub.

    The hub takes inbound tokens in either encoding, so theirs is null.
    """

    direction: Literal["inbound", "outbound"]
    purpose: TokenPurpose
    issued_at: datetime
    expires_at: datetime | None
    encoding: TokenEncoding | None


class PartyOutput(Output):
    country_code: str
    party_id: str


class PlatformOutput(PlatformRow):
    """Everything an operator may see of a platform. `behind` are its parties that have missed broadcasts and should
    fetch the lists.
    """

    suspended: bool
    offline: bool
    open_roles: bool
    approved_roles: list[ApprovedRole]
    versions_url: str | None
    registered_at: datetime | None
    status_changed_at: datetime
    last_heard_at: datetime | None
    behind: list[PartyOutput]
    endpoints: list[EndpointOutput]
    settings: SettingsOutput
    tokens: list[TokenOutput]


class PlatformPage(Output):
    items: list[PlatformRow]
    next: str | None


class Removed(Output):
    """A platform the hub has forgotten; `told` says whether the platform took the DELETE of its credentials."""

    id: str
    told: bool
    detail: str | None


class CheckOutput(Output):
    """One line of a self-test; `ok` is null where the check could not be made."""

    name: str
    ok: bool | None
    detail: str


class SelftestOutput(Output):
    """`ok` is true when no line failed."""

    platform_id: str
    ok: bool
    checks: list[CheckOutput]


class PartyRow(Output):
    """A party in one role, on its platform, with the OCPI versions the hub speaks to it. `behind`: it has missed
    broadcasts and should fetch the lists.
    """

    country_code: str
    party_id: str
    role: Role
    name: str | None
    status: ConnectionStatus
    platform_id: str
    platform_name: str
    versions: list[str]
    behind: bool


class PartyPage(Output):
    items: list[PartyRow]
    next: str | None


class AlarmOutput(Output):
    """An alarm; a standing one lasts until its cause is over."""

    id: str
    kind: str
    subject: str
    text: str
    first_at: datetime
    last_at: datetime
    count: int
    standing: bool
    acknowledged: bool


class AlarmPage(Output):
    items: list[AlarmOutput]
    next: str | None


class ErrorOutput(Output):
    """One thing that is wrong: a JSON Pointer into the body, or `?name` for a query parameter."""

    pointer: str
    message: str


class ProblemOutput(Output):
    """Why a call failed (RFC 9457); the title is a sentence to act on."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[ErrorOutput] | None = None
