"""What sessions show of their cars: phases, the most they take, and whether they wake after a pause."""

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.load_manager.knowledge.connectors import Connector
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.learning import LearningBook, Learnt, Limit
from plugins.load_manager.knowledge.power import Basis, PowerReading, Quality
from tests.unit.plugins.load_manager.knowledge.telling import ABC, S1, at, known_site, period, put, row


class Driving:
    """S1 at a three-phase connector of 32 A; its power is told every five minutes."""

    def __init__(self, known: Known | None = None) -> None:
        self.known = known or known_site()
        self.minutes = 0.0
        put(self.known, 0, charging_periods=[])

    def limit(self, limit_ma: int | None) -> None:
        self.limits((0, limit_ma))

    def limits(self, *steps: tuple[float, int | None]) -> None:
        """A profile that is confirmed now, with its periods after so many minutes."""
        self.known.learning.confirmed(S1, *(Limit(at(self.minutes + after), limit_ma) for after, limit_ma in steps))

    def draw(self, *powers_kw: float) -> "Driving":
        for power_kw in powers_kw:
            self.minutes += 5
            put(self.known, self.minutes, charging_periods=[period(self.minutes - 5, POWER=str(power_kw))])
        return self

    @property
    def bounds_kw(self) -> tuple[float, float]:
        found = row(self.known, self.minutes)
        return found.minimum_mw / 1e6, found.maximum_mw / 1e6

    @property
    def phases(self) -> int:
        return row(self.known, self.minutes).phases

    @property
    def pausable(self) -> bool:
        return row(self.known, self.minutes).pausable


def test_three_samples_at_the_limit_show_the_phases() -> None:
    car = Driving()
    car.limit(10_000)
    assert car.draw(2.3, 2.2).phases == 3
    assert car.draw(2.1).phases == 1
    assert car.bounds_kw == (1.38, 7.36)


def test_two_phases_are_told_from_one_and_from_three() -> None:
    car = Driving()
    car.limit(10_000)
    assert car.draw(4.6, 4.0, 5.2).phases == 2
    assert car.bounds_kw == (2.76, 14.72)

    car = Driving()
    car.limit(10_000)
    assert car.draw(6.9, 6.5, 6.0, 5.9).phases == 3


def test_phases_are_of_one_session_and_need_three_samples_in_a_row() -> None:
    car = Driving()
    car.limit(10_000)
    assert car.draw(2.3, 2.3, 3.4, 2.3, 2.3).phases == 3
    assert car.draw(2.3).phases == 1
    put(car.known, 30, "S2", evse_uid="E1", charging_periods=[])
    (other,) = (one for one in car.known.rows(at(30)) if one.key != S1)
    assert other.phases == 3


def test_a_limit_that_does_not_bind_shows_no_phases() -> None:
    car = Driving()
    assert car.draw(7.36, 7.36, 7.36).phases == 3
    car = Driving()
    car.limit(32_000)
    assert car.draw(7.36, 7.36, 7.36).phases == 3


def test_a_reading_from_before_the_limit_teaches_nothing() -> None:
    car = Driving()
    for number in range(4):
        car.minutes += 4
        car.limit(10_000 + number)
        car.minutes -= 4
        car.draw(2.3)
    assert car.phases == 3


def test_a_reading_is_held_against_the_period_of_the_profile_it_was_taken_in() -> None:
    car = Driving()
    car.limits((0, 16_000), (5, 10_000))
    assert car.draw(3.6, 2.3).phases == 3
    assert car.draw(2.2).phases == 1


def test_a_reading_over_two_periods_teaches_nothing() -> None:
    car = Driving()
    car.limits((0, 10_000), (4, 10_100), (9, 10_200), (14, 10_300))
    assert car.draw(2.3, 2.3, 2.3).phases == 3


def test_a_reading_that_comes_late_is_held_against_the_period_that_is_over() -> None:
    car = Driving()
    car.limits((0, 10_000), (15, 0))
    car.draw(2.3, 2.3)
    row(car.known, 16)  # somebody has looked at it meanwhile
    assert car.draw(2.3).phases == 1


def test_a_profile_that_is_refreshed_wipes_nothing_away() -> None:
    car = Driving()
    car.limits((0, 10_000), (60, 6_000))
    for _ in range(3):
        car.minutes += 3
        car.limits((0, 10_000), (60, 6_000))
        car.minutes -= 3
        car.draw(2.3)
    assert car.phases == 1


def test_a_new_profile_takes_the_place_of_what_was_still_to_come() -> None:
    car = Driving()
    car.limits((0, 10_000), (5, 0))
    car.limits((0, 10_000), (60, 0))
    assert row(car.known, 20).on_since == at(0)
    assert row(car.known, 61).waiting_s == 60


def test_a_pause_in_the_profile_is_known_when_it_comes_and_when_it_is_over() -> None:
    car = Driving()
    car.limits((0, 10_000), (5, 0), (10, 10_000))
    car.draw(6.9)
    assert (row(car.known, 7).on_since, row(car.known, 7).waiting_s) == (None, 120)
    car.draw(0)
    assert row(car.known, 11).on_since == at(10)
    assert car.draw(0, 0).pausable
    assert not car.draw(0).pausable


def test_one_that_draws_more_than_its_phases_can_has_more() -> None:
    car = Driving()
    car.limit(10_000)
    car.draw(2.3, 2.3, 2.3)
    assert car.draw(6.6).phases == 3
    assert car.bounds_kw == (4.14, 22.08)


