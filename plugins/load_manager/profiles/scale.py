"""How a session's limits are written: ampere per phase or watt, in which steps, and how little makes a car charge.

Everything is counted in tenths of the unit, because OCPI has one decimal.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

VOLTAGE_V = 230
_TENTH_MW = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """`quantum` in tenths of the unit: 1 is 0.1 A, 10 is a whole ampere.

    `phases` counts for A; for W it says what one ampere more would be. Between 0 and `minimum_mw` nothing is allowed.
    """

    unit: Literal["A", "W"]
    phases: int
    minimum_mw: int
    quantum: int = 1
    voltage_v: int = VOLTAGE_V

    @property
    def tenth_mw(self) -> int:
        """A tenth of the unit, in mW."""
        return self.voltage_v * self.phases * _TENTH_MW if self.unit == "A" else _TENTH_MW

    @property
    def ampere_mw(self) -> int:
        """One ampere on each phase, in mW."""
        return self.voltage_v * self.phases * 1000

    def tenths(self, power_mw: int) -> int:
        """The power in tenths of the unit, rounded down to the quantum; 0 where that is below the minimum."""
        count = power_mw // (self.tenth_mw * self.quantum) * self.quantum
        return count if count > 0 and count * self.tenth_mw >= self.minimum_mw else 0

    def rounded(self, power_mw: int) -> int:
        """The power in mW that remains when it is written."""
        return self.tenths(power_mw) * self.tenth_mw

    def limit(self, power_mw: int) -> Decimal:
        """The power as OCPI's number, with one decimal."""
        return Decimal(self.tenths(power_mw)).scaleb(-1)

    def power_mw(self, limit: Decimal | int) -> int:
        """OCPI's number as power in mW, rounded down; 0 for what would be discharging. `limit` is finite."""
        return max(0, int(limit * (self.tenth_mw * 10)))
