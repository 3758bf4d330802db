"""Doors that a plugin opens of its own: routes with requests and responses as plain values, and tables for people."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hub.ocpi import codec

JSON = "application/json"


class Audience(StrEnum):
    """Who may call a route.

    ADMIN   operators: below `/admin/v1`, behind the admin token
    PUBLIC  anybody: below `/`; the request's Authorization header is kept from the plugin
    PLUGIN  whoever the plugin lets in: below `/`; it looks at the Authorization header itself
    """

    ADMIN = "admin"
    PUBLIC = "public"
    PLUGIN = "plugin"


class BadRequest(ValueError):
    """The caller's mistake: let it pass out of a route, and the caller gets 400 with this sentence."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A call of a route. `params` are the parts of the path that the route left open, decoded; `headers` has lower-case
    names.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON values, fractions as Decimal. Raises BadRequest."""
        try:
            return codec.loads(self.body)
        except codec.NotJson as problem:
            raise BadRequest(f"The body is not JSON: {problem}") from None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What goes back. `body` is bytes, or JSON values; None sends none."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    @property
    def content(self) -> bytes:
        """The body as bytes. Raises TypeError for values that are not JSON."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else codec.dumps(self.body)


def problem(status: int, title: str, **members: object) -> HttpResponse:
    """An error as `application/problem+json`; the title is a sentence a person can act on."""
    return HttpResponse(status, {"title": title, "status": status, **members}, {}, "application/problem+json")


@dataclass(frozen=True, slots=True)
class Route:
    """One path and method. `path` starts with a slash; `{name}` leaves a part open. Its first part belongs to the
    plugin alone, so that two plugins never answer for each other.

    max_body in bytes; time limit in seconds. `summary` is one sentence for the API's description.
    """

    method: str
    path: str
    serve: Callable[[HttpRequest], Awaitable[HttpResponse]]
    audience: Audience = Audience.ADMIN
    summary: str = ""
    max_body: int = 1024 * 1024
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A table for operators, filled when somebody looks."""

    title: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterable[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Health:
    """How a plugin is. `text` is a sentence; `facts` are numbers and words for machines."""

    ok: bool = True
    text: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
