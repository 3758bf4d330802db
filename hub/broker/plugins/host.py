"""The host: which plugins run, from the start of the hub to its end, and how one set of them gives way to the next.

Rules
- What an operator wrote wrong stops the start, or leaves a reload without effect: one sentence says what.
- A plugin whose `start` fails is left out with a standing alarm and tried again every `RETRY_S`; its `on_error` speaks
  for it meanwhile. The hub and the other plugins start all the same. In a reload it leaves everything as it was.
- A reload keeps every instance whose class and configuration are the same. A changed one is made and started beside the
  old one, takes over its state, and the chain is exchanged in one step. The old one ends when what was under way with
  it is over.
- One that is taken out for good leaves first, while it still runs (`leaving`); the others are in place by then. Another
  change waits for that, and what was begun goes on when whoever asked for it waits no more.
- Whatever a plugin raises, it does not get past this room.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from hub.broker.plugins.choices import ChoiceBook, Choices
from hub.broker.plugins.ending import Ending, Over
from hub.broker.plugins.incarnation import Incarnation, NotStarted
from hub.broker.plugins.leaving import Leaving
from hub.broker.plugins.local_parties import LocalParties, Player
from hub.broker.plugins.making import Maker
from hub.broker.plugins.notices import Notices
from hub.broker.plugins.tellers import Tellers
from hub.broker.plugins.wanted import Settled, Wanting, no_clashes
from hub.broker.plugins.watching import Watching
from hub.clock import Clock
from hub.errors import SettingsError, StoreUnavailable
from hub.plugin.api import LocalParty
from hub.plugin.chain import Chain
from hub.plugin.inbox import Inbox
from hub.plugin.loader import Available, Chosen
from hub.plugin.watchdog import Blocked
from hub.plugin.words import Phase

log = structlog.get_logger("hub.plugins")

RETRY_S = 30.0
FOLLOW_S = 2.0


class PluginHost:
    """Runs the plugins. `read` gives the settings as they are now, SettingsError when they cannot be used; `watch`
    starts the watchdog.
    """

    def __init__(
        self,
        *,
        read: Callable[[], Settled],
        wanting: Wanting,
        maker: Maker,
        watching: Watching,
        parties: LocalParties,
        notices: Notices,
        book: ChoiceBook,
        clock: Clock,
        watch: Callable[[], None],
    ) -> None:
        self._read = read
        self._wanting = wanting
        self._maker = maker
        self._watching = watching
        self._parties = parties
        self._notices = notices
        self._book = book
        self._clock = clock
        self._watch = watch
        self._changing = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()
        self._leaving = Leaving(clock, notices)
        self._tellers = Tellers()
        self._ending = Ending(maker.sources.owner, notices, self._tellers)
        watching.inboxes = self._tellers.inboxes
        notices.on_turn = parties.review
        self.running: tuple[Incarnation, ...] = ()
        self.settled = Settled(None, {}, None, "the settings")
        self.choices = Choices()
        self.reloads = 0

    # --- who is there ---

    @property
    def found(self) -> Mapping[str, Available]:
        """Every plugin there is, whether it runs or not."""
        return self._wanting.found

    def one(self, name: str) -> Incarnation | None:
        """The instance that is meant to run now."""
        return next((one for one in self.running if one.name == name), None)

    def order(self) -> dict[Phase, list[str]]:
        """Who is asked in each phase, in order."""
        return self._watching.chain.order()

    @property
    def leaving(self) -> frozenset[str]:
        """Names of plugins that run for as long as it takes them to leave."""
        return self._leaving.names

    @property
    def inboxes(self) -> Mapping[str, Inbox]:
        """What waits for plugins that watch what is over, by name."""
        return self._tellers.inboxes

    @property
    def leaked(self) -> Counter[str]:
        """How many tasks instances left behind, by name."""
        return self._ending.leaked

    # --- the start and the end ---

    async def start(self) -> None:
        """Starts what is chosen. Raises SettingsError, StoreUnavailable."""
        self.choices = await self._book.load()
        self.settled = await asyncio.to_thread(self._read)
        try:
            made = await self._all_made(self.choices)
        except SettingsError as wrong:
            # What was set at run time must not keep the hub from starting: nobody could undo it then.
            made = await self._all_made(Choices(disabled=self.choices.disabled))
            self._notices.set_aside(str(wrong))
        if made:
            self._watch()
        problems = await self._parties.settle(_parties_of(made))
        for one in made:
            try:
                await self._started(one, problems)
            except NotStarted as why:
                one.failed = str(why)
                one.guard.standing.hold()
                self._notices.left_out(one.name, str(why))
        self._put_in_place(made)
        for one in made:
            if one.failed is None:
                log.info("plugin runs", plugin=one.name, origin=one.chosen.origin)

    async def _all_made(self, choices: Choices) -> list[Incarnation]:
        made = [self._made(choice, None) for choice in await self._wanting.of(self.settled, choices)]
        no_clashes((one.name, one.routes) for one in made)
        return made

    def _made(self, choice: Chosen, before: Incarnation | None) -> Incarnation:
        """An instance that says what it watches. Raises SettingsError."""
        try:
            one = self._maker.made(choice, before)
            one.read()
        except NotStarted as why:
            raise _cannot_run(choice, why) from None
        return one

    async def _started(self, one: Incarnation, problems: Mapping[str, str]) -> None:
        if one.name in problems:
            raise NotStarted(f"it cannot play its party: {problems[one.name]}")
        await one.start()

    async def stop(self) -> None:
        """Ends all of them, the last one first."""
        self._leaving.cut_short()
        if self._changes:
            await asyncio.wait(self._changes)
        async with self._changing:
            self._watching.chain = Chain()
            running, self.running = self.running, ()
            for one in reversed(running):
                await self._tellers.told(one)
                await self._ending.of(one)
            await self._tellers.close_all()

    # --- changes ---

    async def reload(self) -> None:
        """Takes the settings over as they are now. Raises SettingsError, and then nothing has changed."""
        await self._begun(self._reload())

    async def choose(self, choices: Choices) -> None:
        """Takes over what an operator chose, and stores it once it works. Raises SettingsError, StoreUnavailable,
        StoreConflict.
        """
        await self._begun(self._choose(choices))

    def _begun(self, change: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
        """A change that goes on to its end, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(change, name="change of plugins")
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return asyncio.shield(task)

    async def _reload(self) -> None:
        async with self._changing:
            over = await self._change(await asyncio.to_thread(self._read), self.choices)
            self.reloads += 1
            over = await self._let_leave(over)
        await self._ending.of_all(over)

    async def _choose(self, choices: Choices) -> None:
        async with self._changing:
            settled = await asyncio.to_thread(self._read)
            await self._wanting.of(settled, choices)
            saved = await self._book.save(choices)
            try:
                over = await self._change(settled, saved)
            except BaseException:
                self.choices = await self._book.save(replace(self.choices, revision=saved.revision))
                raise
            self.choices = saved
            over = await self._let_leave(over)
        await self._ending.of_all(over)

    async def _change(self, settled: Settled, choices: Choices) -> list[Over]:
        """Puts others in place; what has to end. Those that have to leave first are in place still."""
        wanted = await self._wanting.of(settled, choices)
        before = {one.name: one for one in self.running}
        kept: list[Incarnation] = []
        fresh: list[Incarnation] = []
        try:
            for choice in wanted:
                old = before.get(choice.name)
                if old is None or old.chosen != choice:
                    fresh.append(old := self._made(choice, old))
                kept.append(old)
            leaving = [old for name, old in before.items() if old.leaves and all(name != one.name for one in kept)]
            for old in leaving:
                kept.insert(self.running.index(old), old)
            no_clashes((one.name, one.routes) for one in kept)
            problems = await self._parties.settle(_parties_of(kept))
            for new in fresh:
                await self._succeeds(new, problems)
            for new in fresh:
                _take_over(new, before.get(new.name))
        except BaseException:
            await self._taken_back(fresh)
            raise
        chain = self._watching.chain
        self._put_in_place(kept)
        self.settled = settled
        log.info("plugins are in place", plugins=[one.name for one in kept], changed=[one.name for one in fresh])
        after = {one.name: one for one in kept if one not in leaving}
        return [(chain, old, after.get(old.name)) for old in before.values() if old not in after.values()]

    async def _let_leave(self, over: list[Over]) -> list[Over]:
        """Takes those out that were in place only to leave, once they have; what has to end then."""
        leaving = [old for _, old, _ in over if old in self.running]
        if not leaving:
            return over
        await self._ending.of_all([each for each in over if each[1] not in leaving])
        log.info("plugins leave", plugins=[one.name for one in leaving])
        await self._leaving.left(leaving)
        chain = self._watching.chain
        self._put_in_place([one for one in self.running if one not in leaving])
        return [(chain, one, None) for one in leaving]

    async def _succeeds(self, new: Incarnation, problems: Mapping[str, str]) -> None:
        """Starts an instance that others must not do without. Raises SettingsError."""
        try:
            await self._started(new, problems)
        except NotStarted as why:
            raise _cannot_run(new.chosen, why) from None

    async def _taken_back(self, fresh: Sequence[Incarnation]) -> None:
        """Nothing of a change stands."""
        for one in fresh:
            await self._ending.of(one)
        nobody: dict[str, Sequence[LocalParty]] = {one.name: () for one in fresh}
        await self._parties.settle(nobody | _parties_of(self.running))

    def _put_in_place(self, made: Sequence[Incarnation]) -> None:
        """From now on these are the plugins."""
        self._tellers.belong_to(made)
        gone = {one.name for one in self.running} - {one.name for one in made}
        self.running = tuple(made)
        if made:
            self._watch()
        self._watching.chain = Chain(one.link for one in made)
        players: dict[str, Player | None] = dict.fromkeys(gone)
        for one in made:
            plays = one.parties and one.failed is None
            players[one.name] = Player(one.plugin, one.guard) if plays else None
        self._parties.play(players)

    # --- beside the traffic ---

    def blocked(self, block: Blocked) -> None:
        """The watchdog has seen a plugin hold the event loop."""
        one = self.one(block.plugin)
        if one is not None:
            one.guard.blocked(block.function, block.stack, block.seconds)

    async def run(self) -> None:
        """Tries again what did not start, follows what other nodes' operators choose, and tells liveness who is there;
        for ever.
        """
        retry_at = self._clock.monotonic() + RETRY_S
        following: asyncio.Future[None] | None = None
        while True:
            await self._clock.sleep(FOLLOW_S)
            self._parties.review()
            self._tellers.stir()
            try:
                if following is not None and following.done():
                    done, following = following, None
                    await done
                choices = await self._book.load()
                if self._changing.locked():
                    continue  # somebody leaves, maybe: what is left to do here can wait, what is above cannot
                if choices.revision != self.choices.revision:
                    following = self._begun(self._follow(choices))
                elif self._clock.monotonic() >= retry_at:
                    retry_at = self._clock.monotonic() + RETRY_S
                    await self._retry()
            except StoreUnavailable:
                continue

    async def _follow(self, choices: Choices) -> None:
        over: list[Over] = []
        async with self._changing:
            if choices.revision == self.choices.revision:
                return
            try:
                over = await self._change(await asyncio.to_thread(self._read), choices)
            except SettingsError as wrong:
                log.error("what was chosen about plugins cannot be used here", problem=str(wrong))
            self.choices = choices
            over = await self._let_leave(over)
        await self._ending.of_all(over)

    async def _retry(self) -> None:
        async with self._changing:
            failed = [one for one in self.running if one.failed is not None]
            if not failed:
                return
            problems = await self._parties.settle(_parties_of(self.running))
            for one in failed:
                try:
                    await self._started(one, problems)
                except NotStarted as why:
                    one.failed = str(why)
                    continue
                one.failed = None
                one.guard.standing.release()
                if one.parties:
                    self._parties.play({one.name: Player(one.plugin, one.guard)})
                self._notices.recovered(one.name)


def _take_over(new: Incarnation, old: Incarnation | None) -> None:
    try:
        new.take_over(old)
    except NotStarted as why:
        raise _cannot_run(new.chosen, why) from None


def _parties_of(made: Sequence[Incarnation]) -> dict[str, Sequence[LocalParty]]:
    return {one.name: one.parties for one in made}


def _cannot_run(choice: Chosen, why: NotStarted) -> SettingsError:
    return SettingsError(f"the plugin {choice.name} ({choice.origin}) cannot run: {why}")
