"""The questions that `GET /schema-check` and `GET /schema-check/findings` answer, and the answers as JSON values."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ocpi import times
from hub.ocpi.names import FUNCTIONAL_MODULES
from hub.ocpi.party_id import PartyId, parse_party
from plugins.schema_check.statistics import MOST_LATEST, Latest, Place, Row, Statistics

DEFAULT_LIMIT = 100


class NotUsable(Exception):
    """A parameter cannot be used; `name` is the parameter's, the text what would be accepted."""

    def __init__(self, name: str, accepted: str) -> None:
        super().__init__(f"{name} cannot be used: {accepted}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows or findings are wanted; None: of everybody, of all modules."""

    party: PartyId | None = None
    module: str | None = None
    limit: int = DEFAULT_LIMIT

    def fits(self, place: Place) -> bool:
        return self.party in (None, place.party) and self.module in (None, place.module)


def question(query: Mapping[str, str], known: tuple[str, ...]) -> Question:
    """The question of a query that may have these parameters. Raises NotUsable."""
    for name in query:
        if name not in known:
            raise NotUsable(name, f"known are {', '.join(known)}")
    return Question(_party(query), _module(query), _limit(query))


def rows(statistics: Statistics, asked: Question) -> list[dict[str, object]]:
    """The rows that fit, those with the most wrong bodies first; in each the most frequent problems first."""
    fitting = ((place, row) for place, row in statistics.rows.items() if asked.fits(place))
    return [_row(place, row) for place, row in sorted(fitting, key=_by_wrong)]


def latest(statistics: Statistics, asked: Question) -> list[dict[str, object]]:
    """The latest findings that fit, newest first."""
    fitting = [one for one in reversed(statistics.latest) if asked.fits(one.place)]
    return [_finding(one) for one in fitting[: asked.limit]]


def table(statistics: Statistics) -> list[tuple[object, ...]]:
    """Rows for people: whoever sent something wrong, and the last of it."""
    ordered = sorted(statistics.rows.items(), key=_by_wrong)
    return [
        (place.party_text, place.module, place.direction.value, row.checked, row.wrong, row.share, *_last(row.last))
        for place, row in ordered
        if row.last is not None
    ]


COLUMNS = ("party", "module", "direction", "checked", "wrong", "share", "last at", "last pointer", "last problem")


def _last(last: Latest) -> tuple[str, str, str]:
    return times.render(last.at), last.finding.pointer, last.finding.problem


def _by_wrong(entry: tuple[Place, Row]) -> tuple[int, str, str, str]:
    place, row = entry
    return -row.wrong, place.party_text, place.module, place.direction.value


def _row(place: Place, row: Row) -> dict[str, object]:
    problems = sorted(row.problems.items(), key=lambda entry: -entry[1].count)
    return {
        "party": place.party_text,
        "module": place.module,
        "direction": place.direction.value,
        "checked": row.checked,
        "wrong": row.wrong,
        "share": row.share,
        "problems": [
            {**key._asdict(), "count": found.count, "last_at": times.render(found.last_at)} for key, found in problems
        ],
    }


def _finding(one: Latest) -> dict[str, object]:
    return {
        "correlation_id": one.correlation_id,
        "at": times.render(one.at),
        "party": one.place.party_text,
        "module": one.place.module,
        "direction": one.place.direction.value,
        "pointer": one.finding.pointer,
        "problem": one.finding.problem,
    }


def _party(query: Mapping[str, str]) -> PartyId | None:
    if "party" not in query:
        return None
    party = parse_party(query["party"].strip().replace("-", "*"))
    if party is None:
        raise NotUsable("party", "give a party such as NL/ABC")
    return party


def _module(query: Mapping[str, str]) -> str | None:
    module = query.get("module")
    if module is not None and module not in FUNCTIONAL_MODULES:
        raise NotUsable("module", f"give one of {', '.join(sorted(FUNCTIONAL_MODULES))}")
    return module


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_LATEST):
        raise NotUsable("limit", f"give a number from 1 to {MOST_LATEST}")
    return int(text)
