"""The acceptance scenarios of load management as plans: from signals, sessions and a grid to profiles."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from plugins.load_manager.grid.group import Member
from plugins.load_manager.planning import Release, Standing
from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.knowledge.telling import ABC
from tests.unit.plugins.load_manager.planning.site import (
    AC1_16,
    AC3_16,
    AC3_32,
    SITE,
    Site,
    key,
    kw,
    total_mw,
)
from tests.unit.plugins.load_manager.signals.saying import T1, at, fallback, signal


def limited(kinds: list[dict[str, object]], limit_kw: float, **agreed: object) -> Site:
    site = Site(kinds, **agreed)  # type: ignore[arg-type]
    site.limit(limit_kw)
    return site


def test_1_no_constraint() -> None:
    site = limited([AC3_16] * 3, 100)
    made = site.plan("12:00")
    assert list(made.targets.values()) == [None] * 3
    assert {site.decision(made, number).standing for number in (1, 2, 3)} == {Standing.UNLIMITED}
    assert not made.groups["T1"].binding


def test_2_equal_share() -> None:
    site = limited([AC3_16] * 3, 30)
    made = site.plan("12:00")
    assert site.amperes(made) == [14.4] * 3
    assert total_mw(made) == made.groups["T1"].allocated_mw == 29_808_000


def test_3_bounds() -> None:
    site = limited([AC1_16, AC3_16, AC3_32], 30)
    assert site.amperes(site.plan("12:00")) == [16.0, 16.0, 22.1]


def test_4_fast_weighs_twice() -> None:
    site = limited([AC3_32] * 3, 18)
    site.wish(1, at("11:00"), "FAST")
    assert site.amperes(site.plan("12:00")) == [13.0, 6.5, 6.5]


def test_5_below_the_minimum_turns_rotate() -> None:
    site = Site([AC3_16] * 4, since=at("12:00"))
    site.limit(10)
    minutes_on = [0] * 4
    pairs = []
    for minute in range(60):
        made = site.plan(f"12:{minute:02}")
        amperes = site.amperes(made)
        assert sorted(amperes) == [0.0, 0.0, 7.2, 7.2]
        on = [bool(current) for current in amperes]
        minutes_on = [minutes + now_on for minutes, now_on in zip(minutes_on, on, strict=True)]
        pairs.append(on)
    assert minutes_on == [30] * 4
    assert [minute + 1 for minute, (one, other) in enumerate(pairwise(pairs)) if one != other] == [15, 30, 45]


def test_5_the_turns_to_come_are_in_the_profiles_and_the_next_plan_keeps_them() -> None:
    site = Site([AC3_16] * 4, since=at("12:00"))
    site.limit(10)
    made = site.plan("12:00")
    turns = [site.amperes(made, clock) for clock in ("12:00", "12:14:59", "12:15", "12:30")]
    assert turns == [[7.2, 7.2, 0.0, 0.0]] * 2 + [[0.0, 0.0, 7.2, 7.2]] + [[7.2, 7.2, 0.0, 0.0]]
    assert site.decision(made, 3).turn_at == at("12:15")
    assert made.plan_again_at == at("12:15")
    later = site.plan("12:07")
    for clock in ("12:07", "12:15", "12:30", "12:44"):
        assert site.amperes(later, clock) == site.amperes(made, clock)


def test_6_nested_bottleneck() -> None:
    feeder = replace(T1, id="F", capacity_provider=None, static_capacity_mw=kw(45))
    under = {"parent": "F", "capacity_provider": None, "static_capacity_mw": kw(30)}
    members = tuple(Member(ABC, "LOC1", f"E{number}") for number in range(1, 5))
    t1 = replace(T1, members=members[:3], **under)  # type: ignore[arg-type]
    t2 = replace(T1, id="T2", members=(members[3],), **under)  # type: ignore[arg-type]
    site = Site([AC3_32] * 4, feeder, t1, t2)
    made = site.plan("12:00")
    assert site.amperes(made) == [14.4, 14.4, 14.4, 21.7]
    assert [site.decision(made, number).group_id for number in (1, 4)] == ["T1", "F"]
    assert {group_id: group.admitted for group_id, group in made.groups.items()} == {"F": 4, "T1": 3, "T2": 1}


def deadlines(**agreed: object) -> Site:
    site = limited([AC3_16] * 2, 11.04, **agreed)
    site.wish(1, at("12:00"), energy_need=20, departure=at("14:00"))
    site.wish(2, at("12:00"), energy_need=10, departure=at("22:00"))
    return site


def test_7_deadline() -> None:
    site = deadlines()
    for clock, kwh in (("12:00", "0"), ("12:30", "5.52"), ("13:00", "11.04")):
        site.car(1, at(clock), kwh=Decimal(kwh))
        made = site.plan(clock)
        assert site.amperes(made) == [16.0, 0.0]
        assert [site.decision(made, number).shortfall_kwh for number in (1, 2)] == [0.0, 0.0]
    site.car(1, at("13:49"), kwh=20, status="COMPLETED")
    made = site.plan("13:49")
    assert site.amperes(made) == [16.0]
    assert site.decision(made, 2).shortfall_kwh == 0.0


def test_7_deadline_without_voluntary_pause() -> None:
    site = deadlines(allow_pause=False)
    made = site.plan("12:00")
    assert site.amperes(made) == [10.0, 6.0]
    assert site.decision(made, 1).shortfall_kwh == pytest.approx(6.2)
    assert site.decision(made, 2).shortfall_kwh == 0.0


def test_8_need_met() -> None:
    site = limited([AC3_16] * 2, 11.04)
    site.wish(1, at("11:00"), energy_need=5)
    site.wish(2, at("11:00"), energy_need=50)
    site.car(1, at("11:50"), kwh=5)
    made = site.plan("12:00")
    assert site.amperes(made) == [6.0, 10.0]


def test_9_forecast_to_profile() -> None:
    site = Site([AC3_16] * 2)
    site.say(
        signal("12:00-12:15 20", "12:15-12:30 10", "12:30-14:00 30", message_id="m1"),
        fallback("12:00-14:00 12"),
    )
    made = site.plan("12:00", ending_after_s=3600)
    assert made.until_s == second(at("13:00"))
    for target in made.targets.values():
        assert isinstance(target, StepProfile)
        assert target.start_s == second(at("12:00"))
        assert [(offset_s, power_mw / 690_000) for offset_s, power_mw in target.periods] == [
            (0, 14.4),
            (900, 7.2),
            (1800, 16.0),
            (3600, 8.6),
        ]


def test_11_sudden_drop() -> None:
    site = limited([AC3_16] * 6, 60)
    assert site.amperes(site.plan("12:00")) == [14.4] * 6
    site.limit(24, now="12:01")
    dropped = site.plan("12:01")
    assert sorted(site.amperes(dropped)) == [0.0] + [6.9] * 5
    assert total_mw(dropped) == 23_805_000


def test_12_zero() -> None:
    site = limited([AC3_16] * 3, 0)
    made = site.plan("12:00")
    assert site.amperes(made) == site.amperes(made, "18:00") == [0.0] * 3


def test_15_gap() -> None:
    site = Site([AC3_16] * 2)
    site.say(signal("12:00-12:15 20", "12:30-12:45 20"), fallback("00:00-23:59 8"))
    made = site.plan("12:00")
    assert site.amperes(made, "12:00") == [14.4, 14.4]
    assert sorted(site.amperes(made, "12:15")) == sorted(site.amperes(made, "12:29:59")) == [0.0, 11.5]
    assert site.amperes(made, "12:30") == [14.4, 14.4]


def test_16_blocks_of_five_minutes() -> None:
    site = Site([AC3_16] * 4)
    blocks = [f"12:{minute:02}-12:{minute + 5:02} 25" for minute in range(0, 55, 5)]
    site.say(signal(*blocks, "12:55-13:00 25"), fallback("12:00-14:00 25"))
    made = site.plan("12:00")
    for clock in ("12:00", "12:04:59", "12:05", "12:44:59"):
        assert site.amperes(made, clock) == [9.0] * 4, clock


def test_22_two_that_come_one_after_the_other() -> None:
    group = replace(SITE, arrival_reserve_mw=kw(4.14), static_capacity_mw=kw(22), capacity_provider=None)
    site = Site([AC3_32] * 2, group, cars=1, default_current_a=6)
    alone = site.plan("12:00")
    assert site.amperes(alone) == [25.8]
    assert alone.groups["T1"].reserve_mw == 4_140_000
    site.car(2, at("12:01"))
    both = site.plan("12:01")
    assert site.amperes(both) == [15.9, 15.9]
    assert total_mw(both) == 21_942_000


@pytest.mark.parametrize(("limit_kw", "current_a"), [(20, 14.4), (20.3, 14.7), (19.9, 14.4), (19.8, 14.3)])
def test_26_small_steps(limit_kw: float, current_a: float) -> None:
    site = limited([AC3_16] * 2, limit_kw)
    assert site.amperes(site.plan("12:00")) == [current_a] * 2


def test_26_session_end() -> None:
    site = limited([AC3_16] * 2, 19.8)
    site.plan("12:00")
    site.car(1, at("12:05"), status="COMPLETED")
    assert site.amperes(site.plan("12:05")) == [16.0]


def test_31_release_when_the_limit_is_gone() -> None:
    site = limited([AC3_16] * 2, 20)
    site.plan("12:00")
    site.say(signal("12:01-23:59 100", received="12:01"), now="12:01")
    rising = site.plan("12:01")
    assert site.amperes(rising) == [14.4, 14.4]
    assert site.amperes(rising, "12:02") == [16.0, 16.0]
    lifted = site.plan("12:02")
    assert lifted.targets == {key("S1"): Release.RELEASE, key("S2"): Release.RELEASE}
    assert site.plan("13:02").decisions[key("S1")].sentence == "not limited"
