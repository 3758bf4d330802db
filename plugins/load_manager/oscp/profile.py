"""How one capacity provider speaks OSCP where real ones differ: how it wants to be authorized, what it wants measured,
who starts the handshake. Secrets in it are sealed.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.plugin import Secrets

_SPOKEN_FOR = frozenset({"authorization", "content-type", "content-length", "host", "x-request-id", "x-correlation-id"})


class Auth(StrEnum):
    """What the hub presents. TOKEN: the token of the registration. OAUTH2: an access token by client credentials.
    HEADERS: the static headers of the profile and nothing else.
    """

    TOKEN = "token"  # noqa: S105 - a word, not a token
    OAUTH2 = "oauth2"
    HEADERS = "headers"


class Metering(StrEnum):
    """GROUP: meter readings per group. ASSET_TO_CP: the group as one asset, its power if known. NONE: nothing."""

    GROUP = "group"
    ASSET_TO_CP = "asset_to_cp"
    NONE = "none"


class Initiator(StrEnum):
    """Who starts the handshake, also after an absence."""

    PROVIDER = "provider"
    HUB = "hub"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClientCredentials(_Kept):
    """OAuth 2 client credentials. `client_secret` is as the operator gives it, or sealed."""

    token_url: Annotated[str, Field(min_length=1, max_length=2048)]
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    client_secret: SecretStr
    scope: str | None = None


class Profile(_Kept):
    """The switches of one connection; the defaults are plain OSCP 2.0.

    registers      False: there is no `/register`; base URL and tokens are agreed beforehand
    headers        static headers that go with every request, values as given or sealed
    heartbeat_interval_s  how often the provider shall send heartbeats; None: never, and it is never taken for offline
    """

    auth: Auth = Auth.TOKEN
    registers: bool = True
    oauth2: ClientCredentials | None = None
    headers: dict[str, SecretStr] = {}
    metering: Metering = Metering.GROUP
    handshake_from: Initiator = Initiator.PROVIDER
    acknowledge_path: Annotated[str, Field(pattern=r"^handshake_acknowledg(?:e|ment)$")] = "handshake_acknowledge"
    heartbeat_interval_s: Annotated[int, Field(ge=1, le=3600)] | None = 60

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r} is no name of a header")
            if name.lower() in _SPOKEN_FOR:
                raise ValueError(f"the header {name} is not to be set")
            if not value.get_secret_value().isprintable():
                raise ValueError(f"the header {name} has a value that cannot be sent")
        return headers

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.auth is Auth.OAUTH2) is not (self.oauth2 is not None):
            raise ValueError("oauth2 goes with auth = oauth2, and only with it")
        if self.auth is Auth.HEADERS and not self.headers:
            raise ValueError("auth = headers needs headers")
        return self

    def sealed(self, secrets: Secrets) -> "Profile":
        """The same with its secrets encrypted: fit for a shelf."""
        oauth2 = self.oauth2
        if oauth2 is not None:
            oauth2 = oauth2.model_copy(update={"client_secret": _sealed(oauth2.client_secret, secrets)})
        headers = {name: _sealed(value, secrets) for name, value in self.headers.items()}
        return self.model_copy(update={"oauth2": oauth2, "headers": headers})

    def kept(self) -> dict[str, object]:
        """JSON values to read it from again. Only for a profile that is sealed."""
        kept: dict[str, object] = self.model_dump(mode="json", exclude={"oauth2", "headers"})
        kept["headers"] = {name: value.get_secret_value() for name, value in self.headers.items()}
        if self.oauth2 is not None:
            kept["oauth2"] = self.oauth2.model_dump() | {"client_secret": self.oauth2.client_secret.get_secret_value()}
        return kept

    def shown(self) -> dict[str, object]:
        """For operators: the secrets masked."""
        return self.model_dump(mode="json", exclude_none=True)


def _sealed(value: SecretStr, secrets: Secrets) -> SecretStr:
    return SecretStr(secrets.seal(value.get_secret_value()))
