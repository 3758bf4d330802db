"""Writing OCPI's ChargingProfile, and reading somebody else's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi import times
from hub.ocpi.codec import dumps, loads
from plugins.load_manager.profiles import (
    NotAProfile,
    Scale,
    StepProfile,
    from_ocpi,
    second,
    stated_hour_s,
    to_ocpi,
    with_ending,
    written,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_S = second(NOON)
AC3 = Scale("A", 3, 4_140_000)
AC1 = Scale("A", 1, 1_380_000)
DC = Scale("W", 3, 5_000_000, quantum=10)
MAXIMUM_MW = 11_040_000


@pytest.mark.parametrize(
    ("scale", "power_mw", "limit"),
    [
        (AC3, 10_000_000, "14.4"),
        (AC3, 15_000_000, "21.7"),
        (AC3, 15_280_000, "22.1"),
        (AC3, 4_140_000, "6.0"),
        (AC3, 4_139_999, "0.0"),
        (AC3, 0, "0.0"),
        (AC3, -1, "0.0"),
        (AC1, 3_680_000, "16.0"),
        (AC1, 1_379_999, "0.0"),
        (Scale("A", 3, 4_140_000, quantum=10), 10_000_000, "14.0"),
        (DC, 50_000_999, "50000.0"),
        (DC, 4_999_999, "0.0"),
    ],
)
def test_a_limit_is_rounded_down_and_never_between_0_and_the_minimum(scale: Scale, power_mw: int, limit: str) -> None:
    assert scale.limit(power_mw) == Decimal(limit)
    assert scale.power_mw(scale.limit(power_mw)) == scale.rounded(power_mw)


def test_scenario_9_a_forecast_becomes_a_profile() -> None:
    """Blocks of 20, 10 and 30 kW shared by two, and the fallback of 12 kW after 60 min."""
    blocks = [(0, 20_000_000), (900, 10_000_000), (1800, 30_000_000)]
    plan = StepProfile.of((NOON_S + at_s, min(mw // 2, MAXIMUM_MW)) for at_s, mw in blocks)
    profile = with_ending(plan, StepProfile.flat(0, 12_000_000 // 2), NOON_S + 3600)

    assert loads(dumps(to_ocpi(profile, AC3))) == {
        "start_date_time": "2026-01-01T12:00:00.000Z",
        "charging_rate_unit": "A",
        "charging_profile_period": [
            {"start_period": 0, "limit": Decimal("14.4")},
            {"start_period": 900, "limit": Decimal("7.2")},
            {"start_period": 1800, "limit": Decimal("16.0")},
            {"start_period": 3600, "limit": Decimal("8.6")},
        ],
    }


def test_at_most_eight_periods_are_sent() -> None:
    profile = StepProfile.of((NOON_S + 60 * number, 5_000_000 + number % 2 * 1_000_000) for number in range(20))

    sent = to_ocpi(profile, AC3)["charging_profile_period"]

    assert isinstance(sent, list)
    assert len(sent) == 8
    assert sent[-1] == {"start_period": 19 * 60, "limit": Decimal("8.6")}


def test_the_stated_hour_is_even_and_one_to_three_hours_ahead() -> None:
    for minutes in range(0, 300, 7):
        start_s = NOON_S + minutes * 60
        hour_s = stated_hour_s(start_s)
        assert hour_s % 7200 == 0
        assert 3600 <= hour_s - start_s < 3 * 3600


def read(profile: Mapping[str, object], now: datetime = NOON, since: datetime | None = None) -> StepProfile:
    return from_ocpi(profile, scale=AC3, maximum_mw=MAXIMUM_MW, now=now, charging_since=since)


def theirs(*periods: tuple[int, str], **more: object) -> dict[str, object]:
    listed = [{"start_period": at_s, "limit": Decimal(limit)} for at_s, limit in periods]
    return {"charging_rate_unit": "A", "charging_profile_period": listed, **more}


def test_an_absolute_start_and_a_duration() -> None:
    profile = read(theirs((0, "8.0"), (600, "10"), duration=1200, start_date_time="2026-01-01T11:55:00Z"))

    assert profile == StepProfile(NOON_S, ((0, 5_520_000), (300, 6_900_000), (900, MAXIMUM_MW)))


def test_before_its_start_and_its_first_period_there_is_no_limit() -> None:
    profile = read(theirs((60, "8.0"), start_date_time="2026-01-01T12:01:00.5Z"))

    assert profile == StepProfile(NOON_S, ((0, MAXIMUM_MW), (120, 5_520_000)))


def test_a_step_up_within_a_second_waits_for_its_end() -> None:
    profile = read(theirs((0, "8.0"), (60, "12"), start_date_time="2026-01-01T11:59:59.5Z"))

    assert profile == StepProfile(NOON_S, ((0, 5_520_000), (60, 8_280_000)))


def test_a_relative_start_counts_from_charging() -> None:
    profile = theirs((0, "8.0"), (600, "12"))

    assert read(profile, since=NOON - timedelta(minutes=5)) == StepProfile(NOON_S, ((0, 5_520_000), (300, 8_280_000)))


def test_before_charging_began_the_lowest_counts_that_it_may_say() -> None:
    profile = read(theirs((0, "12.0"), (600, "8"), (1200, "16")))

    assert profile == StepProfile(NOON_S, ((0, 8_280_000), (600, 5_520_000)))


def test_below_its_minimum_rate_nobody_charges() -> None:
    profile = read(theirs((0, "5.9"), (60, "6"), min_charging_rate=6, start_date_time=times.render(NOON)))

    assert profile == StepProfile(NOON_S, ((0, 0), (60, 4_140_000)))


def test_watt_is_the_total() -> None:
    profile = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": Decimal("4000.5")}]}

    assert read(profile) == StepProfile.flat(NOON_S, 4_000_500)


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"charging_rate_unit": "V"},
        theirs(start_date_time="soon"),
        theirs(start_date_time=5),
        theirs(duration=-1),
        theirs(duration=Decimal("0.5")),
        theirs(min_charging_rate="6"),
        theirs((0, "NaN")),
        theirs((0, "1e12")),
        theirs((-1, "6")),
        {"charging_rate_unit": "A", "charging_profile_period": {}},
        {"charging_rate_unit": "A", "charging_profile_period": [6]},
        {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": True, "limit": 6}]},
        {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0}]},
    ],
)
def test_what_is_no_profile_is_refused(profile: dict[str, object]) -> None:
    with pytest.raises(NotAProfile):
        read(profile)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40_000_000)), min_size=1, max_size=15))
def test_what_is_written_is_read_back_and_is_never_looser(values: list[tuple[int, int]]) -> None:
    profile = StepProfile.of((NOON_S + at_s, mw) for at_s, mw in sorted(dict(values).items()))
    sent = written(profile, AC3)
    value = loads(dumps(to_ocpi(profile, AC3)))

    assert written(sent, AC3) == sent
    assert sent.seconds[0] == profile.seconds[0]
    read_back = from_ocpi(value, scale=AC3, maximum_mw=40_000_000, now=NOON)
    for moment_s in {*profile.seconds, *sent.seconds}:
        assert sent.at(moment_s) <= profile.at(moment_s)
        assert read_back.at(moment_s) == sent.at(moment_s)
    assert "duration" not in value
