"""URLs as raw text: joining, origins, query members. Nothing is decoded and encoded again (R-104 to R-108, T-75)."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin, urlsplit

MAX_URL_LENGTH = 255

_DEFAULT_PORTS = {"http": 80, "https": 443}
_DECODINGS = 4
_DOT_SEGMENT = re.compile(r"(?:^|[/\\])\.{1,2}(?:$|[/\\;])")
_PLAIN = re.compile(r"[A-Za-z0-9/_~-]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]")
_BEHIND_HOST = re.compile(r"[/?#]")
_UNENCODED_URL = re.compile(r"https?://", re.IGNORECASE)
# What OCPI documents beside a `response_url` in a query (chargingprofiles GET).
_BESIDE_RESPONSE_URL = "duration"


def join(endpoint: str, tail: str, query: str = "") -> str:
    """Endpoint URL, path tail and query, joined by exactly one `/`; an endpoint's own query comes first."""
    base, _, own_query = endpoint.partition("?")
    if tail.lstrip("/"):
        base = f"{base.rstrip('/')}/{tail.lstrip('/')}"
    queries = "&".join(part for part in (own_query, query) if part)
    return f"{base}?{queries}" if queries else base


def resolve(base: str, reference: str) -> str:
    """A URL reference as a peer sent it, made absolute against the URL it came from; what is no URL stays as it is."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host (lower case) and port of an absolute http(s) URL; None when it is not one or names a user."""
    before, slashes, rest = url.partition("://")
    behind = _BEHIND_HOST.search(rest)
    front = f"{before}{slashes}{rest[: behind.start()]}" if behind else url
    # What is too long to be a URL of OCPI is not kept.
    return _kept_origin(front) if len(front) <= MAX_URL_LENGTH else _origin(front)


@lru_cache(maxsize=16_384)
def _kept_origin(front: str) -> tuple[str, str, int] | None:
    return _origin(front)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return scheme, parts.hostname.lower(), _DEFAULT_PORTS[scheme] if port is None else port


def printable(url: str) -> bool:
    """Whether the text can stand in a request line as it is: ASCII without spaces, controls and delimiters."""
    return not _UNSAFE.search(url)


def plain(tail: str) -> bool:
    """Whether a path tail has nothing but letters, digits and marks that mean nothing: true for nearly all of them."""
    return _PLAIN.fullmatch(tail) is not None


def climbs(tail: str) -> bool:
    """Whether a path tail has `.` or `..` segments, plain or encoded, which would leave the endpoint's path.

    Servers differ in what separates segments and in how often they decode, so the most lenient of them counts: one
    that decodes first, takes a backslash for a slash and drops what follows a `;`. A tail that is still encoded after
    several decodings is no id of anything.
    """
    for _ in range(_DECODINGS):
        decoded = unquote(tail)
        if decoded == tail:
            return _DOT_SEGMENT.search(tail) is not None
        tail = decoded
    return True


def query_value(query: str, name: str) -> str | None:
    """The decoded value of a query member, or None."""
    span = query_span(query, name)
    return None if span is None else _decoded(query[span[0] : span[1]])


def query_span(query: str, name: str) -> tuple[int, int] | None:
    """Start and end of the raw value of the first query member of this name.

    Clients send `response_url` unencoded, with its own `?` and `&` inside (R-131): a value that starts with a plain
    `http` scheme runs to the documented member behind it, or to the end of the query.
    """
    return next(_spans(query, name), None)


def _spans(query: str, name: str) -> Iterator[tuple[int, int]]:
    """The raw values of every member whose name reads like this once it is decoded, as a server will decode it."""
    start = 0
    while start < len(query):
        end = _end(query, "&", start)
        key, equals, _ = query[start:end].partition("=")
        if equals and _decoded(key) == name:
            value = start + len(key) + 1
            if _UNENCODED_URL.match(query, value):
                named_before = f"&{_BESIDE_RESPONSE_URL}=" in f"&{query[:start]}"
                end = len(query) if named_before else _end(query, f"&{_BESIDE_RESPONSE_URL}=", value)
            yield value, end
        start = end + 1


def _end(query: str, mark: str, start: int) -> int:
    found = query.find(mark, start)
    return len(query) if found < 0 else found


def _decoded(text: str) -> str:
    return unquote(text.replace("+", "%20"))


def unencoded_value(query: str, name: str) -> str | None:
    """Like `query_value`, but a URL sent without encoding is taken literally."""
    span = query_span(query, name)
    if span is None:
        return None
    raw = query[span[0] : span[1]]
    return raw if _UNENCODED_URL.match(raw) else _decoded(raw)


def with_query_value(query: str, name: str, value: str) -> str:
    """The query with `value`, percent-encoded, for every member of this name; everything else as it was.

    Every one, because nobody knows which of several a receiver reads (R-125).
    """
    encoded = quote(value, safe="")
    pieces: list[str] = []
    copied = 0
    for start, end in _spans(query, name):
        pieces += (query[copied:start], encoded)
        copied = end
    if not pieces:
        return "&".join(part for part in (query, f"{name}={encoded}") if part)
    return "".join((*pieces, query[copied:]))


def without_members(query: str, names: frozenset[str]) -> str:
    """The query without the members of these names; the others keep their text and order."""
    return "&".join(part for part in query.split("&") if part and _decoded(part.partition("=")[0]) not in names)
