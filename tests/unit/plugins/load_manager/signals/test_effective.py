"""Ramp, effective capacity, the reserve for arrivals, and what is remembered of messages."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.effective import arrival_reserve_mw, effective_mw, poisson_quantile
from plugins.load_manager.signals.heard import Heard
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.ramp import ramp_of, ramped
from plugins.load_manager.signals.signal import CapacitySignal, Counting, SignalKind, SignalPhase, Unit
from tests.unit.plugins.load_manager.signals.saying import T1, at, fallback, limits, online, signal, told


def test_the_ramp_rises_by_minutes_from_what_was_in_force_to_nominal() -> None:
    ramp = ramp_of(T1, at("12:00:30"), 72_000_000)
    assert [ramp.at(at(clock)) // 1_000_000 for clock in ("12:00", "12:01:29", "12:01:30", "12:03:30")] == [
        72,
        72,
        82,
        102,
    ]
    steps = limits(signal("12:00-12:10 90")).steps(T1, at("12:01"), at("12:10"))
    assert told(ramped(steps, ramp)) == ["12:01 72 RAMP", "12:01 82 RAMP", "12:02 90 LIMIT"]
    assert ramped(steps, None) == steps
    assert not ramp.over(at("12:03"))
    assert ramp.over(at("12:03:30"))
    assert ramp_of(replace(T1, static_capacity_mw=1), at("12:00"), 0).rise_mw == 1


def test_effective_capacity() -> None:
    margin = Decimal("0.02")
    assert effective_mw(60_000_000, margin) == 58_800_000
    assert effective_mw(60_000_000, margin, ramp_mw=30_000_000) == 30_000_000
    assert effective_mw(60_000_000, margin, ramp_mw=59_000_000, uncontrolled_mw=11_040_000) == 47_760_000
    assert effective_mw(10_000_000, Decimal(0), uncontrolled_mw=11_040_000) == -1_040_000
    assert effective_mw(101, margin) == 98  # 98.98


def test_effective_capacity_over_time() -> None:
    group = replace(T1, margin=Decimal("0.1"))
    capacity = online(group, signal("12:00-12:01 20"))
    capacity = capacity.received(signal("12:00-12:20 50", "12:20-12:40 10", message_id="m2"), group, at("12:00"), 10**9)

    along = capacity.effective(group, at("12:00"), at("12:30"), uncontrolled_mw=3_000_000)

    assert [(f"{each.start:%H:%M}", each.effective_mw // 1_000_000) for each in along] == [
        ("12:00", 17),
        ("12:01", 27),
        ("12:02", 37),
        ("12:03", 42),
        ("12:20", 6),
    ]
    assert along[-1].end == at("12:30")


def test_the_reserve_for_arrivals() -> None:
    """30 arrivals an hour and 15 seconds: two may come."""
    assert poisson_quantile(Decimal("0.125"), 99) == 2
    assert arrival_reserve_mw(Decimal(30), 4_140_000, 10) == 8_280_000
    assert arrival_reserve_mw(Decimal(30), 4_140_000, 1) == 4_140_000
    assert arrival_reserve_mw(Decimal(0), 4_140_000, 10) == 0
    assert poisson_quantile(Decimal(10), 99) == 21
    assert poisson_quantile(Decimal(1_000_000), 50) == 50


def test_a_message_is_a_repetition_for_a_day() -> None:
    heard = Heard()
    now = at("12:00")
    assert heard.first_time("dso-x", "m1", now)
    assert heard.first_time("dso-y", "m1", now)
    assert not heard.first_time("dso-x", "m1", now + timedelta(hours=23, minutes=59))
    assert not Heard.from_json(heard.to_json()).first_time("dso-y", "m1", now)
    assert [heard.already("dso-y", one, now) for one in ("m1", "m9")] == [True, False]
    assert not heard.already("dso-y", "m1", now + timedelta(hours=24))
    assert heard.first_time("dso-x", "m1", now + timedelta(hours=24))
    heard.forget("dso-x", "m1")
    assert heard.first_time("dso-x", "m1", now + timedelta(hours=24))


def test_what_is_remembered_is_bounded_for_each_sender() -> None:
    heard = Heard(most_per_sender=3)
    heard.first_time("quiet", "m", at("12:00"))
    for number in range(10):
        heard.first_time("loud", str(number), at("12:00"))
    assert len(heard) == 4
    assert not heard.first_time("quiet", "m", at("12:00"))
    assert not heard.first_time("loud", "7", at("12:00"))
    assert heard.first_time("loud", "6", at("12:00"))


signals = st.builds(
    lambda kind, unit, phase, counting, start, minutes, value, message_id: replace(
        signal(f"00:00-00:01 {value}", kind=kind, message_id=message_id),
        unit=unit,
        phase=phase,
        counting=counting,
        raw='{"as": "it came"}',
        blocks=tuple(
            replace(
                signal(f"00:00-00:01 {value}").blocks[0],
                start=at("00:00") + timedelta(minutes=start + 2 * minutes * n),
                end=at("00:00") + timedelta(minutes=start + 2 * minutes * n + minutes, microseconds=n),
            )
            for n in range(3)
        ),
    ),
    st.sampled_from(SignalKind),
    st.sampled_from([Unit.KW, Unit.W, Unit.A, Unit.KWH]),
    st.sampled_from(SignalPhase),
    st.sampled_from(Counting),
    st.integers(0, 1000),
    st.integers(1, 60),
    st.decimals(0, 2000, places=4),
    st.sampled_from(["m1", "m2", "m3"]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(signals, max_size=8), st.integers(0, 1440))
def test_everything_comes_back_from_the_store_and_lines_stay_in_order(said: list[CapacitySignal], minute: int) -> None:
    capacity = online(T1, fallback("00:00-23:59 12"), *said, now="00:00")
    assert Capacity.from_json(capacity.to_json()) == capacity
    assert Limits.from_json(capacity.limits.to_json()) == capacity.limits
    assert all(CapacitySignal.from_json(each.to_json()) == each for each in said)
    for line in capacity.limits.lines:
        for spans in (line.spans, line.set_aside):
            assert all(span.start < span.end for span in spans)
            assert all(one.end <= two.start for one, two in pairwise(spans))
    now = at("00:00") + timedelta(minutes=minute)
    until = now + timedelta(hours=3)
    steps = capacity.limits.steps(T1, now, until)
    assert [steps[0].start, *(step.end for step in steps)] == [*(step.start for step in steps), until]
    for step in steps:
        middle = step.start + (step.end - step.start) / 2
        assert step.limit_mw <= T1.static_capacity_mw
        if all(line.spans == () or each.counting is Counting.PEAK for each in said for line in capacity.limits.lines):
            assert capacity.limits.limit_at(T1, middle) == step.force
    pruned = capacity.limits.without_the_past(now)
    assert pruned.steps(T1, now, until) == steps


@pytest.mark.parametrize("value", [{}, [], {"limits": {"lines": [{}]}}])
def test_what_does_not_fit_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Capacity.from_json(value)
