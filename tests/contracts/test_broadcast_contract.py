"""What every store promises about broadcasts under way: claims, settling, what is left."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store import legs as leg_list
from hub.store.ports import Store
from hub.store.records import Broadcast, LegClaim, PartyOn
from tests.contracts.catalog_samples import LEGS, broadcast, fan_out, kept, of
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, anything

THOUSAND = tuple(PartyOn(f"platform-{number}", "DE", f"{number:03d}") for number in range(1_000))

any_broadcast: st.SearchStrategy[Broadcast] = anything(Broadcast)


async def attempts(store: Store, order: int) -> tuple[int | None, ...] | None:
    """Per leg; None when the broadcast is forgotten."""
    found = await store.broadcasts.unfinished(order - 1, 1)
    return found[0].attempts if found and found[0].order == order else None


async def test_nothing_is_under_way_at_first(store: Store) -> None:
    assert await store.broadcasts.unfinished(0, 10) == []
    assert await store.broadcasts.claim([]) == frozenset()
    assert await store.broadcasts.claim([LegClaim(1, 0, 1)]) == frozenset()
    await store.broadcasts.settle([])
    await store.broadcasts.settle([(1, 0), (2, 7)])


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(stored=any_broadcast, body=st.none() | st.binary(max_size=30))
async def test_any_broadcast_comes_back(store: Store, stored: Broadcast, body: bytes | None) -> None:
    stored = replace(stored, legs=stored.legs or LEGS)
    _, order = await store.catalog.apply(of(), kept(b"{}"), seen_at=NOW, broadcast=stored, body=body)
    assert order is not None
    (found,) = await store.broadcasts.unfinished(order - 1, 10)
    assert (found.order, found.broadcast, found.body) == (order, stored, body)
    assert found.attempts == (0,) * len(stored.legs)


async def test_a_leg_is_attempted_once_then_once_more_never_a_third_time(store: Store) -> None:
    order = await fan_out(store)
    first, second = LegClaim(order, 1, 1), LegClaim(order, 1, 2)
    assert await store.broadcasts.claim([second]) == frozenset()
    assert await store.broadcasts.claim([first]) == {first}
    assert await store.broadcasts.claim([first]) == frozenset()
    assert await attempts(store, order) == (0, 1, 0, 0)
    assert await store.broadcasts.claim([second]) == {second}
    assert await store.broadcasts.claim([second, LegClaim(order, 1, 3)]) == frozenset()
    assert await attempts(store, order) == (0, 2, 0, 0)


async def test_legs_and_broadcasts_that_are_not_there_are_refused(store: Store) -> None:
    order = await fan_out(store)
    wrong = [LegClaim(order, leg, 1) for leg in (-1, len(LEGS))] + [LegClaim(order, 0, at) for at in (-1, 0, 256)]
    assert await store.broadcasts.claim([*wrong, LegClaim(order + 1, 0, 1), LegClaim(order, 0, 1)]) == {
        LegClaim(order, 0, 1)
    }
    await store.broadcasts.settle([(order, -1), (order, len(LEGS)), (order + 1, 0)])
    assert await attempts(store, order) == (1, 0, 0, 0)


async def test_what_is_settled_cannot_be_claimed_and_what_is_settled_wholly_is_forgotten(store: Store) -> None:
    order = await fan_out(store)
    other = await fan_out(store, of("LOC2"))
    await store.broadcasts.claim([LegClaim(order, leg, 1) for leg in range(3)])
    await store.broadcasts.settle([(order, 0), (order, 3)])
    assert await attempts(store, order) == (None, 1, 1, None)
    assert await store.broadcasts.claim([LegClaim(order, 0, 2), LegClaim(order, 3, 1)]) == frozenset()
    await store.broadcasts.settle([(order, 0), (order, 1)])
    assert await attempts(store, order) == (None, None, 1, None)
    await store.broadcasts.settle([(order, 2), (order, 2)])
    assert await attempts(store, order) is None
    assert [one.order for one in await store.broadcasts.unfinished(0, 10)] == [other]
    assert await store.broadcasts.claim([LegClaim(order, 2, 2)]) == frozenset()


async def test_a_thousand_legs_are_claimed_and_settled_in_one_call(store: Store) -> None:
    order = await fan_out(store, legs=THOUSAND)
    claims = [LegClaim(order, leg, 1) for leg in range(1_000)]
    assert await store.broadcasts.claim(claims) == set(claims)
    assert await attempts(store, order) == (1,) * 1_000
    await store.broadcasts.settle([(order, leg) for leg in range(999)])
    assert await attempts(store, order) == (None,) * 999 + (1,)
    await store.broadcasts.settle([(order, 999)])
    assert await store.broadcasts.unfinished(0, 10) == []


async def test_one_call_claims_legs_of_many_broadcasts(store: Store) -> None:
    orders = [await fan_out(store, of(f"LOC{number}")) for number in range(16)]
    claims = [LegClaim(order, number % len(LEGS), 1) for number, order in enumerate(orders)]
    await store.broadcasts.settle([(orders[3], leg) for leg in range(len(LEGS))])
    assert await store.broadcasts.claim(claims) == {claim for claim in claims if claim.order != orders[3]}
    left = {one.order: one.attempts for one in await store.broadcasts.unfinished(0, 100)}
    assert left.keys() == set(orders) - {orders[3]}
    for number, order in enumerate(orders):
        if order in left:
            assert left[order] == tuple(int(leg == number % len(LEGS)) for leg in range(len(LEGS)))


async def test_of_those_who_claim_a_leg_at_once_exactly_one_may(store: Store) -> None:
    order = await fan_out(store)
    claim = LegClaim(order, 2, 1)
    granted = await asyncio.gather(*(store.broadcasts.claim([claim]) for _ in range(50)))
    assert sorted(granted, key=len) == [frozenset()] * 49 + [frozenset({claim})]
    assert await attempts(store, order) == (0, 0, 1, 0)


async def test_claims_and_settlements_at_once_lose_nothing(store: Store) -> None:
    orders = [await fan_out(store, of(f"LOC{number}"), THOUSAND[:50]) for number in range(4)]

    async def send(order: int, leg: int) -> int:
        granted = await store.broadcasts.claim([LegClaim(order, leg, 1)])
        if leg % 2:
            await store.broadcasts.settle([(order, leg)])
        return len(granted)

    legs = [(order, leg) for leg in range(50) for order in orders]
    assert sum(await asyncio.gather(*(send(*leg) for leg in legs))) == 200
    expected = tuple(None if leg % 2 else 1 for leg in range(50))
    assert {one.order: one.attempts for one in await store.broadcasts.unfinished(0, 10)} == dict.fromkeys(
        orders, expected
    )


async def test_unfinished_ones_come_by_order_in_portions(store: Store) -> None:
    orders = [await fan_out(store, of(f"LOC{number}"), THOUSAND[: number + 1]) for number in range(7)]
    assert [one.order for one in await store.broadcasts.unfinished(0, 3)] == orders[:3]
    following = await store.broadcasts.unfinished(orders[2], 100)
    assert [one.order for one in following] == orders[3:]
    assert [one.broadcast.legs for one in following] == [THOUSAND[: number + 1] for number in range(3, 7)]
    assert await store.broadcasts.unfinished(orders[-1], 100) == []
    assert await store.broadcasts.unfinished(0, 0) == []


async def test_a_portion_ends_where_its_bodies_are_too_many_bytes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leg_list, "MOST_BODIES_BYTES", 100)
    orders = []
    for size in (40, 60, 1, None, 0, 99, 101, 101, None, 10):
        body = None if size is None else b"x" * size
        _, order = await store.catalog.apply(of(), kept(b"{}"), seen_at=NOW, broadcast=broadcast(), body=body)
        orders.append(order)

    portions, after = [], 0
    while page := await store.broadcasts.unfinished(after, 5):
        portions.append([None if one.body is None else len(one.body) for one in page])
        after = page[-1].order
    assert portions == [[40, 60], [1, None, 0, 99], [101], [101], [None, 10]]
    assert [one.order for one in await store.broadcasts.unfinished(orders[2] or 0, 2)] == orders[3:5]


async def test_what_was_begun_is_known_after_opening_again(place: Place, store: Store) -> None:
    order = await fan_out(store, legs=THOUSAND[:5])
    await store.broadcasts.claim([LegClaim(order, leg, 1) for leg in range(3)])
    await store.broadcasts.settle([(order, 0)])
    await store.close()

    again = place()
    await again.open()
    (found,) = await again.broadcasts.unfinished(0, 10)
    assert found.order == order
    assert found.broadcast == broadcast(legs=THOUSAND[:5])
    assert found.body == b'{"body":1}'
    assert found.attempts == (None, 1, 1, 0, 0)
    assert await again.broadcasts.claim([LegClaim(order, 1, 1)]) == frozenset()
    assert await again.broadcasts.claim([LegClaim(order, 1, 2)]) == {LegClaim(order, 1, 2)}
    await again.close()
