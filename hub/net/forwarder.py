"""The port through which every outgoing request leaves the hub."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hub.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Wire:
    """The pool a request belongs to: one per platform, so that a slow one never takes another's slots.

    `in_flight` is the most requests at a time. A client certificate (PEM chain and PEM private key) is shown if given.
    """

    pool: str
    in_flight: int
    certificate_pem: str | None = None
    key_pem: str | None = field(default=None, repr=False)


class WireRequest(NamedTuple):
    """One request, complete: the URL is raw text and goes out as it is, so do the header values.

    `timeout_s` bounds everything from here to the last byte of the answer; `max_body` (bytes) bounds the answer, and
    an answer longer than `stream_above` (bytes) comes back as a beginning and a stream.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_s: float
    max_body: int
    stream_above: int

    def __repr__(self) -> str:
        """Without headers and body: credentials tokens are in both."""
        return f"WireRequest({self.method} {self.url}, timeout_s={self.timeout_s})"


class Forwarder(Protocol):
    """Sends requests. Failures are outcomes; only cancellation is raised. Redirects are never followed (R-015)."""

    async def send(self, wire: Wire, request: WireRequest) -> Outcome: ...

    def drop(self, pool: str) -> None:
        """Forgets a platform's pool (its certificate or registration changed); requests in flight still finish."""

    async def close(self) -> None: ...
