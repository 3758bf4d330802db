"""The register of a group: scenario 29, restarts, and sessions that come, go and come again."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.power import Quality
from plugins.load_manager.knowledge.register import GroupId, GroupMeasurement
from tests.unit.plugins.load_manager.knowledge.telling import at, known_site, put

F7 = GroupId("F7")


def measure(known: Known, minutes: float) -> GroupMeasurement:
    return known.registers.measure(F7, known.sessions.items(), at(minutes))


def tell(known: Known, minutes: float, session_id: str, kwh: str, began: float = -15, **members: object) -> None:
    started = at(began).isoformat()
    put(known, minutes, session_id, kwh=Decimal(kwh), start_date_time=started, **members)


def test_the_report_of_a_quarter() -> None:
    known = known_site()
    tell(known, -1, "S1", "12.400", began=-120)
    tell(known, -1, "S2", "5.000", began=-60)
    known.registers.begin(F7, at(-30), Decimal("1234.500"))
    assert measure(known, 0).value_kwh == Decimal("1234.500")

    tell(known, 14, "S1", "13.150", began=-120)
    tell(known, 14, "S2", "5.900", began=-60)
    tell(known, 3, "S3", "0.100", began=2)
    tell(known, 9, "S3", "0.350", began=2, status="COMPLETED")
    found = measure(known, 15)
    assert found == GroupMeasurement(F7, Decimal("1236.500"), Quality.DERIVED, 8_000_000, at(0), at(15))
    assert str(found.value_kwh) == "1236.500"


def test_a_restart_loses_and_repeats_nothing() -> None:
    known = known_site()
    measure(known, 0)
    tell(known, 5, "S1", "2.0", began=1)
    measure(known, 15)

    again = Known()
    again.from_json(known.to_json())
    assert measure(again, 16).value_kwh == Decimal("2.0")
    tell(again, 20, "S1", "2.5", began=1)
    assert measure(again, 30).value_kwh == Decimal("2.5")


def test_the_first_reading_starts_from_what_there_is() -> None:
    known = known_site()
    tell(known, -1, "S1", "30")
    first = measure(known, 0)
    assert (first.value_kwh, first.average_mw) == (Decimal(0), None)
    tell(known, 14, "S1", "31")
    assert measure(known, 15).value_kwh == 1


def test_what_a_session_had_before_the_register_began_is_not_on_it() -> None:
    known = known_site()
    measure(known, 0)
    tell(known, 5, "S1", "30", began=-60)
    tell(known, 14, "S1", "31", began=-60)
    found = measure(known, 15)
    assert (found.value_kwh, found.average_mw) == (Decimal(1), 4_000_000)


def test_a_session_found_late_is_counted_and_does_not_make_a_peak() -> None:
    known = known_site()
    measure(known, 0)
    measure(known, 60)
    tell(known, 65, "S1", "10", began=5)
    tell(known, 74, "S1", "11", began=5)
    found = measure(known, 75)
    assert (found.value_kwh, found.average_mw) == (Decimal(11), 4_000_000)


def test_a_session_that_ended_is_counted_once_also_after_it_was_forgotten() -> None:
    known = known_site()
    measure(known, 0)
    tell(known, 5, "S1", "3", began=1, status="COMPLETED")
    measure(known, 15)
    known.prune(at(70))
    assert len(known.sessions) == 0
    measure(known, 75)
    tell(known, 80, "S1", "3", began=1, status="COMPLETED")
    assert measure(known, 90).value_kwh == 3


def test_energy_taken_back_does_not_turn_the_meter_back() -> None:
    known = known_site()
    measure(known, 0)
    tell(known, 5, "S1", "3", began=1)
    measure(known, 15)
    tell(known, 20, "S1", "2.5", began=1)
    assert measure(known, 30).value_kwh == 3
    tell(known, 40, "S1", "3.25", began=1)
    assert measure(known, 45).value_kwh == Decimal("3.25")


def test_a_car_that_nobody_spoke_of_makes_the_reading_assumed() -> None:
    known = known_site()
    measure(known, 0)
    tell(known, 5, "S1", "3", began=1)
    assert measure(known, 15).quality is Quality.DERIVED
    assert measure(known, 30).quality is Quality.ASSUMED
    tell(known, 31, "S1", "3", began=1, status="COMPLETED")
    assert measure(known, 45).quality is Quality.DERIVED


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.booleans()), max_size=30))
def test_it_never_runs_back_and_never_counts_more_than_was_given(story: list[tuple[int, int, bool]]) -> None:
    known = known_site()
    value_kwh = measure(known, 0).value_kwh
    most: dict[int, int] = {}
    for step, (number, kwh, read) in enumerate(story):
        tell(known, step + 1, f"S{number}", str(kwh), began=0.5)
        most[number] = max(kwh, most.get(number, 0))
        if read:
            found = measure(known, step + 1.5)
            assert value_kwh <= found.value_kwh <= sum(most.values())
            value_kwh = found.value_kwh
