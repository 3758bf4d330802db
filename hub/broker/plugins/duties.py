"""Jobs that one node does at a time, for one plugin.

Rules
- No clock of one node is compared with another's. Whoever holds a duty renews it every RENEW_S; another node takes it
  only after it has seen the same term and beat for LEASE_S of its own monotonic clock. What nobody holds is taken at
  once.
- A holder counts KEEP_S from before it sent the last renewal that came through, and then holds its term to be over by
  itself: before anybody else may take the duty, as long as clocks run at a similar speed. A term that was over once
  stays over.
- Clocks that do not are why saves carry a fence, and why the store is asked before a send (`check`).
- A plugin that leaves is taken out of the other nodes too, a little later. So it wins no duty any more, and what it
  gives back is not handed on: it runs out, and by then nobody wants it.
- Events leave the store one by one when they are asked for, so those that nobody asked for wait for the next holder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from hub.broker.plugins.json_text import json_text
from hub.clock import Clock
from hub.errors import StoreUnavailable, TermOver
from hub.ocpi import codec
from hub.plugin.hub_api import NotAllowed, Term
from hub.store.ports import DutyStore
from hub.store.records import DutyState, Fence

RENEW_S = 2.0
KEEP_S = 6.0
LEASE_S = 8.0
_LOOK_S = 1.0
# A renewal that failed is tried again so much later.
_RETRY_S = 0.5
_CLOSE_S = 2.0
_MOST_EVENTS = 10_000


class HeldTerm:
    """The Term port: a duty as this node holds it, until `end` or until its own deadline."""

    def __init__(self, store: DutyStore, clock: Clock, plugin: str, state: DutyState, asked_at: float) -> None:
        """`asked_at`: when the duty was asked for, by the monotonic clock, in seconds."""
        self._store = store
        self._clock = clock
        self.plugin = plugin
        self.state = state
        self._deadline = asked_at + KEEP_S
        self._ended = asyncio.Event()
        self._stirred = asyncio.Event()

    @property
    def duty_name(self) -> str:
        """The duty's name in the store."""
        return self.state.name

    @property
    def number(self) -> int:
        return self.state.term

    @property
    def over(self) -> bool:
        # Not by a timer alone: one that is late must not make the term longer.
        return self._ended.is_set() or self._clock.monotonic() >= self._deadline

    async def until_over(self) -> None:
        await self._ended.wait()

    async def events(self) -> AsyncIterator[Any]:
        while not self.over:
            self._stirred.clear()
            try:
                received = await self._store.receive(self.state, 1)
            except TermOver:
                self.end()
                return
            except StoreUnavailable:
                received = []
            if received:
                yield codec.loads(received[0])
            else:
                await self._stirred.wait()

    def stir(self) -> None:
        """There may be events."""
        self._stirred.set()

    def end(self) -> None:
        """It is over. Safe twice."""
        self._ended.set()
        self._stirred.set()

    async def renew(self) -> None:
        """Keeps the duty for as long as it can be kept."""
        pause_s = RENEW_S
        while not self.over:
            await self._clock.sleep(pause_s)
            asked_at = self._clock.monotonic()
            try:
                renewed = await self._store.renew(self.state)
            except StoreUnavailable:
                pause_s = _RETRY_S
                continue
            if renewed is None:
                self.end()
            elif not self.over:
                self._deadline = asked_at + KEEP_S
            pause_s = asked_at + RENEW_S - self._clock.monotonic()

    async def count_down(self) -> None:
        """Ends it at its deadline, and looks for events every now and then until it does."""
        while (left_s := self._deadline - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(_LOOK_S, left_s))
            self.stir()
        self.end()


def fence_of(term: Term, plugin: str) -> Fence:
    """For a save that is to stand in this term only. Raises TypeError for a term that this plugin was not given, and
    TermOver.
    """
    held = _held_by(plugin, term)
    return Fence(held.duty_name, held.number)


def _held_by(plugin: str, term: Term) -> HeldTerm:
    if not isinstance(term, HeldTerm) or term.plugin != plugin:
        raise TypeError(f"a term of the plugin {plugin} is what it was given by its own hub.duty()")
    if term.over:
        raise TermOver(term.duty_name)
    return term


