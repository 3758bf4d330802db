"""Lists page by page: in order of a key, and `after` is the key of the last item of the page before, opaque to clients.

An item that vanishes between two pages breaks nothing, one that appears is never shown twice.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.broker.refusal import Refusal, RefusalKind
from hub.web.admin.inputs import ListQuery

T = TypeVar("T")

NO_CURSOR = Refusal(RefusalKind.INVALID, "after must be the next of a page of this list", pointer="?after")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The items of a page, and where the next one starts; None on the last."""

    items: list[T]
    next: str | None


def page(items: Iterable[T], key: Callable[[T], str], query: ListQuery, *, falling: bool = False) -> Page[T] | Refusal:
    """The page a query asks for; `key` must differ between items. A refusal when `after` never was a `next`."""
    after = begin(query)
    if isinstance(after, Refusal):
        return after
    rows = sorted(((key(item), item) for item in items), key=lambda row: row[0], reverse=falling)
    if after is not None:
        rows = [row for row in rows if (row[0] < after if falling else row[0] > after)]
    shown = rows[: query.limit]
    following = cursor(shown[-1][0]) if len(rows) > len(shown) else None
    return Page([item for _, item in shown], following)


def begin(query: ListQuery) -> str | Refusal | None:
    """The key behind which a page begins; None for the first. A refusal when `after` never was a `next`."""
    after = None if query.after is None else _read(query.after)
    if query.after is not None and after is None:
        return NO_CURSOR
    return after


def cursor(key: str) -> str:
    """The `next` of a page whose last item has this key."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def _read(text: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None
