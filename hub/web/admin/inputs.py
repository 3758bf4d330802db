"""What calls take, as strict models: bodies, and the query of lists. A member nobody knows is refused by its name."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.broker.platform_settings import (
    LEAST_PULL_S,
    LEAST_TIMEOUT_S,
    MOST_HOSTS,
    MOST_OVERRIDES,
    MOST_PER_PAGE,
    MOST_PULL_S,
    MOST_TIMEOUT_S,
)
from hub.broker.reservations import LONGEST_NAME, MOST_ROLES
from hub.domain.platform import RoleName
from hub.ocpi.names import Role
from hub.ocpi.token import MAX_TOKEN_LENGTH, TokenEncoding
from hub.ocpi.urls import MAX_URL_LENGTH

LONGEST_PEM = 100_000
DEFAULT_LIMIT = 100
MOST_LIMIT = 1000

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH)]
Pem = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PEM)]
TimeoutS = Annotated[float, Field(ge=LEAST_TIMEOUT_S, le=MOST_TIMEOUT_S, allow_inf_nan=False)]

PullS = Annotated[float, Field(ge=LEAST_PULL_S, le=MOST_PULL_S, allow_inf_nan=False)]


class Input(BaseModel):
    """Refuses what it does not know, and never repeats a value: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Nothing(Input):
    """The call takes nothing."""


class ListQuery(Input):
    """`after` is the `next` of the page before."""

    limit: Annotated[int, Field(ge=1, le=MOST_LIMIT)] = DEFAULT_LIMIT
    after: Annotated[str, StringConstraints(max_length=1000)] | None = None


class RoleInput(Input):
    """A party in one role."""

    role: Role
    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]
    party_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,3}$")]
    name: Name | None = None

    @property
    def role_name(self) -> RoleName:
        return RoleName(self.role, self.country_code, self.party_id, self.name)


class Invitation(Input):
    """A new platform. Its roles are approved and reserved; without any it may claim free ones."""

    name: Name
    roles: Annotated[list[RoleInput], Field(max_length=MOST_ROLES)] = Field(default_factory=list)


class ConnectInput(Input):
    """Where the platform's versions endpoint is, and the registration token its operator gave."""

    versions_url: Url
    registration_token: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH)]


class ApproveInput(Input):
    """Further roles of a platform."""

    roles: Annotated[list[RoleInput], Field(min_length=1, max_length=MOST_ROLES)]


class KeyPairInput(Input):
    """A client certificate for the hub to show to the platform: PEM chain and private key without passphrase."""

    certificate_pem: Pem
    key_pem: Pem


class SettingsInput(Input):
    """What is absent stays; null goes back to the hub's own setting. Overrides, hosts and pulls are replaced as a
    whole.
    """

    name: Name | None = Field(default=None, description="The platform's name at this hub; null leaves it as it is.")
    token_encoding: TokenEncoding | None = Field(
        default=None, description="How the hub writes its token to this platform; null: what the handshake found."
    )
    endpoint_overrides: Annotated[dict[str, Url], Field(max_length=MOST_OVERRIDES)] | None = Field(
        default=None, description='URLs to use instead of the advertised ones, by "module/SENDER" or "module/RECEIVER".'
    )
    response_url_hosts: Annotated[list[str], Field(max_length=MOST_HOSTS)] | None = Field(
        default=None, description='Further hosts ("host" or "host:port") that a response_url may name.'
    )
    forward_timeout_s: TimeoutS | None = Field(default=None, description="Seconds it has to answer a request.")
    authorize_timeout_s: TimeoutS | None = Field(
        default=None, description="Seconds it has to answer a real-time authorization."
    )
    client_certificate: KeyPairInput | None = Field(default=None, description="Shown to the platform by the hub.")
    page_limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE)] | None = Field(
        default=None, description="Objects on a page of a list that the hub serves to it, at most."
    )
    broadcast_as_direct: bool | None = Field(
        default=None, description="Whether its broadcast legs come from the object's owner instead of the hub."
    )
    pull: dict[str, PullS | None] | None = Field(
        default=None,
        description=(
            "Modules (locations, tariffs, tokens) that the hub pulls from its parties, with the seconds between two "
            "pulls; null switches all off, or one."
        ),
    )


class MoveInput(Input):
    """The registered platform that is to have the party."""

    platform_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PullQuery(ListQuery):
    """`platform_id` leaves the pulls of one platform."""

    platform_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class CatalogQuery(ListQuery):
    """Whose objects; an `id` shows the objects themselves."""

    country_code: Annotated[str, StringConstraints(min_length=1, max_length=2)] | None = None
    party_id: Annotated[str, StringConstraints(min_length=1, max_length=3)] | None = None
    id: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
