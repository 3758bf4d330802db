"""Reading members of bodies that anybody may have sent: what does not fit is None, and nothing here ever raises."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from hub.ocpi import times

E = TypeVar("E", bound=StrEnum)

LONGEST_TEXT = 255
MOST_DIGITS = 30
_YEARS = range(2000, 9990)  # what is outside is no date, and would overflow when reckoned with
_NOTHING: Mapping[str, object] = {}


def members(body: object) -> Mapping[str, object]:
    """The members of a JSON object; none for any other value."""
    return body if isinstance(body, dict) else _NOTHING


def rows(value: object) -> list[Mapping[str, object]] | None:
    """The objects of a JSON list; None when it is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else None


def text(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """A text of 1 to `longest` characters."""
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def number(value: object, least: int, most: int) -> Decimal | None:
    """An exact number from `least` to `most` with its digits as they were received; floats are not exact."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, Decimal) and (not value.is_finite() or len(value.as_tuple().digits) > MOST_DIGITS):
        return None
    return Decimal(value) if least <= value <= most else None


def moment(value: object) -> datetime | None:
    """An aware moment in UTC."""
    found = times.parse(value) if isinstance(value, str) and len(value) <= 64 else None
    return found if found is not None and found.year in _YEARS else None


def choice(kind: type[E], value: object) -> E | None:
    """The member of the enumeration; case counts, as OCPI says."""
    return kind(value) if isinstance(value, str) and value in kind.__members__.values() else None
