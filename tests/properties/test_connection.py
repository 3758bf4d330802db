"""Liveness as a machine: whatever comes in whatever order, it keeps its rules, and it always finds out in the end."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.domain.connection import NEVER, Liveness

IDLE_S, SPACING_S, OFFLINE_S, SETTLE_S, LIMIT = 120.0, 20.0, 60.0, 60.0, 3
TICK_S = 1.0
EPSILON_S = 1e-6


class LivenessMachine(RuleBasedStateMachine):
    """A hub with its board, and one platform that may be reachable or not, and may send or not.

    Time moves in ticks as the board's does; a probe that is due is sent and ends after a while with what is true then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.reachable = True
        self.probe_s = 0.0
        self.probe_ends: float | None = None
        self.online = True
        self.counted: list[float] = []
        self.in_a_row = 0
        self.offline_since = NEVER
        self.returned_by: list[tuple[float, str]] = []

    @initialize(online=st.booleans())
    def start(self, online: bool) -> None:
        self.there = Liveness(
            IDLE_S, SPACING_S, online=online, offline_s=OFFLINE_S, settle_s=SETTLE_S, limit=LIMIT, since=self.now
        )
        self.online = online

    # --- what is watched ---

    def note(self, flipped: bool, by: str, failures_before: int) -> None:
        """Every call comes through here: what it claims must be what happened, and allowed by the rules."""
        assert flipped is (self.there.online is not self.online)
        if self.there.failures > failures_before:
            assert self.there.failures == failures_before + 1
            # Failures count at most once per spacing.
            assert not self.counted or self.now - self.counted[-1] >= SPACING_S - EPSILON_S
            self.counted.append(self.now)
            self.in_a_row += 1
        elif by in ("message", "probe"):
            self.in_a_row = 0
        if flipped and not self.there.online:
            # OFFLINE only after so many counted failures with nothing heard between them.
            assert by == "failure"
            assert self.in_a_row >= LIMIT
            if self.returned_by:
                assert self.now - self.returned_by[-1][0] >= (LIMIT - 1) * SPACING_S - EPSILON_S
            self.offline_since = self.now
        if flipped and self.there.online:
            assert by in ("message", "probe")
            if by == "message" and self.returned_by:
                # A second return by message alone is not believed so soon.
                assert self.now - self.returned_by[-1][0] >= SETTLE_S - EPSILON_S
            self.returned_by.append((self.now, by))
        self.online = self.there.online

    def heard(self) -> None:
        before = self.there.failures
        flipped = self.there.heard(self.now)
        self.note(flipped, "message", before)

    def failed(self) -> None:
        before = self.there.failures
        flipped = self.there.failed(self.now)
        self.note(flipped, "failure", before)

    def tick(self) -> None:
        self.now += TICK_S
        if self.probe_ends is not None and self.now >= self.probe_ends:
            self.probe_ends = None
            before = self.there.failures
            flipped = self.there.probed(self.now, succeeded=self.reachable)
            self.note(flipped, "probe" if self.reachable else "failure", before)
        if self.probe_ends is None and self.there.probe_due(self.now):
            self.probe_ends = self.now + self.probe_s

    # --- what may happen ---

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.tick()

    @rule(reachable=st.booleans(), probe_s=st.sampled_from([0.0, 3.0, 25.0]))
    def the_world_changes(self, reachable: bool, probe_s: float) -> None:
        self.reachable, self.probe_s = reachable, probe_s

    @rule(count=st.integers(1, 30))
    def the_platform_sends(self, count: int) -> None:
        for _ in range(count):
            self.heard()
            self.tick()

    @rule(count=st.integers(1, 60))
    def legs_are_sent(self, count: int) -> None:
        """While it is not OFFLINE; then nothing is sent (F4)."""
        for _ in range(count):
            if self.there.online:
                if self.reachable:
                    self.heard()
                else:
                    self.failed()
            self.tick()

    # --- it never wedges ---

    @rule()
    def a_reachable_platform_is_connected_before_long(self) -> None:
        self.reachable = True
        self.probe_ends = None if self.probe_ends is None else min(self.probe_ends, self.now + self.probe_s)
        for _ in range(int(OFFLINE_S + self.probe_s + 2 * TICK_S)):
            self.tick()
        assert self.there.online

    @rule()
    def an_unreachable_and_silent_platform_is_offline_before_long(self) -> None:
        self.reachable = False
        between_s = SPACING_S + self.probe_s + 2 * TICK_S
        for _ in range(int(IDLE_S + self.probe_s + 2 * TICK_S + LIMIT * between_s)):
            self.tick()
        assert not self.there.online

    @rule()
    def an_unreachable_platform_with_traffic_is_offline_sooner(self) -> None:
        self.reachable = False
        for _ in range(int(LIMIT * SPACING_S + self.probe_s + 2 * TICK_S)):
            if self.there.online:
                self.failed()
            self.tick()
        assert not self.there.online

    @invariant()
    def the_state_is_the_one_that_was_told(self) -> None:
        assert self.there.online is self.online


TestLiveness = LivenessMachine.TestCase
TestLiveness.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
