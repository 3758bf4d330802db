"""States of a group, scenario by scenario, and the law that none of them is a trap."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from plugins.load_manager.grid.power import current_tenths_a
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.signal import SignalKind
from plugins.load_manager.signals.standing import State
from tests.unit.plugins.load_manager.signals.saying import (
    T1,
    T1_BY_EVENTS,
    TWO_AC3_16_MW,
    at,
    by_operator,
    fallback,
    online,
    signal,
    told,
)

WITH_FALLBACK = replace(T1, fallback_capacity_mw=8_000_000)
ALONE = replace(T1, capacity_provider=None)


def look(capacity: Capacity, clock: str, group: object = T1) -> Capacity:
    return capacity.looked_at(group, at(clock), TWO_AC3_16_MW)  # type: ignore[arg-type]


def state(capacity: Capacity, clock: str) -> State:
    return look(capacity, clock).standing.state


def test_no_constraint_is_normal() -> None:
    """Scenario 1: 100 kW above 33.12 kW."""
    assert online(T1, signal("12:00-14:00 100"), demand_mw=33_120_000).standing.state is State.NORMAL
    assert online(T1, signal("12:00-14:00 30"), demand_mw=33_120_000).standing.state is State.LIMITED


def test_at_the_start_the_fallback_holds_until_there_is_contact_and_a_limit() -> None:
    nothing = Capacity.unknown(WITH_FALLBACK, at("12:00"))
    assert nothing.limit_at(WITH_FALLBACK, at("12:00")).limit_mw == 8_000_000
    assert nothing.standing.state is State.INIT
    assert State.INIT.shown is State.FALLBACK
    assert State.RECOVERY.shown is State.LIMITED

    contact = nothing.contact(WITH_FALLBACK, at("12:01"), TWO_AC3_16_MW)
    said = nothing.received(signal("12:00-14:00 15"), WITH_FALLBACK, at("12:01"), TWO_AC3_16_MW)
    assert (contact.standing.state, said.standing.state) == (State.INIT, State.INIT)

    for both in (
        contact.received(signal("12:00-14:00 15"), WITH_FALLBACK, at("12:02"), TWO_AC3_16_MW),
        said.contact(WITH_FALLBACK, at("12:02"), TWO_AC3_16_MW),
    ):
        assert both.standing.state is State.LIMITED
        assert both.standing.since == at("12:02")
        assert both.limit_at(WITH_FALLBACK, at("12:02")).limit_mw == 15_000_000


def test_zero_is_an_emergency_for_hours() -> None:
    """Scenario 12, as a state: with contact and without, until a positive value comes."""
    capacity = online(T1, signal("12:00-14:00 30"), signal("12:30-12:45 0", message_id="zero"))
    assert state(capacity, "12:29") is State.NORMAL
    capacity = look(capacity, "12:30")
    assert capacity.standing.state is State.EMERGENCY
    # The older message covers what comes after it: a positive value.
    assert state(capacity, "12:45") is State.NORMAL

    last = online(T1, signal("12:00-12:30 30"), signal("12:30-12:45 0", message_id="zero"))
    last = look(last, "12:30").lost(T1, at("12:50"), TWO_AC3_16_MW)
    assert state(last, "20:00") is State.EMERGENCY
    assert last.limit_at(T1, at("20:00")).limit_mw == 0

    back = last.contact(T1, at("20:00"), TWO_AC3_16_MW)
    back = back.received(signal("20:01-23:00 30", message_id="m3"), T1, at("20:01"), TWO_AC3_16_MW)
    assert back.standing.state is State.RECOVERY
    assert told(back.steps(T1, at("20:01"), at("20:06"))) == [
        "20:01 0 RAMP",
        "20:02 10 RAMP",
        "20:03 20 RAMP",
        "20:04 30 LIMIT",
    ]


SCENARIO_13 = online(T1, signal("12:00-14:00 30"), fallback("12:00-14:00 12"))


def test_lost_contact_is_fallback() -> None:
    """Scenario 13."""
    assert SCENARIO_13.standing.state is State.NORMAL
    lost = SCENARIO_13.lost(T1, at("12:05"), TWO_AC3_16_MW)
    assert (lost.standing.state, lost.standing.since) == (State.FALLBACK, at("12:05"))
    assert told(lost.steps(T1, at("12:05"), at("13:00"))) == ["12:05 12 FALLBACK"]
    assert current_tenths_a(lost.limit_at(T1, at("12:05")).limit_mw // 2, 3) == 86


def test_recovery_takes_contact_and_a_fresh_limit_and_rises_by_minutes() -> None:
    """Scenario 14: nominal is 100 kW, so 10 kW a minute."""
    lost = SCENARIO_13.lost(T1, at("12:05"), TWO_AC3_16_MW)
    assert state(lost, "12:20") is State.FALLBACK

    forecast = signal("12:22-14:00 30", message_id="m2", received="12:22")
    contact = lost.contact(T1, at("12:22"), TWO_AC3_16_MW)
    said = lost.received(forecast, T1, at("12:22"), TWO_AC3_16_MW)
    assert (contact.standing.state, said.standing.state) == (State.FALLBACK, State.FALLBACK)

    for both in (
        contact.received(forecast, T1, at("12:22"), TWO_AC3_16_MW),
        said.contact(T1, at("12:22"), TWO_AC3_16_MW),
    ):
        assert both.standing.state is State.RECOVERY
        assert told(both.steps(T1, at("12:22"), at("12:30")))[:3] == [
            "12:22 12 RAMP",
            "12:23 22 RAMP",
            "12:24 30 LIMIT",
        ]
        assert state(both, "12:23") is State.RECOVERY  # 22 kW, and 22.08 could be drawn
        assert state(look(both, "12:23"), "12:24") is State.NORMAL


@pytest.mark.parametrize("old", ["12:00-12:10 30", "11:00-12:20 30"])
def test_a_limit_that_is_over_is_not_fresh(old: str) -> None:
    contact = SCENARIO_13.lost(T1, at("12:05"), TWO_AC3_16_MW).contact(T1, at("12:20"), TWO_AC3_16_MW)
    late = contact.received(signal(old, message_id="m2"), T1, at("12:20"), TWO_AC3_16_MW)
    assert late.standing.state is State.FALLBACK


def test_only_a_limit_of_the_capacity_provider_counts() -> None:
    contact = SCENARIO_13.lost(T1, at("12:05"), TWO_AC3_16_MW).contact(T1, at("12:20"), TWO_AC3_16_MW)
    for other in (by_operator("12:20-14:00 10"), fallback("12:20-14:00 10")):
        assert contact.received(other, T1, at("12:20"), TWO_AC3_16_MW).standing.state is State.FALLBACK


def test_a_gap_is_stale_and_announced_so_its_end_is_not_ramped() -> None:
    """Scenario 15, as states."""
    capacity = online(WITH_FALLBACK, signal("12:00-12:15 20", "12:30-12:45 20"))
    states = []
    for clock in ("12:14", "12:15", "12:29", "12:30"):
        capacity = look(capacity, clock, WITH_FALLBACK)
        states.append(capacity.standing.state)
    assert states == [State.LIMITED, State.STALE, State.STALE, State.LIMITED]
    assert capacity.limit_at(WITH_FALLBACK, at("12:30")).limit_mw == 20_000_000
    events = online(T1_BY_EVENTS, signal("12:00-12:15 20"))
    assert look(events, "12:20", T1_BY_EVENTS).standing.state is State.NORMAL


def test_a_lift_is_ramped_when_nobody_announced_it() -> None:
    capacity = online(T1, signal("12:00-14:00 15"))
    lifted = capacity.received(signal("12:10-14:00 40", message_id="m2"), T1, at("12:10"), TWO_AC3_16_MW)
    assert lifted.standing.state is State.LIMITED
    assert [line.split(" ", 1)[1] for line in told(lifted.steps(T1, at("12:10"), at("12:14")))] == [
        "15 RAMP",
        "25 RAMP",
        "35 RAMP",
        "40 LIMIT",
    ]
    announced = capacity.received(signal("12:30-14:00 40", message_id="m2"), T1, at("12:10"), TWO_AC3_16_MW)
    assert told(announced.steps(T1, at("12:10"), at("14:00"))) == ["12:10 15 LIMIT", "12:30 40 LIMIT"]
    lowered = lifted.received(signal("12:11-14:00 5", message_id="m3"), T1, at("12:11"), TWO_AC3_16_MW)
    assert lowered.limit_at(T1, at("12:11")).limit_mw == 5_000_000


def test_stopped_everything_is_in_fallback_and_comes_back_by_minutes() -> None:
    for group, said in ((T1, SCENARIO_13), (ALONE, Capacity.unknown(ALONE, at("12:00")))):
        stopped = said.stopped(True, group, at("12:05"), TWO_AC3_16_MW)
        assert stopped.standing.state is State.FALLBACK
        started = stopped.stopped(False, group, at("12:06"), TWO_AC3_16_MW)
        assert started.standing.state is (State.RECOVERY if group is T1 else State.NORMAL)


def test_who_has_nobody_to_lose() -> None:
    alone = look(Capacity.unknown(ALONE, at("12:00")), "12:00", ALONE)
    assert alone.standing.state is State.NORMAL
    assert alone.lost(ALONE, at("12:01"), TWO_AC3_16_MW) == alone
    assert alone.restarted(ALONE, at("12:01")) == alone
    manual = alone.received(by_operator("12:00-13:00 10"), ALONE, at("12:02"), TWO_AC3_16_MW)
    assert manual.standing.state is State.LIMITED
    assert look(manual, "13:00", ALONE).standing.state is State.NORMAL


def test_another_capacity_provider_starts_anew() -> None:
    assert SCENARIO_13.under(replace(T1, static_capacity_mw=1), T1, at("12:10")) == SCENARIO_13
    followed = Capacity.unknown(ALONE, at("12:00")).under(T1, ALONE, at("12:10"))
    assert (followed.standing.state, followed.standing.cut_off) == (State.INIT, True)


def test_a_restart() -> None:
    """Ruling 30: a limit that was kept and is still valid skips INIT."""
    kept = Capacity.from_json(SCENARIO_13.to_json())
    assert kept == SCENARIO_13
    assert kept.restarted(T1, at("13:00")).standing.state is State.NORMAL
    late = kept.restarted(T1, at("14:00"))
    assert (late.standing.state, late.standing.since, late.standing.cut_off) == (State.INIT, at("14:00"), True)
    lost = SCENARIO_13.lost(T1, at("12:05"), TWO_AC3_16_MW)
    assert Capacity.from_json(lost.to_json()).restarted(T1, at("12:30")).standing.state is State.FALLBACK


class Standings(RuleBasedStateMachine):
    """Anything may happen in any order; beside it is written down by hand what rule 3 asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at("00:00")
        self.capacity = Capacity.unknown(WITH_FALLBACK, self.now)
        self.contact_since_loss = self.limit_since_loss = self.stopped = False
        self.before = State.INIT
        self.count = 0

    def follow(self, capacity: Capacity) -> None:
        self.before = self.capacity.standing.state
        self.capacity = capacity

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.follow(self.capacity.looked_at(WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @rule()
    def contact(self) -> None:
        self.contact_since_loss = True
        self.follow(self.capacity.contact(WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @rule()
    def silence(self) -> None:
        self.contact_since_loss = self.limit_since_loss = False
        self.follow(self.capacity.lost(WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @rule(stopped=st.booleans())
    def operator(self, stopped: bool) -> None:
        self.stopped = stopped
        self.follow(self.capacity.stopped(stopped, WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @rule(
        kind=st.sampled_from([SignalKind.LIMIT, SignalKind.LIMIT, SignalKind.EMERGENCY, SignalKind.FALLBACK]),
        kw=st.sampled_from([0, 5, 20, 60]),
        starts_in=st.integers(-10, 10),
        minutes=st.integers(1, 30),
    )
    def said(self, kind: SignalKind, kw: int, starts_in: int, minutes: int) -> None:
        self.count += 1
        start = self.now + timedelta(minutes=starts_in)
        end = start + timedelta(minutes=minutes)
        said = signal(f"00:00-00:01 {kw}", kind=kind, message_id=str(self.count))
        said = replace(said, blocks=(replace(said.blocks[0], start=start, end=end),))
        self.limit_since_loss |= kind is SignalKind.LIMIT and end > self.now
        self.follow(self.capacity.received(said, WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @rule()
    def restart(self) -> None:
        limits_known = self.capacity.limits.follow_on(WITH_FALLBACK, self.now)
        cut_off = self.capacity.standing.cut_off
        kept = Capacity.from_json(self.capacity.to_json()).restarted(WITH_FALLBACK, self.now)
        if not limits_known and not cut_off:
            self.contact_since_loss = self.limit_since_loss = False
        self.follow(kept.looked_at(WITH_FALLBACK, self.now, TWO_AC3_16_MW))

    @invariant()
    def fallback_is_left_by_contact_and_a_fresh_limit_alone(self) -> None:
        state = self.capacity.standing.state
        heard = self.contact_since_loss and self.limit_since_loss and not self.stopped
        assert self.capacity.standing.cut_off == (not heard)
        if self.before in (State.FALLBACK, State.INIT) and state not in (self.before, State.EMERGENCY, State.FALLBACK):
            assert heard
        if not heard:
            assert state in (State.FALLBACK, State.INIT, State.EMERGENCY)

    @invariant()
    def what_is_in_force_is_never_above_what_was_said(self) -> None:
        force = self.capacity.limit_at(WITH_FALLBACK, self.now)
        unramped = self.capacity.limits.limit_at(WITH_FALLBACK, self.now, cut_off=self.capacity.standing.cut_off)
        assert 0 <= force.limit_mw <= unramped.limit_mw <= WITH_FALLBACK.static_capacity_mw

    @invariant()
    def nothing_is_a_trap(self) -> None:
        """From wherever it is, contact, a limit of everything and ten minutes lead to NORMAL."""
        much = signal("00:00-00:01 100", message_id="much")
        until = self.now + timedelta(hours=2)
        more = tuple(
            replace(much, kind=kind, blocks=(replace(much.blocks[0], start=self.now, end=until),))
            for kind in (SignalKind.LIMIT, SignalKind.EMERGENCY)
        )
        free = self.capacity.stopped(False, WITH_FALLBACK, self.now, TWO_AC3_16_MW)
        free = free.contact(WITH_FALLBACK, self.now, TWO_AC3_16_MW)
        for each in more:
            free = free.received(each, WITH_FALLBACK, self.now, TWO_AC3_16_MW)
        # The EMERGENCY above is one as long as it lasts, however much it allows.
        assert free.standing.state is State.EMERGENCY
        late = replace(more[0], blocks=(replace(more[0].blocks[0], end=until + timedelta(hours=1)),))
        free = free.received(late, WITH_FALLBACK, self.now, TWO_AC3_16_MW)
        for minute in range(12):
            free = free.looked_at(WITH_FALLBACK, until + timedelta(minutes=minute), TWO_AC3_16_MW)
        assert free.standing.state is State.NORMAL
        assert free.limit_at(WITH_FALLBACK, until + timedelta(minutes=11)).limit_mw == 100_000_000


TestStandings = Standings.TestCase
TestStandings.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_an_empty_line_is_a_gap_not_freedom() -> None:
    assert Limits().limit_at(T1, at("12:00")).gap
    assert Limits().limit_at(WITH_FALLBACK, at("12:00")).limit_mw == 8_000_000
