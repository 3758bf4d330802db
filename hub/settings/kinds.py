"""The kinds of value a setting can have: how text becomes a value, and the words that say what is accepted.
Which settings there are, and their defaults, is `tree`'s matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, SecretStr

MIN_SECRET_CHARS = 16

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Accepts:
    """Completes the sentence "NAME must be ..."; `secret` keeps the refused value out of that sentence."""

    text: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """How to show a default that is computed from other settings."""

    text: str


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):  # Python counts with them; an operator does not
        raise ValueError("not a number")
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _items(value: object) -> object:
    """A comma-separated line (environment) or a list (TOML) as a tuple of stripped, non-empty strings."""
    if isinstance(value, str):
        value = value.replace("\n", ",").split(",")
    if isinstance(value, (list, tuple)):
        return tuple(stripped for item in value if (stripped := item.strip() if isinstance(item, str) else item) != "")
    return value


def _networks(value: object) -> object:
    items = _items(value)
    if not isinstance(items, tuple):
        raise ValueError("not a list")
    return tuple(item if isinstance(item, (IPv4Network, IPv6Network)) else ip_network(item) for item in items)


def _host(value: str) -> str:
    if not value or not value.isprintable() or re.search(r"[\s/]", value):
        raise ValueError("not a host")
    return value


def _web_url(value: str) -> str:
    """An absolute http(s) URL without user, query or fragment; a slash at the end is dropped."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an absolute URL")
    if "@" in parts.netloc or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("not a plain URL")
    _ = parts.port  # raises ValueError when it is no port
    return value.rstrip("/")


def _page_url(value: str) -> str:
    """Like `_web_url`, but as written, with its query: a page or a picture, not a base to build on."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(value) > 255 or " " in value:
        raise ValueError("not an absolute URL")
    return value


def _proxy_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValueError("not a proxy URL")
    _ = parts.port
    return value.rstrip("/")


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme == "sqlite":
        if not rest.startswith("/") or rest in {"/", "//"} or rest.endswith("/"):
            raise ValueError("no file")
    elif scheme not in {"mongodb", "mongodb+srv"} or not re.match(r"(?:[^@/]*@)?[^@/?]+", rest):
        raise ValueError("no known store")
    return scheme + separator + rest


def _matching(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError("does not match")
        return value.upper()

    return check


def _long_enough(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < MIN_SECRET_CHARS or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("too short")
    return value


def _home(value: Path) -> Path:
    return value.expanduser()


def _file(value: Path) -> Path:
    if not value.expanduser().is_file():
        raise ValueError("no such file")
    return value.expanduser()


def _folder(value: Path) -> Path:
    if not value.expanduser().is_dir():
        raise ValueError("no such folder")
    return value.expanduser()


_Secret = Annotated[SecretStr, AfterValidator(_long_enough)]

Host = Annotated[str, AfterValidator(_host), Accepts("a host name or an IP address without port")]
Port = Annotated[int, BeforeValidator(_refuse_bool), Field(ge=0, le=65535), Accepts("a whole number from 0 to 65535")]
Flag = Annotated[bool, Accepts("true or false")]
Count = Annotated[
    int, BeforeValidator(_refuse_bool), Field(ge=1, le=1_000_000), Accepts("a whole number from 1 to 1000000")
]
Deadline = Annotated[
    float,
    BeforeValidator(_refuse_bool),
    Field(ge=0.01, le=600, allow_inf_nan=False),
    Accepts("a number of seconds from 0.01 to 600"),
]
Period = Annotated[
    float,
    BeforeValidator(_refuse_bool),
    Field(ge=0.01, le=31_536_000, allow_inf_nan=False),
    Accepts("a number of seconds from 0.01 to 31536000"),
]
Size = Annotated[
    ByteSize,
    BeforeValidator(_refuse_bool),
    Field(ge=1024, le=2**30),
    Accepts('a number of bytes from 1024 to 1073741824, such as 1048576 or "1 MiB"'),
]
BaseUrl = Annotated[
    str,
    AfterValidator(_web_url),
    Accepts("an absolute http or https URL without user, query or fragment, such as https://hub.example.com"),
]
PageUrl = Annotated[
    str | None,
    AfterValidator(lambda value: None if value is None else _page_url(value)),
    Accepts("an absolute http or https URL of at most 255 characters"),
]
ProxyUrl = Annotated[
    str | None,
    AfterValidator(lambda value: None if value is None else _proxy_url(value)),
    Accepts("the http or https URL of a proxy, such as http://proxy.example.com:3128", secret=True),
]
DatabaseUrl = Annotated[
    str,
    AfterValidator(_database_url),
    Accepts("sqlite:///relative/file, sqlite:////absolute/file, mongodb://... or mongodb+srv://...", secret=True),
]
BusinessName = Annotated[str, Field(min_length=1, max_length=100), Accepts("a name of 1 to 100 characters")]
CountryCode = Annotated[str, AfterValidator(_matching("[A-Za-z]{2}")), Accepts("two letters (ISO 3166-1), such as NL")]
PartyId = Annotated[
    str, AfterValidator(_matching("[A-Za-z0-9]{1,3}")), Accepts("one to three ASCII letters or digits, such as HUB")
]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(_networks),
    Accepts("networks in CIDR form with commas between them, such as 10.0.0.0/8, fd00::/8"),
]
Names = Annotated[tuple[str, ...] | None, BeforeValidator(_items), Accepts("names with commas between them")]
Tables = Annotated[
    Mapping[str, Mapping[str, Any]],
    Accepts("tables, one for each plugin: [plugin.NAME] with its keys", secret=True),
]
Secret = Annotated[
    SecretStr | None,
    AfterValidator(lambda value: None if value is None else _long_enough(value)),
    Accepts(f"at least {MIN_SECRET_CHARS} printable ASCII characters without spaces", secret=True),
]
Secrets = Annotated[
    tuple[_Secret, ...],
    BeforeValidator(_items),
    Accepts(
        f"one or more keys with commas between them, newest first, each at least {MIN_SECRET_CHARS} printable ASCII "
        "characters without spaces",
        secret=True,
    ),
]
Folder = Annotated[Path, AfterValidator(_home), Accepts("a folder that the hub may write to")]
ExistingFile = Annotated[
    Path | None,
    AfterValidator(lambda value: None if value is None else _file(value)),
    Accepts("a file that exists"),
]
ExistingFolder = Annotated[
    Path | None,
    AfterValidator(lambda value: None if value is None else _folder(value)),
    Accepts("a folder that exists"),
]
MongoDriver = Annotated[Literal["motor", "pymongo"], BeforeValidator(_lower), Accepts("motor or pymongo")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(_lower),
    Accepts("debug, info, warning or error"),
]
LogFormat = Annotated[Literal["json", "console"], BeforeValidator(_lower), Accepts("json or console")]
AgreementsDefault = Annotated[Literal["open", "closed"], BeforeValidator(_lower), Accepts("open or closed")]
