"""Response envelopes and scans of bodies: syntax, UTF-8 and a few members, without building objects (R-014 to R-020,
ruling 3).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from hub.ocpi import codec, splice, times
from hub.ocpi.status import StatusCode, default_message

T = TypeVar("T")


def render(code: StatusCode | int, message: str | None = None, *, data: object = msgspec.UNSET, now: datetime) -> bytes:
    """An envelope of the hub's own. `data` is left out when not given (R-018)."""
    members: dict[str, object] = {} if data is msgspec.UNSET else {"data": data}
    members["status_code"] = int(code)
    if message is None and isinstance(code, StatusCode):
        message = default_message(code)
    if message:
        members["status_message"] = message
    members["timestamp"] = times.render(now)
    return codec.dumps(members)


def render_list(objects: Sequence[bytes], now: datetime) -> bytes:
    """A successful envelope around objects whose text is kept as it is (R-092)."""
    around = codec.dumps({"status_code": int(StatusCode.OK), "timestamp": times.render(now)})
    return b"".join((b'{"data":[', b",".join(objects), b"],", around[1:]))


def render_object(text: bytes, now: datetime) -> bytes:
    """A successful envelope around one object whose text is kept as it is."""
    around = codec.dumps({"status_code": int(StatusCode.OK), "timestamp": times.render(now)})
    return b"".join((b'{"data":', text, b",", around[1:]))


class _Answer(msgspec.Struct):
    status_code: int
    data: msgspec.Raw = msgspec.Raw(b"")


class _Facts(msgspec.Struct):
    """The members of a request body that routing may look at; each is the raw text of its value."""

    country_code: msgspec.Raw = msgspec.Raw(b"")
    party_id: msgspec.Raw = msgspec.Raw(b"")
    response_url: msgspec.Raw = msgspec.Raw(b"")
    expiry_date: msgspec.Raw = msgspec.Raw(b"")
    token: msgspec.Raw = msgspec.Raw(b"")
    cdr_token: msgspec.Raw = msgspec.Raw(b"")
    location_id: msgspec.Raw = msgspec.Raw(b"")
    session_id: msgspec.Raw = msgspec.Raw(b"")
    reservation_id: msgspec.Raw = msgspec.Raw(b"")


class _TokenFacts(msgspec.Struct):
    country_code: msgspec.Raw = msgspec.Raw(b"")
    party_id: msgspec.Raw = msgspec.Raw(b"")
    uid: msgspec.Raw = msgspec.Raw(b"")
    type: msgspec.Raw = msgspec.Raw(b"")


class _CommandVerdict(msgspec.Struct):
    result: str = ""
    timeout: float = 0.0


_answers = msgspec.json.Decoder(_Answer)
_facts = msgspec.json.Decoder(_Facts)
_token_facts = msgspec.json.Decoder(_TokenFacts)
_verdicts = msgspec.json.Decoder(_CommandVerdict)
_texts = msgspec.json.Decoder(str)
_anything = msgspec.json.Decoder(msgspec.Raw)
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The decoder's value; raises one of _NOT_JSON.

    JSON allows an escape for half a surrogate pair, and software that cuts texts in the middle of a character sends
    it; msgspec does not take it. Such a body is read once more with U+FFFD in place of every surrogate.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole, count = _SURROGATE.subn(rb"\\ufffd", body)
        if not count:
            raise
    return decoder.decode(whole)


def status_code_of(body: bytes) -> int | None:
    """The `status_code` of an answer, or None when the body is not an OCPI envelope in valid UTF-8 JSON."""
    try:
        if not body.isascii():
            body.decode()
        return _read(_answers, body).status_code
    except _NOT_JSON:
        return None


def verdict_of(body: bytes) -> tuple[str, float] | None:
    """`result` and `timeout` (s) of a CommandResponse or ChargingProfileResponse inside an answer; None if
    unreadable.
    """
    try:
        verdict = _verdicts.decode(_read(_answers, body).data)
    except _NOT_JSON:
        return None
    return verdict.result, verdict.timeout


def objects_of(body: bytes) -> list[bytes] | None:
    """The elements of an answer's `data`, their text as it was received; None when it is not an array."""
    try:
        data = splice.members(body).get("data", b"")
        return splice.elements(data) if data.lstrip().startswith(b"[") else None
    except splice.Unreadable:
        return None


