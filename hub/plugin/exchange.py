"""What a plugin sees of a message: the exchange, its legs, bodies as far as they were asked for, results, and requests
to parties that a plugin plays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from hub.ocpi import codec
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.plugin.words import Body, Kind

T = TypeVar("T")


class BodyError(Exception):
    """A body cannot be had. A hook that lets it pass has no opinion: `on_error` decides, and nothing is counted."""


class NotWatched(BodyError):
    """No watch at this endpoint asks for this body: the plugin forgot `request=` or `response=` in its `Watch`."""


class NotShown(BodyError):
    """This body is never shown: the request was refused before it was read, or is about configuration."""


class BodyTooLarge(BodyError):
    """The body is larger than `max_body`, or streams through the hub."""


class NotJson(BodyError):
    """The body is not JSON."""


_UNREAD: Any = object()


class Content:
    """A body. `size` is in bytes, None for one that streams; reading what no watch asked for raises NotWatched."""

    __slots__ = ("_limit", "_raw", "_streams", "_value", "mode")

    def __init__(self, raw: bytes | None, mode: Body = Body.IGNORE, limit: int = 0, *, streams: bool = False) -> None:
        self._raw = raw
        self._value = _UNREAD
        self._limit = limit
        self._streams = streams
        self.mode = mode

    def __repr__(self) -> str:
        return f"Content(size={self.size}, mode={self.mode.value})"

    @property
    def size(self) -> int | None:
        return None if self._streams else len(self._raw or b"")

    @property
    def absent(self) -> bool:
        """Whether there is no body."""
        return not self._raw and not self._streams

    @property
    def too_large(self) -> bool:
        """Whether reading it would raise BodyTooLarge."""
        return self._streams or len(self._raw or b"") > self._limit

    @property
    def raw(self) -> bytes:
        """The bytes as they were received, b"" when there is no body. Raises NotWatched, BodyTooLarge."""
        if self.mode is Body.IGNORE:
            if self is NOT_SHOWN:
                raise NotShown("the request was refused before its body was read, or is about configuration")
            raise NotWatched("no watch asks for this body: say so with request= or response=")
        if self.too_large:
            size = "streams" if self._streams else f"has {len(self._raw or b'')} bytes"
            raise BodyTooLarge(f"the body {size}, watched are {self._limit} bytes")
        return self._raw or b""

    @property
    def value(self) -> Any:
        """The body as JSON values, parsed once for everybody: do not change them. Fractions are Decimal. None when
        there is no body. Raises NotWatched, BodyTooLarge, NotJson.
        """
        if self._value is _UNREAD:
            raw = self.raw
            if self.mode is Body.BYTES:
                raise NotWatched("the watches ask for bytes: say Body.READ to read the body as JSON")
            try:
                self._value = codec.loads(raw) if raw else None
            except codec.NotJson as problem:
                raise NotJson(str(problem)) from None
        return self._value


EMPTY = Content(None)

NOT_SHOWN = Content(None)

_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Headers:
    """Headers as they were received, by name whatever its case; what carries credentials is not shown."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[str, str]) -> None:
        self._found = found

    def __repr__(self) -> str:
        return "Headers(...)"

    def get(self, name: str) -> str | None:
        """The first value, or None."""
        return None if name.lower() in _HIDDEN else self._found.get(name)


NO_HEADERS = Headers({})


@dataclass(slots=True)
class Leg:
    """The part of an exchange that one receiver has.

    platform  id of the receiver's platform
    version   OCPI version its body is in
    body      what goes out, as the plugins before left it
    answer    what came back; before that, empty. For an answer in the hub's own name, that one
    outcome   "relayed", or the row of table F for what the hub answers in the receiver's place; "" before
    """

    receiver: PartyId
    sender: PartyId
    platform: str
    version: str
    method: str
    body: Content
    answer: Content = EMPTY
    http: int | None = None
    status_code: int | None = None
    outcome: str = ""
    seconds: float | None = None


class States:
    """What plugins keep with an exchange while it lasts, one value per type: `exchange.state[MyState]`."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[type[Any], Any] = {}

    def __getitem__(self, kind: type[T]) -> T:
        """The value of this type; made without arguments at first use."""
        found = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = kind()
        value: T = found
        return value

    def __setitem__(self, kind: type[T], value: T) -> None:
        self._kept[kind] = value

    def __contains__(self, kind: type[Any]) -> bool:
        return kind in self._kept


@dataclass(slots=True, eq=False)
class Exchange:
    """One request into the hub and all that follows. Facts only: what a plugin wants, it says with a verdict.

    platform     id of the requesting platform, None for a caller nobody knows; a plugin's own send has `plugin-NAME`
    to           OCPI-to as it was sent; None when the header was absent
    sender       the party that asks; None until it is known
    receivers    the parties it goes to, as far as they are known: from ROUTED on
    path, query  below the endpoint, raw text as received
    owner        the party in the path of a client-owned object; object_id the id behind it
    kind         None until it is routed, and for refused ones
    headers      the request's, without credentials
    request      the body as received
    answer       what the requester got: in FINISHED
    http, status_code, outcome   of that answer; outcome is the word the hub's log and metrics use
    legs         in FINISHED: every leg, done or skipped
    depth        how many sends of plugins led to it; 0 for a platform's own
    """

    request_id: str
    correlation_id: str
    at: datetime
    platform: str | None
    version: str
    module: str
    interface: Interface | None
    method: str
    path: str
    query: str
    to: PartyId | None = None
    sender: PartyId | None = None
    owner: PartyId | None = None
    object_id: str | None = None
    kind: Kind | None = None
    receivers: tuple[PartyId, ...] = ()
    headers: Headers = NO_HEADERS
    request: Content = NOT_SHOWN
    answer: Content = NOT_SHOWN
    http: int | None = None
    status_code: int | None = None
    outcome: str = ""
    seconds: float | None = None
    legs: list[Leg] = field(default_factory=list)
    state: States = field(default_factory=States)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """An asynchronous result and the request it belongs to.

    operation       the command's name, or GET, PUT or DELETE of a charging profile
    correlation_id  of the request; `requested_at` when it went out
    issuer          who asked and gets the result; `receiver` who was asked
    """

    module: str
    operation: str
    correlation_id: str
    requested_at: datetime
    issuer: PartyId
    receiver: PartyId
    body: Content


@dataclass(frozen=True, slots=True)
class PartyRequest:
    """A request addressed to a party that the plugin plays; `receiver` says which."""

    sender: PartyId
    receiver: PartyId
    version: str
    module: str
    interface: Interface
    method: str
    path: str
    query: str
    correlation_id: str
    body: Content

    @property
    def segments(self) -> Sequence[str]:
        """The path's parts, raw."""
        return tuple(part for part in self.path.split("/") if part)
