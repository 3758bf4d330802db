"""What the scenarios leave open: the endings, the pauses, the rates, the delays, and answers out of place."""

from decimal import Decimal

import pytest

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Answer
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import Alarm, Complied, Put, Rates, Reason, Release, Settle, Verify
from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.dispatch.scene import FALLBACK_A, NOON, Scene, ampere, power, steered


def test_a_plan_that_is_made_again_moves_the_ending_only_at_the_refresh() -> None:
    scene = steered(30, 14.4, "S1", "S2")
    for _ in range(13):
        scene.after(60)
        scene.aim(["S1", "S2"], 14.4)
        assert scene.decide() == {}
    scene.after(60)
    scene.aim(["S1", "S2"], 14.4)
    assert scene.decide() == {"S1": 14.4, "S2": 14.4}
    put = scene.message("S1")
    assert isinstance(put, Put)
    assert put.reason is Reason.REFRESH
    assert [ampere(put.profile, moment) for moment in (scene.now, scene.now.replace(hour=13))] == [14.4, FALLBACK_A]
    assert put.profile.seconds[-1] == second(scene.now) + 2700


def test_an_announced_drop_leaves_at_once_and_an_announced_rise_with_the_refresh() -> None:
    scene = steered(30, 14.4, "S1", "S2")
    scene.aim(["S1"], 14.4, 14.4, 10.0)
    scene.aim(["S2"], 14.4, 14.4, 16.0)
    assert scene.decide() == {"S1": 14.4}
    put = scene.message("S1")
    assert isinstance(put, Put)
    assert put.profile.at(second(scene.now) + 1800) == power(10.0)


def test_a_drop_later_leaves_with_the_lower_part_although_the_rise_before_it_does_not_fit() -> None:
    scene = steered(20, 14.4, "S1", "S2")
    scene.aim(["S1"], 16.0, 10.0)
    assert scene.decide() == {"S1": 14.4}
    put = scene.message("S1")
    assert isinstance(put, Put)
    assert put.profile.at(second(scene.now) + 900) == power(10.0)


def test_a_small_decrease_waits_while_all_that_is_booked_fits() -> None:
    scene = steered(30, 14.4, "S1", "S2")
    scene.aim(["S1", "S2"], 13.5)
    assert scene.decide() == {}
    scene.aim(["S1"], 13.4)  # an ampere
    assert scene.decide() == {"S1": 13.4}
    scene.accept()
    scene.after(840)
    scene.aim(["S1"], 13.4)
    scene.aim(["S2"], 13.5)
    assert scene.decide() == {"S2": 13.5}  # the refresh is due
    assert [action.reason for action in scene.actions if isinstance(action, Put)] == [Reason.REFRESH]


def test_a_small_decrease_of_a_small_limit_is_a_tenth() -> None:
    scene = steered(30, 7.0, "S1", "S2")
    scene.aim(["S1"], 6.4)
    scene.aim(["S2"], 6.3)
    assert scene.decide() == {"S2": 6.3}


def test_a_small_decrease_leaves_when_an_increase_waits_for_it() -> None:
    scene = steered(20, 14.4, "S1")
    scene.start("S2", default_a=6.0)
    scene.aim(["S2"], 6.0)
    assert scene.decide() == {"S2": 6.0}
    scene.accept()
    scene.after(60)
    scene.aim(["S1"], 13.6)
    assert scene.decide() == {}
    scene.aim(["S2"], 15.3)  # 14.4 A and 15.3 A are 20.493 kW
    assert scene.decide() == {"S1": 13.6}
    scene.accept()
    assert scene.decide() == {"S2": 15.3}


def test_a_small_decrease_leaves_for_an_overload_that_only_comes_behind_the_horizon() -> None:
    scene = steered(20, 14.4, "S1", "S2")
    at_s = second(scene.now) + 1900
    scene.board.limit({"g": StepProfile.of([(0, 20_000_000), (at_s, 19_000_000)])})
    scene.aim(["S1", "S2"], 14.4, 14.4, 13.7)
    assert scene.decide() == {"S1": 14.4, "S2": 14.4}


def test_an_increase_waits_for_a_minute_after_the_last_change() -> None:
    scene = steered(30, 10.0, "S1")
    scene.aim(["S1"], 9.0)
    assert scene.decide() == {"S1": 9.0}
    scene.accept()
    scene.after(1)
    scene.aim(["S1"], 14.4)
    assert scene.decide() == {}
    assert scene.wake_after_s() == 59
    scene.after(59)
    assert scene.decide() == {"S1": 14.4}


def test_a_profile_has_a_first_message_even_where_it_limits_nothing() -> None:
    scene = Scene(100)
    scene.start("S1")
    assert scene.decide() == {}
    scene.aim(["S1"], 16.0)
    assert scene.decide() == {"S1": 16.0}


