"""What every store promises about duties: of all who want one, one has it, what is sent to it comes to that one, and
nobody else can save what only that one may.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from hub.errors import StoreConflict, TermOver
from hub.store.ports import Store
from hub.store.records import DutyState, Fence, Put, Shelved
from hub.store.sqlite.store import SqliteStore
from tests.contracts.conftest import Place

DUTY = "meter:work"


@pytest.fixture
async def rivals(place: Place, store: Store) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores over one database; where one hub has it for itself, it is its own rival."""
    if isinstance(store, SqliteStore):
        yield store, store
        return
    other = place()
    await other.open()
    yield store, other
    await other.close()


async def taken(store: Store, holder: str = "one", seen: DutyState | None = None) -> DutyState:
    state = await store.duties.take(DUTY, holder, seen)
    assert state is not None
    return state


async def test_a_duty_is_taken_renewed_and_released(place: Place, store: Store) -> None:
    assert await store.duties.look(DUTY) is None
    first = await taken(store)
    assert first == DutyState(DUTY, "one", term=1, beat=0) == await store.duties.look(DUTY)
    assert await store.duties.take(DUTY, "two", None) is None
    second = await store.duties.renew(first)
    assert second == replace(first, beat=1) == await store.duties.look(DUTY)
    # What counts is holder and term, not from which beat.
    assert await store.duties.renew(first) == replace(first, beat=2)
    assert await store.duties.take(DUTY, "two", second) is None

    await store.duties.release(first)
    free = await store.duties.look(DUTY)
    assert free == DutyState(DUTY, None, term=1, beat=2)
    assert await store.duties.renew(first) is None
    await store.close()
    again = place()
    await again.open()
    assert await again.duties.take(DUTY, "two", free) == DutyState(DUTY, "two", term=2, beat=0)
    assert await again.duties.look("meter:other") is None
    await again.close()


async def test_whoever_was_passed_over_cannot_renew_or_release(store: Store) -> None:
    first = await taken(store)
    second = await taken(store, "two", first)
    assert second == DutyState(DUTY, "two", term=2, beat=0)
    assert await store.duties.renew(first) is None
    await store.duties.release(first)
    # The same holder in a term of its own that is over is no better off.
    third = await taken(store, "one", second)
    assert await store.duties.renew(first) is None
    await store.duties.release(first)
    assert await store.duties.look(DUTY) == third


async def test_of_many_who_take_it_at_once_one_has_it(rivals: tuple[Store, Store]) -> None:
    seen: DutyState | None = None
    for term in (1, 2, 3):
        wanting = [store.duties.take(DUTY, f"{number}", seen) for number, store in enumerate(rivals * 4)]
        won = [state for state in await asyncio.gather(*wanting) if state is not None]
        assert [state.term for state in won] == [term]
        assert [await store.duties.look(DUTY) for store in rivals] == won * 2
        seen = won[0]


async def test_renewing_and_taking_at_once_never_both_succeed(rivals: tuple[Store, Store]) -> None:
    one, two = rivals
    state = await taken(one)
    for _ in range(10):
        renewed, passed = await asyncio.gather(one.duties.renew(state), two.duties.take(DUTY, "two", state))
        assert (renewed is None) is (passed is not None)
        if passed is not None:
            state = await taken(one, "one", passed)
        elif renewed is not None:
            state = renewed
    assert await two.duties.look(DUTY) == state


# --- the inbox


async def test_events_come_to_the_holder_once_and_in_order(rivals: tuple[Store, Store]) -> None:
    one, two = rivals
    events = [b"", b"\x00\xff", *(b"%d" % number for number in range(5))]
    # Before anybody has the duty, too.
    assert await two.duties.send(DUTY, events[:3], most=100) == 3
    state = await taken(one)
    assert await two.duties.send(DUTY, events[3:], most=100) == 4
    assert await two.duties.send("meter:other", [b"not for it"], most=100) == 1
    assert await one.duties.receive(state, 2) == events[:2]
    assert await one.duties.receive(state, 0) == []
    assert await one.duties.receive(state, 100) == events[2:]
    assert await one.duties.receive(state, 100) == []


