"""What can become of a leg, as values: an answer, or one of the ways in which there is none (left column of table
F).
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class ByteStream(Protocol):
    """The rest of a long answer. Iterate it to the end or close it; it raises `StreamBroken` when the receiver breaks
    off.
    """

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None:
        """Gives the connection up; safe at any time, also twice."""


class StreamBroken(Exception):
    """A streamed answer ended early, took too long or grew too large: the requester's connection must not end
    properly.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, or its beginning when `rest` is there (ruling 3).

    `headers` is looked up by lower-case names and holds what the receiver sent, whatever it sent; `links` holds every
    `Link` header line.
    """

    status: int
    headers: Mapping[str, str] = field(compare=False)
    body: bytes
    links: tuple[str, ...] = ()
    rest: ByteStream | None = None


class UnsentReason(StrEnum):
    """Why a request certainly never reached the receiver (F5, F23)."""

    REFUSED = "refused"  # connection refused, reset while connecting, no route, connect timeout
    DNS = "dns"
    TLS = "tls"
    FORBIDDEN = "forbidden"  # the address is not public and not allowed
    FULL = "full"  # the platform's in-flight limit or the hub's own is reached
    UNUSABLE = "unusable"  # the URL cannot be requested at all


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing was sent. `detail` is for the operator's log, never for the requester, and has no secrets."""

    reason: UnsentReason
    detail: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Sent, but not answered completely before the deadline (F6)."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Sent, then the connection broke or the answer was not HTTP (F7)."""

    detail: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The answer is larger than the hub relays (F21)."""


Outcome = Answer | Unsent | TimedOut | Lost | TooLarge
