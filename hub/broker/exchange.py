"""One request into the hub and what is known about it, and the answer that goes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.domain.outcome import ByteStream
from hub.domain.platform import InboundToken, Platform
from hub.ocpi.headers import Routing
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import TokenEncoding
from hub.ocpi.versions import Match

if TYPE_CHECKING:
    from hub.broker.plugins.watched import Watched


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presents a token: the platform, which of its tokens, and in which encoding it was sent."""

    platform: Platform
    token: InboundToken
    presented: str = field(repr=False)
    encoding: TokenEncoding = TokenEncoding.BASE64


@dataclass(slots=True)
class Arrival:
    """A request as it arrives, before it is known to be an exchange. `started` is monotonic seconds.

    What stands below `headers` is filled in as far as the request is understood; `sent_by` is the plugin that sends it,
    `depth` how many plugins' sends led to it.
    """

    request_id: str
    correlation_id: str
    started: float
    method: str
    headers: Mapping[str, str] = field(repr=False)
    caller: Caller | None = None
    version: str = ""
    module: str = ""
    interface: Interface | None = None
    tail: str = ""
    query: str = ""
    to: PartyId | None = None
    sender: PartyId | None = None
    sent_by: str | None = None
    depth: int = 0
    watched: "Watched | None" = None


@dataclass(slots=True)
class Exchange:
    """A request to a functional module, as it came in. `match` is None for a custom module.

    `tail` and `query` are raw text as received; `body` is None when there was none. `started` is monotonic seconds.
    `sender` and `receiver` are filled in on the walk, for logs and for the headers of the answer. `watched` is the
    exchange as plugins see it, None when none does. `timeout_s` is how long its sender waits, if it says so.
    """

    request_id: str
    correlation_id: str
    caller: Caller
    version: str
    module: str
    interface: Interface
    method: str
    match: Match | None
    tail: str
    query: str
    routing: Routing
    body: bytes | None
    started: float
    sender: PartyId | None = None
    receiver: PartyId | None = None
    watched: "Watched | None" = None
    timeout_s: float | None = None

    @property
    def platform(self) -> Platform:
        """The requesting platform."""
        return self.caller.platform


@dataclass(slots=True)
class HubAnswer:
    """What goes back to the requester. `headers` are those beyond content type and message ids.

    `code` is the status code inside the body, None where the body streams from the receiver (`rest`).
    """

    http: int
    body: bytes
    code: int | None
    headers: dict[str, str] = field(default_factory=dict)
    rest: ByteStream | None = None
