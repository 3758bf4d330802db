"""URLs as raw text: joining, origins, query members. Nothing is decoded and encoded again (R-104 to R-108, T-75)."""

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

MAX_URL_LENGTH = 255

_DEFAULT_PORTS = {"http": 80, "https": 443}
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]")


def join(endpoint: str, tail: str, query: str = "") -> str:
    """Endpoint URL, path tail and query, joined by exactly one `/`; an endpoint's own query comes first."""
    base, _, own_query = endpoint.partition("?")
    if tail.lstrip("/"):
        base = f"{base.rstrip('/')}/{tail.lstrip('/')}"
    queries = "&".join(part for part in (own_query, query) if part)
    return f"{base}?{queries}" if queries else base


def resolve(base: str, reference: str) -> str:
    """A URL reference as a peer sent it, made absolute against the URL it came from."""
    return urljoin(base, reference)


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host (lower case) and port of an absolute http(s) URL; None when it is not one or names a user."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[scheme]


def printable(url: str) -> bool:
    """Whether the text can stand in a request line as it is: ASCII without spaces, controls and delimiters."""
    return not _UNSAFE.search(url)


def climbs(tail: str) -> bool:
    """Whether a path tail has `.` or `..` segments, plain or encoded, which would leave the endpoint's path."""
    return _DOT_SEGMENT.search(tail) is not None


def query_value(query: str, name: str) -> str | None:
    """The decoded value of a query member, or None."""
    span = query_span(query, name)
    return None if span is None else unquote(query[span[0] : span[1]].replace("+", "%20"))


def query_span(query: str, name: str) -> tuple[int, int] | None:
    """Start and end of the raw value of a query member.

    A value that starts with an unencoded `http` scheme and is the last documented one runs to the end of the query:
    clients send `response_url` with its own `?` and `&` inside (R-131).
    """
    match = re.search(rf"(?:^|&){re.escape(name)}=", query)
    if match is None:
        return None
    start = match.end()
    if re.match(r"https?://", query[start:], re.IGNORECASE):
        return start, len(query)
    end = query.find("&", start)
    return start, len(query) if end < 0 else end


def unencoded_value(query: str, name: str) -> str | None:
    """Like `query_value`, but a value sent without encoding is taken literally."""
    span = query_span(query, name)
    if span is None:
        return None
    raw = query[span[0] : span[1]]
    return raw if re.match(r"https?://", raw, re.IGNORECASE) else unquote(raw.replace("+", "%20"))


def with_query_value(query: str, name: str, value: str) -> str:
    """The query with the value of `name` replaced by `value`, percent-encoded; everything else as it was."""
    span = query_span(query, name)
    if span is None:
        return "&".join(part for part in (query, f"{name}={quote(value, safe='')}") if part)
    return f"{query[: span[0]]}{quote(value, safe='')}{query[span[1] :]}"


def without_members(query: str, names: frozenset[str]) -> str:
    """The query without the members of these names; the others keep their text and order."""
    return "&".join(part for part in query.split("&") if part and part.partition("=")[0] not in names)
