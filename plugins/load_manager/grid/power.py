"""Numbers of the grid: power in whole milliwatts, currents in tenths of an ampere per phase, and never a float."""

from decimal import ROUND_FLOOR, Decimal

MW_PER_W = 1000
MW_PER_KW = 1_000_000
LINE_VOLTAGE_V = 230
"""Line to neutral."""
MOST_MW = 10**7 * MW_PER_KW
"""Ten gigawatts: more is a mistake, and sums of it stay far below 64 bits."""

_TENTH_OF_AN_AMPERE_MW = LINE_VOLTAGE_V * MW_PER_W // 10


def number(value: object) -> Decimal | None:
    """The number of a JSON value; None when it is no number, not finite, or a float, whose digits nobody wrote."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        exact = Decimal(value)
        return exact if exact.is_finite() else None
    return None


def milliwatts(value: Decimal, mw_per_unit: int | Decimal) -> int:
    """Whole milliwatts, rounded down, but never down to the 0 that means something else. Raises ValueError above
    `MOST_MW`, also for what has no end of digits.
    """
    # Compared first: the integer of 1E+999999 would take the memory of the whole machine.
    if abs(value) > MOST_MW or abs(value * mw_per_unit) > MOST_MW:
        raise ValueError("is above ten gigawatts")
    power_mw = value * mw_per_unit
    return max(1, int(power_mw.to_integral_value(ROUND_FLOOR))) if power_mw > 0 else int(power_mw)


def kilowatts(power_mw: int) -> int | Decimal:
    """Kilowatts with all their digits and no zeros behind them: 60000000 is 60, 57500000 is 57.5."""
    whole, rest_mw = divmod(power_mw, MW_PER_KW)
    return Decimal(power_mw).scaleb(-6).normalize() if rest_mw else whole


def of_current(tenths_a: int, phases: int) -> int:
    """The power in mW of a current in tenths of an ampere on each of one to three phases."""
    return tenths_a * phases * _TENTH_OF_AN_AMPERE_MW


def current_tenths_a(power_mw: int, phases: int) -> int:
    """The highest current on each phase, in tenths of an ampere, that stays within a power: 10 kW are 14.4 A on 3."""
    return power_mw // (phases * _TENTH_OF_AN_AMPERE_MW)
