"""The scenarios between the load manager and the CPO, with their numbers (AC3-16 unless said)."""

import pytest

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Answer
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import (
    Alarm,
    Board,
    Complied,
    Deficit,
    Forget,
    Put,
    Reason,
    Release,
    Settle,
    TimedOut,
)
from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.dispatch.scene import NOON, Scene, ampere, power, steered

THREE = ("S1", "S2", "S3")
SIX = (*THREE, "S4", "S5", "S6")


def test_11_a_sudden_drop_leaves_at_once_and_nothing_goes_up_before_all_is_confirmed() -> None:
    scene = steered(60, 14.4, *SIX)
    scene.limit(24)
    scene.aim(SIX[:5], 6.9)
    scene.aim(SIX[5:], 0)

    assert scene.decide() == {"S6": 0.0} | dict.fromkeys(SIX[:5], 6.9)
    messages = [action for action in scene.actions if isinstance(action, Put)]
    assert next(iter(messages)).session_id == "S6"  # the largest drop first
    drop = scene.now

    for name in SIX:
        scene.answer(name, Answer.ACCEPTED, timeout_s=300)
    scene.aim(["S1"], 0)  # its turn is over, it makes room for S6
    assert scene.decide() == {"S1": 0.0}
    scene.answer("S1", Answer.ACCEPTED, timeout_s=300)
    for name, seq in (*((name, 2) for name in SIX[1:]), ("S1", 3)):
        assert scene.decide() == {}
        scene.aim(["S6"], 6.9)
        scene.after(12)
        assert scene.board.called_back(scene.now, name, 1, seq, Result.ACCEPTED)
    assert scene.decide() == {"S6": 6.9}
    assert scene.booked_kw() == pytest.approx(23.805)
    assert scene.told() == [Complied("g", drop, 72.0)]


def test_18_rejected_twice_it_counts_with_its_maximum_and_the_deficit_is_told() -> None:
    scene = Scene(30)
    scene.start(*THREE)
    scene.aim(THREE, 14.4)
    scene.decide()
    for name in THREE[:2]:
        scene.answer(name, Answer.ACCEPTED)
        scene.call_back(name)
    scene.answer("S3", Answer.ACCEPTED)
    scene.call_back("S3", Result.REJECTED)
    assert scene.decide() == {"S3": 14.4}
    scene.answer("S3", Answer.REJECTED)

    assert scene.decide() == {}
    assert [action.session_id for action in scene.told() if isinstance(action, Alarm)] == ["S3"]
    assert scene.board.held(scene.now)["S3"].value_at(scene.now) == 11_040_000
    scene.aim(THREE[:2], 13.7)  # (30 - 11.04) / 2 = 9.48 kW
    assert scene.decide() == {"S1": 13.7, "S2": 13.7}
    scene.accept()

    scene.limit(10)
    scene.aim(THREE[:2], 0)
    assert scene.decide() == {"S1": 0.0, "S2": 0.0}
    deficits = [action for action in scene.told() if isinstance(action, Deficit)]
    assert [(deficit.node, deficit.mw) for deficit in deficits] == [("g", 1_040_000)]
    assert scene.decide() == {}
    assert scene.told() == []


def test_18_the_same_limit_again_is_another_forecast_only_if_it_differs() -> None:
    scene = Scene(-1)
    scene.decide()
    assert scene.told() == [Deficit("g", 1_000_000, StepProfile.flat(second(NOON), 1_000_000))]
    scene.limit(-1)
    scene.decide()
    assert scene.told() == []
    scene.limit(-0.5)
    scene.decide()
    assert [action.mw for action in scene.told() if isinstance(action, Deficit)] == [500_000]


def test_18_sessions_that_nobody_wants_to_steer_are_a_deficit_as_well() -> None:
    scene = Scene(20)
    scene.start("S1", "S2")
    scene.aim(["S1"], 12.0)
    scene.decide()
    assert [action.mw for action in scene.told() if isinstance(action, Deficit)] == []
    scene.limit(8)
    scene.aim(["S1"], 0)
    scene.decide()
    assert [(action.node, action.mw) for action in scene.told() if isinstance(action, Deficit)] == [("g", 3_040_000)]


def test_19_too_often_is_waited_for_and_the_old_limit_counts() -> None:
    scene = Scene(100)
    scene.start(*THREE)
    scene.aim(THREE, 16.0)
    scene.decide()
    scene.accept()
    scene.limit(30)
    scene.after(60)
    scene.aim(THREE, 14.4)
    scene.decide()
    scene.answer("S1", Answer.TOO_OFTEN)

    assert scene.decide() == {}
    assert scene.board.held(scene.now)["S1"].value_at(scene.now) == 11_040_000
    scene.aim(("S2", "S3"), 13.7)
    assert scene.decide() == {"S2": 13.7, "S3": 13.7}
    scene.accept()
    assert scene.booked_kw() == pytest.approx(11.04 + 2 * 9.453)

    waits = []
    for _ in range(6):
        scene.decide()
        begun = scene.now
        while not scene.decide():
            after_s = scene.wake_after_s()
            assert after_s is not None
            scene.after(after_s)
            scene.aim(THREE, 14.4)
        waits.append((scene.now - begun).total_seconds())
        scene.answer("S1", Answer.TOO_OFTEN)
    assert waits == [60, 120, 240, 480, 900, 900]


