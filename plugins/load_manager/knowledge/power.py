"""Power in whole milliwatts: how it follows from currents and energies, and how well a figure of it is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

_MW_PER_KW = 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_LATE_US = 10_000_000
_MW_US_PER_KWH = 3_600_000_000 * _MW_PER_KW


class Quality(StrEnum):
    """How a figure is known: the CPO told it, it follows from others, or it is the worst case."""

    MEASURED = "measured"
    DERIVED = "derived"
    ASSUMED = "assumed"


class Basis(StrEnum):
    """What a power was told by, the better ones first."""

    POWER = "POWER"
    ENERGY = "kwh"
    CURRENT = "CURRENT"
    MAX_POWER = "MAX_POWER"
    CONNECTOR = "connector"
    ENDED = "ended"


METERED = frozenset({Basis.POWER, Basis.ENERGY})
"""Averages over a time. A current says too little: nobody knows whether it is a sum or that of one phase."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """The average power in mW from `since` to `at`; negative is from car to grid. An assumed one has no time."""

    power_mw: int
    quality: Quality
    basis: Basis
    since: datetime | None = None
    at: datetime | None = None

    @property
    def least_mw(self) -> int:
        """What was drawn at least: a message may be some seconds late with an energy, which then looks like power."""
        if self.basis is not Basis.ENERGY or self.since is None or self.at is None:
            return self.power_mw
        length_us = (self.at - self.since) // _MICROSECOND
        return self.power_mw * length_us // (length_us + _LATE_US)

    def age_s(self, now: datetime) -> int | None:
        """Whole seconds since it was true, never below 0; None when it was assumed."""
        return None if self.at is None else max(0, int((now - self.at).total_seconds()))


_BEST_FIRST = list(Quality)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn now in mW, by one session or by several; `quality` is the worst of those in the sum."""

    power_mw: int
    quality: Quality

    def __add__(self, other: "Drawn") -> "Drawn":
        return Drawn(self.power_mw + other.power_mw, max(self.quality, other.quality, key=_BEST_FIRST.index))


def kw_to_mw(power_kw: Decimal) -> int:
    return int(power_kw * _MW_PER_KW)


def current_to_mw(current_ma: int, voltage_v: int, phases: int) -> int:
    """The power of a current per phase in mA: volts times milliamperes are milliwatts."""
    return current_ma * voltage_v * phases


def mean_mw(energy_kwh: Decimal, length: timedelta) -> int:
    """The average power of an energy over a time above 0."""
    return int(energy_kwh * _MW_US_PER_KWH / (length // _MICROSECOND))
