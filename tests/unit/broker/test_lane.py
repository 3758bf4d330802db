"""What waits for one platform: order, replacement, bounds."""

from datetime import UTC, datetime

from hub.broker.lane import Cast, Lane, WaitingLeg
from hub.domain.catalog import ObjectKey, Push
from hub.ocpi.party_id import PartyId
from hub.store.records import Broadcast, PartyOn

OWNER = PartyId("NL", "CPA")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMA, EMB = PartyOn("P2", "NL", "EMA"), PartyOn("P2", "DE", "EMB")


def cast(
    order: int,
    object_id: str = "L1",
    *,
    method: str = "PUT",
    parts: tuple[str, ...] = (),
    body: bytes = b"{}",
    legs: tuple[PartyOn, ...] = (EMA,),
) -> Cast:
    key = ObjectKey("locations", OWNER, object_id)
    tail = "/".join(("NL", "CPA", object_id, *parts))
    broadcast = Broadcast("P1", OWNER, "2.2.1", "locations", method, tail, "", key.text, parts, f"c{order}", NOW, legs)
    return Cast(order, broadcast, body, Push(method, key, parts, body))


def patch(order: int, uid: str, members: str, object_id: str = "L1") -> Cast:
    return cast(order, object_id, method="PATCH", parts=(uid,), body=f"{{{members}}}".encode())


def sent(lane: Lane, *, finish: bool = True) -> list[int]:
    """The orders of everything that can be sent now, one after the other."""
    orders = []
    while (leg := lane.next()) is not None:
        orders.append(leg.cast.order)
        if finish:
            lane.done(leg)
    return orders


def lane(**bounds: int) -> Lane:
    return Lane("P2", 4, **bounds)


def test_objects_go_side_by_side_and_one_object_in_order() -> None:
    one = lane()
    for order, object_id in enumerate(("L1", "L2", "L1")):
        one.add(WaitingLeg(patch(order, "E1" if order < 2 else "E2", '"a":1', object_id), 0))
    first, second = one.next(), one.next()
    assert first is not None
    assert second is not None
    assert (first.cast.order, second.cast.order) == (0, 1)
    assert one.next() is None  # the third is of the first one's object
    one.done(first)
    third = one.next()
    assert third is not None
    assert third.cast.order == 2


def test_each_party_of_a_platform_has_an_order_of_its_own() -> None:
    one, shared = lane(), cast(1, legs=(EMA, EMB))
    one.add(WaitingLeg(shared, 0))
    one.add(WaitingLeg(shared, 1))
    legs = one.next(), one.next()
    assert [leg.receiver for leg in legs if leg is not None] == [EMA, EMB]


def test_a_newer_whole_object_replaces_all_that_waits_of_it() -> None:
    one = lane()
    for order, uid in ((1, "E1"), (2, "E2")):
        one.add(WaitingLeg(patch(order, uid, '"a":1'), 0))
    superseded, dropped = one.add(WaitingLeg(cast(3), 0))
    assert [leg.cast.order for leg in superseded] == [1, 2]
    assert not dropped
    assert sent(one) == [3]
    assert one.idle


def test_a_change_replaces_a_waiting_one_that_says_no_more() -> None:
    one = lane()
    one.add(WaitingLeg(patch(1, "E1", '"status":"CHARGING","last_updated":"a"'), 0))
    superseded, _ = one.add(WaitingLeg(patch(2, "E1", '"status":"AVAILABLE","last_updated":"b"'), 0))
    assert [leg.cast.order for leg in superseded] == [1]
    superseded, _ = one.add(WaitingLeg(patch(3, "E1", '"last_updated":"c"'), 0))
    assert not superseded
    assert sent(one) == [2, 3]


def test_what_is_under_way_is_not_replaced() -> None:
    one = lane()
    one.add(WaitingLeg(cast(1), 0))
    first = one.next()
    assert first is not None
    assert one.add(WaitingLeg(cast(2), 0)) == ([], [])
    assert one.next() is None
    one.done(first)
    assert sent(one) == [2]


def test_beyond_the_bound_the_oldest_of_that_party_goes() -> None:
    one = lane(most_legs=2)
    both = cast(0, "L0", legs=(EMA, EMB))
    one.add(WaitingLeg(both, 1))
    gone = []
    for order in range(1, 5):
        gone += one.add(WaitingLeg(cast(order, f"L{order}"), 0))[1]
    assert [leg.cast.order for leg in gone] == [1, 2]
    assert one.waiting == 3
    assert sent(one) == [0, 3, 4]


def test_beyond_the_bytes_the_oldest_goes_but_never_the_only_one() -> None:
    one = lane(most_bytes=10)
    assert one.add(WaitingLeg(cast(1, "L1", body=b"x" * 50), 0)) == ([], [])
    _, dropped = one.add(WaitingLeg(cast(2, "L2", body=b"x" * 50), 0))
    assert [leg.cast.order for leg in dropped] == [1]


def full(*, concurrency: int = 8) -> Lane:
    """A lane with many objects waiting."""
    made = Lane("P2", concurrency)
    for order in range(40):
        made.add(WaitingLeg(cast(order, f"L{order}"), 0))
    return made


def test_quick_answers_let_more_be_under_way_up_to_a_bound() -> None:
    one = full()
    counts = []
    for _ in range(4):
        counts.append(len(sent(one, finish=False)))
        one.answered(quickly=True)
    assert counts == [2, 2, 4, 0]
    assert one.in_flight == 8


def test_a_timeout_leaves_one_at_a_time_until_there_is_an_answer() -> None:
    one = full()
    for _ in range(3):
        one.answered(quickly=True)
    one.timed_out()
    assert (one.timeouts, len(sent(one, finish=False))) == (1, 1)
    one.answered(quickly=True)
    assert (one.timeouts, len(sent(one, finish=False))) == (0, 1)


def test_slow_answers_let_fewer_be_under_way() -> None:
    one = full()
    for _ in range(3):
        one.answered(quickly=True)
    for _ in range(5):
        one.answered(quickly=False)
    assert len(sent(one, finish=False)) == 1


def test_bytes_are_taken_from_who_has_most_of_them() -> None:
    one = lane(most_bytes=100)
    one.add(WaitingLeg(cast(1, "L1", body=b"x" * 60), 0))
    one.add(WaitingLeg(cast(2, "L2", body=b"x" * 30), 0))
    _, dropped = one.add(WaitingLeg(cast(3, "L3", legs=(EMA, EMB), body=b"x" * 20), 1))
    assert [leg.cast.order for leg in dropped] == [1]


def test_the_oldest_of_who_has_most_can_be_shed() -> None:
    one = lane()
    for order in range(3):
        one.add(WaitingLeg(cast(order, f"L{order}"), 0))
    one.add(WaitingLeg(cast(9, "L9", legs=(EMA, EMB)), 1))
    assert [leg.cast.order for leg in one.drop_oldest()] == [0]
    assert one.waiting == 3
    assert not Lane("P2", 4).drop_oldest()


def test_many_sent_legs_leave_nothing_behind() -> None:
    one = lane()
    for order in range(1000):
        one.add(WaitingLeg(cast(order, f"L{order % 7}"), 0))
        leg = one.next()
        assert leg is not None
        one.done(leg)
    assert one.idle
    assert not one.can_send