def test_20_without_a_result_both_count_and_the_newest_plan_goes_again_three_times() -> None:
    scene = steered(30, 14.4, *THREE)
    for limit_a in (10.0, 9.9, 9.8, 9.7):
        scene.aim(["S1"], limit_a)
        assert scene.decide() == {"S1": limit_a}
        scene.answer("S1", Answer.ACCEPTED, timeout_s=30)
        scene.after(29)
        assert scene.decide() == {}
        scene.after(1)
        assert scene.booked_kw("S1") == pytest.approx(9.936)
    assert scene.decide() == {}
    assert scene.told() == [TimedOut("S1"), Alarm("S1", "session S1 of X: no result comes back for its profiles")]
    assert scene.board.held(scene.now)["S1"].value_at(scene.now) == power(14.4)


def test_20_a_result_after_its_time_still_counts() -> None:
    scene = steered(30, 14.4, *THREE)
    scene.aim(["S1"], 10.0)
    scene.decide()
    sent = scene.message("S1")
    scene.after(30)
    scene.aim(["S2"], 14.4)
    scene.board.offline("X")  # so that nothing goes again
    assert scene.decide() == {}
    assert scene.call_back("S1", sent=sent)
    assert scene.booked_kw("S1") == pytest.approx(6.9)


def test_21_the_result_of_an_older_profile_changes_nothing() -> None:
    scene = steered(30, 10.0, "S1")
    scene.aim(["S1"], 14.4)
    assert scene.decide() == {"S1": 14.4}
    older = scene.message("S1")
    scene.aim(["S1"], 7.2)
    assert scene.decide() == {"S1": 7.2}  # a decrease overtakes
    assert scene.booked_kw() == pytest.approx(9.936)

    assert scene.call_back("S1")
    assert scene.booked_kw() == pytest.approx(4.968)
    assert not scene.call_back("S1", sent=older)
    assert not scene.call_back("S1", Result.REJECTED, sent=older)
    assert scene.booked_kw() == pytest.approx(4.968)


def test_22_a_decrease_is_confirmed_before_the_increase_leaves() -> None:
    scene = steered(22, 25.8, "A", maximum_a=32.0, default_a=6.0)
    scene.start("B", maximum_a=32.0, default_a=6.0)
    assert scene.booked_kw() == pytest.approx(21.942)
    scene.aim("AB", 15.9)

    assert scene.decide() == {"A": 15.9}
    scene.answer("A", Answer.ACCEPTED)
    assert scene.decide() == {}
    assert scene.booked_kw() == pytest.approx(21.942)
    scene.board.called_back(scene.now, "A", 1, 2, Result.ACCEPTED)
    assert scene.decide() == {"B": 15.9}
    assert scene.booked_kw() == pytest.approx(21.942)


def test_23_a_profile_of_the_emsp_is_composed_and_its_end_becomes_our_limit() -> None:
    scene = steered(30, 14.4, *THREE)
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    assert put.reason is Reason.COMPOSED
    assert ampere(put.profile, scene.now) == 8.0
    assert put.profile.last_mw == power(6.0)  # the fallback share stays the end
    scene.aim(THREE[1:], 16.0)
    assert scene.decide() == {}
    assert scene.call_back("S1", sent=put)
    assert scene.decide() == {"S2": 16.0, "S3": 16.0}
    scene.accept()

    scene.after(60)
    scene.aim(THREE, 14.4)
    assert scene.board.theirs_gone("S1")
    assert scene.decide() == {"S2": 14.4, "S3": 14.4}
    assert scene.told() == []
    scene.accept()
    assert scene.decide() == {"S1": 14.4}
    assert scene.told() == []
    scene.accept()
    assert scene.decide() == {}
    assert scene.told() == [Settle("S1", accepted=True)]


def test_23_a_higher_profile_of_the_emsp_raises_nothing() -> None:
    scene = steered(30, 14.4, *THREE)
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(16.0)))
    assert put is not None
    assert ampere(put.profile, scene.now) == 14.4
    scene.call_back("S1", sent=put)
    assert scene.decide() == {}


def test_23_a_rejected_profile_of_the_emsp_binds_nobody() -> None:
    scene = steered(30, 14.4, *THREE)
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    scene.call_back("S1", Result.REJECTED, sent=put)
    assert scene.decide() == {}
    assert scene.booked_kw("S1") == pytest.approx(9.936)


