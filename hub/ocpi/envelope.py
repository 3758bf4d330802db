"""Response envelopes and scans of bodies: syntax, UTF-8 and a few members, without building objects (R-014 to R-020,
ruling 3).
"""

import re
from datetime import datetime

import msgspec

from hub.ocpi import codec, times
from hub.ocpi.status import StatusCode, default_message


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


class _TokenFacts(msgspec.Struct):
    country_code: msgspec.Raw = msgspec.Raw(b"")
    party_id: msgspec.Raw = msgspec.Raw(b"")


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


def status_code_of(body: bytes) -> int | None:
    """The `status_code` of an answer, or None when the body is not an OCPI envelope in valid UTF-8 JSON."""
    try:
        if not body.isascii():
            body.decode()
        return _answers.decode(body).status_code
    except _NOT_JSON:
        return None


def verdict_of(body: bytes) -> tuple[str, float] | None:
    """`result` and `timeout` (s) of a CommandResponse or ChargingProfileResponse inside an answer; None if
    unreadable.
    """
    try:
        verdict = _verdicts.decode(_answers.decode(body).data)
    except _NOT_JSON:
        return None
    return verdict.result, verdict.timeout


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
        try:
            token = _token_facts.decode(self._found.token)
        except _NOT_JSON:
            return None, None
        return _text(token.country_code), _text(token.party_id)

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
        return Facts(_facts.decode(body))
    except msgspec.ValidationError:
        pass  # valid so far but no object: the rest still has to be checked
    except _NOT_JSON as problem:
        return _why(problem)
    try:
        _anything.decode(body)
    except _NOT_JSON as problem:
        return _why(problem)
    return _NOTHING


def _why(problem: BaseException) -> str:
    if isinstance(problem, RecursionError):
        return "the body is nested too deeply"
    if isinstance(problem, UnicodeDecodeError):
        return f"the body is not UTF-8 (byte {problem.start})"
    return f"the body is not JSON: {problem}"


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _texts.decode(raw)
    except msgspec.DecodeError:
        return None


_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)


def replace_text(body: bytes, member: str, text: str) -> bytes:
    """The body with the value of every top-level `member` replaced by `text`; every other byte stays (R-130, T-76).

    The body must have passed `scan_request`. Members of inner objects with the same name are left alone.
    """
    pieces: list[bytes] = []
    copied = depth = 0
    key: bytes | None = None
    previous: re.Match[bytes] | None = None
    value_start = -1
    for token in _TOKENS.finditer(body):
        mark = token[0]
        if depth == 1 and mark == b":" and previous is not None:
            key, value_start = previous[0], token.end()
        elif depth == 1 and key is not None and mark in (b",", b"}"):
            if _texts.decode(key) == member:
                value = body[value_start : token.start()]
                lead = len(value) - len(value.lstrip())
                pieces += (body[copied : value_start + lead], codec.dumps(text))
                copied = value_start + len(value.rstrip())
            key = None
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
        previous = token
    return b"".join((*pieces, body[copied:]))
