"""The end of every profile: shares of the fallback capacity, and turns where they are too small (I12)."""

from hypothesis import example, given
from hypothesis import strategies as st

from plugins.load_manager.profiles import SLOT_S, StepProfile, fallback_shares, stated_hour_s, with_ending

NOON_S = 1_767_268_800
MINIMUM_MW = 4_140_000


def test_everybody_has_a_share_where_it_is_enough() -> None:
    shares = fallback_shares(12_000_000, MINIMUM_MW, ["a", "b"], NOON_S, NOON_S + 7200)

    assert shares == {evse: StepProfile.flat(NOON_S, 6_000_000) for evse in "ab"}


def test_below_the_minimum_they_take_turns_of_half_an_hour() -> None:
    """10 kW for four: two are on with 5 kW each, the others after half an hour, and the last turn stays."""
    shares = fallback_shares(10_000_000, MINIMUM_MW, list("abcd"), NOON_S, NOON_S + 7200)

    assert shares["a"].start_s == NOON_S
    assert [shares["a"].at(NOON_S + slot * SLOT_S) for slot in range(5)] == [5_000_000, 0, 5_000_000, 0, 5_000_000]
    assert shares["a"] == shares["b"]
    assert [shares["c"].at(NOON_S + slot * SLOT_S) for slot in range(5)] == [0, 5_000_000, 0, 5_000_000, 0]
    assert shares["a"].last_mw == 5_000_000
    assert len(shares["a"].periods) == 5


def test_nobody_is_on_where_it_is_not_enough_for_one() -> None:
    shares = fallback_shares(4_000_000, MINIMUM_MW, ["a", "b"], NOON_S, NOON_S + 7200)

    assert shares == {evse: StepProfile.flat(NOON_S, 0) for evse in "ab"}
    assert fallback_shares(4_000_000, MINIMUM_MW, [], NOON_S, NOON_S) == {}


def test_the_share_follows_the_plan() -> None:
    plan = StepProfile.of([(NOON_S, 9), (NOON_S + 600, 8), (NOON_S + 2700, 7), (NOON_S + 3600, 6)])
    share = StepProfile.of([(0, 5), (NOON_S + 3000, 4)])

    profile = with_ending(plan, share, NOON_S + 2700)

    assert profile == StepProfile(NOON_S, ((0, 9), (600, 8), (2700, 5), (3000, 4)))


@example(fallback_mw=MINIMUM_MW, count=2, starts=[0, 1800] + [0] * 10)
@given(
    fallback_mw=st.integers(0, 80_000_000),
    count=st.integers(1, 12),
    starts=st.lists(st.integers(0, 3599), min_size=12, max_size=12),
)
def test_at_every_moment_the_sum_is_within_the_fallback(fallback_mw: int, count: int, starts: list[int]) -> None:
    """Although each profile was written at another moment, as long as they state the same hour."""
    evses = [f"evse-{number}" for number in range(count)]
    hour_s = stated_hour_s(NOON_S + 3600)
    shares = {
        evse: fallback_shares(fallback_mw, MINIMUM_MW, evses, NOON_S + start_s, hour_s)[evse]
        for evse, start_s in zip(evses, starts, strict=False)
    }
    marks = {NOON_S + 3600, *(moment_s for share in shares.values() for moment_s in share.seconds)}
    for moment_s in marks:
        in_force = [share.at(moment_s) for share in shares.values() if moment_s >= share.start_s]
        assert sum(in_force) <= fallback_mw
    for share in shares.values():
        assert len(share.periods) <= 8
        assert all(power_mw == 0 or power_mw >= MINIMUM_MW for _, power_mw in share.periods)


@given(count=st.integers(2, 6), on=st.integers(1, 5))
def test_everybody_has_a_turn(count: int, on: int) -> None:
    evses = list("abcdef")[:count]
    hour_s = NOON_S + count * SLOT_S
    shares = fallback_shares(on * MINIMUM_MW, MINIMUM_MW, evses, NOON_S, hour_s)

    assert all(any(power_mw > 0 for _, power_mw in share.periods) for share in shares.values())
