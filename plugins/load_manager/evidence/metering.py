"""What was measured of a group while a signal was in force: the lowest and highest power, averages over the quarters of
the clock, energy above the limit, and how good the figures are.

Power is whole milliwatts, time whole seconds since 1970-01-01T00:00Z, so that sums are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

QUARTER_S = 900
_MW_S_PER_KWH = 3_600_000_000
_A_MILLIWATT_HOUR = Decimal("0.000001")


class Quality(StrEnum):
    """How a figure came about: by a meter, derived from registers of sessions, or the worst case for want of both."""

    MEASURED = "measured"
    DERIVED = "derived"
    ASSUMED = "assumed"


@dataclass(slots=True)
class Quarter:
    """What is known of the quarter that began at `start_s`: the energy in mW x s over `known_s` seconds, and what was
    allowed in them.
    """

    start_s: int
    energy_mw_s: int = 0
    allowed_mw_s: int = 0
    known_s: int = 0

    @property
    def average_mw(self) -> int:
        """Over the time that is known."""
        return self.energy_mw_s // self.known_s if self.known_s else 0

    @property
    def limit_mw(self) -> int:
        """The average of the limit over the same time."""
        return self.allowed_mw_s // self.known_s if self.known_s else 0


@dataclass(slots=True)
class Metered:
    """All of it, the quarters in order of time. Up to `until_s` it is known, so that no time counts twice."""

    lowest_mw: int | None = None
    highest_mw: int | None = None
    overload_mw_s: int = 0
    quarters: list[Quarter] = field(default_factory=list)
    seconds: dict[Quality, int] = field(default_factory=dict)
    until_s: int = 0

    @property
    def overload_kwh(self) -> Decimal:
        """Energy above the limit, to the milliwatt-hour."""
        return (Decimal(self.overload_mw_s) / _MW_S_PER_KWH).quantize(_A_MILLIWATT_HOUR)

    def add(self, start_s: int, end_s: int, average_mw: int, limit_mw: int, quality: Quality) -> None:
        """The average power from `start_s` to `end_s` under one limit, in order of time."""
        start_s = max(start_s, self.until_s)
        if start_s >= end_s:
            return
        self.until_s = end_s
        self.lowest_mw = average_mw if self.lowest_mw is None else min(self.lowest_mw, average_mw)
        self.highest_mw = average_mw if self.highest_mw is None else max(self.highest_mw, average_mw)
        self.overload_mw_s += max(0, average_mw - limit_mw) * (end_s - start_s)
        self.seconds[quality] = self.seconds.get(quality, 0) + end_s - start_s
        for quarter_s, length_s in _by_quarter(start_s, end_s):
            if not self.quarters or self.quarters[-1].start_s != quarter_s:
                self.quarters.append(Quarter(quarter_s))
            quarter = self.quarters[-1]
            quarter.energy_mw_s += average_mw * length_s
            quarter.allowed_mw_s += limit_mw * length_s
            quarter.known_s += length_s


def _by_quarter(start_s: int, end_s: int) -> Iterator[tuple[int, int]]:
    while start_s < end_s:
        quarter_s = start_s // QUARTER_S * QUARTER_S
        stop_s = min(end_s, quarter_s + QUARTER_S)
        yield quarter_s, stop_s - start_s
        start_s = stop_s
