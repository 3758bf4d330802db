"""The questions that `GET /messages` answers, read out of the query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from hub.ocpi import times
from hub.ocpi.party_id import parse_party

T = TypeVar("T")

DEFAULT_LIMIT = 100
MOST_LIMIT = 1000
_MOST_ID = 2**63 - 1


class NotUsable(Exception):
    """A parameter cannot be used; `name` is the parameter's, the text what would be accepted."""

    def __init__(self, name: str, accepted: str) -> None:
        super().__init__(f"{name} cannot be used: {accepted}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Question:
    """Which records are wanted: those with all keys of `where`, and with the `module` and of the `platform` if there is
    one, within the half-open interval of times, with an id below `before`.
    """

    where: Mapping[str, str] = field(default_factory=dict)
    module: str | None = None
    platform: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = DEFAULT_LIMIT


def question(query: Mapping[str, str]) -> Question:
    """The question of a query. Raises NotUsable."""
    for name in query:
        if name not in PARAMETERS:
            raise NotUsable(name, f"known are {', '.join(PARAMETERS)}")
    limit = _read(query, "limit", lambda text: _number(text, MOST_LIMIT), f"a number from 1 to {MOST_LIMIT}")
    # In this order, because the store looks up by the first: the rarest.
    keys = {name: _read(query, name, *_KEYS[name]) for name in _KEYS}
    return Question(
        where={name: value for name, value in keys.items() if value is not None},
        module=_read(query, "module", _text, "a module's name"),
        platform=_read(query, "platform", _text, "a platform's id"),
        since=_read(query, "since", times.parse, _A_TIME),
        until=_read(query, "until", times.parse, _A_TIME),
        before=_read(query, "before", lambda text: _number(text, _MOST_ID), "the `before` of an answer"),
        limit=DEFAULT_LIMIT if limit is None else limit,
    )


def _read(query: Mapping[str, str], name: str, read: Callable[[str], T | None], accepted: str) -> T | None:
    if name not in query:
        return None
    value = read(query[name])
    if value is None:
        raise NotUsable(name, f"give {accepted}")
    return value


def _text(text: str) -> str | None:
    return text.strip() or None


def _party(text: str) -> str | None:
    party = parse_party(text.strip().replace("-", "*"))
    return None if party is None else party.key


def _number(text: str, most: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most else None


_A_TIME = "a time such as 2026-01-31T12:00:00Z"
_KEYS: Mapping[str, tuple[Callable[[str], str | None], str]] = {
    "request_id": (_text, "an X-Request-ID"),
    "correlation_id": (_text, "an X-Correlation-ID"),
    "party": (_party, "a party such as NL/ABC"),
}
PARAMETERS = (*_KEYS, "platform", "module", "since", "until", "limit", "before")
