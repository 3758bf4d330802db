"""Where a request goes, cut out of its URL as text: the bytes of path and query are sent as they are (T-75)."""

import functools
from typing import NamedTuple

from yarl import URL

from hub.domain.outcome import Unsent, UnsentReason


class Target(NamedTuple):
    """`origin` is scheme, host and port; `host` the value of the Host header; `path` path and query, from the slash."""

    origin: str
    host: str
    path: str


_CHARACTERS = Unsent(UnsentReason.UNUSABLE, "the URL has characters that cannot stand in a request line")


def target(url: str) -> Target | Unsent:
    """The target of an absolute http(s) URL without a user name; a fragment is left out."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return _CHARACTERS
    start = url.find("://") + 3
    end = url.find("/", start)
    question = url.find("?", start)
    if end < 0 or 0 <= question < end:
        end = question if question >= 0 else len(url)
    path = url[end:].partition("#")[0]
    origin = url[:end].partition("#")[0]
    host = _host(origin)
    if isinstance(host, Unsent):
        return host
    return Target(origin, host, path if path.startswith("/") else f"/{path}")


@functools.lru_cache(maxsize=4096)
def _host(origin: str) -> str | Unsent:
    try:
        url = URL(origin, encoded=True)
        host, port, named = url.raw_host, url.port, url.host_port_subcomponent
    except ValueError:
        return Unsent(UnsentReason.UNUSABLE, "the URL cannot be read")
    if url.scheme not in {"http", "https"} or not host or not port or not named:
        return Unsent(UnsentReason.UNUSABLE, "the URL is not an absolute http or https URL")
    if url.raw_user is not None or url.raw_password is not None:
        return Unsent(UnsentReason.UNUSABLE, "the URL contains a user name or password")
    return named