def test_while_the_node_is_above_its_limit_nothing_below_it_goes_up() -> None:
    scene = steered(20, 7.2, "S1", "S2")
    scene.start("S3")
    scene.aim(["S1"], 9.0)
    assert scene.decide() == {}  # 2 x 4.968 + 11.04 > 20
    scene.aim(["S3"], 6.0)
    assert scene.decide() == {"S3": 6.0}
    scene.accept()
    assert scene.decide() == {"S1": 9.0}
    assert [type(action) for action in scene.told()] == [Complied]


def test_after_a_lift_each_goes_up_after_its_own_delay() -> None:
    names = [f"S{number}" for number in range(40)]
    scene = steered(1000, 7.2, *names)
    scene.board.lifted(scene.now, ["g"])
    scene.aim(names, 14.4)
    left: dict[str, int] = {}
    for at_s in range(31):
        left |= dict.fromkeys(scene.decide(), at_s)
        scene.after(1)
    assert len(left) == 40
    assert len(set(left.values())) > 15
    assert max(left.values()) <= 30


def test_a_cpo_gets_only_so_many_messages_a_second() -> None:
    scene = Scene(1000)
    scene.rates = Rates({"slow": Decimal(2)})
    names = [f"S{number}" for number in range(7)]
    scene.start(*names, cpo="slow")
    scene.start("other", cpo="X")
    scene.aim([*names, "other"], 7.2)

    counts = []
    for _ in range(4):
        counts.append(len(scene.decide()))
        assert scene.decide() == {}
        scene.after(1)
    assert counts == [3, 2, 2, 1]


def test_the_next_message_is_free_when_the_bucket_says_so() -> None:
    rates = Rates({"slow": Decimal(3)})
    assert [rates.take("slow", NOON) for _ in range(4)] == [True, True, True, False]
    free_at = rates.free_at("slow", NOON)
    assert (free_at - NOON).total_seconds() == pytest.approx(1 / 3, abs=1e-6)
    assert rates.take("slow", free_at)
    assert not rates.take("slow", free_at)

    rates.allow("slow", Decimal(1))
    assert (rates.free_at("slow", free_at) - free_at).total_seconds() == pytest.approx(1, abs=1e-5)


def test_a_rate_below_one_a_second_is_kept_to() -> None:
    rates = Rates({"slow": Decimal("0.4")})
    assert [rates.take("slow", NOON) for _ in range(2)] == [True, False]
    assert (rates.free_at("slow", NOON) - NOON).total_seconds() == pytest.approx(2.5, abs=1e-5)


def test_a_thousand_sessions_of_a_cpo_that_names_no_rate_are_told_in_ten_seconds() -> None:
    scene = Scene(100_000)
    scene.rates = Rates()
    names = [f"S{number}" for number in range(1000)]
    scene.start(*names)
    scene.aim(names, 7.2)
    began, told, looks = scene.now, 0, 0
    while told < 1000:
        told += len(scene.decide())
        looks += 1
        if told < 1000:
            scene.after(scene.wake_after_s() or 0)
    assert (scene.now - began).total_seconds() == 9
    assert looks == 19


def test_an_unknown_session_is_looked_up_once_and_gets_nothing_meanwhile() -> None:
    scene = Scene(30)
    scene.start("S1")
    scene.aim(["S1"], 14.4)
    scene.decide()
    scene.answer("S1", Answer.UNKNOWN_SESSION)
    assert scene.decide() == {}
    assert scene.told() == [Verify("S1")]
    assert scene.decide() == {}
    assert scene.told() == []
    scene.start("S1")
    assert scene.decide() == {"S1": 14.4}


def test_what_is_not_supported_is_not_tried_again() -> None:
    scene = Scene(30)
    scene.start("S1")
    scene.aim(["S1"], 14.4)
    scene.decide()
    scene.answer("S1", Answer.NOT_SUPPORTED)
    assert scene.decide() == {}
    assert scene.told() == [Alarm("S1", "session S1 of X: it does not support charging profiles")]
    assert scene.booked_kw() == pytest.approx(11.04)


def test_without_an_answer_both_count_and_the_plan_goes_again() -> None:
    scene = steered(30, 14.4, "S1")
    scene.aim(["S1"], 10.0)
    scene.decide()
    sent = scene.message("S1")
    scene.board.unanswered(scene.now, "S1", sent.epoch, sent.seq)
    assert scene.decide() == {"S1": 10.0}
    assert scene.booked_kw() == pytest.approx(9.936)
    assert scene.wake_after_s() == 30


