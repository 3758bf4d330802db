"""The host: which plugins run, from the start of the hub to its end, and how one set of them gives way to the next.

Rules
- What an operator wrote wrong stops the start, or leaves a reload without effect: one sentence says what.
- A plugin whose `start` fails is left out with a standing alarm and tried again every `RETRY_S`; its `on_error` speaks
  for it meanwhile. The hub and the other plugins start all the same. In a reload it leaves everything as it was.
- A reload keeps every instance whose class and configuration are the same. A changed one is made and started beside the
  old one, with its state; then the chain is exchanged in one step, and the old one ends.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog

from hub.broker.plugins.choices import ChoiceBook, Choices
from hub.broker.plugins.incarnation import Incarnation, NotStarted
from hub.broker.plugins.local_parties import LocalParties, PartyTaken, Player
from hub.broker.plugins.making import Maker
from hub.broker.plugins.notices import Notices
from hub.broker.plugins.watching import Watching
from hub.clock import Clock
from hub.errors import SettingsError, StoreUnavailable
from hub.plugin.chain import Chain
from hub.plugin.inbox import Inbox
from hub.plugin.loader import DEFAULT_SET, Available, Chosen, available, chosen
from hub.plugin.watchdog import Blocked
from hub.plugin.web import Audience
from hub.plugin.words import Phase

log = structlog.get_logger("hub.plugins")

RETRY_S = 30.0
FOLLOW_S = 2.0
_DRAIN_S = 5.0
# First parts of paths that are the hub's own, by audience.
OWN_ADMIN = frozenset({"platforms", "parties", "agreements", "catalog", "pulls", "alarms", "plugins", "openapi.json"})
OWN_PUBLIC = frozenset({"ocpi", "admin", "healthz", "readyz", "metrics", "dashboard", "favicon.ico", "logo.svg"})


@dataclass(frozen=True, slots=True)
class Settled:
    """What the settings say: names in order (None: the default set), tables by name, the folder, and where that
    stands.
    """

    names: tuple[str, ...] | None
    tables: Mapping[str, Mapping[str, Any]]
    folder: Path | None
    source: str


class PluginHost:
    """Runs the plugins. `read` gives the settings as they are now, SettingsError when they cannot be used; `watch`
    starts the watchdog.
    """

    def __init__(
        self,
        *,
        read: Callable[[], Settled],
        maker: Maker,
        watching: Watching,
        parties: LocalParties,
        notices: Notices,
        book: ChoiceBook,
        clock: Clock,
        watch: Callable[[], None],
        more: Sequence[Available] = (),
    ) -> None:
        self._read = read
        self._maker = maker
        self._watching = watching
        self._parties = parties
        self._notices = notices
        self._book = book
        self._clock = clock
        self._watch = watch
        self._more = more
        self._changing = asyncio.Lock()
        self._tellers: dict[str, asyncio.Task[None]] = {}
        self.running: tuple[Incarnation, ...] = ()
        self.found: dict[str, Available] = {}
        self.settled = Settled(None, {}, None, "the settings")
        self.choices = Choices()
        self.leaked: Counter[str] = Counter()
        self.reloads = 0

    # --- who is there ---

    def one(self, name: str) -> Incarnation | None:
        """The instance that is meant to run now."""
        return next((one for one in self.running if one.name == name), None)

    def order(self) -> dict[Phase, list[str]]:
        """Who is asked in each phase, in order."""
        return self._watching.chain.order()

    @property
    def inboxes(self) -> Mapping[str, Inbox]:
        """What waits for plugins that watch what is over, by name."""
        return self._watching.inboxes

    # --- the start and the end ---

    async def start(self) -> None:
        """Starts what is chosen. Raises SettingsError, StoreUnavailable."""
        self.choices = await self._book.load()
        self.settled = await asyncio.to_thread(self._read)
        try:
            wanted = await self._wanted(self.settled, self.choices)
        except SettingsError as wrong:
            # What was set at run time must not keep the hub from starting: nobody could undo it then.
            wanted = await self._wanted(self.settled, Choices(disabled=self.choices.disabled))
            self._notices.set_aside(str(wrong))
        made = [self._made(choice, None) for choice in wanted]
        self._no_clashes(made)
        for one in made:
            try:
                await self._started(one)
            except NotStarted as why:
                self._left_out(one, str(why))
        self._put_in_place(made)
        for one in made:
            if one.failed is None:
                log.info("plugin runs", plugin=one.name, origin=one.chosen.origin)

    def _made(self, choice: Chosen, before: Incarnation | None) -> Incarnation:
        """An instance that says what it watches. Raises SettingsError."""
        try:
            one = self._maker.made(choice, before)
            one.read()
        except NotStarted as why:
            raise _cannot_run(choice, why) from None
        return one

    def _left_out(self, one: Incarnation, why: str) -> None:
        one.failed = why
        one.guard.hold()
        self._notices.left_out(one.name, why)

    async def _started(self, one: Incarnation) -> None:
        try:
            await self._parties.settle(one.name, one.parties)
        except PartyTaken as taken:
            raise NotStarted(f"it cannot play its party: {taken}") from None
        except StoreUnavailable as away:
            raise NotStarted(f"its parties could not be stored: {away}") from None
        await one.start()

    async def stop(self) -> None:
        """Ends all of them, the last one first."""
        async with self._changing:
            self._watching.chain = Chain()
            running, self.running = self.running, ()
            for one in reversed(running):
                await self._end(one)
            for teller in self._tellers.values():
                teller.cancel()
            await asyncio.gather(*self._tellers.values(), return_exceptions=True)
            self._tellers.clear()

    async def _end(self, one: Incarnation) -> None:
        """What was meant for it still reaches it; then it stops."""
        inbox = self._watching.inboxes.get(one.name)
        if inbox is not None and not one.guard.tripped:
            await inbox.drained(_DRAIN_S)
        await self._stopped(one)

    async def _stopped(self, one: Incarnation, successor: Incarnation | None = None) -> None:
        if successor is not None:  # what the new instance has begun since is none of the old one's tasks
            one.before.update(asyncio.all_tasks() - set(successor.before))
        await one.stop(self._maker.sources.owner, self._notices)
        self.leaked[one.name] += one.leaked

    # --- changes ---

    async def reload(self) -> None:
        """Takes the settings over as they are now. Raises SettingsError, and then nothing has changed."""
        async with self._changing:
            await self._change(await asyncio.to_thread(self._read), self.choices)
            self.reloads += 1

    async def choose(self, choices: Choices) -> None:
        """Takes over what an operator chose, and stores it once it works. Raises SettingsError, StoreUnavailable,
        StoreConflict.
        """
        async with self._changing:
            settled = await asyncio.to_thread(self._read)
            await self._wanted(settled, choices)
            saved = await self._book.save(choices)
            try:
                await self._change(settled, saved)
            except SettingsError:
                self.choices = await self._book.save(
                    Choices(self.choices.enabled, self.choices.disabled, self.choices.config, saved.revision)
                )
                raise
            self.choices = saved

    async def _change(self, settled: Settled, choices: Choices) -> None:
        wanted = await self._wanted(settled, choices)
        before = {one.name: one for one in self.running}
        kept: list[Incarnation] = []
        fresh: list[Incarnation] = []
        try:
            for choice in wanted:
                old = before.get(choice.name)
                if old is None or old.chosen != choice:
                    fresh.append(old := self._made(choice, old))
                kept.append(old)
            self._no_clashes(kept)
            for new in fresh:
                await self._succeeded(before.get(new.name), new)
        except SettingsError:
            await self._taken_back(fresh)
            raise
        self._put_in_place(kept)
        after = {one.name: one for one in kept}
        for old in before.values():
            if old not in kept:
                if old.name not in after:
                    await self._gone(old)
                await self._stopped(old, after.get(old.name))
        self.settled = settled
        log.info("plugins are in place", plugins=[one.name for one in kept], changed=[one.name for one in fresh])

    async def _taken_back(self, fresh: Sequence[Incarnation]) -> None:
        """Nothing of a change stands."""
        for one in fresh:
            await self._stopped(one)
        for old in self.running:
            if old.failed is None:
                await self._parties.settle(old.name, old.parties)

    async def _succeeded(self, old: Incarnation | None, new: Incarnation) -> None:
        """Starts an instance with what the one before it has to hand over. Raises SettingsError."""
        try:
            self._hand_over(old, new)
            await self._started(new)
        except NotStarted as why:
            raise _cannot_run(new.chosen, why) from None

    def _hand_over(self, old: Incarnation | None, new: Incarnation) -> None:
        if old is None or old.failed is not None:
            return
        try:
            state = old.plugin.export_state()
            if state is not None:
                new.plugin.import_state(state)
        except Exception as raised:  # the boundary to the plugin
            raise NotStarted(f"it does not take over its state: {type(raised).__name__}") from raised

    async def _gone(self, old: Incarnation) -> None:
        """The plugin runs no more: what is on its way to it may still arrive, then its inbox goes."""
        self._parties.play(old.name, None)
        inbox = self._watching.inboxes.get(old.name)
        if inbox is not None:
            await inbox.drained(_DRAIN_S)
            self._watching.inboxes.pop(old.name, None)
        teller = self._tellers.pop(old.name, None)
        if teller is not None:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
        self._notices.gone(old.name)

    async def _wanted(self, settled: Settled, choices: Choices) -> list[Chosen]:
        """What is to run. Raises SettingsError."""
        found = await asyncio.to_thread(available, settled.folder)
        for one in self._more:
            found[one.name] = one
        self.found = found
        kept = {name: as_in_settings(table) for name, table in choices.config.items() if name in found}
        tables = {**settled.tables, **kept}
        settled_names = list(settled.names) if settled.names is not None else [n for n in DEFAULT_SET if n in found]
        names = [name for name in choices.names(settled_names) if name in found or name in settled_names]
        return chosen(names, tables, found, settled.source)

    def _no_clashes(self, made: Sequence[Incarnation]) -> None:
        """No two plugins answer for one path. Raises SettingsError."""
        taken: dict[tuple[bool, str], str] = {}
        for one in made:
            for first in {(route.audience is Audience.ADMIN, route.path.split("/")[1]) for route in one.routes}:
                own = OWN_ADMIN if first[0] else OWN_PUBLIC
                other = "the hub" if first[1] in own else taken.setdefault(first, one.name)
                if other != one.name:
                    raise SettingsError(
                        f"the plugins {other} and {one.name} both have routes below /{first[1]}: run one of them"
                        if other != "the hub"
                        else f"the plugin {one.name} has routes below /{first[1]}, which is the hub's own"
                    )

    def _put_in_place(self, made: Sequence[Incarnation]) -> None:
        """From now on these are the plugins."""
        inboxes = self._watching.inboxes
        for one in made:
            inbox = inboxes.get(one.name)
            if inbox is None and not any(Phase.FINISHED in watch.phases for watch in one.watches):
                continue
            if inbox is None:
                inbox = inboxes[one.name] = Inbox(one.name)
                self._tellers[one.name] = asyncio.get_running_loop().create_task(
                    inbox.run(), name=f"plugin {one.name} finished"
                )
            inbox.belong_to(one.guard, one.plugin.on_finished, one.plugin.on_gap)
        self.running = tuple(made)
        if made:
            self._watch()
        self._watching.chain = Chain(one.link for one in made)
        for one in made:
            if one.parties and one.failed is None:
                self._parties.play(one.name, Player(one.plugin, one.guard))

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
        while True:
            await self._clock.sleep(FOLLOW_S)
            self._parties.review()
            for inbox in self.inboxes.values():
                inbox.stir()
            try:
                choices = await self._book.load()
                if choices.revision != self.choices.revision:
                    await self._follow(choices)
            except StoreUnavailable:
                continue
            if self._clock.monotonic() >= retry_at:
                retry_at = self._clock.monotonic() + RETRY_S
                await self._retry()

    async def _follow(self, choices: Choices) -> None:
        async with self._changing:
            if choices.revision == self.choices.revision:
                return
            try:
                await self._change(await asyncio.to_thread(self._read), choices)
            except SettingsError as wrong:
                log.error("what was chosen about plugins cannot be used here", problem=str(wrong))
            self.choices = choices

    async def _retry(self) -> None:
        async with self._changing:
            for one in self.running:
                if one.failed is None:
                    continue
                try:
                    await self._started(one)
                except NotStarted as why:
                    one.failed = str(why)
                    continue
                one.failed = None
                one.guard.release()
                if one.parties:
                    self._parties.play(one.name, Player(one.plugin, one.guard))
                self._notices.recovered(one.name)


def _cannot_run(choice: Chosen, why: NotStarted) -> SettingsError:
    return SettingsError(f"the plugin {choice.name} ({choice.origin}) cannot run: {why}")


def as_in_settings(value: Any) -> Any:
    """What came as JSON, with fractions as a file of settings has them."""
    if isinstance(value, dict):
        return {name: as_in_settings(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_in_settings(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value
