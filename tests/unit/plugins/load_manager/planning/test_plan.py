"""What plans count, release, say and repeat, beyond the scenarios; and laws that hold for any of them."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.learning import Limit
from plugins.load_manager.planning import Circumstances, Release, Settings, Standing, affected, by_tree, plan
from plugins.load_manager.profiles import StepProfile, exceeds, second
from plugins.load_manager.signals.capacity import Capacity
from tests.unit.plugins.load_manager.knowledge.telling import ABC
from tests.unit.plugins.load_manager.planning.site import AC1_16, AC3_16, AC3_32, SITE, Site, key, kw, total_mw
from tests.unit.plugins.load_manager.signals.saying import T1, at, fallback, signal


def limited(count: int, limit_kw: float, **agreed: object) -> Site:
    site = Site([AC3_16] * count, **agreed)  # type: ignore[arg-type]
    site.limit(limit_kw)
    return site


def profile(site: Site, number: int) -> StepProfile:
    target = site.plans[-1].targets[key(f"S{number}")]
    assert isinstance(target, StepProfile)
    return target


# Who is counted


def test_18_a_session_that_cannot_be_brought_down_is_counted() -> None:
    site = limited(3, 30)
    made = site.plan("12:00", held={"S3": 11_040_000})
    assert site.amperes(made)[:2] == [13.7, 13.7]
    assert made.targets[key("S3")] is None
    assert site.decision(made, 3).sentence == "not steered, no other limit can be brought to it: counted with 11.0 kW"
    site.limit(10, now="12:01")
    short = site.plan("12:01", held={"S3": 11_040_000})
    assert site.amperes(short)[:2] == [0.0, 0.0]
    assert short.groups["T1"].deficit_mw == 1_040_000


def test_25_what_an_unreachable_cpo_has_leaves_the_rest() -> None:
    site = limited(3, 30)
    made = site.plan("12:00", held={"S1": 9_936_000, "S2": 9_936_000})
    assert site.amperes(made)[2] == 14.6
    assert made.groups["T1"].uncontrolled_mw == 19_872_000


def test_what_is_booked_counts_as_it_changes() -> None:
    site = limited(2, 20)
    booked = StepProfile.of([(second(at("11:45")), kw(11.04)), (second(at("12:10")), kw(6))])
    made = plan(
        "T1",
        site.model,
        site.capacities,
        site.known,
        {key("S1"), key("S2")},
        now=at("12:00"),
        epoch=1,
        circumstances=Circumstances(held={key("S2"): booked}),
    )
    assert [site.amperes(made, clock)[0] for clock in ("12:00", "12:09:59", "12:10")] == [12.9, 12.9, 16.0]


def test_a_session_that_is_not_to_be_steered_counts_with_what_it_may_draw() -> None:
    site = limited(3, 30)
    made = site.plan("12:00", steered={key("S1"), key("S2")})
    assert site.amperes(made)[:2] == [13.7, 13.7]
    assert site.decision(made, 3).standing is Standing.COUNTED


def test_a_car_without_a_session_is_counted() -> None:
    site = Site([AC3_16] * 3, cars=2)
    site.limit(30)
    body = objects.evse("E3", status="CHARGING", last_updated=at("11:59"))
    site.known.evses.told_evse(ABC, "LOC1", "E3", body | {"connectors": []}, now=at("11:59"), whole=False)
    made = site.plan("12:00")
    assert made.groups["T1"].uncontrolled_mw == kw(22.08)
    assert sorted(site.amperes(made)) == [0.0, 11.4]


def test_an_evse_that_the_location_does_not_list_stands_where_its_location_does() -> None:
    site = limited(2, 30)
    site.car(3, at("11:50"), evse_uid="NEW")
    made = site.plan("12:00")
    assert site.decision(made, 3).sentence.startswith("not steered, its EVSE is not in the catalog")
    assert made.groups["T1"].uncontrolled_mw == kw(11.04)


def test_a_connector_that_cannot_be_leaves_the_others_their_plan() -> None:
    absurd = {"power_type": "DC", "max_amperage": 10_000, "max_voltage": 5_000}
    site = Site([AC3_16, absurd])
    site.limit(20)
    made = site.plan("12:00")
    assert made.decisions[key("S1")].power_mw + made.decisions[key("S2")].power_mw <= kw(20)
    assert site.amperes(made)[0] == 14.4


def test_two_sessions_at_one_evse_share_its_ending() -> None:
    site = Site([AC3_32])
    site.say(signal("12:00-23:00 20"), fallback("12:00-23:00 10"))
    site.car(2, at("11:00"), evse_uid="E1")
    made = site.plan("12:00")
    assert site.amperes(made) == [14.4, 14.4]
    assert total_mw(made, "13:00") == 2 * kw(4.968)


def test_a_car_whose_evse_has_no_group_has_no_ending() -> None:
    members = (Member(ABC, "LOC1", "E1"), Member(ABC, "LOC1", "E2"))
    site = Site([AC3_16] * 3, replace(T1, members=members))
    site.limit(20)
    made = site.plan("12:00")
    assert site.amperes(made) == [9.6, 9.6, 9.6]
    assert profile(site, 3).last_mw == 0


def test_a_session_elsewhere_is_not_of_this_tree() -> None:
    site = limited(2, 20)
    site.car(3, at("11:50"), location_id="LOC9")
    assert set(site.plan("12:00").targets) == {key("S1"), key("S2")}


# What is kept free, and what can bind


def test_a_reserve_is_never_more_than_cars_can_still_come() -> None:
    group = replace(SITE, arrival_reserve_mw=kw(20))
    site = Site([AC3_16] * 3, group, cars=2, default_current_a=6)
    site.limit(20)
    assert site.plan("12:00").groups["T1"].reserve_mw == kw(4.14)
    site.car(3, at("12:01"))
    assert site.plan("12:01").groups["T1"].reserve_mw == 0


def test_the_reserve_follows_arrivals_where_the_group_says_none() -> None:
    site = Site([AC3_16] * 4, replace(SITE, arrival_reserve_mw=None), cars=1, default_current_a=6)
    site.limit(40)
    made = site.plan("12:00", circumstances={"arrivals_per_h": {"T1": Decimal(30)}})
    assert made.groups["T1"].reserve_mw == 2 * kw(4.14)


def test_cars_that_may_still_come_make_a_limit_bind() -> None:
    site = Site([AC3_16] * 3, cars=1)
    site.limit(20)
    made = site.plan("12:00")
    assert site.amperes(made) == [16.0]
    assert site.decision(made, 1).standing is Standing.FULL


def test_a_drop_beyond_the_hour_makes_it_bind() -> None:
    site = Site([AC3_16] * 2)
    site.say(signal("12:00-13:20 100", "13:20-23:00 10"), fallback("12:00-23:00 10"))
    assert site.plan("12:00").groups["T1"].binding
    assert not site.plan("12:00", furthest_s=3600).groups["T1"].binding


def test_other_load_is_taken_off() -> None:
    site = limited(2, 20)
    made = site.plan("12:00", circumstances={"taken_mw": {"T1": kw(4)}})
    assert site.amperes(made) == [11.5, 11.5]


# Release


def test_whoever_withdraws_consent_is_released_and_counted() -> None:
    site = limited(2, 20)
    site.plan("12:00")
    site.known.cpos.change(ABC, cpo_settings.read({"consent": False}, at("12:01")))
    made = site.plan("12:01")
    assert set(made.targets.values()) == {Release.RELEASE}
    assert made.groups["T1"].deficit_mw == kw(22.08 - 20)


def test_after_a_restart_what_was_confirmed_is_released() -> None:
    site = limited(2, 100)
    site.known.learning.confirmed(key("S1"), Limit(at("11:00"), 14_400))
    assert site.plan("12:00").targets == {key("S1"): Release.RELEASE, key("S2"): None}


def test_always_is_a_profile_without_need() -> None:
    site = limited(2, 100)
    assert site.amperes(site.plan("12:00", always=True)) == [16.0, 16.0]


# Turns


def test_a_car_that_was_just_paused_rests() -> None:
    site = limited(2, 8)
    first = site.plan("12:00")
    paused = site.amperes(first).index(0.0) + 1
    site.limit(20, now="12:02")
    made = site.plan("12:02")
    assert site.decision(made, paused).standing is Standing.RESTING
    assert site.decision(made, paused).turn_at == at("12:05")
    assert site.amperes(made, "12:05") == [14.4, 14.4]


def test_a_car_that_was_just_switched_on_stays_on() -> None:
    site = Site([AC3_16] * 2, cars=1)
    site.limit(8)
    site.plan("12:00")
    site.car(2, at("12:05"))
    assert site.amperes(site.plan("12:05")) == [0.0, 11.5]
    assert site.amperes(site.plan("12:19")) == [0.0, 11.5]
    assert site.amperes(site.plan("12:20")) == [11.5, 0.0]


@pytest.mark.parametrize("first", ["12:00", "12:02"])
def test_turns_are_at_slots_of_the_clock_so_plans_agree_about_them(first: str) -> None:
    site = Site([AC3_16, AC1_16, AC3_32, AC3_16, AC3_16], since=at(first))
    site.limit(13)
    made = site.plan(first)
    for minute in range(1, 40):
        moment = at(first) + timedelta(minutes=minute)
        later = site.plan(f"{moment:%H:%M}")
        for session, target in later.targets.items():
            before = made.targets[session]
            assert isinstance(target, StepProfile)
            assert isinstance(before, StepProfile)
            assert not exceeds(target, before, second(moment), made.until_s)
            assert not exceeds(before, target, second(moment), made.until_s)
        made = later


# Endings


def test_after_a_takeover_turns_are_as_the_profiles_say() -> None:
    site = Site([AC3_16] * 4, since=at("12:00"))
    site.limit(10)
    told = {name: target for name, target in site.plan("12:00").targets.items() if isinstance(target, StepProfile)}
    heir = site.plan("12:17", remember=False, circumstances={"told": told})
    assert site.amperes(heir) == [0.0, 0.0, 7.2, 7.2]
    assert [heir.turns[key(f"S{number}")].since_s for number in (1, 2, 3, 4)] == [second(at("12:15"))] * 4


def test_the_ending_rotates_where_shares_are_too_small() -> None:
    site = Site([AC3_16] * 3)
    site.say(signal("12:00-23:00 30"), fallback("12:00-23:00 9"))
    made = site.plan("12:00")
    for minutes in range(45, 400, 5):
        moment = at("12:00") + timedelta(minutes=minutes)
        assert total_mw(made, f"{moment:%H:%M}") <= kw(9)
    assert all(len(profile(site, number).periods) <= 8 for number in (1, 2, 3))
    assert any(profile(site, number).last_mw for number in (1, 2, 3))


def test_an_ending_leaves_room_for_those_that_are_counted() -> None:
    site = limited(3, 30)
    site.plan("12:00", held={"S3": 11_040_000})
    assert profile(site, 1).last_mw == kw(9.453)  # (30 - 11.04) / 2, in steps of 0.69


# Words


def test_the_sentences() -> None:
    site = Site([AC3_16] * 4)
    site.say(signal("12:00-12:45 30", "12:45-13:30 10", "13:30-23:00 3"), fallback("12:00-23:00 30"))
    assert site.decision(site.plan("12:00"), 1).sentence == (
        "limited to 7.5 kW (10.8 A): group T1 is limited to 30 kW by dso-x until 12:45, shared by 4 sessions"
    )
    made = site.plan("12:45")
    assert site.decision(made, 4).sentence == (
        "paused: group T1 is limited to 10 kW by dso-x until 13:30, enough for 2 of 4 sessions, its turn is at 13:00"
    )
    assert site.decision(site.plan("13:30"), 1).sentence == (
        "paused: group T1 is limited to 3 kW by dso-x, less than the least it can draw"
    )


def test_what_is_left_is_said_where_it_is_less_than_the_limit() -> None:
    site = limited(3, 30)
    made = site.plan("12:00", held={"S3": 11_040_000})
    assert site.decision(made, 1).sentence == (
        "limited to 9.5 kW (13.7 A): group T1 is limited to 30 kW by dso-x, of which 18.96 kW are left, "
        "shared by 2 sessions"
    )


def test_the_group_is_told() -> None:
    site = limited(3, 30)
    group = site.plan("12:00").groups["T1"]
    assert (group.limit_mw, group.effective_mw, group.message_id, group.admitted, group.paused) == (
        kw(30),
        kw(30),
        "m1",
        3,
        0,
    )
    assert group.room == StepProfile.flat(second(at("12:00")), kw(30))


# Which trees


def test_affected_trees() -> None:
    other = replace(T1, id="X", members=(Member(ABC, "LOC2", "E1"),))
    model = GridModel([SITE, other])
    site = Site([AC3_16], cars=1)
    site.car(2, at("12:00"), location_id="LOC2", evse_uid="E7")
    sessions = [one for _, one in site.known.sessions.running()]
    assert affected(model, at("12:00"), groups=["X", "gone"]) == {"X"}
    assert affected(model, at("12:00"), sessions=sessions[:1]) == {"T1"}
    assert affected(model, at("12:00"), sessions=sessions[1:]) == {"X"}


def test_sessions_by_tree() -> None:
    one, other = (Member(ABC, "LOC1", f"E{number}") for number in (1, 2))
    model = GridModel([replace(T1, members=(one,)), replace(T1, id="X", members=(other,))])
    site = Site([AC3_16] * 3)
    site.car(4, at("12:00"), location_id="LOC9")
    found = by_tree(model, site.known, at("12:00"))
    assert {root: [name for name, _ in sessions] for root, sessions in found.items()} == {
        "T1": [key("S1"), key("S3")],
        "X": [key("S2"), key("S3")],  # E3 is in no group, so it may be under either
    }
    everything = plan("X", model, {}, site.known, (), now=at("12:00"), epoch=1)
    narrowed = Circumstances(sessions=found["X"])
    assert plan("X", model, {}, site.known, (), now=at("12:00"), epoch=1, circumstances=narrowed) == everything
    assert set(everything.targets) == {key("S2"), key("S3")}


def test_a_group_that_is_not_known_has_no_plan() -> None:
    with pytest.raises(KeyError):
        plan("no", GridModel([SITE]), {}, Site([AC3_16]).known, (), now=at("12:00"), epoch=1)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="within"):
        Settings(ending_after_s=4000)


def test_a_group_of_which_nobody_said_anything_has_its_fallback() -> None:
    group = replace(SITE, static_capacity_mw=kw(100), fallback_capacity_mw=kw(12))
    site = Site([AC3_16] * 2, group)
    assert "T1" not in site.capacities
    assert site.amperes(site.plan("12:00")) == [8.6, 8.6]
    assert isinstance(Capacity.unknown(group, at("12:00")), Capacity)


def test_a_party_without_a_location_in_the_grid_changes_nothing() -> None:
    site = limited(2, 20)
    before = site.plan("12:00", remember=False)
    stranger = PartyId("DE", "XYZ")
    site.known.cpos.change(stranger, cpo_settings.read({"consent": True, "reference": "contract 8"}, at("11:00")))
    after = site.plan("12:00", remember=False)
    assert (after.targets, after.inputs_hash) == (before.targets, before.inputs_hash)


# Laws


@pytest.mark.parametrize(("count", "limit_kw", "most_s"), [(200, 600, 0.05), (200, 1400, 0.05), (1000, 3000, 0.2)])
def test_a_plan_of_eight_blocks_is_fast(count: int, limit_kw: int, most_s: float) -> None:
    site = Site([AC3_16] * count, replace(SITE, static_capacity_mw=kw(10_000)))
    blocks = [f"12:{start:02}-12:{start + 5:02} {limit_kw - 10 * start}" for start in range(0, 40, 5)]
    site.say(signal(*blocks, "12:40-23:00 3000"), fallback("12:00-23:00 3000"))
    took_s = []
    for second_of_it in range(3):
        started_s = time.process_time()
        site.plan(f"12:00:{second_of_it:02}")
        took_s.append(time.process_time() - started_s)
    assert site.plans[-1].groups["T1"].admitted > 0
    assert min(took_s) < most_s


@given(
    kinds=st.lists(st.sampled_from([AC1_16, AC3_16, AC3_32]), min_size=1, max_size=7),
    limits_kw=st.lists(st.integers(0, 90), min_size=4, max_size=4),
    fallback_kw=st.integers(0, 60),
    free=st.integers(0, 2),
    minutes=st.lists(st.integers(0, 40), max_size=3, unique=True),
)
def test_no_plan_exceeds_a_limit_at_any_moment(
    kinds: list[dict[str, object]], limits_kw: list[int], fallback_kw: int, free: int, minutes: list[int]
) -> None:
    site = Site(kinds, cars=max(0, len(kinds) - free), since=at("11:50"))
    starts = ("12:00", "12:20", "12:30", "12:50", "23:00")
    blocks = [f"{start}-{end} {limit_kw}" for start, end, limit_kw in zip(starts, starts[1:], limits_kw, strict=False)]
    site.say(signal(*blocks), fallback(f"00:00-23:59 {fallback_kw}"))
    for minute in (0, *sorted(minutes)):
        made = site.plan(f"12:{minute:02}")
        assert site.plan(f"12:{minute:02}").targets == made.targets
        if not any(isinstance(target, StepProfile) for target in made.targets.values()):
            continue
        for later in range(minute, minute + 200, 5):
            moment = at("12:00") + timedelta(minutes=later)
            limit_kw = next(
                limit for start, limit in zip(starts[3::-1], limits_kw[::-1], strict=True) if moment >= at(start)
            )
            assert total_mw(made, f"{moment:%H:%M}") <= kw(fallback_kw if second(moment) >= made.until_s else limit_kw)
        for row in site.known.rows(made.at):
            target = made.targets[row.key]
            assert isinstance(target, StepProfile)
            assert all(power_mw == 0 or row.minimum_mw <= power_mw <= row.maximum_mw for _, power_mw in target.periods)
            assert len(target.periods) <= 8
