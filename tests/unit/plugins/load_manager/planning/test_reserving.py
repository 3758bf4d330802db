"""What is kept free for cars that arrive."""

from dataclasses import replace
from decimal import Decimal

from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.arrivals import ArrivalBook
from plugins.load_manager.knowledge.register import GroupId
from plugins.load_manager.planning import arrivals_per_h
from tests.unit.plugins.load_manager.planning.site import AC3_16, AC3_32, SITE, Site, kw
from tests.unit.plugins.load_manager.signals.saying import T1, at, fallback, signal

LEARNT = replace(SITE, arrival_reserve_mw=None)
STATED = replace(SITE, arrival_reserve_mw=kw(8))


def kept(site: Site, arrivals: int = 1) -> int:
    made = site.plan("12:00", circumstances={"arrivals_per_h": {"T1": Decimal(arrivals)}})
    return made.groups["T1"].reserve_mw


def test_one_car_is_kept_room_for_where_one_comes_in_an_hour() -> None:
    site = Site([AC3_16] * 4, LEARNT, cars=2, default_current_a=6)
    site.limit(40)
    assert [kept(site, arrivals) for arrivals in (0, 1, 30, 10_000)] == [0, kw(4.14), kw(8.28), kw(8.28)]


def test_it_is_no_more_than_a_quarter_where_cars_have_no_default() -> None:
    site = Site([AC3_32] * 3, LEARNT, cars=1)
    site.limit(40)
    assert kept(site) == kw(10)
    assert site.amperes(site.plans[-1]) == [32.0]


def test_nobody_pauses_for_it() -> None:
    site = Site([AC3_16] * 4, LEARNT, cars=3, default_current_a=6)
    site.limit(16)
    assert kept(site) == kw(16 - 3 * 4.14)
    assert site.amperes(site.plans[-1]) == [6.0] * 3


def test_it_gives_way_to_what_cannot_be_lowered() -> None:
    for group, left_mw in ((LEARNT, 0), (STATED, kw(0.96))):
        site = Site([AC3_16] * 4, group, cars=2, default_current_a=6)
        site.limit(12)
        made = site.plan("12:00", held={"S1": kw(11.04)}, circumstances={"arrivals_per_h": {"T1": Decimal(30)}})
        assert made.groups["T1"].reserve_mw == left_mw
        assert made.groups["T1"].deficit_mw == 0


def test_nobody_is_in_breach_of_zero_because_of_it() -> None:
    site = Site([AC3_16] * 4, STATED, cars=2, default_current_a=6)
    site.say(signal("12:00-12:30 20", "12:30-12:45 0", "12:45-23:59 20"), fallback("00:00-23:59 20"))
    made = site.plan("12:00")
    assert made.groups["T1"].reserve_mw == kw(8)
    assert [made.groups["T1"].room.value_at(at(moment)) for moment in ("12:00", "12:30", "12:45")] == [
        kw(12),
        0,
        kw(12),
    ]


def test_what_is_expected_below_a_group_is_expected_in_it() -> None:
    left, right = (replace(T1, id=name, parent="T1", members=SITE.members) for name in ("left", "right"))
    area = replace(T1, id="area")
    model = GridModel([area, replace(T1, parent="area"), left, replace(right, members=())])
    arrivals = ArrivalBook()
    for _ in range(5):
        arrivals.note(GroupId("left"), at("12:00"), at("12:00"))
    expected = arrivals_per_h("area", model, arrivals, at("12:01"))
    assert expected == {"area": 5, "T1": 5, "left": 5, "right": 0}