def test_24_a_local_limit_leaves_room_until_it_is_gone() -> None:
    scene = steered(30, 14.4, *THREE)
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(6.0)))
    scene.aim(THREE[1:], 16.0)
    assert scene.decide() == {"S2": 16.0, "S3": 16.0}
    scene.accept()
    assert scene.booked_kw() == pytest.approx(4.14 + 22.08)

    scene.after(60)
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(14.4)), second(scene.now) + 900)
    scene.aim(THREE, 14.4)
    assert scene.decide() == {"S2": 14.4, "S3": 14.4}
    scene.accept()
    assert scene.booked_kw() == pytest.approx(29.808)


def test_24_what_a_report_says_ends_with_it() -> None:
    scene = steered(30, 14.4, *THREE)
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(6.0)), second(scene.now) + 300)
    assert scene.booked_kw("S1") == pytest.approx(4.14)
    scene.after(300)
    assert scene.booked_kw("S1") == pytest.approx(9.936)


def test_25_the_sessions_of_a_cpo_that_is_offline_stay_as_they_are() -> None:
    scene = Scene(30)
    scene.start("S1", "S2", cpo="X")
    scene.start("S3", cpo="Y")
    scene.aim(THREE, 14.4)
    scene.decide()
    scene.accept()
    scene.after(60)
    scene.board.offline("X")
    held = scene.board.held(scene.now)
    assert sum(profile.value_at(scene.now) for profile in held.values()) == 19_872_000
    scene.aim(["S3"], 14.6)
    scene.aim(["S1", "S2"], 10.0)
    assert scene.decide() == {}
    scene.after(3600)
    assert scene.booked_kw("S1", "S2") == pytest.approx(2 * 4.14)  # their profiles have come to the fallback share

    scene.aim(["S1", "S2"], 5.9 + 4.1)
    assert "S1" not in scene.decide()
    scene.board.online("X")
    assert scene.decide() == {"S1": 10.0, "S2": 10.0}


def test_26_hysteresis_and_the_end_of_a_session() -> None:
    scene = steered(20, 14.4, "S1", "S2")
    for limit_kw, limit_a in ((20.3, 14.7), (19.9, 14.4)):
        scene.limit(limit_kw)
        scene.aim(["S1", "S2"], limit_a)
        assert scene.decide() == {}
        scene.after(60)
    scene.limit(19.8)
    scene.aim(["S1", "S2"], 14.3)
    assert scene.decide() == {"S1": 14.3, "S2": 14.3}
    scene.accept()

    scene.after(1)
    scene.board.ended("S2")
    scene.aim(["S1"], 16.0)
    assert scene.decide() == {"S1": 16.0}
    assert Forget("S2") in scene.told()


def test_27_a_restart_sends_nothing_that_is_not_different() -> None:
    names = [f"S{number}" for number in range(500)]
    scene = steered(10_000, 14.4, *names)
    scene.restart()
    scene.limit(10_000)
    scene.aim(names, 14.4)
    assert scene.decide() == {}
    scene.aim(["S7"], 10.0)
    assert scene.decide() == {"S7": 10.0}
    assert scene.message("S7").epoch == 2


def test_31_a_lifted_limit_releases_both() -> None:
    scene = steered(20, 14.4, "S1", "S2")
    scene.board.release("S1")
    scene.board.release("S2")
    assert scene.decide() == {}
    assert not any(isinstance(action, Release) for action in scene.actions)
    scene.limit(100)
    scene.board.lifted(scene.now, ["g"])
    released = []
    for _ in range(30):
        scene.decide()
        released += [action for action in scene.actions if isinstance(action, Release)]
        scene.accept()
        scene.after(1)
    assert sorted((action.session_id, action.profile) for action in released) == [("S1", None), ("S2", None)]
    scene.after(3600)
    assert scene.decide() == {}
    assert scene.booked_kw() == pytest.approx(22.08)


def test_31_what_the_emsp_wants_is_put_when_we_let_go() -> None:
    scene = steered(20, 14.4, "S1", "S2")
    theirs = StepProfile.flat(0, power(8.0))
    put = scene.board.theirs(scene.now, "S1", theirs)
    assert put is not None
    scene.call_back("S1", sent=put)
    scene.limit(100)
    scene.board.release("S1")
    scene.decide()
    released = scene.message("S1")
    assert isinstance(released, Release)
    assert released.profile == theirs.since(second(scene.now))
    scene.accept()
    assert scene.booked_kw("S1") == pytest.approx(5.52)
    assert scene.board.theirs_gone("S1")
    scene.decide()
    assert scene.message("S1") == Release("S1", None, 1, 4)
    scene.accept()
    assert scene.booked_kw("S1") == pytest.approx(11.04)


def test_the_state_is_plain_json() -> None:
    scene = steered(30, 14.4, *THREE)
    scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    scene.board.offline("Y")
    again = Board.from_json(scene.board.to_json())
    assert again.state == scene.board.state
    with pytest.raises(ValueError, match="epoch"):
        Board.from_json({"epoch": "one"})
