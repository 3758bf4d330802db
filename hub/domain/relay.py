"""From the outcome of a leg to the answer for the requester: table F, row by row."""

from dataclasses import dataclass

from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, TooLarge, Unsent, UnsentReason
from hub.ocpi import envelope
from hub.ocpi.status import StatusCode


@dataclass(frozen=True, slots=True)
class Relayed:
    """The receiver's body goes back as it is, under this HTTP status. `code` is None when the body streams."""

    http: int
    code: int | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """The hub answers in the receiver's place. `row` names the row of table F; `alarm` what an operator must know."""

    row: str
    http: int
    code: StatusCode
    message: str
    alarm: str | None = None


Verdict = Relayed | Replaced

_NO_ANSWER = Replaced("F6", 200, StatusCode.TIMEOUT_ON_FORWARD, "The receiver did not answer in time")
_LOST = Replaced("F7", 200, StatusCode.TIMEOUT_ON_FORWARD, "The connection broke before the receiver had answered")
_UNREACHABLE = Replaced("F5", 200, StatusCode.CONNECTION_PROBLEM, "The receiver cannot be reached")
_FULL = Replaced("F23", 200, StatusCode.CONNECTION_PROBLEM, "The receiver has too many requests in flight")
_FORBIDDEN = Replaced(
    "F5",
    200,
    StatusCode.CONNECTION_PROBLEM,
    "The receiver cannot be reached",
    alarm="its address is not public and not in ALLOWED_NETWORKS",
)
_TOO_LARGE = Replaced("F21", 200, StatusCode.HUB_ERROR, "The receiver's answer is larger than this hub relays")
_REDIRECT = Replaced("F20", 200, StatusCode.HUB_ERROR, "The receiver answered with a redirect, which is not followed")
_NOT_OCPI = Replaced("F18", 200, StatusCode.HUB_ERROR, "The receiver's answer is not an OCPI response")
_DONE = Replaced("F19", 200, StatusCode.OK, "Success")
_EMPTY = Replaced("F19", 200, StatusCode.HUB_ERROR, "The receiver answered without a body")
_TOKEN_REFUSED = Replaced(
    "F9",
    200,
    StatusCode.CONNECTION_PROBLEM,
    "The receiver does not accept this hub's credentials",
    alarm="it refuses the hub's token (HTTP 401)",
)
_FORBIDS = Replaced(
    "F11",
    200,
    StatusCode.CONNECTION_PROBLEM,
    "The receiver does not accept this hub's request",
    alarm="it refuses the hub's request (HTTP 403)",
)
_BROKEN = Replaced("F17", 200, StatusCode.HUB_ERROR, "The receiver failed")
_AWAY = Replaced("F15", 200, StatusCode.CONNECTION_PROBLEM, "The receiver is not available")
_UPSTREAM_TIMEOUT = Replaced("F16", 200, StatusCode.TIMEOUT_ON_FORWARD, "The receiver did not answer in time")


def judge(outcome: Outcome, method: str) -> Verdict:
    """The verdict on one leg. Total: every outcome and every HTTP status has one."""
    if isinstance(outcome, Answer):
        return _judge_answer(outcome, method)
    if isinstance(outcome, TimedOut):
        return _NO_ANSWER
    if isinstance(outcome, Lost):
        return _LOST
    if isinstance(outcome, TooLarge):
        return _TOO_LARGE
    return _judge_unsent(outcome)


def _judge_unsent(outcome: Unsent) -> Replaced:
    if outcome.reason is UnsentReason.FULL:
        return _FULL
    if outcome.reason is UnsentReason.FORBIDDEN:
        return _FORBIDDEN
    return _UNREACHABLE


def _judge_answer(answer: Answer, method: str) -> Verdict:
    status = answer.status
    if status < 200:
        return _NOT_OCPI  # no final answer of HTTP
    if 300 <= status < 400:
        return _REDIRECT
    if status == 401:
        return _TOKEN_REFUSED
    if answer.rest is not None:
        return _judge_beginning(answer)
    if status < 300 and not answer.body.strip():
        return _EMPTY if method == "GET" else _DONE
    code = envelope.status_code_of(answer.body)
    if code is None:
        return _without_envelope(answer)
    if status == 403:
        return Relayed(200, code) if code >= 2000 else _FORBIDS
    return Relayed(status, code)


def _judge_beginning(answer: Answer) -> Verdict:
    """A long answer streams: status, content type and the first byte decide (ruling 3)."""
    content_type = answer.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    looks_like_json = content_type.endswith("json") and answer.body.lstrip()[:1] == b"{"
    if not looks_like_json:
        return _without_envelope(answer)
    return Relayed(200 if answer.status == 403 else answer.status, None)


def _without_envelope(answer: Answer) -> Replaced:
    status = answer.status
    if status < 300:
        return _NOT_OCPI
    if status == 403:
        return _FORBIDS
    if status < 500:
        return Replaced(
            "F13", status, StatusCode.CLIENT_ERROR, f"The receiver answered HTTP {status} without saying why"
        )
    return {502: _AWAY, 503: _AWAY, 504: _UPSTREAM_TIMEOUT}.get(status, _BROKEN)


def shows_life(outcome: Outcome) -> bool | None:
    """What a leg proves about the receiving platform: True it is there, False it could not be connected, None
    nothing.
    """
    if isinstance(outcome, Answer):
        # a refused token is no success, and what stands before a platform answers 502 to 504 in its place.
        return outcome.status not in (401, 502, 503, 504) or None
    if isinstance(outcome, Unsent):
        return False if outcome.reason in (UnsentReason.REFUSED, UnsentReason.DNS, UnsentReason.TLS) else None
    return None