class Duties:
    """The duties of one plugin, as one node does them. `node_id` says in the store who holds them."""

    def __init__(self, store: DutyStore, clock: Clock, node_id: str, plugin: str) -> None:
        self._store = store
        self._clock = clock
        self._node_id = node_id
        self._plugin = plugin
        self._held: dict[HeldTerm, list[asyncio.Task[None]]] = {}
        self._giving_back: set[asyncio.Task[None]] = set()
        self._closed = False
        self._leaving = False

    @asynccontextmanager
    async def duty(self, name: str) -> AsyncIterator[HeldTerm]:
        """Waits until this node holds the duty, also while the store is away; gives it back at the end of the block,
        which is not interrupted when the term is over. Raises NotAllowed when the plugin leaves or is being stopped.
        """
        term = await self._won(self._stored(name))
        self._held[term] = [asyncio.create_task(term.renew()), asyncio.create_task(term.count_down())]
        try:
            yield term
        finally:
            await self._leave(term)

    async def to_duty(self, name: str, event: object) -> None:
        """Raises StoreUnavailable; NotAllowed when too many events wait; ValueError for an event that is not JSON."""
        stored = self._stored(name)
        text = json_text(event, f"an event for the duty {name}")
        if not await self._store.send(stored, [text], _MOST_EVENTS):
            raise NotAllowed(f"{_MOST_EVENTS} events wait for the duty {name} already")
        for term in self._held:
            if term.duty_name == stored:
                term.stir()

    async def check(self, term: Term) -> None:
        """Returns when this node holds the duty in this term, by the store too. Raises TermOver, StoreUnavailable;
        TypeError for a term that this plugin was not given.
        """
        held = _held_by(self._plugin, term)
        state = await self._store.look(held.duty_name)
        if state is None or (state.holder, state.term) != (self._node_id, held.number):
            held.end()
        _held_by(self._plugin, held)

    def leave(self) -> None:
        """The plugin is taken out for good: nothing is won any more, and nothing handed on."""
        self._leaving = True

    async def close(self) -> None:
        """Gives back what this node holds, within two seconds; whoever still waits for a duty is told so."""
        self._closed = True
        leaving = {asyncio.create_task(self._leave(term)) for term in self._held} | self._giving_back
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=_CLOSE_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    # --- waiting, and giving back ---

    async def _won(self, name: str) -> HeldTerm:
        """Looks until the duty can be taken, and takes it."""
        seen: DutyState | None = None
        seen_at = 0.0
        while True:
            with suppress(StoreUnavailable):
                state = await self._store.look(name)
                now = self._clock.monotonic()
                if state is None or seen is None or (state.term, state.beat) != (seen.term, seen.beat):
                    seen, seen_at = state, now
                if state is None or state.holder is None or now - seen_at >= LEASE_S:
                    term = await self._taken(name, state)
                    if term is not None:
                        return term
            if self._closed or self._leaving:
                raise NotAllowed(f"the plugin {self._plugin} is being stopped, so it gets no duty any more")
            await self._clock.sleep(_LOOK_S)

    async def _taken(self, name: str, seen: DutyState | None) -> HeldTerm | None:
        if self._closed or self._leaving:
            return None
        asked_at = self._clock.monotonic()
        taking = asyncio.create_task(self._store.take(name, self._node_id, seen))
        try:
            state = await asyncio.shield(taking)
        except asyncio.CancelledError:
            # It may come through all the same, and nobody would renew it.
            self._give_back(taking)
            raise
        if state is not None and self._closed:
            await self._store.release(state)
            return None
        return None if state is None else HeldTerm(self._store, self._clock, self._plugin, state, asked_at)

    def _give_back(self, taking: asyncio.Task[DutyState | None]) -> None:
        async def give_back() -> None:
            with suppress(StoreUnavailable):
                state = await taking
                if state is not None:
                    await self._store.release(state)

        task = asyncio.create_task(give_back())
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    async def _leave(self, term: HeldTerm) -> None:
        tasks = self._held.pop(term, None)
        if tasks is None:  # `close` was faster
            return
        term.end()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if self._leaving:
            return
        with suppress(StoreUnavailable):  # then others take it when the lease is over
            await self._store.release(term.state)

    def _stored(self, name: str) -> str:
        return f"{self._plugin}/{name}"
