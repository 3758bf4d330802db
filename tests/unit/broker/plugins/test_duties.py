"""A duty as one node sees it: taking, keeping and losing it, events, and what is left behind."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.broker.plugins import duties as module
from hub.broker.plugins.duties import KEEP_S, LEASE_S, RENEW_S, Duties, HeldTerm
from hub.errors import StoreUnavailable, TermOver
from hub.plugin.hub_api import NotAllowed
from hub.store.records import DutyState
from hub.store.sqlite.store import SqliteStore
from tests.unit.broker.plugins.duty_nodes import Node, pass_time
from tests.waiting import until

DUTY = "meter/work"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hub.sqlite3")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def node(store: SqliteStore) -> AsyncIterator[Node]:
    of_others = asyncio.all_tasks()
    made = Node(store, "n1")
    yield made
    await made.duties.close()
    assert not asyncio.all_tasks() - of_others - {asyncio.current_task()}


async def held(node: Node) -> tuple[HeldTerm, asyncio.Event, "asyncio.Task[None]"]:
    """The node holds the duty, until the event is set."""
    terms: list[HeldTerm] = []
    leave = asyncio.Event()

    async def hold() -> None:
        async with node.duties.duty("work") as term:
            terms.append(term)
            await leave.wait()

    task = asyncio.create_task(hold())
    await until(lambda: bool(terms))
    await node.quiet()
    (term,) = terms
    return term, leave, task


def taking(node: Node) -> "asyncio.Task[int]":
    """The node waits for the duty, and gives it back at once."""

    async def take() -> int:
        async with node.duties.duty("work") as term:
            return term.number

    return asyncio.create_task(take())


async def taken_by(store: SqliteStore, holder: str) -> DutyState:
    state = await store.duties.take(DUTY, holder, await store.duties.look(DUTY))
    assert state is not None
    return state


# --- taking and giving back


async def test_what_nobody_holds_is_taken_without_waiting_and_given_back(store: SqliteStore, node: Node) -> None:
    for number in (1, 2):
        async with node.duties.duty("work") as term:
            assert (term.number, term.duty_name, term.over) == (number, DUTY, False)
            assert await store.duties.look(DUTY) == DutyState(DUTY, "n1", number, 0)
            await node.duties.check(term)
        assert term.over
        await term.until_over()
        assert await store.duties.look(DUTY) == DutyState(DUTY, None, number, 0)
    assert node.clock.monotonic() == 0


async def test_duties_of_other_names_and_plugins_are_others(store: SqliteStore, node: Node) -> None:
    other = Duties(store.duties, node.clock, "n1", "log")
    async with node.duties.duty("work"), node.duties.duty("rest"), other.duty("work") as term:
        assert term.number == 1


async def test_a_block_that_fails_gives_it_back_too(store: SqliteStore, node: Node) -> None:
    with pytest.raises(KeyError):
        async with node.duties.duty("work"):
            raise KeyError
    state = await store.duties.look(DUTY)
    assert state is not None
    assert state.holder is None


async def test_on_one_node_too_one_waits_for_the_other(node: Node) -> None:
    _, leave, holding = await held(node)
    second = taking(node)
    await pass_time(3 * LEASE_S, node)
    assert not second.done()
    leave.set()
    await holding
    await pass_time(1, node)
    assert await second == 2


@pytest.mark.parametrize("moment_s", [0.0, 0.5, 3.25])
async def test_waiting_can_be_cancelled(store: SqliteStore, node: Node, moment_s: float) -> None:
    state = await taken_by(store, "n2")
    waiting = taking(node)
    await pass_time(moment_s, node)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pass_time(2 * LEASE_S, node)
    assert await store.duties.look(DUTY) == state


async def test_what_is_taken_while_the_waiting_is_cancelled_is_given_back(store: SqliteStore, node: Node) -> None:
    node.store.slow = asyncio.Event()
    waiting = taking(node)
    await node.quiet()
    node.store.slow.set()  # for the look; the take is slow, too
    node.store.slow = asyncio.Event()
    await node.quiet()
    assert await store.duties.look(DUTY) == DutyState(DUTY, "n1", 1, 0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    node.store.slow.set()
    await node.duties.close()
    assert await store.duties.look(DUTY) == DutyState(DUTY, None, 1, 0)


async def test_waiting_outlasts_an_outage(node: Node) -> None:
    node.store.away = True
    waiting = taking(node)
    await pass_time(60, node, step_s=1)
    assert not waiting.done()
    node.store.away = False
    await pass_time(1, node)
    assert await waiting == 1


async def test_a_lease_is_over_only_when_it_was_seen_unrenewed_for_long(store: SqliteStore, node: Node) -> None:
    state = await taken_by(store, "n2")
    waiting = taking(node)
    for _ in range(5):
        await pass_time(LEASE_S - 1.5, node)
        renewed = await store.duties.renew(state)
        assert renewed is not None
    await pass_time(LEASE_S - 0.5, node)
    assert not waiting.done()
    await pass_time(2.5, node)
    assert await waiting == 2


# --- keeping


async def test_it_is_kept_for_as_long_as_it_can_be_renewed(store: SqliteStore, node: Node) -> None:
    term, leave, holding = await held(node)
    await pass_time(600, node, step_s=1)
    assert not term.over
    state = await store.duties.look(DUTY)
    assert state is not None
    assert (state.term, state.beat) == (1, 600 / RENEW_S)
    leave.set()
    await holding


async def test_a_short_outage_is_outlasted(node: Node) -> None:
    term, leave, holding = await held(node)
    for _ in range(4):
        node.store.away = True
        await pass_time(KEEP_S - RENEW_S - 0.5, node)
        node.store.away = False
        await pass_time(1, node)
    assert not term.over
    leave.set()
    await holding


@pytest.mark.parametrize("how", ["away", "stuck", "slow"])
async def test_without_renewal_the_term_is_over_before_anybody_may_take_it(node: Node, how: str) -> None:
    term, leave, holding = await held(node)
    await pass_time(RENEW_S, node)  # renewed, and counted from there
    ended = asyncio.create_task(term.until_over())
    stuck = asyncio.Event()
    setattr(node.store, how, True if how == "away" else stuck)
    await pass_time(KEEP_S - 0.25, node)
    assert not term.over
    assert not ended.done()
    await pass_time(0.25, node)
    assert term.over
    await ended
    # What was on the way comes through, too late to change anything.
    stuck.set()
    node.store.away, node.store.stuck, node.store.slow = False, None, None
    await pass_time(1, node)
    assert term.over
    with pytest.raises(TermOver):
        await node.duties.check(term)
    assert not holding.done()  # the block is not interrupted
    leave.set()
    await holding


async def test_a_slow_renewal_counts_from_when_it_was_sent(node: Node) -> None:
    term, leave, holding = await held(node)
    node.store.slow = asyncio.Event()
    await pass_time(RENEW_S + 1, node)
    node.store.slow.set()
    node.store.slow = None
    await node.quiet()
    node.store.away = True
    await pass_time(KEEP_S - 1.25, node)
    assert not term.over
    await pass_time(0.25, node)
    assert term.over
    leave.set()
    await holding


async def nothing_runs() -> None:
    """In place of letting others run while time goes on."""


async def test_a_stall_ends_the_term_before_anything_else_runs(node: Node) -> None:
    term, leave, holding = await held(node)
    node.store.slow = asyncio.Event()
    await pass_time(RENEW_S, node)
    # The answer to the renewal is there and would be read first of all.
    node.store.slow.set()
    node.clock.settle = nothing_runs  # type: ignore[method-assign]
    await node.clock.jump(KEEP_S - RENEW_S)
    assert term.over
    del node.clock.settle
    await node.quiet()
    assert term.over
    await term.until_over()
    leave.set()
    await holding


async def test_whoever_was_passed_over_learns_it_at_the_next_renewal(store: SqliteStore, node: Node) -> None:
    term, leave, holding = await held(node)
    theirs = await taken_by(store, "n2")
    await pass_time(RENEW_S, node)
    await asyncio.wait_for(term.until_over(), 5)
    leave.set()
    await holding
    assert await store.duties.look(DUTY) == theirs


async def test_a_check_asks_the_store(store: SqliteStore, node: Node) -> None:
    term, leave, holding = await held(node)
    node.store.away = True
    with pytest.raises(StoreUnavailable):
        await node.duties.check(term)
    node.store.away = False
    with pytest.raises(TypeError, match="of the plugin log"):
        await Duties(store.duties, node.clock, "n1", "log").check(term)
    await taken_by(store, "n2")
    assert not term.over
    with pytest.raises(TermOver, match=DUTY):
        await node.duties.check(term)
    assert term.over
    leave.set()
    await holding


# --- events


async def read(term: HeldTerm, into: list[Any]) -> None:
    async for event in term.events():
        into += [event]


async def test_events_come_in_order_at_once_from_here_and_soon_from_elsewhere(store: SqliteStore, node: Node) -> None:
    other = Node(store, "n2")
    await node.duties.to_duty("work", {"n": 0})
    term, leave, holding = await held(node)
    events: list[Any] = []
    reading = asyncio.create_task(read(term, events))
    await node.quiet()
    assert events == [{"n": 0}]
    for value in (Decimal("0.10"), None, "x"):
        await node.duties.to_duty("work", value)
    await node.duties.to_duty("rest", "for another duty")
    await node.quiet()
    assert events == [{"n": 0}, Decimal("0.10"), None, "x"]
    assert node.clock.monotonic() == 0

    await other.duties.to_duty("work", [1])
    await other.duties.to_duty("work", [2])
    await pass_time(1, node)
    assert events[4:] == [[1], [2]]
    node.store.away = True
    await pass_time(2, node)
    node.store.away = False
    await other.duties.to_duty("work", [3])
    await pass_time(1, node)
    assert events[6:] == [[3]]
    leave.set()
    await holding
    await asyncio.wait_for(reading, 5)


async def test_events_end_with_the_term_and_the_rest_waits_for_the_next(store: SqliteStore, node: Node) -> None:
    for number in range(3):
        await node.duties.to_duty("work", number)
    term, leave, holding = await held(node)
    events = term.events()
    assert await anext(events) == 0
    await taken_by(store, "n2")
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    assert term.over
    leave.set()
    await holding
    theirs = await store.duties.look(DUTY)
    assert theirs is not None
    assert await store.duties.receive(theirs, 9) == [b"1", b"2"]


async def test_what_cannot_be_handed_in_is_refused(store: SqliteStore, node: Node) -> None:
    with pytest.raises(ValueError, match="an event for the duty work is not JSON"):
        await node.duties.to_duty("work", object())
    assert await store.duties.send(DUTY, [b"1"] * 9_999, 10_000) == 9_999
    await node.duties.to_duty("work", 1)
    with pytest.raises(NotAllowed, match="10000 events wait"):
        await node.duties.to_duty("work", 1)
    await node.duties.to_duty("rest", 1)
    node.store.away = True
    with pytest.raises(StoreUnavailable):
        await node.duties.to_duty("rest", 1)


# --- closing


async def test_closing_gives_back_what_is_held_and_refuses_who_waits(store: SqliteStore, node: Node) -> None:
    term, leave, holding = await held(node)
    second = taking(node)
    await node.quiet()
    await node.duties.close()
    assert term.over
    assert await store.duties.look(DUTY) == DutyState(DUTY, None, 1, 0)
    await node.clock.advance(1)
    for late in (second, taking(node)):
        with pytest.raises(NotAllowed, match="stopped"):
            await late
    leave.set()
    await holding
    assert await store.duties.look(DUTY) == DutyState(DUTY, None, 1, 0)


async def test_leaving_refuses_who_waits_and_hands_nothing_on(store: SqliteStore, node: Node) -> None:
    _, leave, holding = await held(node)
    second = taking(node)
    await node.quiet()
    node.duties.leave()
    await pass_time(1, node)
    with pytest.raises(NotAllowed):
        await second
    leave.set()
    await holding
    state = await store.duties.look(DUTY)
    assert state is not None
    assert state.holder == "n1"
    heir = Node(store, "n2")
    waiting = taking(heir)
    await pass_time(LEASE_S - 1, heir)
    assert not waiting.done()
    await pass_time(2, heir)
    assert await waiting == 2


async def test_closing_does_not_wait_for_a_store_that_hangs(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLOSE_S", 0.01)
    _, leave, holding = await held(node)
    node.store.stuck = asyncio.Event()
    await asyncio.wait_for(node.duties.close(), 2)
    leave.set()
    await holding