async def test_an_inbox_is_bounded(store: Store) -> None:
    assert await store.duties.send(DUTY, [b"1", b"2", b"3"], most=2) == 2
    assert await store.duties.send(DUTY, [b"4"], most=2) == 0
    assert await store.duties.send(DUTY, [b"4"], most=0) == 0
    state = await taken(store)
    assert await store.duties.receive(state, 1) == [b"1"]
    assert await store.duties.send(DUTY, [b"5", b"6"], most=2) == 1
    assert await store.duties.receive(state, 9) == [b"2", b"5"]


async def test_events_are_not_for_whoever_was_passed_over(rivals: tuple[Store, Store]) -> None:
    one, two = rivals
    first = await taken(one)
    second = await taken(two, "two", first)
    with pytest.raises(TermOver, match=DUTY):
        await one.duties.receive(first, 9)
    await one.duties.send(DUTY, [b"event"], most=9)
    with pytest.raises(TermOver, match=DUTY):
        await one.duties.receive(first, 9)
    assert await two.duties.receive(second, 9) == [b"event"]
    await two.duties.release(second)
    with pytest.raises(TermOver):
        await two.duties.receive(second, 9)


async def test_of_many_who_receive_each_event_comes_to_one(store: Store) -> None:
    events = [b"%02d" % number for number in range(12)]
    await store.duties.send(DUTY, events, most=100)
    state = await taken(store)
    received = await asyncio.gather(*(store.duties.receive(state, 3) for _ in range(5)))
    assert sorted(event for some in received for event in some) == events


# --- fences


async def test_a_fence_holds_from_taking_the_duty_to_the_next_term(store: Store) -> None:
    with pytest.raises(TermOver):
        await store.shelf.save("meter", [Put("a", b"x")], Fence("meter:work", 1))
    first = await taken(store)
    fence = Fence(DUTY, first.term)
    await store.shelf.save("meter", [Put("a", b"one")], fence)
    with pytest.raises(StoreConflict, match="a was"):
        await store.shelf.save("meter", [Put("a", b"x", 7)], fence)
    renewed = await store.duties.renew(first)
    await store.shelf.save("meter", [Put("a", b"two"), Put("b", b"two")], fence)

    second = await taken(store, "two", renewed)
    late: list[Sequence[Put]] = [
        [Put("a", b"late")],
        [Put("c", b"late"), Put("d", b"late")],
        [Put("a", b"x", 7)],
        [],
    ]
    for puts in late:
        with pytest.raises(TermOver, match="meter:work"):
            await store.shelf.save("meter", puts, fence)
    await store.shelf.save("meter", [Put("a", b"three", 2)], Fence(DUTY, second.term))

    await store.duties.release(second)
    with pytest.raises(TermOver):
        await store.shelf.save("meter", [Put("a", b"late")], Fence(DUTY, second.term))
    assert await store.shelf.list("meter", "", "", 9) == [Shelved("a", b"three", 3), Shelved("b", b"two", 1)]


async def test_nothing_lands_behind_the_take(rivals: tuple[Store, Store]) -> None:
    """The former holder saves on, in the midst of which another node takes the duty: what this one reads then stays."""
    former, taker = rivals
    first = await taken(former)
    fence = Fence(DUTY, first.term)
    saved = asyncio.Event()
    over = 0

    async def save_on(key: str) -> None:
        nonlocal over
        try:
            while True:
                await former.shelf.save("meter", [Put(key, b""), Put(key + "'", b"")], fence)
                saved.set()
        except TermOver:
            over += 1

    saving = [asyncio.create_task(save_on(key)) for key in "abc"]
    await asyncio.wait_for(saved.wait(), 10)
    await taken(taker, "two", first)
    then = await taker.shelf.list("meter", "", "", 9)
    await asyncio.wait_for(asyncio.gather(*saving), 20)

    assert over == 3
    assert await taker.shelf.list("meter", "", "", 9) == then


async def test_saves_of_one_term_do_not_refuse_each_other(store: Store) -> None:
    first = await taken(store)
    fence = Fence(DUTY, first.term)
    await asyncio.gather(*(store.shelf.save("meter", [Put(f"{number}", b"")], fence) for number in range(20)))
    assert len(await store.shelf.list("meter", "", "", 99)) == 20
