"""How often CPOs did not take a profile, over the last thirty days."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.refusals import MOST_MODELS, OTHERS, Refusal, RefusalBook
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON

AC = "AC 3 phases 16 A"


def test_they_are_counted_by_cpo_and_kind_of_charger() -> None:
    book = RefusalBook()
    for refusal in (Refusal.REJECTED, Refusal.REJECTED, Refusal.TOO_OFTEN):
        book.count(ABC, AC, refusal, NOON)
    book.count(PartyId("nl", "abc"), "DC 50 kW", Refusal.TIMED_OUT, NOON)
    book.count(PartyId("DE", "ABC"), AC, Refusal.TIMED_OUT, NOON)
    assert book.of(ABC, NOON) == {
        AC: {Refusal.REJECTED: 2, Refusal.TOO_OFTEN: 1},
        "DC 50 kW": {Refusal.TIMED_OUT: 1},
    }


def test_they_come_back_from_the_shelf_and_only_what_changed_is_written() -> None:
    known = Known()
    known.refusals.count(ABC, AC, Refusal.TOO_OFTEN, NOON)
    changes = known.changes()
    assert list(changes) == ["refusals/nl*abc"]
    again = Known()
    again.from_json(codec.loads(codec.dumps(changes)))
    assert again.refusals.of(ABC, NOON) == {AC: {Refusal.TOO_OFTEN: 1}}
    assert again.changes() == {}
    known.unsaved(changes)
    assert known.changes() == changes


def test_a_day_has_room_for_so_many_kinds_and_keeps_counting() -> None:
    book = RefusalBook()
    for number in range(MOST_MODELS + 5):
        book.count(ABC, f"DC {number} kW", Refusal.REJECTED, NOON)
    book.count(ABC, "DC 1 kW", Refusal.REJECTED, NOON)
    sums = book.of(ABC, NOON)
    assert len(sums) == MOST_MODELS + 1
    assert (sums["DC 1 kW"], sums[OTHERS]) == ({Refusal.REJECTED: 2}, {Refusal.REJECTED: 5})


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=30))
def test_thirty_days_count_and_no_more_are_kept(pauses: list[int]) -> None:
    book, now, days = RefusalBook(), NOON, []
    for pause in pauses:
        now += timedelta(days=pause)
        days.append(now.date())
        book.count(ABC, AC, Refusal.REJECTED, now)
    for later in (0, 1, 29, 30):
        moment = now + timedelta(days=later)
        recent = sum((moment.date() - day).days < 30 for day in days)
        assert book.of(ABC, moment).get(AC, {}).get(Refusal.REJECTED, 0) == recent
    kept = book.find(next(key for key, _ in book.items())) if days else None
    assert kept is None or len(kept.days) <= 30
