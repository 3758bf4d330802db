"""How much energy a session still needs and until when: as its driver says, else as sessions of its kind of place
usually do, else unknown.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import NamedTuple

from plugins.load_manager.knowledge.preferences import Preference
from plugins.load_manager.knowledge.session import Session

_WH_PER_KWH = 1000


class LocationClass(StrEnum):
    """What people do at a place while they charge."""

    RESIDENTIAL = "residential"
    WORK = "work"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Prior:
    """A usual session: its stay in s, its energy in Wh."""

    stay_s: int
    energy_wh: int


PRIORS = {
    LocationClass.RESIDENTIAL: Prior(39_600, 13_000),
    LocationClass.WORK: Prior(26_280, 13_000),
    LocationClass.VISITOR: Prior(5_760, 8_000),
}


class Told(StrEnum):
    """Who says so."""

    DRIVER = "driver"
    PRIOR = "prior"
    NOBODY = "nobody"


class Need(NamedTuple):
    """Energy still needed in Wh (rounded up) and seconds to departure, each None when unknown. `satisfied`: what the
    driver wished for is delivered; a car is never stopped at it.
    """

    energy_wh: int | None = None
    left_s: int | None = None
    satisfied: bool = False
    energy_by: Told = Told.NOBODY
    left_by: Told = Told.NOBODY


def need(session: Session, preference: Preference | None, prior: Prior | None, now: datetime) -> Need:
    """What the session needs at `now`. A departure that has passed was a wrong guess, so then it is unknown; likewise
    what a usual session would have had or stayed by now.
    """
    energy_wh, energy_by = _stated_wh(session, preference), Told.DRIVER
    satisfied = energy_wh == 0
    if energy_wh is None and prior is not None:
        energy_wh = _positive(prior.energy_wh - _wh(session.kwh or Decimal(0)))
        energy_by = Told.PRIOR
    left_s, left_by = _stated_s(preference, now), Told.DRIVER
    if left_s is None and prior is not None:
        left_s = _positive(prior.stay_s - int((now - (session.started_at or session.first_seen)).total_seconds()))
        left_by = Told.PRIOR
    return Need(
        energy_wh,
        left_s,
        satisfied,
        energy_by if energy_wh is not None else Told.NOBODY,
        left_by if left_s is not None else Told.NOBODY,
    )


def _stated_wh(session: Session, preference: Preference | None) -> int | None:
    if preference is None or preference.need_kwh is None:
        return None
    at_first = session.first_sample.kwh if session.first_sample else Decimal(0)
    before = preference.asked_kwh if preference.asked_kwh is not None else at_first
    delivered = max(Decimal(0), (session.kwh if session.kwh is not None else before) - before)
    return max(0, _wh(preference.need_kwh - delivered))


def _stated_s(preference: Preference | None, now: datetime) -> int | None:
    if preference is None or preference.departure_at is None:
        return None
    return _positive(int((preference.departure_at - now).total_seconds()))


def _wh(energy_kwh: Decimal) -> int:
    return int((energy_kwh * _WH_PER_KWH).to_integral_value(ROUND_CEILING))


def _positive(value: int) -> int | None:
    return value if value > 0 else None
