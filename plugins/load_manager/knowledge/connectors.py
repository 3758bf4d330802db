"""Connectors and EVSEs: between which powers a car can be held there, and in which unit."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from hub.ocpi.v221.charging_profiles import ChargingRateUnit
from hub.ocpi.v221.location_enums import Capability, PowerType, Status
from plugins.load_manager.knowledge import wire
from plugins.load_manager.knowledge.power import current_to_mw
from plugins.load_manager.knowledge.telling import Told

MINIMUM_MA = 6_000
"""The lowest current that the control pilot of IEC 61851-1 can ask for; below it there is only a pause."""
DC_MINIMUM_MW = 5_000_000
VOLTAGE_V = 230
AMPERAGE_A = 32

_PHASES = {
    PowerType.AC_1_PHASE: 1,
    PowerType.AC_2_PHASE: 2,
    PowerType.AC_2_PHASE_SPLIT: 2,
    PowerType.AC_3_PHASE: 3,
    PowerType.DC: 1,
}
_HIGHEST_LINE_TO_NEUTRAL_V = 300
_LOWEST_AC_V = 90
_MW_PER_W = 1000


@dataclass(slots=True, kw_only=True)
class Connector(Told):
    """A connector as its CPO describes it; `maximum_w` is there when it is below what volts and amperes give."""

    power_type: PowerType | None = None
    voltage_v: int | None = None
    amperage_a: int | None = None
    maximum_w: int | None = None

    def bounds(self, dc_minimum_mw: int = DC_MINIMUM_MW) -> "Bounds":
        """What it allows. What is not told is taken as a three-phase socket of 32 A: the largest usual one for AC."""
        kind = self.power_type or PowerType.AC_3_PHASE
        voltage_v = self.voltage_v or VOLTAGE_V
        if kind is not PowerType.DC and not _LOWEST_AC_V <= voltage_v <= _HIGHEST_LINE_TO_NEUTRAL_V:
            voltage_v = VOLTAGE_V  # many write the voltage between lines
        return _bounds(kind, voltage_v, self.amperage_a or AMPERAGE_A, self.maximum_w, dc_minimum_mw)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connector allows: current in mA per phase, powers in mW. DC counts as one phase."""

    dc: bool
    phases: int
    voltage_v: int
    amperage_ma: int
    maximum_mw: int
    dc_minimum_mw: int = DC_MINIMUM_MW

    @property
    def unit(self) -> ChargingRateUnit:
        return ChargingRateUnit.W if self.dc else ChargingRateUnit.A

    def highest_mw(self, phases: int | None = None) -> int:
        """The most a car takes that uses so many phases, else all."""
        return min(self.maximum_mw, current_to_mw(self.amperage_ma, self.voltage_v, phases or self.phases))

    def lowest_mw(self, phases: int | None = None) -> int:
        """The least above a pause for such a car; never above the most."""
        floor_mw = self.dc_minimum_mw if self.dc else current_to_mw(MINIMUM_MA, self.voltage_v, phases or self.phases)
        return min(floor_mw, self.highest_mw(phases))

    def at_current_mw(self, current_ma: int) -> int:
        """The power at a current per phase, on all phases, as far as the connector allows it."""
        return min(self.maximum_mw, current_to_mw(current_ma, self.voltage_v, self.phases))


@lru_cache(maxsize=4096)
def _bounds(kind: PowerType, voltage_v: int, amperage_a: int, maximum_w: int | None, dc_minimum_mw: int) -> Bounds:
    amperage_ma = amperage_a * 1000
    maximum_mw = current_to_mw(amperage_ma, voltage_v, _PHASES[kind])
    if maximum_w is not None:
        maximum_mw = min(maximum_mw, maximum_w * _MW_PER_W)
    return Bounds(kind is PowerType.DC, _PHASES[kind], voltage_v, amperage_ma, maximum_mw, dc_minimum_mw)


UNKNOWN = Connector().bounds()


@dataclass(slots=True, kw_only=True)
class Evse(Told):
    """An EVSE. `connectors` by id, case folded; `listed_at` is how new the list of them is."""

    uid: str
    status: Status | None = None
    steerable: bool = False
    connectors: dict[str, Connector] = field(default_factory=dict)
    listed_at: datetime | None = None

    def bounds(self, connector_id: str | None, dc_minimum_mw: int = DC_MINIMUM_MW) -> Bounds:
        """Of this connector; of the largest when it is not known."""
        named = self.connectors.get(connector_id.casefold()) if connector_id else None
        if named is not None:
            return named.bounds(dc_minimum_mw)
        these = self.connectors.values()
        return max((one.bounds(dc_minimum_mw) for one in these), key=lambda one: one.maximum_mw, default=UNKNOWN)


def read_connector(body: object, *, whole: bool) -> dict[str, object]:
    """The members of a Connector body that the load manager goes by. What cannot be read is as if it was not told; a
    whole one without `max_electric_power` has none.
    """
    has = wire.members(body)
    found: dict[str, object | None] = {
        "power_type": wire.choice(PowerType, has.get("power_type")),
        "voltage_v": _whole_number(has.get("max_voltage"), 5_000),
        "amperage_a": _whole_number(has.get("max_amperage"), 10_000),
        "maximum_w": _whole_number(has.get("max_electric_power"), 100_000_000),
    }
    emptied = whole and "max_electric_power" not in has
    return {name: value for name, value in found.items() if value is not None or (name == "maximum_w" and emptied)}


def read_evse(body: object, *, whole: bool) -> dict[str, object]:
    """The same of an EVSE body, without its connectors; a whole one without capabilities has none."""
    has = wire.members(body)
    found: dict[str, object] = {}
    if (status := wire.choice(Status, has.get("status"))) is not None:
        found["status"] = status
    capabilities = has.get("capabilities", [] if whole else None)
    if isinstance(capabilities, list):
        found["steerable"] = Capability.CHARGING_PROFILE_CAPABLE in capabilities
    return found


def _whole_number(value: object, most: int) -> int | None:
    found = wire.number(value, 1, most)
    return None if found is None else int(found)
