"""What connectors and EVSEs can draw, read from what CPOs publish."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest

from plugins.load_manager.grid.connectors import Ceiling, RateUnit, ceiling, evse_ceiling
from plugins.load_manager.grid.coverage import controllable_share, evses_of, unmapped
from plugins.load_manager.grid.model import GridModel
from tests.unit.plugins.load_manager.grid.grids import CPO, NOON, evse, group, location


def connector(power_type: object, amperes: object, volts: object = 230, watts: object = None) -> dict[str, object]:
    return {"power_type": power_type, "max_amperage": amperes, "max_voltage": volts, "max_electric_power": watts}


@pytest.mark.parametrize(
    ("published", "minimum_w", "maximum_w", "phases", "unit"),
    [
        (connector("AC_3_PHASE", 16), 4140, 11_040, 3, RateUnit.A),
        (connector("AC_3_PHASE", 32), 4140, 22_080, 3, RateUnit.A),
        (connector("AC_3_PHASE", 16, 400), 4140, 11_040, 3, RateUnit.A),
        (connector("AC_1_PHASE", 16), 1380, 3680, 1, RateUnit.A),
        (connector("AC_1_PHASE", 32), 1380, 7360, 1, RateUnit.A),
        (connector("AC_2_PHASE", Decimal("16.0")), 2760, 7360, 2, RateUnit.A),
        (connector("AC_2_PHASE_SPLIT", 16), 2760, 7360, 2, RateUnit.A),
        (connector("AC_3_PHASE", 32, 230, 11_000), 4140, 11_000, 3, RateUnit.A),
        (connector("AC_3_PHASE", 32, 230, 0), 4140, 22_080, 3, RateUnit.A),
        (connector("AC_3_PHASE", None, None, 11_000), 4140, 11_000, 3, RateUnit.A),
        (connector("AC_3_PHASE", 4), 4140, 4140, 3, RateUnit.A),
        (connector(None, 16), 4140, 11_040, 3, RateUnit.A),
        (connector("DC", 125, 400), 5000, 50_000, 1, RateUnit.W),
        (connector("DC", 500, 920, 150_000), 5000, 150_000, 1, RateUnit.W),
        (connector("DC", 5, 400), 5000, 5000, 1, RateUnit.W),
    ],
)
def test_ceilings(published: Mapping[str, object], minimum_w: int, maximum_w: int, phases: int, unit: RateUnit) -> None:
    assert ceiling(published) == Ceiling(minimum_w * 1000, maximum_w * 1000, phases, unit)


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        connector("DC", 125, None),
        connector("AC_3_PHASE", "16"),
        connector("AC_3_PHASE", -16),
        connector("DC", True, 1),
    ],
)
def test_who_says_nothing_has_no_ceiling(nothing: Mapping[str, object]) -> None:
    assert ceiling(nothing) is None


def test_the_dc_minimum_is_configured_and_the_widest_connector_counts() -> None:
    narrow, wide = connector("DC", 125, 400), connector("DC", 250, 400)
    assert evse_ceiling({"connectors": [narrow, wide, connector("AC_3_PHASE", 63)]}, 7_000_000) == Ceiling(
        7_000_000, 100_000_000, 1, RateUnit.W
    )
    assert evse_ceiling({"connectors": [{}, "nothing"]}) is None
    assert evse_ceiling({}) is None


LOCATION: dict[str, object] = {
    "id": "LOC1",
    "evses": [
        {"uid": "E1", "status": "AVAILABLE", "capabilities": ["RESERVABLE", "CHARGING_PROFILE_CAPABLE"]},
        {"uid": "E2", "status": "CHARGING", "capabilities": []},
        {"uid": "E3", "status": "CHARGING"},
        {"uid": "E4", "status": "REMOVED", "capabilities": ["CHARGING_PROFILE_CAPABLE"]},
        {"status": "CHARGING"},
        "nothing",
    ],
}


def test_what_is_in_no_group_and_what_can_be_steered() -> None:
    evses = [*evses_of(CPO, LOCATION), *evses_of(CPO, LOCATION | {"id": "LOC2"})]
    grid = GridModel([group("F7"), group("T1", "F7", location("LOC1")), group("T2", "F7", evse("E1", "LOC2"))])

    assert [each.place for each in unmapped(grid, evses, NOON)] == [evse("E2", "LOC2"), evse("E3", "LOC2")]
    assert controllable_share(grid, "T1", evses, NOON) == Fraction(1, 3)
    assert controllable_share(grid, "T2", evses, NOON) == 1
    assert controllable_share(grid, "F7", evses, NOON) == Fraction(1, 2)
    assert controllable_share(grid, "T1", [], NOON) is None
    assert list(evses_of(CPO, {"id": 7, "evses": {}})) == []
