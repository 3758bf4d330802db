"""Finished exchanges on their way to one plugin, off the path of messages (FINISHED).

Rules
- LOSSY: what comes while `CAPACITY` wait is dropped and counted.
- LOSSLESS: an exchange takes a ticket before anything is sent. While `CAPACITY` tickets are out, whoever comes next
waits:
  that holds the senders back. Exchanges of one object reach the plugin in the order of their tickets, however their
  answers overtake each other.
- What a LOSSLESS watcher misses all the same - it was tripped, it failed, somebody waited longer than `PATIENCE_S` - is
  counted, and `on_gap` says so as soon as the plugin can be called again.
- An inbox belongs to a plugin's name: a new instance goes on where the one before stopped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress

from hub.plugin.api import Gap
from hub.plugin.exchange import Exchange
from hub.plugin.guard import DEPTH, Guard, Hook, Refused
from hub.plugin.words import Phase

CAPACITY = 10_000
PATIENCE_S = 10.0
# Exchanges told in a row before others have their turn on the loop.
_IN_A_ROW = 10

ObjectKey = tuple[str, ...]


class Ticket:
    """The place of one exchange in the order of its object."""

    __slots__ = ("_inbox", "exchange", "hook", "key")

    def __init__(self, inbox: "Inbox", key: ObjectKey | None) -> None:
        self._inbox = inbox
        self.key = key
        self.exchange: Exchange | None = None
        self.hook: Hook | None = None

    def done(self, exchange: Exchange, hook: Hook | None) -> None:
        """The exchange is over. Without a hook it concerns the plugin after all not."""
        if self.exchange is None:
            self.exchange, self.hook = exchange, hook
            self._inbox.release(self)


class Inbox:
    """What waits for one plugin."""

    def __init__(self, plugin: str, *, capacity: int = CAPACITY, patience_s: float = PATIENCE_S) -> None:
        self.plugin = plugin
        self.dropped = 0
        self.gaps = 0
        self._capacity = capacity
        self._patience_s = patience_s
        self._ready: deque[tuple[Exchange, Hook, Ticket | None]] = deque()
        self._lines: dict[ObjectKey, deque[Ticket]] = {}
        self._out = 0
        self._lossy = 0
        self._lost = 0
        self._why = ""
        # Not while it fails: it would be asked to make up for every single failure.
        self._may_tell = True
        self._modules: set[str] = set()
        self._telling = False
        self._something = asyncio.Event()
        # Who waits is let in one by one, in order.
        self._room = asyncio.Semaphore(capacity)
        self._current: tuple[Guard, Hook, Callable[[Gap], object]] | None = None

    @property
    def waiting(self) -> int:
        """Exchanges that the plugin has not been told yet, and tickets that are out."""
        return self._lossy + self._out

    def belong_to(
        self, guard: Guard, on_finished: Callable[[Exchange], object], on_gap: Callable[[Gap], object]
    ) -> None:
        """From now on this instance of the plugin is told."""
        self._current = guard, Hook(guard, Phase.FINISHED, on_finished), on_gap

    # --- coming ---

    def put(self, exchange: Exchange, hook: Hook) -> None:
        """A finished exchange for a LOSSY watcher."""
        if self._lossy >= self._capacity:
            self.dropped += 1
            return
        self._lossy += 1
        self._ready.append((exchange, hook, None))
        self._something.set()

    async def enter(self, key: ObjectKey | None, module: str) -> Ticket | None:
        """A ticket for an exchange that begins; None when there was no room for too long, which makes a gap."""
        try:
            async with asyncio.timeout(self._patience_s) if self._room.locked() else nullcontext():
                await self._room.acquire()
        except TimeoutError:
            self.lose(module, "more exchanges came than the plugin took")
            return None
        ticket = Ticket(self, key)
        self._out += 1
        if key is not None:
            self._lines.setdefault(key, deque()).append(ticket)
        return ticket

    def release(self, ticket: Ticket) -> None:
        """Lets a finished exchange go on, and those of its object that waited for it."""
        if ticket.key is None:
            self._pass_on(ticket)
            return
        line = self._lines[ticket.key]
        while line and line[0].exchange is not None:
            self._pass_on(line.popleft())
        if not line:
            del self._lines[ticket.key]

    def _pass_on(self, ticket: Ticket) -> None:
        if ticket.exchange is None or ticket.hook is None:
            self._leave()
            return
        self._ready.append((ticket.exchange, ticket.hook, ticket))
        self._something.set()

    def _leave(self) -> None:
        self._out -= 1
        self._room.release()

    def lose(self, module: str, why: str, count: int = 1) -> None:
        """Something did not reach a LOSSLESS watcher."""
        self._lost += count
        self._why = why
        if module:
            self._modules.add(module)
        self._something.set()

    def stir(self) -> None:
        """A moment has passed: a plugin that failed may be told now what it missed."""
        if self._lost:
            self._may_tell = True
            self._something.set()

    # --- going ---

    async def run(self) -> None:
        """Tells the plugin, one exchange after the other, for ever."""
        told = 0
        while True:
            if not self._ready:
                if self._lost and self._may_tell and self._current is not None and not self._current[0].tripped:
                    await self._tell_gap(self._current)
                    continue
                self._something.clear()
                await self._something.wait()
                continue
            self._telling = True
            try:
                await self._tell(*self._ready.popleft())
            except Exception:  # noqa: BLE001 - whatever happens with one, the others are told
                self.lose("", "it could not be told")
            finally:
                self._telling = False
            told += 1
            if told % _IN_A_ROW == 0:
                await asyncio.sleep(0)

    async def _tell(self, exchange: Exchange, hook: Hook, ticket: Ticket | None) -> None:
        current = self._current
        try:
            if current is None:
                return
            guard, newest, _ = current
            if guard is not hook.guard:  # the plugin has a new instance since
                hook = newest
            DEPTH.set(exchange.depth)
            if ticket is None:
                await guard.ask(hook, exchange)
                return
            failures = hook.timing.failures
            if guard.tripped:
                self.lose(exchange.module, "the plugin was tripped")
                return
            await guard.ask(hook, exchange)
            self._may_tell = hook.timing.failures == failures
            if not self._may_tell:
                self.lose(exchange.module, "on_finished failed")
        finally:
            if ticket is None:
                self._lossy -= 1
            else:
                self._leave()

    async def _tell_gap(self, current: tuple[Guard, Hook, Callable[[Gap], object]]) -> None:
        guard, _, on_gap = current
        gap = Gap(self._lost, self._why, frozenset(self._modules))
        self.gaps += 1
        self._lost, self._modules = 0, set()
        try:
            await guard.call("on_gap", on_gap, gap)
        except Refused:
            return  # it was told what to do about it, and failed

    async def told(self, seconds: float) -> None:
        """Waits until the plugin has been told what is over by now, for so long at most. What is not over yet cannot be
        waited for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._ready or self._telling:  # noqa: ASYNC110 - once, when a plugin leaves
                    await asyncio.sleep(0.01)
