"""What a caller asks with: the query of a list, the fields of a small body, the party in a path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from hub.ocpi.party_id import PartyId, well_formed
from hub.plugin import HttpRequest

T = TypeVar("T")

DEFAULT_LIMIT = 100
MOST_LIMIT = 1000
_MOST_CURSOR = 1000
_LIST = ("limit", "after")

Page = dict[str, object]
"""`items`, and as `next` the `after` of the page that follows, None on the last."""


class NotUsable(Exception):
    """Something of a request cannot be used; `field` names it, the text is a sentence with what would be accepted."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field} {text}")
        self.field = field


class NotFound(Exception):
    """What the path names is not there; the text is a sentence."""


class Asked:
    """The query of a list: `filters` are the parameters that it knows besides `limit` and `after`."""

    def __init__(self, request: HttpRequest, *filters: str) -> None:
        """Raises NotUsable."""
        for name in request.query:
            if name not in (*filters, *_LIST):
                raise NotUsable(name, f"is no parameter here; known are {', '.join((*filters, *_LIST))}")
        self._query = request.query
        self.limit = self._limit()
        self.after = self.text("after", _MOST_CURSOR)

    def text(self, name: str, longest: int = 100) -> str | None:
        """A parameter, None when it is not there. Raises NotUsable for one that is empty or longer."""
        value = self._query.get(name)
        if value is not None and not 0 < len(value) <= longest:
            raise NotUsable(name, f"has 1 to {longest} characters")
        return value

    def _limit(self) -> int:
        value = self._query.get("limit")
        if value is None:
            return DEFAULT_LIMIT
        if not (value.isascii() and value.isdigit() and len(value) < 5 and 1 <= int(value) <= MOST_LIMIT):
            raise NotUsable("limit", f"is a whole number from 1 to {MOST_LIMIT}")
        return int(value)

    def page(self, items: Iterable[T], key: Callable[[T], str], shown: Callable[[T], object]) -> Page:
        """The page of a list that is there as a whole, in order of a key that differs between items. An item that goes
        between two pages breaks nothing, and none is shown twice.
        """
        rest = sorted((one for one in items if self.after is None or key(one) > self.after), key=key)
        return self.page_of(rest, key, shown)

    def page_of(self, rest: Sequence[T], key: Callable[[T], str], shown: Callable[[T], object]) -> Page:
        """The page at the head of what is left, in its order; one item more than fit says that another page follows."""
        page = rest[: self.limit]
        following = key(page[-1]) if len(rest) > len(page) else None
        return {"items": [shown(one) for one in page], "next": following}


def fields_of(request: HttpRequest, *known: str) -> Mapping[str, object]:
    """The members of a body that is an object of these fields. Raises NotUsable, and BadRequest for no JSON."""
    body = request.json()
    if not isinstance(body, dict):
        raise NotUsable("body", f"is an object of {', '.join(known)}")
    for name in body:
        if name not in known:
            raise NotUsable(name, f"is no field here; known are {', '.join(known)}")
    return body


def party_of(request: HttpRequest) -> PartyId:
    """The party whose `country` and `party` stand in the path. Raises NotUsable."""
    country_code, party_id = request.params["country"], request.params["party"]
    if not well_formed(country_code, party_id):
        raise NotUsable("party", "has a country code of two letters and a party id of one to three letters or digits")
    return PartyId(country_code, party_id)
