"""Which limit is in force: newer messages, several sources, gaps, zeros, lost contact, and averages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from plugins.load_manager.grid.power import current_tenths_a
from plugins.load_manager.signals.judging import SignalRefused
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.signal import Counting, Direction, SignalKind, SignalPhase, Unit
from plugins.load_manager.signals.spans import Measured
from plugins.load_manager.signals.wording import sentence
from tests.unit.plugins.load_manager.signals.saying import (
    T1,
    T1_BY_EVENTS,
    at,
    by_operator,
    fallback,
    limits,
    signal,
    told,
)


def test_a_forecast_is_a_step_function() -> None:
    """Scenario 9, up to the limit: 20, 10 and 30 kW, and the fallback of 12 kW after an hour in the profile's end."""
    group = replace(T1, fallback_capacity_mw=12_000_000)
    said = limits(signal("12:00-12:15 20", "12:15-12:30 10", "12:30-14:00 30"))

    steps = said.steps(group, at("12:00"), at("13:00"))

    assert told(steps) == ["12:00 20 LIMIT", "12:15 10 LIMIT", "12:30 30 LIMIT"]
    assert [(step.start, step.end) for step in steps][1] == (at("12:15"), at("12:30"))
    assert steps[-1].end == at("13:00")
    assert [current_tenths_a(step.limit_mw // 2, 3) for step in steps[:2]] == [144, 72]
    assert current_tenths_a(min(steps[2].limit_mw // 2, 11_040_000), 3) == 160
    assert told(said.steps(group, at("13:50"), at("14:10"))) == ["13:50 30 LIMIT", "14:00 12 GAP"]
    assert current_tenths_a(said.limit_at(group, at("12:05"), cut_off=True).limit_mw // 2, 3) == 86


def test_a_newer_message_wins_for_the_time_it_covers() -> None:
    """Scenario 10."""
    said = limits(signal("12:00-13:00 20"), signal("12:30-12:45 10", message_id="m2"))
    steps = said.steps(T1, at("12:00"), at("13:00"))
    assert told(steps) == ["12:00 20 LIMIT", "12:30 10 LIMIT", "12:45 20 LIMIT"]
    assert [step.force.message_id for step in steps] == ["m1", "m2", "m1"]


def test_a_newer_message_may_raise_and_may_cover_several_blocks() -> None:
    said = limits(
        signal("12:00-12:15 20", "12:15-12:30 10", "12:30-12:45 5"), signal("12:10-12:40 40", message_id="m2")
    )
    assert told(said.steps(T1, at("12:00"), at("12:45"))) == ["12:00 20 LIMIT", "12:10 40 LIMIT", "12:40 5 LIMIT"]


def test_of_several_sources_the_lowest_holds() -> None:
    contract = replace(signal("12:00-12:30 15", message_id="c"), source="contract")
    said = limits(signal("12:00-12:15 20", "12:15-13:00 10"), contract, by_operator("12:50-12:55 4"))
    group = replace(T1, fallback_capacity_mw=8_000_000)

    # After 12:30 the contract's schedule has a gap, and a gap is missing data.
    assert told(said.steps(group, at("12:00"), at("13:00"))) == [
        "12:00 15 LIMIT",
        "12:15 10 LIMIT",
        "12:30 8 GAP",
        "12:50 4 LIMIT",
        "12:55 8 GAP",
    ]
    assert told(said.steps(replace(group, gap_policy=T1_BY_EVENTS.gap_policy), at("12:30"), at("12:50"))) == [
        "12:30 10 LIMIT"
    ]


def test_another_kind_direction_or_wish_does_not_replace_a_limit() -> None:
    generation = replace(signal("12:00-13:00 1", message_id="g"), direction=Direction.GENERATION)
    wish = signal("12:00-13:00 2", kind=SignalKind.OPTIMUM, message_id="o")
    contracted = signal("12:00-13:00 3", kind=SignalKind.SUBSCRIPTION, message_id="s")
    said = limits(signal("12:00-13:00 20"), generation, wish, contracted, fallback("12:00-13:00 4"))
    assert said.limit_at(T1, at("12:00")).limit_mw == 20_000_000


def test_a_value_for_one_phase_is_a_line_of_its_own() -> None:
    one = replace(signal("12:00-13:00 6", message_id="one"), phase=SignalPhase.ONE)
    said = limits(signal("12:00-13:00 20"), one, signal("12:00-13:00 30", message_id="m2"))
    assert said.limit_at(T1, at("12:00")).message_id == "one"
    assert limits(replace(one, phase=SignalPhase.TWO), one).limit_at(T1, at("12:00")).limit_mw == 6_000_000


def test_amperes_and_energy() -> None:
    amperes = replace(signal("12:00-13:00 16"), unit=Unit.A)
    assert limits(amperes).limit_at(T1, at("12:00")).limit_mw == 11_040_000
    for phase in (SignalPhase.UNKNOWN, SignalPhase.TWO):
        assert limits(replace(amperes, phase=phase)).limit_at(T1, at("12:00")).limit_mw == 3_680_000
    assert limits(replace(signal("12:00-12:15 5"), unit=Unit.KWH)).limit_at(T1, at("12:00")).limit_mw == 20_000_000
    assert limits(replace(signal("12:00-12:15 5000"), unit=Unit.WH)).limit_at(T1, at("12:00")).limit_mw == 20_000_000
    assert limits(replace(signal("12:00-12:15 20000"), unit=Unit.W)).limit_at(T1, at("12:00")).limit_mw == 20_000_000


@pytest.mark.parametrize(
    ("said", "own_kw", "expected"),
    [
        ([fallback("12:00-14:00 8")], 6, 8),
        ([fallback("09:00-10:00 8")], 6, 8),  # over, and silence is when it is needed
        ([fallback("13:00-14:00 8")], 6, 6),  # not yet
        ([signal("12:00-14:00 7", kind=SignalKind.SUBSCRIPTION, message_id="s")], 6, 7),
        ([signal("12:00-14:00 7", kind=SignalKind.SUBSCRIPTION, message_id="s"), fallback("12:00-14:00 8")], 6, 8),
        ([], 6, 6),
        ([], None, 100),
    ],
)
def test_what_holds_in_a_gap(said: list[object], own_kw: int | None, expected: int) -> None:
    """Scenario 15: nothing covers 12:15 to 12:30."""
    group = replace(T1, fallback_capacity_mw=None if own_kw is None else own_kw * 1_000_000)
    known = limits(signal("12:00-12:15 20", "12:30-12:45 20"), *said)  # type: ignore[arg-type]

    assert told(known.steps(group, at("12:00"), at("12:45")))[1].split()[:2] == ["12:15", str(expected)]
    assert known.limit_at(group, at("12:20")).gap
    assert not known.limit_at(group, at("12:14")).gap
    by_events = replace(group, gap_policy=T1_BY_EVENTS.gap_policy)
    assert told(known.steps(by_events, at("12:00"), at("12:45")))[1] == "12:15 100 STATIC"
    assert not known.limit_at(by_events, at("12:20")).gap


def test_a_gap_is_seen_below_a_lower_limit_of_another() -> None:
    said = limits(signal("12:00-12:15 20"), fallback("12:00-13:00 8"), by_operator("12:15-12:30 5"))
    force = said.limit_at(T1, at("12:20"))
    assert (force.limit_mw, force.rule, force.gap) == (5_000_000, "LIMIT", True)
    assert sentence(force, at("12:30"), "DSO X") == "limited to 5 kW by the operator of the hub until 12:30"


def test_without_contact_the_fallback_holds_whatever_the_policy() -> None:
    said = limits(signal("12:00-13:00 30"), fallback("12:00-13:00 12"), by_operator("12:30-12:40 5"))
    for group in (T1, T1_BY_EVENTS):
        assert told(said.steps(group, at("12:05"), at("13:00"), cut_off=True)) == [
            "12:05 12 FALLBACK",
            "12:30 5 LIMIT",
            "12:40 12 FALLBACK",
        ]


def test_zero_stays_until_a_positive_value_comes() -> None:
    """Scenario 12, as a limit."""
    zero = signal("12:00-12:15 0")
    said = limits(zero, fallback("12:00-14:00 8"))
    assert told(said.steps(T1, at("12:00"), at("18:00"))) == ["12:00 0 LIMIT", "12:15 0 ZERO_HELD"]
    assert said.limit_at(T1, at("18:00")).emergency
    assert told(said.steps(T1, at("12:05"), at("18:00"), cut_off=True)) == ["12:05 0 LIMIT", "12:15 0 ZERO_HELD"]

    after = said.with_signal(signal("15:00-16:00 30", message_id="m2"), T1)
    assert told(after.steps(T1, at("12:20"), at("17:00"))) == ["12:20 0 ZERO_HELD", "15:00 30 LIMIT", "16:00 8 GAP"]
    # An event that is over is over, by contract.
    assert told(limits(zero).steps(T1_BY_EVENTS, at("12:00"), at("13:00"))) == ["12:00 0 LIMIT", "12:15 100 STATIC"]
    assert told(limits(zero).steps(T1_BY_EVENTS, at("12:00"), at("13:00"), cut_off=True))[0] == "12:00 0 LIMIT"


def test_zero_of_one_phase_is_not_lifted_by_another() -> None:
    one = replace(signal("12:00-12:15 0", message_id="one"), phase=SignalPhase.ONE)
    two = replace(signal("12:00-14:00 9", message_id="two"), phase=SignalPhase.TWO)
    said = limits(one, two)
    assert told(said.steps(T1, at("12:10"), at("13:00"))) == ["12:10 0 LIMIT", "12:15 0 ZERO_HELD"]
    lifted = said.with_signal(signal("12:30-14:00 9", message_id="all"), T1)
    assert told(lifted.steps(T1, at("12:15"), at("13:00"))) == ["12:15 0 ZERO_HELD", "12:30 9 LIMIT"]


def test_an_emergency_holds_whatever_else_is_said() -> None:
    emergency = signal("12:10-12:20 4", kind=SignalKind.EMERGENCY, message_id="e")
    said = limits(signal("12:00-13:00 20"), fallback("12:00-13:00 8"), emergency)
    assert told(said.steps(T1, at("12:00"), at("13:00"))) == ["12:00 20 LIMIT", "12:10 4 EMERGENCY", "12:20 20 LIMIT"]
    assert told(said.steps(T1, at("12:10"), at("13:00"), cut_off=True)) == ["12:10 4 EMERGENCY", "12:20 8 FALLBACK"]


def test_five_minute_intervals_of_25_kilowatts() -> None:
    """Scenario 16, up to the limit: four cars have 9.0 A each."""
    said = limits(signal(*(f"12:{minute:02}-12:{minute + 5:02} 25" for minute in range(0, 55, 5))))
    force = said.limit_at(T1, at("12:33"))
    assert force.limit_mw == 25_000_000
    assert current_tenths_a(force.limit_mw // 4, 3) == 90


AVERAGE = replace(signal("12:00-12:15 60"), counting=Counting.AVERAGE)
BUDGET = replace(AVERAGE, counting=Counting.BUDGET)


def test_the_rest_of_a_quarter_makes_up_for_its_beginning() -> None:
    """Scenario 17: 66 kW for five minutes leave 57.0 kW for ten."""
    measured = [Measured(at("12:00"), at("12:05"), 66_000_000)]
    said = limits(AVERAGE, signal("12:15-12:30 60", message_id="m2"))

    assert said.limit_at(T1, at("12:05"), measured=measured).limit_mw == 57_000_000
    assert told(said.steps(T1, at("12:05"), at("12:30"), measured=measured)) == ["12:05 57 LIMIT", "12:15 60 LIMIT"]


def test_averages_never_give_more_and_budgets_do() -> None:
    measured = [Measured(at("12:00"), at("12:05"), 30_000_000)]
    assert limits(AVERAGE).limit_at(T1, at("12:05"), measured=measured).limit_mw == 60_000_000
    assert limits(BUDGET).limit_at(T1, at("12:05"), measured=measured).limit_mw == 75_000_000
    assert limits(BUDGET).limit_at(T1, at("12:05")).limit_mw == 60_000_000


def test_a_budget_that_is_used_up_leaves_nothing_and_is_no_emergency() -> None:
    measured = [Measured(at("12:00"), at("12:10"), 95_000_000)]
    force = limits(BUDGET).limit_at(T1, at("12:10"), measured=measured)
    assert (force.limit_mw, force.emergency) == (0, False)


def test_what_is_measured_twice_counts_once_and_what_is_not_counts_in_full() -> None:
    twice = [Measured(at("12:00"), at("12:05"), 66_000_000), Measured(at("12:02"), at("12:05"), 66_000_000)]
    assert limits(AVERAGE).limit_at(T1, at("12:05"), measured=twice).limit_mw == 57_000_000
    before = [Measured(at("11:50"), at("12:05"), 66_000_000)]
    assert limits(AVERAGE).limit_at(T1, at("12:05"), measured=before).limit_mw == 57_000_000
    partly = [Measured(at("12:00"), at("12:02"), 0)]
    assert limits(BUDGET).limit_at(T1, at("12:05"), measured=partly).limit_mw == 72_000_000


def test_who_is_no_longer_named_says_nothing() -> None:
    moved = replace(T1, capacity_provider="dso-y", fallback_capacity_mw=9_000_000)
    said = limits(signal("12:00-13:00 20"), fallback("12:00-13:00 8"))
    assert told(said.steps(moved, at("12:00"), at("13:00"))) == ["12:00 9 GAP"]
    alone = replace(T1, capacity_provider=None)
    assert told(said.steps(alone, at("12:00"), at("13:00"))) == ["12:00 100 STATIC"]
    assert said.without_source("oscp") == Limits()


def test_the_past_goes_and_what_follows_from_it_stays() -> None:
    said = limits(
        signal(*(f"12:{minute:02}-12:{minute + 1:02} 20" for minute in range(50)), "12:50-12:55 0"),
        fallback("12:00-12:10 8"),
        signal("12:00-12:30 9999", message_id="odd"),
    )
    later = said.without_the_past(at("16:00"))
    assert sum(len(line.spans) + len(line.set_aside) for line in later.lines) == 2
    assert told(later.steps(T1, at("16:00"), at("17:00"))) == ["16:00 0 ZERO_HELD"]
    now = said.without_the_past(at("12:20"))
    for moment in ("12:20", "12:31", "12:52", "15:00"):
        assert now.limit_at(T1, at(moment)) == said.limit_at(T1, at(moment))


def test_no_more_waits_than_a_bound() -> None:
    first = signal("12:00-12:01 20").blocks[0]
    blocks = [
        replace(first, start=first.start + timedelta(minutes=2 * n), end=first.end + timedelta(minutes=2 * n))
        for n in range(5001)
    ]
    said = limits(replace(signal(), blocks=tuple(blocks[:5000])))
    with pytest.raises(SignalRefused, match="blocks would make more than 5000 wait for group T1"):
        said.with_signal(replace(signal(), blocks=tuple(blocks[5000:])), T1)


def test_sentences() -> None:
    said = limits(signal("12:00-21:00 60"), fallback("12:00-13:00 12"))
    assert sentence(said.limit_at(T1, at("12:00")), at("21:00"), "DSO X") == "limited to 60 kW by DSO X until 21:00"
    lost = said.limit_at(T1, at("12:00"), cut_off=True)
    assert sentence(lost, None, "DSO X") == "limited to 12 kW because there is no contact with DSO X"
    assert sentence(lost, None, "DSO X", stopped=True) == (
        "limited to 12 kW because the operator of the hub has stopped everything"
    )
    assert sentence(said.limit_at(T1, at("22:00")), None, "DSO X") == (
        "limited to 12 kW because DSO X has sent no limit for this time"
    )
    static = Limits().limit_at(replace(T1, capacity_provider=None), at("12:00"))
    assert sentence(static, None, "") == "limited to 100 kW by the static capacity"
    zero = limits(signal("12:00-12:15 0"))
    assert sentence(zero.limit_at(T1, at("13:00")), None, "DSO X") == "limited to 0 kW by DSO X until it says more"
    emergency = limits(signal("12:00-12:15 4.5", kind=SignalKind.EMERGENCY)).limit_at(T1, at("12:00"))
    assert sentence(emergency, at("12:15"), "DSO X") == "limited to 4.5 kW in an emergency by DSO X until 12:15"
