"""How much a session takes: as it is told, as it follows from its energy, or the worst that its connector allows."""

from decimal import Decimal

from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.power import Basis, PowerReading, Quality
from plugins.load_manager.knowledge.session import Source
from tests.unit.plugins.load_manager.knowledge.telling import ABC, S1, at, known_site, part, period, put, row


def draw(known: Known, minutes: float = 0) -> PowerReading:
    return row(known, minutes).draw


def test_a_power_that_is_told_is_measured() -> None:
    known = known_site()
    put(known, 10, charging_periods=[period(0, POWER="3.1"), period(5, POWER="7.3605", CURRENT="32")])
    assert draw(known) == PowerReading(7_360_500, Quality.MEASURED, Basis.POWER, at(5), at(10))
    assert draw(known).age_s(at(12)) == 120
    assert draw(known).age_s(at(9)) == 0


def test_else_it_follows_from_the_energy_of_at_least_a_minute() -> None:
    known = known_site()
    put(known, 0, kwh=Decimal("12.400"))
    put(known, 14.5, kwh=Decimal("13.000"))
    put(known, 15, kwh=Decimal("13.150"))
    assert draw(known) == PowerReading(3_000_000, Quality.DERIVED, Basis.ENERGY, at(0), at(15))


def test_energy_that_is_taken_back_is_no_power() -> None:
    known = known_site()
    put(known, 0, kwh=Decimal(5))
    put(known, 10, kwh=Decimal(4))
    assert draw(known).quality is Quality.ASSUMED


def test_a_current_is_booked_on_all_phases_and_a_peak_comes_last() -> None:
    known = known_site()
    put(known, 5, charging_periods=[period(0, CURRENT="10.5", MAX_POWER="11")])
    assert draw(known) == PowerReading(7_245_000, Quality.DERIVED, Basis.CURRENT, at(0), at(5))

    put(known, 6, charging_periods=[period(0, MAX_POWER="11")], kwh=Decimal("1.25"))
    assert draw(known).basis is Basis.ENERGY


def test_what_is_fresher_counts() -> None:
    known = known_site()
    put(known, 0, kwh=Decimal(1), charging_periods=[period(-5, POWER="11")])
    known.sessions.patch(ABC, "S1", part(6, kwh=Decimal("1.2")), Source.PUSHED, at(6))
    assert draw(known) == PowerReading(2_000_000, Quality.DERIVED, Basis.ENERGY, at(0), at(6))


def test_nobody_told_so_it_is_the_worst_case() -> None:
    known = known_site(max_amperage=16)
    put(known, 0, charging_periods=[])
    assert draw(known) == PowerReading(11_040_000, Quality.ASSUMED, Basis.CONNECTOR)
    assert draw(known).age_s(at(5)) is None


def test_one_that_ended_takes_nothing() -> None:
    known = known_site()
    one = put(known, 3, status="COMPLETED", charging_periods=[period(0, POWER="7")])
    assert one.readings(230, 3) == [PowerReading(0, Quality.MEASURED, Basis.ENDED, at=at(3))]
    assert list(known.rows(at(3))) == []


def test_what_is_read_as_an_average_comes_with_the_shortest_of_the_freshest_first() -> None:
    known = known_site()
    put(known, 0, kwh=Decimal("12.4"))
    put(known, 1, kwh=Decimal("12.5"), charging_periods=[period(0.5, POWER="3", CURRENT="32", MAX_POWER="11")])
    session = known.sessions.find(S1)
    assert session is not None
    assert [(one.basis, one.since) for one in session.metered()] == [(Basis.POWER, at(0.5)), (Basis.ENERGY, at(0))]
    put(known, 2, kwh=Decimal("12.5"), status="COMPLETED")
    assert session.metered() == []


def test_an_energy_may_be_late_and_a_power_is_what_it_says() -> None:
    def read(minutes: float, basis: Basis) -> int:
        return PowerReading(7_000_000, Quality.DERIVED, basis, at(0), at(minutes)).least_mw

    assert [read(minutes, Basis.ENERGY) for minutes in (1, 15)] == [6_000_000, 6_923_076]
    assert read(1, Basis.POWER) == 7_000_000
