"""The objects of the configuration modules, read tolerantly and written exactly: versions, version details,
credentials, client info. They are the only OCPI objects the hub itself must understand.
"""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hub.ocpi import codec
from hub.ocpi.names import ConnectionStatus, Interface, Role

M = TypeVar("M", bound=BaseModel)

Url = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]

# What one platform may make the hub keep, and tell to all others. Real ones have a few roles and some twenty endpoints.
MAX_ROLES = 500
MAX_ENDPOINTS = 200
MAX_BUSINESS_DETAILS = 8 * 1024
MAX_CREDENTIALS = 256 * 1024

VersionNumber = Annotated[str, StringConstraints(min_length=1, max_length=16)]

# More levels than this in members nobody defined could be read, but not written again.
MAX_DEPTH = 32


def _known_interface(value: object) -> object:
    return value if value in tuple(Interface) else None


def _deeper(values: Iterable[object], levels: int) -> bool:
    """Whether one of these values has more than `levels` lists and objects inside each other."""
    level = list(values)
    for _ in range(levels):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in level)


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Version(_Read):
    """One row of a versions list."""

    version: VersionNumber
    url: Url


class EndpointRow(_Read):
    """One row of version details. `role` is None when it is missing or no interface role: old code leaves it out, and
    it means nothing for credentials (R-162), so that one odd row does not spoil the others.
    """

    identifier: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    role: Annotated[Interface | None, BeforeValidator(_known_interface)] = None
    url: Url


class VersionDetails(_Read):
    version: VersionNumber
    endpoints: Annotated[list[EndpointRow], Field(max_length=MAX_ENDPOINTS)]


class BusinessDetails(BaseModel):
    """Name, website and logo of a party; unknown members are kept, because the hub passes them on."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    website: str | None = None
    logo: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _can_be_written_again(self) -> "BusinessDetails":
        if _deeper([self.logo, *(self.model_extra or {}).values()], MAX_DEPTH):
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        if len(codec.dumps(self.model_dump())) > MAX_BUSINESS_DETAILS:
            raise ValueError(f"larger than {MAX_BUSINESS_DETAILS} bytes")
        return self


class CredentialsRole(_Read):
    role: Role
    business_details: BusinessDetails
    party_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,3}$")]
    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]


class Credentials(_Read):
    token: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$"), Field(repr=False)]
    url: Url
    roles: Annotated[list[CredentialsRole], Field(min_length=1, max_length=MAX_ROLES)]


class ClientInfo(_Read):
    party_id: str
    country_code: str
    role: Role
    status: ConnectionStatus
    last_updated: str


def read(kind: type[M], value: object) -> M | str:
    """The model, or one sentence naming the first member that does not fit. The sentence never repeats the value."""
    try:
        return kind.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        where = "/" + "/".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}"


def read_list(kind: type[M], value: object) -> list[M] | str:
    """Like `read` for an array; rows that do not fit are refused with their position."""
    if not isinstance(value, list):
        return "/: a list was expected"
    rows: list[M] = []
    for position, row in enumerate(value):
        got = read(kind, row)
        if isinstance(got, str):
            return f"/{position}{got}"
        rows.append(got)
    return rows


def data_of(body: bytes) -> tuple[int, object] | None:
    """`status_code` and `data` of an envelope; None when the body is not one."""
    try:
        envelope = codec.loads(body)
    except codec.NotJson:
        return None
    if not isinstance(envelope, dict):
        return None
    code = envelope.get("status_code")
    return (code, envelope.get("data")) if isinstance(code, int) and not isinstance(code, bool) else None