class Facts:
    """What a scan found in a request body. Every text is None when the member is absent or not a string."""

    __slots__ = ("_found",)

    def __init__(self, found: _Facts) -> None:
        self._found = found

    @classmethod
    def none(cls) -> "Facts":
        """No body, or one that is no object."""
        return _NOTHING

    @property
    def owner(self) -> tuple[str | None, str | None]:
        """`country_code` and `party_id` of the object itself."""
        return _text(self._found.country_code), _text(self._found.party_id)

    @property
    def token_owner(self) -> tuple[str | None, str | None]:
        """`country_code` and `party_id` of the Token inside a command."""
        return _token(self._found.token)[:2]

    @property
    def cdr_token(self) -> tuple[str | None, str | None, str | None, str | None]:
        """`country_code`, `party_id`, `uid` and `type` of the CdrToken inside a session or CDR (R-086)."""
        return _token(self._found.cdr_token)

    @property
    def location_id(self) -> str | None:
        return _text(self._found.location_id)

    @property
    def session_id(self) -> str | None:
        return _text(self._found.session_id)

    @property
    def reservation_id(self) -> str | None:
        return _text(self._found.reservation_id)

    @property
    def response_url(self) -> str | None:
        return _text(self._found.response_url)

    @property
    def has_response_url(self) -> bool:
        """Whether the member is there at all, whatever its value."""
        return bool(bytes(self._found.response_url))

    @property
    def expiry_date(self) -> str | None:
        return _text(self._found.expiry_date)


_NOTHING = Facts(_Facts())


def scan_request(body: bytes) -> Facts | str:
    """The facts of a request body, or a sentence saying why it is not JSON. A body that is no object has no facts."""
    try:
        if not body.isascii():
            body.decode()
        return Facts(_read(_facts, body))
    except msgspec.ValidationError:
        pass  # valid so far but no object: the rest still has to be checked
    except _NOT_JSON as problem:
        return _why(problem)
    try:
        _read(_anything, body)
    except _NOT_JSON as problem:
        return _why(problem)
    return _NOTHING


def _why(problem: BaseException) -> str:
    if isinstance(problem, RecursionError):
        return "the body is nested too deeply"
    if isinstance(problem, UnicodeDecodeError):
        return f"the body is not UTF-8 (byte {problem.start})"
    return f"the body is not JSON: {problem}"


def _token(raw: msgspec.Raw) -> tuple[str | None, str | None, str | None, str | None]:
    """`country_code`, `party_id`, `uid` and `type` of a token inside a body."""
    try:
        token = _token_facts.decode(raw)
    except _NOT_JSON:
        return None, None, None, None
    return _text(token.country_code), _text(token.party_id), _text(token.uid), _text(token.type)


def _text(raw: msgspec.Raw | bytes) -> str | None:
    try:
        return _texts.decode(raw)
    except msgspec.DecodeError:
        return None


_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_OBJECT = re.compile(rb"\s*\{")
_MEMBER = re.compile(rb"[\s,]*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_SCALAR = re.compile(_STRING + rb"|[^\s,}]++", re.DOTALL)
_NESTING = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)


def replace_text(body: bytes, member: str, text: str) -> bytes:
    """The body with the value of every top-level `member` replaced by `text`; every other byte stays (R-130, T-76).

    The body must have passed `scan_request`. Members of inner objects with the same name are left alone.
    """
    start = _OBJECT.match(body)
    if start is None:
        return body
    replacement = codec.dumps(text)
    pieces: list[bytes] = []
    copied, position = 0, start.end()
    while (found := _MEMBER.match(body, position)) is not None:
        value, position = found.end(), _value_end(body, found.end())
        if _text(found[1]) == member:
            pieces += (body[copied:value], replacement)
            copied = position
    return b"".join((*pieces, body[copied:]))


def _value_end(body: bytes, start: int) -> int:
    """Where the value that starts here ends."""
    if body[start] not in b"{[":
        scalar = _SCALAR.match(body, start)
        return start if scalar is None else scalar.end()
    depth = 0
    for token in _NESTING.finditer(body, start):
        mark = body[token.start()]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if not depth:
                return token.end()
    return len(body)
