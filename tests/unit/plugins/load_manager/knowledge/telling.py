"""A CPO, its objects at moments of one afternoon, and JSON that nobody should send."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from hub.ocpi import times
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.known import Known, SessionRow
from plugins.load_manager.knowledge.session import Session, Source

ABC = PartyId("NL", "ABC")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
S1 = session_key(ABC, "S1")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def session(minutes: float = 0, session_id: str = "S1", **members: object) -> dict[str, Any]:
    """A Session as it stands so many minutes after noon."""
    return dict(objects.session(ABC, session_id, last_updated=at(minutes))) | members


def part(minutes: float, **members: object) -> dict[str, object]:
    """The body of a PATCH."""
    return {**members, "last_updated": times.render(at(minutes))}


def period(minutes: float, **volumes: str) -> dict[str, object]:
    """A charging period from then on with these dimensions."""
    dimensions = [{"type": kind, "volume": Decimal(volume)} for kind, volume in volumes.items()]
    return {"start_date_time": times.render(at(minutes)), "dimensions": dimensions}


def put(known: Known, minutes: float, session_id: str = "S1", **members: object) -> Session:
    """The session is told then, and learnt from."""
    known.sessions.put(ABC, session_id, session(minutes, session_id, **members), Source.PUSHED, at(minutes))
    known.learn(session_key(ABC, session_id))
    found = known.sessions.find(session_key(ABC, session_id))
    assert found is not None
    return found


def location(minutes: float = 0, evses: int = 1, connector: Mapping[str, object] | None = None) -> dict[str, Any]:
    """LOC1, all of whose connectors are changed so."""
    whole = dict(objects.location(ABC, evses=evses, last_updated=at(minutes)))
    for evse in whole["evses"]:
        evse["connectors"][0] |= connector or {}
    return whole


def known_site(evses: int = 1, **connector: object) -> Known:
    """What is known of LOC1 with its CPO's consent."""
    known = Known()
    known.evses.put_location(ABC, "LOC1", location(evses=evses, connector=connector), NOON)
    known.cpos.change(ABC, cpo_settings.read({"consent": True, "reference": "contract 7"}, NOON))
    return known


def row(known: Known, minutes: float = 0, ceiling_mw: int | None = None) -> SessionRow:
    """S1 for the allocation."""
    (found,) = (
        one for one in known.rows(at(minutes), {S1: ceiling_mw} if ceiling_mw is not None else None) if one.key == S1
    )
    return found


_scalars = (
    st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["#NA", "ACTIVE", "2026-01-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
)  # fmt: skip
anything = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value, and values no JSON has."""


@st.composite
def spoilt(draw: st.DrawFn, right: dict[str, Any]) -> object:
    """A right object with some members that are anything, at any depth; or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    return draw(_spoilt(right))


def _spoilt(value: object) -> st.SearchStrategy[object]:
    if isinstance(value, dict):
        inside = st.fixed_dictionaries({key: _maybe(inner) for key, inner in value.items()})
        return inside.flatmap(
            lambda whole: st.sampled_from([whole, *({k: v for k, v in whole.items() if k != gone} for gone in whole)])
        )
    if isinstance(value, list):
        return st.tuples(*(_maybe(inner) for inner in value)).map(list)
    return st.just(value)


def _maybe(value: object) -> st.SearchStrategy[object]:
    return st.integers(0, 7).flatmap(lambda chance: anything if chance == 0 else _spoilt(value))
