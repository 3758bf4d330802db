"""What a plugin may say about a message, one class per verdict; which phase takes which is in `ALLOWED`. None always
means: carry on.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from uuid import uuid4

from hub.ocpi import codec, splice
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode, is_success
from hub.plugin.words import Phase

_HANDLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Answers of OCPI have a body, and these statuses have none: the next answer would be taken for it.
_BODILESS = frozenset({204, 205, 304})


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""No `data` at all, which is something else than `data: null`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request: what a plugin answers itself, and what it gets for its own `send`.

    data     the envelope's `data`, as JSON values (Decimal for fractions)
    body     the whole envelope as bytes, instead of `data`, `status_code` and `message`
    headers  further ones; routing headers, message ids and whatever frames the message are the hub's
    """

    status_code: int = StatusCode.OK
    data: object = ABSENT
    message: str | None = None
    http: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the receiver says that it took the request (R-026)."""
        return self.http < 300 and is_success(self.status_code)

    def read(self) -> Any:
        """`data` as JSON values, None when there is none. Raises ValueError for a body that is no envelope."""
        if self.body is None:
            return None if self.data is ABSENT else self.data
        try:
            members = splice.members(self.body)
        except splice.Unreadable as problem:
            raise ValueError(f"the answer is not an envelope: {problem}") from None
        return codec.loads(members["data"]) if "data" in members else None


@dataclass(frozen=True, slots=True)
class Reject:
    """The requester gets this instead of what would have come; nothing (more) is sent."""

    status_code: int = StatusCode.CLIENT_ERROR
    message: str = "Refused by a rule of this hub"
    http: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Narrow:
    """Only these of the receivers remain. In a list out of the catalog: only objects of these owners. Whoever is named
    and would not have been a receiver does not become one.
    """

    receivers: Collection[PartyId]


@dataclass(frozen=True, slots=True)
class Reroute:
    """The message goes to this party instead, if the requester may turn to it. For direct and open routing."""

    to: PartyId


@dataclass(frozen=True, slots=True)
class Take:
    """The plugin takes the request over: the requester gets `answer` now, and the plugin owes the asynchronous result,
    which it hands in by `hub.deliver(handle, result)`. For commands and charging profiles, which name a response_url.

    Keep `handle` on the shelf before returning the verdict, so that the result can be delivered after a restart too.
    """

    answer: Answer
    handle: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Change:
    """Another body, or further headers. `body` is bytes as they go out, or JSON values; ABSENT leaves it as it is.

    A body may be changed only where the watch says `Body.CHANGE`.
    """

    body: object = ABSENT
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> bytes | None:
        """The new body as bytes; None when it stays. Raises TypeError or ValueError for values that are not JSON."""
        if self.body is ABSENT:
            return None
        return self.body if isinstance(self.body, bytes) else codec.dumps_exactly(self.body)


@dataclass(frozen=True, slots=True)
class Skip:
    """This leg is not sent. In a direct exchange the requester is told that the hub does not forward it."""

    why: str = "a rule of this hub"


Verdict = Answer | Reject | Narrow | Reroute | Take | Change | Skip
VERDICTS: tuple[type[Verdict], ...] = (Answer, Reject, Narrow, Reroute, Take, Change, Skip)

ReceivedVerdict = Answer | Reject
RoutedVerdict = Answer | Reject | Narrow | Reroute | Take
ForwardingVerdict = Change | Skip | Reject
AnsweredVerdict = Change | Reject
ResultVerdict = Change

ALLOWED: Mapping[Phase, tuple[type[Verdict], ...]] = {
    Phase.RECEIVED: (Answer, Reject),
    Phase.ROUTED: (Answer, Reject, Narrow, Reroute, Take),
    Phase.FORWARDING: (Change, Skip, Reject),
    Phase.ANSWERED: (Change, Reject),
    Phase.RESULT: (Change,),
    Phase.FINISHED: (),
}


def checked(verdict: Verdict) -> Verdict:
    """The verdict, if it can be carried out, with a changed body as bytes. Raises ValueError, or whatever the plugin's
    values raise when they are looked at.
    """
    if isinstance(verdict, Answer):
        return _checked_answer(verdict)
    if isinstance(verdict, Reject):
        _check_said(verdict.http, verdict.status_code, verdict.message, verdict.headers)
    elif isinstance(verdict, Change):
        _check_headers(verdict.headers)
        text = verdict.text
        return verdict if text is None or text is verdict.body else Change(text, verdict.headers)
    elif isinstance(verdict, Take):
        if not _HANDLE.fullmatch(verdict.handle):
            raise ValueError("the handle of a Take has 1 to 64 letters, digits, - and _")
        _checked_answer(verdict.answer)
    elif isinstance(verdict, Narrow):
        receivers = tuple(verdict.receivers)
        if not all(isinstance(party, PartyId) for party in receivers):
            raise ValueError("the receivers of a Narrow are PartyId")
        return Narrow(receivers)
    elif isinstance(verdict, Reroute):
        if not isinstance(verdict.to, PartyId):
            raise ValueError("a Reroute goes to a PartyId")  # noqa: TRY004 - one kind of error for all
    else:
        _check_text(verdict.why)
    return verdict


def _checked_answer(answer: Answer) -> Answer:
    _check_said(answer.http, answer.status_code, answer.message or "", answer.headers)
    body: Any = answer.body
    if body is not None and not isinstance(body, bytes):
        raise ValueError("the body of an Answer is bytes; JSON values are its data")
    if body is None and answer.data is not ABSENT:
        codec.dumps_exactly(answer.data)
    return answer


def _check_said(http: Any, code: Any, message: str, headers: Any) -> None:
    if type(http) is not int or not 200 <= http <= 599 or http in _BODILESS:
        raise ValueError(f"{http!r} is no HTTP status of an answer with a body")
    if not isinstance(code, int) or isinstance(code, bool) or not 1000 <= code <= 9999:
        raise ValueError(f"{code!r} is no status code")
    _check_text(message)
    _check_headers(headers)


def _check_headers(headers: Any) -> None:
    if not isinstance(headers, Mapping):
        raise ValueError("headers are a mapping of names to texts")  # noqa: TRY004 - one kind of error for all
    for name, value in headers.items():
        _check_text(name)
        _check_text(value)


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{type(text).__name__} is no text")  # noqa: TRY004 - one kind of error for all
    text.encode()
