"""Step functions: values, pointwise minimum and maximum, and comparing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.load_manager.profiles import (
    StepProfile,
    above_until,
    at_most,
    exceeds,
    highest,
    maximum_over,
    minimum,
    second,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_S = second(NOON)
MOMENTS = range(90)


def profiles() -> st.SearchStrategy[StepProfile]:
    steps = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), max_size=12)

    def build(start_s: int, first: int, later: list[tuple[int, int]]) -> StepProfile:
        values, moment_s = [(start_s, first)], start_s
        for pause_s, power_mw in later:
            moment_s += pause_s
            values.append((moment_s, power_mw))
        return StepProfile.of(values)

    return st.builds(build, st.integers(0, 30), st.integers(0, 5), steps)


def test_the_value_of_a_moment() -> None:
    profile = StepProfile(NOON_S, ((0, 5), (900, 3)))

    assert profile.value_at(NOON - timedelta(hours=1)) == 5
    assert profile.value_at(NOON + timedelta(seconds=899.999)) == 5
    assert profile.value_at(NOON + timedelta(seconds=900)) == 3
    assert profile.last_mw == 3


@pytest.mark.parametrize("periods", [(), ((1, 5),), ((0, 5), (0, 4)), ((0, 5), (9, 4), (8, 4))])
def test_periods_begin_at_0_and_follow_each_other(periods: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="a profile"):
        StepProfile(NOON_S, periods)


@given(profiles(), profiles())
def test_minimum_and_highest_are_pointwise(one: StepProfile, other: StepProfile) -> None:
    low, high = minimum(one, other), highest([one, other])
    for moment in MOMENTS:
        assert low.at(moment) == min(one.at(moment), other.at(moment))
        assert high.at(moment) == max(one.at(moment), other.at(moment))
    assert all(before[1] != after[1] for before, after in zip(low.periods, low.periods[1:], strict=False))


@given(profiles(), profiles(), st.integers(0, 60), st.integers(0, 60))
def test_comparing_is_asking_every_second(one: StepProfile, other: StepProfile, from_s: int, length_s: int) -> None:
    to_s = from_s + length_s
    inside = [one.at(moment) - other.at(moment) for moment in range(from_s, to_s)]

    assert exceeds(one, other, from_s, to_s) == any(difference > 0 for difference in inside)
    assert exceeds(one, other, from_s, to_s, lambda _: 2) == any(difference >= 2 for difference in inside)
    assert maximum_over(one, from_s, to_s + 1) == max(one.at(moment) for moment in range(from_s, to_s + 1))


@given(profiles(), st.integers(0, 80))
def test_what_is_over_can_be_left_out(profile: StepProfile, moment_s: int) -> None:
    since = profile.since(moment_s)

    assert since.start_s == moment_s
    assert all(since.at(moment) == profile.at(moment) for moment in range(moment_s, 200))


@given(profiles(), st.integers(2, 8))
def test_fewer_periods_are_never_looser_and_keep_the_last(profile: StepProfile, most: int) -> None:
    fewer = at_most(profile, most)

    assert len(fewer.periods) <= most
    assert all(fewer.at(moment) <= profile.at(moment) for moment in range(300))
    last_s = profile.seconds[-1]
    assert all(fewer.at(moment) == profile.last_mw for moment in range(last_s, last_s + 9))
    if len(profile.periods) <= most:
        assert fewer == profile


def test_until_when_one_was_above_the_other() -> None:
    one = StepProfile.of([(0, 10), (100, 5), (200, 10), (300, 5)])
    other = StepProfile.flat(0, 5)
    assert [above_until(one, other, from_s, to_s) for from_s, to_s in ((0, 50), (0, 150), (0, 400), (250, 260))] == [
        50,
        100,
        300,
        260,
    ]
    assert above_until(one, other, 300, 400) is None
    assert above_until(other, one, 0, 400) is None