def test_three_samples_clearly_below_the_limit_show_the_most_it_takes() -> None:
    car = Driving()
    assert car.draw(10.5, 11.0).bounds_kw == (4.14, 22.08)
    assert car.draw(10.8).bounds_kw == (4.14, 12.1)
    assert car.draw(11.3).bounds_kw == (4.14, 12.43)
    assert car.draw(12.1).bounds_kw == (4.14, 22.08)


def test_one_that_follows_its_limit_shows_no_maximum() -> None:
    car = Driving()
    car.limit(16_000)
    assert car.draw(11.0, 10.9, 10.0, 9.5, 10.5).bounds_kw == (4.14, 22.08)
    car.draw(5.0, 5.0)
    car.limit(8_000)
    assert car.draw(5.0, 5.0, 5.0).bounds_kw == (4.14, 22.08)


def test_a_car_that_takes_nearly_nothing_is_left_its_minimum() -> None:
    assert Driving().draw(0.1, 0.1, 0.1).bounds_kw == (4.14, 4.14)


def test_a_single_phase_car_is_not_taken_for_a_weak_one_while_its_phases_are_learnt() -> None:
    car = Driving()
    car.limit(10_000)
    car.draw(2.3, 2.3, 2.3, 2.3, 2.3)
    learnt = car.known.learning.find(S1)
    assert learnt is not None
    assert (learnt.phases, learnt.maximum_mw) == (1, None)


def test_a_car_that_does_not_wake_is_not_paused_again_until_it_draws() -> None:
    car = Driving()
    car.limit(10_000)
    car.draw(6.9)
    car.limit(0)
    assert car.draw(0, 0, 0, 0).pausable
    car.limit(10_000)
    assert car.draw(0, 0).pausable
    assert not car.draw(0.1).pausable
    assert car.draw(6.9).pausable


def test_a_car_that_was_full_before_the_pause_is_no_sleeper() -> None:
    car = Driving()
    car.limit(10_000)
    car.draw(6.9, 0.1)
    car.limit(0)
    car.limit(10_000)
    assert car.draw(0, 0, 0, 0).pausable


def test_how_long_it_has_been_on_or_paused() -> None:
    car = Driving()
    assert (row(car.known).on_since, row(car.known).waiting_s) == (at(0), 0)
    car.minutes = 5
    car.limit(0)
    car.minutes = 10
    car.limit(0)
    assert (row(car.known, 20).on_since, row(car.known, 20).waiting_s) == (None, 900)
    car.limit(10_000)
    car.minutes = 15
    car.limit(12_000)
    assert (row(car.known, 20).on_since, row(car.known, 20).waiting_s) == (at(10), 0)


def test_each_reading_teaches_once_and_only_metered_ones_do() -> None:
    bounds = Connector().bounds()
    learnt = Learnt()
    reading = PowerReading(2_300_000, Quality.MEASURED, Basis.POWER, at(0), at(5))
    assert learnt.observe(reading, bounds)
    assert not learnt.observe(reading, bounds)
    assert not learnt.observe(PowerReading(2_300_000, Quality.DERIVED, Basis.CURRENT, at(5), at(9)), bounds)
    assert not learnt.observe(PowerReading(2_300_000, Quality.ASSUMED, Basis.CONNECTOR), bounds)


def test_direct_current_has_no_phases_to_learn() -> None:
    car = Driving(known_site(power_type="DC", max_voltage=500, max_amperage=100))
    car.known.learning.confirmed(S1, Limit(at(0), mw=20_000_000))
    assert car.draw(8, 8, 8).phases == 1
    assert car.bounds_kw == (5, 8.8)


def test_what_is_learnt_survives_a_restart_in_the_middle_of_it() -> None:
    car = Driving()
    car.limit(10_000)
    car.draw(2.3, 2.3)
    again = LearningBook()
    again.from_json(car.known.learning.to_json())
    car.known.learning = again
    assert car.draw(2.3).phases == 1


def test_the_oldest_go_above_the_bound() -> None:
    book = LearningBook(most=2)
    for number in range(4):
        book.confirmed(session_key(ABC, f"S{number}"), Limit(at(0), 0))
    assert [key for key, _ in book.items()] == [session_key(ABC, "S2"), session_key(ABC, "S3")]


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0, 6_000, 10_000, 16_000, 32_000]), st.integers(-5_000_000, 30_000_000)),
        max_size=25,
    )
)
def test_whatever_is_drawn_the_bounds_are_bounds(story: list[tuple[int | None, int]]) -> None:
    bounds = Connector().bounds()
    learnt = Learnt()
    for step, (limit_ma, power_mw) in enumerate(story):
        learnt.confirmed([Limit(at(step * 5), limit_ma)])
        learnt.observe(PowerReading(power_mw, Quality.MEASURED, Basis.POWER, at(step * 5), at(step * 5 + 5)), bounds)
        assert learnt.phases in {None, 1, 2}
        assert learnt.maximum_mw is None or learnt.maximum_mw >= 0
        assert (
            learnt.phases is None
            or power_mw <= learnt.phases * 230 * (limit_ma or 32_000) * 115 // 100
            or limit_ma == 0
        )
        assert learnt.limit is not None
        assert (learnt.on_since is None) == learnt.limit.paused
        assert bounds.lowest_mw(learnt.phases) <= bounds.highest_mw(learnt.phases)
