"""Which kind of charger did not take a profile."""

import pytest

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.knowledge.refusals import Counts, Refusal
from plugins.load_manager.steering import refusing
from tests.unit.plugins.load_manager.grid.grids import group
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, S1, known_site, put
from tests.unit.plugins.load_manager.steering.scenes import scene_with, seen

DC = {"power_type": "DC", "max_voltage": 500, "max_amperage": 100}


@pytest.mark.parametrize(
    ("connector", "model"),
    [
        ({"max_amperage": 16}, "AC 3 phases 16 A"),
        ({"power_type": "AC_1_PHASE"}, "AC 1 phase 32 A"),
        (DC, "DC 50 kW"),
        (DC | {"max_electric_power": 22_500}, "DC 22.5 kW"),
    ],
)
def test_it_is_that_of_the_connector_and_not_of_the_car(connector: dict[str, object], model: str) -> None:
    known = known_site(1, **connector)
    put(known, 0)
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1")
    refusing.timed_out(scene, scene.tree("T1").board.state.rows[S1], NOON)
    assert known.refusals.of(ABC, NOON) == {model: {Refusal.TIMED_OUT: 1}}


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (Response.ACCEPTED, {}),
        (Response.REJECTED, {Refusal.REJECTED: 1}),
        (Response.NOT_SUPPORTED, {Refusal.REJECTED: 1}),
        (Response.TOO_OFTEN, {Refusal.TOO_OFTEN: 1}),
        (Response.UNKNOWN_SESSION, {}),
        (Result.REJECTED, {Refusal.REJECTED: 1}),
        (Result.ACCEPTED, {}),
    ],
)
def test_what_counts_as_what(answer: Response | Result, counts: Counts) -> None:
    known = known_site(max_amperage=16)
    put(known, 0)
    scene = scene_with(known, [group("T1")], NOON)
    seen(scene, "S1")
    refusing.said(scene, scene.tree("T1").board.state.rows[S1], answer, NOON)
    assert known.refusals.of(ABC, NOON).get("AC 3 phases 16 A", {}) == counts
