"""Pagination on the wire: parameters, the `Link` header in all its spellings, and slices of the hub's own lists (R-032
to R-045).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.ocpi import times, urls

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

_QUOTED = r"\"(?:[^\"\\]|\\.)*+\""
_PARAMETERS = rf"(?:;\s*[^\s=;,]*\s*(?:=\s*(?:{_QUOTED}|[^\s;,\"]*))?\s*)*+"
_LINK_VALUE = re.compile(rf"<([^<>]*)>\s*({_PARAMETERS})")
_NEXT = re.compile(r"rel\s*=\s*[\"']?[^,;]*\bnext\b", re.IGNORECASE)
_PARAMETER = re.compile(rf";\s*([^\s=;,]*)\s*(?:=\s*({_QUOTED}|[^\s;,\"]*))?")


def next_link(values: Iterable[str]) -> str | None:
    """The URL reference whose relation is `next`, from all `Link` header lines of a response; None when there is
    none.
    """
    for value in values:
        for reference, parameters in _LINK_VALUE.findall(value):
            relation = next((text for name, text in _PARAMETER.findall(parameters) if name.lower() == "rel"), "")
            if "next" in relation.strip('"').lower().split():
                return str(reference).strip() or None
    return None


def mentions_next(values: Iterable[str]) -> bool:
    """Whether a `Link` header speaks of a next page, readable or not (T-41)."""
    return any(_NEXT.search(value) for value in values)


def render_next(url: str) -> str:
    """The `Link` header for a next page."""
    return f'<{url}>; rel="next"'


@dataclass(frozen=True, slots=True)
class Page:
    """What a client asked of a list the hub serves itself; dates form a half-open interval (R-033)."""

    offset: int = 0
    limit: int = DEFAULT_LIMIT
    date_from: datetime | None = None
    date_to: datetime | None = None

    def includes(self, last_updated: datetime) -> bool:
        """Whether an object of that `last_updated` is inside the interval."""
        if self.date_from is not None and last_updated < self.date_from:
            return False
        return self.date_to is None or last_updated < self.date_to


def read_page(query: str, most: int = MAX_LIMIT) -> Page | str:
    """The page a query asks for, or a sentence naming the parameter that is wrong (R-035). `most` is the largest
    limit.
    """
    numbers = {"offset": 0, "limit": min(DEFAULT_LIMIT, most)}
    for name, least in (("offset", 0), ("limit", 1)):
        text = urls.query_value(query, name)
        if text is None:
            continue
        if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) < least:
            return f"{name} must be a whole number of at least {least}"
        numbers[name] = int(text)
    dates: list[datetime | None] = []
    for name in ("date_from", "date_to"):
        text = urls.query_value(query, name)
        moment = None if text is None else times.parse(text)
        if text is not None and moment is None:
            return f"{name} must be an RFC 3339 date and time"
        dates.append(moment)
    date_from, date_to = dates
    if date_from is not None and date_to is not None and date_from > date_to:
        return "date_from must not be later than date_to"
    return Page(numbers["offset"], min(numbers["limit"], most), date_from, date_to)
