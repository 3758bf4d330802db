"""How many cars are expected, by when they came before."""

from datetime import datetime, timedelta
from decimal import Decimal

from plugins.load_manager.knowledge.arrivals import HOURS_KEPT, ArrivalBook
from plugins.load_manager.knowledge.register import GroupId
from tests.unit.plugins.load_manager.signals.saying import at

G = GroupId("G1")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def came(book: ArrivalBook, moment: datetime, count: int = 1, group: GroupId = G) -> None:
    for _ in range(count):
        book.note(group, moment, moment)


def test_of_a_group_without_a_past_one_an_hour_is_expected() -> None:
    book = ArrivalBook()
    assert book.per_h(G, at("12:00")) == 1
    came(book, at("12:10"))
    assert book.per_h(G, at("12:10")) == 1
    assert book.per_h(G, at("12:10") + DAY - HOUR) == 1


def test_after_its_first_day_it_is_the_average_of_the_hour() -> None:
    book = ArrivalBook()
    for day, count in enumerate((6, 0, 3)):
        came(book, at("08:30") + day * DAY, count)
    assert book.per_h(G, at("08:05") + 3 * DAY) == 3
    assert book.per_h(G, at("09:59") + 3 * DAY) == 0
    assert book.per_h(G, at("08:05") + 7 * DAY) == Decimal(9) / 7
    assert book.per_h(G, at("08:05") + 8 * DAY) == Decimal(3) / 7
    assert book.per_h(G, at("08:05") + 30 * DAY) == 0


def test_a_rush_counts_at_once_and_in_the_hour_after_it() -> None:
    book = ArrivalBook()
    came(book, at("08:30"))
    now = at("20:50") + DAY
    came(book, now, 12)
    assert [book.per_h(G, now + minutes) for minutes in (timedelta(), HOUR, 2 * HOUR)] == [12, 12, 0]


def test_groups_do_not_share_their_arrivals_and_are_forgotten() -> None:
    book = ArrivalBook()
    came(book, at("08:30"), 5)
    assert book.per_h(GroupId("G2"), at("08:31")) == 1
    book.keep_only(["G2"])
    assert book.per_h(G, at("08:31")) == 1
    assert book.changes() == {"arrivals/G1": None}


def test_what_is_heard_late_counts_when_it_came_and_what_is_too_old_does_not() -> None:
    book = ArrivalBook()
    now = at("12:00") + 10 * DAY
    came(book, now, 2)
    book.note(G, now - DAY, now)
    book.note(G, now - DAY, now)
    book.note(G, now - 9 * DAY, now)
    book.note(G, now + DAY, now)  # the clock of the CPO is wrong
    kept = book.find(G)
    assert kept is not None
    assert kept.counts == [2, *[0] * 23, 3]
    assert book.per_h(G, now) == 3


def test_it_does_not_grow_and_comes_back_from_the_shelf() -> None:
    book = ArrivalBook()
    for day in range(30):
        came(book, at("08:30") + day * DAY, 2)
    kept = book.find(G)
    assert kept is not None
    assert len(kept.counts) == HOURS_KEPT
    again = ArrivalBook()
    again.from_json(book.to_json())
    assert again.per_h(G, at("08:00") + 30 * DAY) == book.per_h(G, at("08:00") + 30 * DAY) == 2
    came(book, at("08:30") + 365 * DAY)
    assert kept.counts == [0] * (HOURS_KEPT - 1) + [1]
