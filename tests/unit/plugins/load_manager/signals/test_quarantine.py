"""Values that look like watts taken for kilowatts: set aside, and the safer of what else is known holds."""

from dataclasses import replace

import pytest

from hub.ocpi import codec
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.signal import SignalKind
from plugins.load_manager.signals.standing import State
from tests.unit.plugins.load_manager.signals.saying import (
    DSO,
    T1,
    TWO_AC3_16_MW,
    at,
    by_operator,
    fallback,
    limits,
    online,
    signal,
    told,
)

KNOWN = (signal("12:00-14:00 20"), fallback("12:00-14:00 12"))
HOUR = (at("12:00"), at("14:00"))


@pytest.mark.parametrize(
    ("value", "in_force"),
    [
        ("1000", "13:00 100 STATIC"),  # ten times nominal is still taken
        ("1000.000001", "13:00 12 QUARANTINE"),
        ("60000", "13:00 12 QUARANTINE"),
        ("1", "13:00 1 LIMIT"),  # a hundredth is still taken
        ("0.999999", "13:00 12 QUARANTINE"),
        ("0.0000000001", "13:00 12 QUARANTINE"),
        ("0", "13:00 0 LIMIT"),
    ],
)
def test_which_values_are_set_aside(value: str, in_force: str) -> None:
    said = limits(*KNOWN, signal(f"13:00-13:30 {value}", message_id="m2"))
    assert told(said.steps(T1, *HOUR))[:2] == ["12:00 20 LIMIT", in_force]


def test_the_lower_of_the_old_one_and_the_fallback_holds() -> None:
    for old, expected in ((20, "13:00 12 QUARANTINE"), (5, None)):
        said = limits(signal(f"12:00-14:00 {old}"), KNOWN[1], signal("13:00-13:30 60000", message_id="m2"))
        steps = told(said.steps(T1, *HOUR))
        assert steps == [f"12:00 {old} LIMIT", *([expected, "13:30 20 LIMIT"] if expected else [])]
    first = limits(KNOWN[1], signal("13:00-13:30 60000"))
    assert told(first.steps(T1, at("13:00"), at("14:00"))) == ["13:00 12 GAP"]


def test_a_zero_that_is_held_is_not_lifted_by_it() -> None:
    said = limits(KNOWN[1], signal("12:00-12:15 0"), signal("13:00-13:30 60000", message_id="m2"))
    assert said.limit_at(T1, at("13:10")).limit_mw == 0


def test_confirmed_it_holds_and_dropped_it_does_not() -> None:
    said = limits(*KNOWN, signal("13:00-13:30 0.5", message_id="m2"))
    (waiting,) = said.set_aside()
    assert (waiting.source, waiting.message_id, waiting.spans[0].limit_mw) == ("oscp", "m2", 500_000)
    assert (waiting.capacity_provider, waiting.kind) == (DSO, SignalKind.LIMIT)

    confirmed = said.confirmed("oscp", "m2")
    assert told(confirmed.steps(T1, *HOUR)) == ["12:00 20 LIMIT", "13:00 0.5 LIMIT", "13:30 20 LIMIT"]
    assert told(said.dropped("oscp", "m2").steps(T1, *HOUR)) == ["12:00 20 LIMIT"]
    assert confirmed.set_aside() == said.dropped("oscp", "m2").set_aside() == ()
    assert said.confirmed("another", "m2") == said == said.confirmed("oscp", "m3")


def test_what_came_later_is_not_covered_by_a_late_confirmation() -> None:
    said = limits(*KNOWN, signal("13:00-13:30 0.5", message_id="m2"), signal("13:10-13:20 15", message_id="m3"))
    assert told(said.steps(T1, *HOUR)) == [
        "12:00 20 LIMIT",
        "13:00 12 QUARANTINE",
        "13:10 15 LIMIT",
        "13:20 12 QUARANTINE",
        "13:30 20 LIMIT",
    ]
    assert told(said.confirmed("oscp", "m2").steps(T1, *HOUR)) == [
        "12:00 20 LIMIT",
        "13:00 0.5 LIMIT",
        "13:10 15 LIMIT",
        "13:20 0.5 LIMIT",
        "13:30 20 LIMIT",
    ]


def test_a_fallback_set_aside_is_not_counted_on_and_an_emergency_makes_safe() -> None:
    said = limits(*KNOWN, replace(fallback("12:00-14:00 9000"), message_id="f2"))
    assert said.limit_at(T1, at("12:00"), cut_off=True).limit_mw == 12_000_000
    emergency = signal("13:00-13:30 0.004", kind=SignalKind.EMERGENCY, message_id="e")
    assert limits(*KNOWN, emergency).limit_at(T1, at("13:10")).limit_mw == 12_000_000


def test_the_operator_is_believed() -> None:
    assert limits(*KNOWN, by_operator("13:00-13:30 0.5")).limit_at(T1, at("13:10")).limit_mw == 500_000


def test_what_waits_is_as_old_as_it_is_also_when_a_part_of_it_was_overtaken() -> None:
    odd = signal("13:00-14:00 0.5", message_id="odd", received="09:30")
    said = limits(*KNOWN, odd, signal("13:10-13:20 15", message_id="m3", received="12:30"))
    again = Limits.from_json(codec.loads(codec.dumps(said.to_json())))
    (waiting,) = again.set_aside()
    assert (waiting.received_at, len(waiting.spans)) == (at("09:30"), 2)
    fallback_too = limits(*KNOWN, replace(fallback("12:00-14:00 9000"), message_id="f2")).set_aside()
    assert [one.kind for one in fallback_too] == [SignalKind.FALLBACK]


def test_it_is_no_fresh_limit_until_it_is_confirmed() -> None:
    odd = signal("12:00-14:00 0.5", message_id="odd")
    capacity = online(T1, KNOWN[1], odd)
    assert capacity.standing.state is State.INIT

    confirmed = capacity.confirmed(odd, T1, at("12:10"), TWO_AC3_16_MW)

    assert confirmed.standing.state is State.LIMITED
    assert confirmed.limit_at(T1, at("12:10")).limit_mw == 500_000


def test_one_that_is_older_than_the_silence_does_not_end_it() -> None:
    odd = signal("12:00-14:00 0.5", message_id="odd")
    silent = online(T1, *KNOWN, odd).lost(T1, at("12:05"), TWO_AC3_16_MW).contact(T1, at("12:06"), TWO_AC3_16_MW)
    after = silent.confirmed(odd, T1, at("12:10"), TWO_AC3_16_MW)
    assert after.standing.state is State.FALLBACK
    dropped = silent.dropped("oscp", "odd", T1, at("12:10"), TWO_AC3_16_MW)
    assert (dropped.standing.state, dropped.limits.set_aside()) == (State.FALLBACK, ())