def test_silence_is_over_when_the_cpo_is_heard_of() -> None:
    scene = steered(30, 14.4, "S1")
    scene.aim(["S1"], 10.0)
    for _ in range(4):
        assert scene.decide() == {"S1": 10.0}
        scene.after(30)
    assert scene.decide() == {}
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(14.4)), second(scene.now) + 300)
    assert scene.decide() == {"S1": 10.0}


def test_a_report_above_what_is_booked_counts() -> None:
    scene = steered(30, 10.0, "S1")
    scene.board.reported(scene.now, "S1", StepProfile.flat(0, power(14.4)), second(scene.now) + 300)
    assert scene.booked_kw() == pytest.approx(9.936)
    assert scene.decide() == {"S1": 10.0}
    scene.accept()
    assert scene.booked_kw() == pytest.approx(6.9)


def test_the_end_of_the_emsp_profile_fails_when_the_session_cannot_be_controlled() -> None:
    scene = steered(10, 14.4, "S1")
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    scene.call_back("S1", sent=put)
    scene.board.offline("X")
    assert scene.board.theirs_gone("S1")
    scene.decide()
    assert scene.told() == [Settle("S1", accepted=False)]


def test_the_end_of_the_emsp_profile_waits_while_the_cpo_is_asked_too_often() -> None:
    scene = steered(10, 14.4, "S1")
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    scene.call_back("S1", sent=put)
    scene.after(60)
    assert scene.board.theirs_gone("S1")
    assert scene.decide() == {"S1": 14.4}
    scene.answer("S1", Answer.TOO_OFTEN)
    assert scene.decide() == {}
    assert scene.told() == []
    scene.after(60)
    assert scene.decide() == {"S1": 14.4}
    scene.accept()
    scene.decide()
    assert scene.told() == [Settle("S1", accepted=True)]


def test_the_emsp_may_end_its_profile_while_it_is_put_for_the_release() -> None:
    scene = steered(100, 14.4, "S1")
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    scene.call_back("S1", sent=put)
    scene.board.release("S1")
    scene.decide()
    assert scene.board.theirs_gone("S1")
    scene.accept()
    assert scene.booked_kw() == pytest.approx(5.52)
    scene.decide()
    last = scene.message("S1")
    assert isinstance(last, Release)
    assert last.profile is None
    scene.answer("S1", Answer.ACCEPTED)
    scene.call_back("S1", Result.UNKNOWN)  # there is no profile: just what was asked for
    scene.decide()
    assert scene.told() == [Settle("S1", accepted=True)]
    assert scene.booked_kw() == pytest.approx(11.04)


def test_without_a_plan_the_emsp_has_its_way() -> None:
    scene = Scene(100)
    scene.start("S1")
    put = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(8.0)))
    assert put is not None
    assert ampere(put.profile, scene.now) == 8.0
    scene.call_back("S1", sent=put)
    assert scene.booked_kw() == pytest.approx(5.52)
    scene.board.theirs_gone("S1")
    scene.decide()
    assert scene.message("S1") == Release("S1", None, 1, 2)
    scene.accept()
    assert scene.booked_kw() == pytest.approx(11.04)
    scene.decide()
    assert scene.told() == [Settle("S1", accepted=True)]
    assert not scene.board.theirs_gone("S1")  # there is nothing to end: the CPO may say so


def test_what_is_about_nobody_changes_nothing() -> None:
    scene = Scene(30)
    board = scene.board
    board.ended("S1")
    board.release("S1")
    board.online("X")
    board.reported(scene.now, "S1", StepProfile.flat(0, 1))
    board.unanswered(scene.now, "S1", 1, 1)
    assert not board.theirs_gone("S1")
    assert board.theirs(scene.now, "S1", StepProfile.flat(0, 1)) is None
    assert not board.called_back(scene.now, "S1", 1, 1, Result.ACCEPTED)
    assert not board.answered(scene.now, "S1", 1, 1, answer=Answer.ACCEPTED, timeout_s=1)
    assert scene.decide() == {}
    assert scene.actions == []


def test_let_go_everything_of_ours_is_taken_away_at_once_and_theirs_is_lowered_no_more() -> None:
    scene = steered(20, 9.6, "S1", "S2", "S3")
    scene.board.lifted(scene.now, ["g"])  # without being let go they would go up after a delay each, as there is room
    scene.board.let_go()
    assert scene.decide() == {}
    released = [scene.message(name) for name in ("S1", "S2", "S3")]
    assert all(isinstance(one, Release) and one.profile is None for one in released)
    theirs = scene.board.theirs(scene.now, "S1", StepProfile.flat(0, power(16.0)))
    assert theirs is not None
    assert ampere(theirs.profile, scene.now) == 16.0
    scene.call_back("S1", sent=theirs)
    scene.call_back("S2")
    scene.call_back("S3")
    scene.board.let_go()
    assert scene.decide() == {}
    assert not any(isinstance(action, Release) for action in scene.actions)
