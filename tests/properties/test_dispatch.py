"""Dispatch in a world where everything goes wrong: what is booked is never less than what charge points allow, nothing
goes up without room, nothing is said twice, and a crash changes none of it."""

from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.load_manager.dispatch import Put, Settings, WakeAt
from plugins.load_manager.profiles import StepProfile, exceeds, to_ocpi
from tests.unit.plugins.load_manager.dispatch.world import AC3, EVSES, FALLBACK_MW, SHARE_MW, World

RANDOMS = st.integers(0, 2**32).map(Random)
PAUSES_S = (0, 1, 4, 15, 40, 70, 300, 900)


def decide(world: World, crash_after: int | None = None) -> None:
    """One round, with what must hold about it: I2, I10, I11 and I12."""
    world.plan()
    before, over, held = world.totals(), world.over(), set(world.board.held(world.now))
    too_much = world.over(endings=False)
    actions = world.round(crash_after)
    after = world.totals()
    end_s = world.second + Settings().horizon_s
    for node, total in after.items():
        assert not (over & {node} and exceeds(total, before[node], world.second, end_s)), "up in the window of a drop"
        if node not in over:
            assert not exceeds(total, world.limits[node], world.second, end_s), "up without room"
    for action in actions:
        if isinstance(action, Put):
            check_profile(world, action.profile)
    if crash_after is None:
        check_decreases(world, too_much)
        again = world.board.decide(world.now, world.rates)
        if held == set(world.board.held(world.now)):  # else the plan has something new to go by
            again += world.round()
        assert [action for action in again if not isinstance(action, WakeAt)] == []


def check_decreases(world: World, over: set[str]) -> None:
    """Where a node is above its limit, everything that is to come down is on its way. Endings do not count: profiles
    are refreshed before they come.
    """
    for row in world.board.state.rows.values():
        want = row.desired
        if want is None or row.held(world.board.state.offline, world.now) or not over.intersection(row.session.path):
            continue
        until_s = min(want.until_s, want.until_s if row.newest_until_s is None else row.newest_until_s)
        assert not exceeds(row.newest, want.profile, world.second, until_s), "a decrease that is needed waits"


def check_profile(world: World, profile: StepProfile) -> None:
    assert profile.start_s <= world.second
    assert profile.last_mw <= SHARE_MW
    assert EVSES * profile.last_mw <= FALLBACK_MW
    value = to_ocpi(profile, AC3)
    assert set(value) == {"start_date_time", "charging_rate_unit", "charging_profile_period"}
    periods = value["charging_profile_period"]
    assert isinstance(periods, list)
    assert 1 <= len(periods) <= 8
    starts = [period["start_period"] for period in periods]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    for period in periods:
        limit = period["limit"]
        assert isinstance(limit, Decimal)
        assert limit == limit.quantize(Decimal("0.1"))
        assert limit == 0 or limit >= 6
    assert StepProfile.of(profile.steps) == profile


def live(world: World, steps: int, *, crashes: bool) -> None:
    random = world.random
    for _ in range(steps):
        for _ in range(random.choice((0, 1, 1, 2))):
            world.change()
            world.excused |= world.over()
        decide(world, random.randrange(4) if crashes and random.random() < 0.25 else None)
        world.excuse()
        world.run(random.choice(PAUSES_S))


@settings(max_examples=40)
@given(RANDOMS)
def test_charge_points_never_take_more_than_is_booked_nor_than_the_limit_outside_the_window(random: Random) -> None:
    live(World(random), 40, crashes=False)


@settings(max_examples=40)
@given(RANDOMS)
def test_nor_when_the_hub_crashes_between_any_two_actions(random: Random) -> None:
    live(World(random), 40, crashes=True)


@settings(max_examples=30)
@given(RANDOMS)
def test_when_it_is_calm_again_everything_comes_to_rest_at_the_plan(random: Random) -> None:
    world = World(random)
    live(world, 15, crashes=True)
    world.calm = True
    world.offline.clear()
    world.crash()
    for _ in range(30):
        decide(world)
        world.excuse()
        world.run(61)
    world.plan()
    for name, row in world.board.state.rows.items():
        assert row.trouble is not None or row.waiting is None
        if row.trouble is None and row.desired is not None and row.reported is None:
            most_mw, booked_mw = row.desired.profile.at(world.second), world.board.booked(name, world.now)
            assert booked_mw < most_mw + max(1, min(AC3.ampere_mw, most_mw // 10))
            assert booked_mw > most_mw - max(AC3.ampere_mw, most_mw // 10) - AC3.tenth_mw
