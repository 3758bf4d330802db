"""A car that draws more than it was told: what of its readings counts, what is booked, and what ends it."""

from datetime import timedelta

import pytest

from plugins.load_manager.dispatch import Alarm, Deficit, Put, Reason, Regained
from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.dispatch.scene import Scene, power, steered

TOLD_A = 10.0  # 6.9 kW


def drew(scene: Scene, kw: float, name: str = "S1", begun_s: float = 60, ended_s: float = 0) -> bool:
    """A reading of the time from so many seconds ago to so many seconds ago."""
    since, at = (scene.now - timedelta(seconds=seconds) for seconds in (begun_s, ended_s))
    return scene.board.drew(name, round(kw * 1_000_000), since, at)


def running() -> Scene:
    """S1 and S2 were told 10 A each two minutes ago."""
    scene = steered(13.8, TOLD_A, "S1", "S2")
    scene.after(60)
    return scene


def test_what_is_drawn_above_the_limit_is_booked_and_the_limit_is_said_once_more() -> None:
    scene = running()
    assert drew(scene, 9.0)
    assert scene.booked_kw("S1") == pytest.approx(9.0)
    assert scene.board.overdrawn(scene.now) == {"S1": 9_000_000}
    assert scene.board.held(scene.now) == {}
    scene.aim(["S2"], 6.9)
    assert scene.decide() == {"S1": TOLD_A, "S2": 6.9}
    assert [action.reason for action in scene.actions if isinstance(action, Put)] == [Reason.LOWER, Reason.AGAIN]
    scene.accept()
    assert scene.booked_kw() == pytest.approx(9.0 + 4.761)
    scene.after(60)
    assert drew(scene, 9.5)
    assert scene.decide() == {}


@pytest.mark.parametrize(("kw", "above"), [(7.24, False), (7.25, True), (0, False)])
def test_five_percent_are_nothing(kw: float, *, above: bool) -> None:
    scene = running()
    assert drew(scene, kw) is above


@pytest.mark.parametrize(("kw", "above"), [(4.44, False), (4.45, True)])
def test_nor_are_300_watts(kw: float, *, above: bool) -> None:
    scene = steered(30, 6.0, "S1")
    scene.after(60)
    assert drew(scene, kw) is above


def test_a_reading_from_before_the_limit_says_nothing() -> None:
    scene = steered(30, 16.0, "S1")
    scene.aim(["S1"], TOLD_A)
    scene.decide()
    scene.after(3)
    scene.accept()  # the charge point has it now, and takes some seconds
    scene.after(70)
    assert not drew(scene, 11.0, begun_s=61)
    assert drew(scene, 11.0, begun_s=60)


def test_a_refresh_of_the_same_limit_wipes_no_reading_away() -> None:
    scene = steered(30, TOLD_A, "S1")
    scene.after(840)
    scene.aim(["S1"], TOLD_A)
    assert scene.decide() == {"S1": TOLD_A}
    scene.accept()
    assert drew(scene, 9.0)


def test_a_refresh_right_after_an_announced_drop_counts_what_was_allowed_before_it() -> None:
    scene = steered(30, 16.0, "S1")
    scene.aim(["S1"], 16.0, TOLD_A)
    scene.decide()
    scene.accept()
    scene.after(910)
    scene.aim(["S1"], TOLD_A)
    assert scene.decide() == {"S1": TOLD_A}
    scene.accept()
    scene.after(20)
    assert not drew(scene, 11.0)


def test_a_period_of_the_profile_that_begins_meanwhile_is_allowed() -> None:
    scene = steered(30, 16.0, "S1")
    scene.aim(["S1"], 16.0, TOLD_A)
    scene.decide()
    scene.accept()
    scene.after(930)
    assert not drew(scene, 11.0, begun_s=39)
    scene.after(30)
    assert drew(scene, 11.0, begun_s=49)


def test_what_is_still_in_flight_is_allowed() -> None:
    scene = running()
    scene.limit(30)
    scene.aim(["S1"], 16.0)
    assert scene.decide() == {"S1": 16.0}
    assert not drew(scene, 11.0)


def test_a_lower_limit_that_the_cpo_reported_counts_from_then_on() -> None:
    scene = running()
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(6.0)), second(scene.now) + 3600)
    assert not drew(scene, 6.9)
    scene.after(70)
    assert drew(scene, 6.9)


def test_an_old_reading_changes_nothing_and_a_newer_one_that_is_lower_ends_it() -> None:
    scene = running()
    drew(scene, 9.0)
    assert not drew(scene, 6.9)  # the same moment
    scene.after(60)
    assert drew(scene, 8.0)
    assert scene.booked_kw("S1") == pytest.approx(8.0)
    scene.after(60)
    assert drew(scene, 6.9)
    assert scene.booked_kw("S1") == pytest.approx(6.9)
    assert not drew(scene, 6.8, ended_s=-1)


def test_after_three_readings_it_is_not_controlled_and_people_are_told_until_it_is() -> None:
    scene = running()
    for kw in (9.0, 9.0):
        drew(scene, kw)
        scene.decide()
        assert scene.told() == []
        scene.accept()
        scene.after(60)
    drew(scene, 9.0)
    scene.limit(8)
    scene.aim(["S2"], 0)
    scene.aim(["S1"], 0)
    assert scene.decide() == {"S1": 0, "S2": 0}  # it is still told what it should draw
    assert scene.told() == [
        Alarm("S1", "session S1 of X: it draws more than it was told"),
        Deficit("g", 1_000_000, StepProfile.flat(second(scene.now), 1_000_000)),
    ]
    scene.accept()
    scene.restart()
    scene.limit(8)
    assert scene.booked_kw("S1") == pytest.approx(9.0)
    scene.after(80)
    assert scene.decide() == {}
    assert [type(action) for action in scene.told()] == [Alarm, Deficit]
    assert drew(scene, 0.1)
    scene.decide()
    assert Regained("S1") in scene.told()
    assert scene.booked_kw() == 0


def test_what_may_only_look_like_more_is_not_counted_and_what_is_more_counts_in_full() -> None:
    scene = running()
    minute_ago = scene.now - timedelta(seconds=60)
    assert not scene.board.drew("S1", 8_400_000, minute_ago, scene.now, least_mw=7_200_000)
    scene.after(60)
    assert scene.board.drew("S1", 9_000_000, scene.now - timedelta(seconds=60), scene.now, least_mw=7_700_000)
    assert scene.booked_kw("S1") == pytest.approx(9.0)


def test_it_counts_with_no_more_than_its_connector_gives() -> None:
    scene = running()
    assert drew(scene, 11_000)  # watts that were sent as kilowatts
    assert scene.booked_kw("S1") == pytest.approx(11.04)


def test_a_car_above_the_default_of_its_cpo_counts_before_it_was_told_anything() -> None:
    scene = Scene(30)
    scene.start("S1", default_a=6.0)
    assert drew(scene, 9.0)
    assert scene.booked_kw() == pytest.approx(9.0)
    for _ in range(3):
        scene.after(60)
        drew(scene, 9.0)
    assert scene.decide() == {}
    assert scene.told() == []


def test_what_an_emsp_may_set_is_bounded_by_what_was_told() -> None:
    scene = running()
    drew(scene, 9.0)
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(16.0)))
    assert put is not None
    assert put.profile.value_at(scene.now) == power(TOLD_A)


def test_nobody_is_judged_who_is_not_there() -> None:
    assert not drew(Scene(30), 9.0)
