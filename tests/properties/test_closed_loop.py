"""Cars that ignore their limits, read once a minute: the group is above its limit for no longer than one whole reading
after one of them is above its own, as long as the others can give way."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import Board, Put, Rates, Session, Target
from plugins.load_manager.dispatch.drawing import TOLERANCE_MW
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.planning import scale_of
from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.planning.site import AC3_16, Site
from tests.unit.plugins.load_manager.signals.saying import at

MAXIMUM_MW = 11_040_000
MINUTE = timedelta(minutes=1)


class Loop:
    """The plan, the board and the charge points of one group. `ignoring` has what cars draw that keep to nothing."""

    def __init__(self, cars: int, limit_kw: int) -> None:
        self.limit_mw = limit_kw * 1_000_000
        self.site = Site([AC3_16] * cars)
        self.site.limit(limit_kw)
        self.board = Board()
        self.rates = Rates()
        self.now = at("12:00")
        self.rows = {row.key: row for row in self.site.known.rows(self.now)}
        self.told = {key: StepProfile.flat(0, MAXIMUM_MW) for key in self.rows}
        self.ignoring: dict[SessionKey, int] = {}
        self.allowed: list[Mapping[SessionKey, int]] = []
        for row in self.rows.values():
            self.board.seen(Session(row.key, "X", ("T1",), row.connector_mw, scale_of(row)))

    def draws(self) -> Mapping[SessionKey, int]:
        """What each car draws now."""
        now_s = second(self.now)
        return {key: self.ignoring.get(key, told.at(now_s)) for key, told in self.told.items()}

    def shown(self) -> bool:
        """Whether there was a whole reading, and the seconds before it, since the limit of any car above it fell."""
        told_mw = {key: self.told[key].at(second(self.now)) for key in self.ignoring}
        return all(
            max(before[key] for before in self.allowed[-2:]) <= told_mw[key]
            for key, power_mw in self.ignoring.items()
            if power_mw > told_mw[key]
        )

    def steer(self) -> None:
        """Plans and tells until nothing more is to be told; every profile is in force at once."""
        overdrawn = {SessionKey(key): power_mw for key, power_mw in self.board.overdrawn(self.now).items()}
        made = self.site.plan(f"{self.now:%H:%M}", circumstances={"drawn_mw": overdrawn})
        self.board.limit({"T1": made.groups["T1"].room})
        for key, target in made.targets.items():
            if isinstance(target, StepProfile):
                self.board.aim(key, Target(target, made.until_s))
        while puts := [one for one in self.board.decide(self.now, self.rates) if isinstance(one, Put)]:
            for put in puts:
                self.told[SessionKey(put.session_id)] = put.profile
                self.board.called_back(self.now, put.session_id, put.epoch, put.seq, Result.ACCEPTED)

    def minute(self) -> None:
        """A minute goes by, and every car's power in it becomes known."""
        draws = self.draws()
        self.allowed.append({key: told.at(second(self.now)) for key, told in self.told.items()})
        since, self.now = self.now, self.now + MINUTE
        for key, power_mw in draws.items():
            self.board.drew(key, power_mw, since, self.now)


def tolerance(power_mw: int) -> int:
    return max(TOLERANCE_MW, power_mw // 20)


@settings(max_examples=60)
@given(cars=st.integers(2, 6), limit_kw=st.integers(10, 60), random=st.integers(0, 2**32).map(Random))
def test_a_car_that_ignores_its_limit_overloads_the_group_for_one_reading_at_most(
    cars: int, limit_kw: int, random: Random
) -> None:
    loop = Loop(cars, limit_kw)
    for _ in range(2):
        loop.steer()
        loop.minute()
    for _ in range(20):
        loop.steer()
        begins = random.random() < 0.3
        if begins:
            one = random.choice(list(loop.rows))
            free_mw = loop.limit_mw - sum(power for key, power in loop.ignoring.items() if key != one)
            drawn_mw = random.randrange(0, min(MAXIMUM_MW, max(1, free_mw)))
            if random.random() < 0.3:
                loop.ignoring.pop(one, None)
            else:
                loop.ignoring[one] = drawn_mw
        if not begins and loop.shown():
            slack_mw = sum(map(tolerance, loop.ignoring.values()))
            assert sum(loop.draws().values()) <= loop.limit_mw + slack_mw
        loop.minute()
