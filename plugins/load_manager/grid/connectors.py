"""What a connector can draw, read out of the JSON values of an OCPI location (2.2.1, 8.3.1 and 8.4.4). Locations come
from many hands, so every field may be missing or wrong; then the higher power is assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from plugins.load_manager.grid.power import LINE_VOLTAGE_V, MW_PER_W, milliwatts, number, of_current

LOWEST_TENTHS_A = 60
"""IEC 61851-1 knows no current between 0 and 6 A."""
DEFAULT_DC_MINIMUM_MW = 5_000_000

_PHASES: Mapping[object, int] = {
    "AC_1_PHASE": 1,
    "AC_2_PHASE": 2,
    "AC_2_PHASE_SPLIT": 2,
    "AC_3_PHASE": 3,
}


class RateUnit(StrEnum):
    """What a profile's limits are counted in: amperes on each phase, or watts in all."""

    A = "A"
    W = "W"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a connector can draw: nothing, or from the minimum to the maximum. `phases` is 1 for DC."""

    minimum_mw: int
    maximum_mw: int
    phases: int
    unit: RateUnit


def ceiling(connector: Mapping[str, object], dc_minimum_mw: int = DEFAULT_DC_MINIMUM_MW) -> Ceiling | None:
    """The ceiling of a connector; None when it says nothing from which a maximum can be told.

    AC counts 230 V on each phase whatever `max_voltage` says, because currents are made from powers with the same 230 V
    and because three-phase connectors are often published with the voltage between phases.
    """
    power_type = connector.get("power_type")
    amperes = _positive(connector.get("max_amperage"))
    maxima: list[int | None] = [_power_mw(_positive(connector.get("max_electric_power")), 1)]
    if power_type == "DC":
        maxima.append(_power_mw(amperes, _positive(connector.get("max_voltage"))))
        minimum_mw, phases, unit = dc_minimum_mw, 1, RateUnit.W
    else:
        phases = _PHASES.get(power_type, 3)
        maxima.append(_power_mw(amperes, phases * LINE_VOLTAGE_V))
        minimum_mw, unit = of_current(LOWEST_TENTHS_A, phases), RateUnit.A
    known = [power_mw for power_mw in maxima if power_mw is not None]
    if not known:
        return None
    return Ceiling(minimum_mw, max(minimum_mw, min(known)), phases, unit)


def evse_ceiling(evse: Mapping[str, object], dc_minimum_mw: int = DEFAULT_DC_MINIMUM_MW) -> Ceiling | None:
    """The widest of an EVSE's connectors, of which one is used at a time; None when none of them can be told."""
    connectors = evse.get("connectors")
    rows = connectors if isinstance(connectors, list) else []
    known = [found for row in rows if isinstance(row, Mapping) and (found := ceiling(row, dc_minimum_mw))]
    return max(known, key=lambda each: each.maximum_mw, default=None)


def _positive(value: object) -> Decimal | None:
    exact = number(value)
    return exact if exact is not None and exact > 0 else None


def _power_mw(value: Decimal | None, watts_per_unit: Decimal | int | None) -> int | None:
    """None too for a power that no connector has."""
    if value is None or watts_per_unit is None:
        return None
    try:
        return milliwatts(value, watts_per_unit * MW_PER_W)
    except ValueError:
        return None
