"""What groups draw: the sum over their sessions, and how well it is known."""

from decimal import Decimal

import pytest

from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.learning import Limit
from plugins.load_manager.knowledge.power import Drawn, Quality
from plugins.load_manager.steering.drawing import drawn_by_group
from plugins.load_manager.steering.scene import Scene
from tests.unit.plugins.load_manager.grid.grids import group
from tests.unit.plugins.load_manager.knowledge.telling import NOON, S1, at, known_site, period, put
from tests.unit.plugins.load_manager.steering.scenes import MAXIMUM_MW, scene_with, seen
from tests.unit.plugins.small_hub import SmallHub


def site() -> Known:
    """A location of 11.04 kW EVSEs."""
    return known_site(evses=3, max_amperage=16)


def measured(known: Known, session_id: str, kw: str, minutes: float = 10) -> None:
    """The CPO tells the power of a session."""
    put(known, minutes, session_id, charging_periods=[period(minutes, POWER=kw)], kwh=Decimal(0))


def derived(known: Known, session_id: str, minutes: float = 10) -> None:
    """A kilowatt hour in ten minutes is 6 kW."""
    put(known, minutes - 10, session_id, charging_periods=[], kwh=Decimal(1))
    put(known, minutes, session_id, charging_periods=[], kwh=Decimal(2))


async def drawn(scene: Scene, minutes: float = 10) -> dict[str, Drawn]:
    async with SmallHub(at(minutes)) as hub:
        return await drawn_by_group(hub, scene)


async def test_the_sum_is_as_good_as_its_worst_part() -> None:
    known = site()
    measured(known, "S1", "7.5")
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1")
    assert await drawn(scene) == {"T1": Drawn(7_500_000, Quality.MEASURED)}
    derived(known, "S2")
    seen(scene, "S2")
    assert await drawn(scene) == {"T1": Drawn(13_500_000, Quality.DERIVED)}
    put(known, 10, "S3", charging_periods=[])
    seen(scene, "S3")
    assert await drawn(scene) == {"T1": Drawn(13_500_000 + MAXIMUM_MW, Quality.ASSUMED)}


async def test_where_nobody_tells_anything_there_is_no_figure() -> None:
    known = site()
    put(known, 0, "S1", charging_periods=[])
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1", "S9")
    assert await drawn(scene) == {}


async def test_groups_above_draw_what_those_below_do() -> None:
    known = site()
    measured(known, "S1", "7")
    measured(known, "S2", "3")
    scene = scene_with(known, [group("F1"), group("T1", "F1"), group("T2", "F1")], NOON)
    seen(scene, "S1", path=("T1", "F1"))
    seen(scene, "S2", path=("T2", "F1"))
    powers = {group_id: one.power_mw for group_id, one in (await drawn(scene)).items()}
    assert powers == {"T1": 7_000_000, "T2": 3_000_000, "F1": 10_000_000}


@pytest.mark.parametrize(("minutes", "expected"), [(40, Drawn(13_000_000, Quality.MEASURED)), (41, None)])
async def test_what_is_half_an_hour_old_is_not_known_any_more(minutes: float, expected: Drawn | None) -> None:
    known = site()
    measured(known, "S1", "7")
    measured(known, "S2", "6", minutes=11)
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1", "S2")
    assert (await drawn(scene, minutes)).get("T1") == (expected or Drawn(6_000_000 + MAXIMUM_MW, Quality.ASSUMED))


async def test_a_reading_from_before_the_limit_says_no_more_than_what_is_booked() -> None:
    known = site()
    measured(known, "S1", "20")
    measured(known, "S2", "3")
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1", "S2")
    assert (await drawn(scene))["T1"].power_mw == 23_000_000  # a car that takes more than it may is seen
    known.learning.confirmed(S1, Limit(at(11), ma=16_000))
    assert await drawn(scene, 12) == {"T1": Drawn(3_000_000 + MAXIMUM_MW, Quality.ASSUMED)}
    measured(known, "S1", "20", minutes=13)
    assert await drawn(scene, 13) == {"T1": Drawn(23_000_000, Quality.MEASURED)}


async def test_who_takes_no_power_by_its_state_is_not_counted() -> None:
    known = site()
    measured(known, "S1", "7")
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1", "S2")
    put(known, 10, "S2", status="RESERVATION")
    assert await drawn(scene) == {"T1": Drawn(7_000_000, Quality.MEASURED)}
    put(known, 11, "S1", status="COMPLETED")
    assert await drawn(scene, 11) == {}
