"""One instance of a plugin, from its making to its end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any
from weakref import WeakSet

from hub.broker.plugins.clockwork import Clockwork
from hub.broker.plugins.duties import Duties
from hub.broker.plugins.facade import HubOfPlugin
from hub.plugin.api import LocalParty, Plugin
from hub.plugin.chain import Link
from hub.plugin.guard import Guard, told
from hub.plugin.inspecting import overridden, problems_of_parties, problems_of_routes, problems_of_watches
from hub.plugin.loader import Chosen
from hub.plugin.standing import GuardEvents
from hub.plugin.stepping import end
from hub.plugin.web import Route
from hub.plugin.words import Watch

START_S = 10.0
STOP_S = 5.0


class NotStarted(Exception):
    """The plugin cannot run; the sentence says why."""


@dataclass(slots=True, eq=False)
class Incarnation:
    """A plugin made with one configuration. `failed` says why it does not run, if it does not."""

    chosen: Chosen
    plugin: Plugin[Any]
    guard: Guard
    hub: HubOfPlugin
    clockwork: Clockwork
    duties: Duties
    watches: tuple[Watch, ...] = ()
    routes: tuple[Route, ...] = ()
    parties: tuple[LocalParty, ...] = ()
    failed: str | None = None
    leaked: int = 0
    # What ran before it was made is none of its tasks.
    before: "WeakSet[asyncio.Task[Any]]" = field(default_factory=lambda: WeakSet(asyncio.all_tasks()))

    @property
    def name(self) -> str:
        return self.chosen.name

    @property
    def link(self) -> Link:
        return Link(self.plugin, self.guard, self.watches)

    def read(self) -> None:
        """Asks for watches, routes and parties. Raises NotStarted."""
        try:
            self.watches = tuple(self.plugin.watches())
            self.routes = tuple(self.plugin.routes())
            self.parties = tuple(self.plugin.parties())
            problems = (
                problems_of_watches(self.plugin, self.watches)
                or problems_of_routes(self.routes)
                or problems_of_parties(self.parties)
            )
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - the boundary to the plugin
            raise NotStarted(f"it does not say what it watches: {told(raised)}") from None
        if problems:
            raise NotStarted(problems[0])

    def take_over(self, old: "Incarnation | None") -> None:
        """What the instance before it hands over. Nothing may wait between this and putting it in place, or what is
        counted meanwhile would be lost. Raises NotStarted.
        """
        if old is None or old.failed is not None:
            return
        try:
            state = old.plugin.export_state()
            if state is not None:
                self.plugin.import_state(state)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - the boundary to the plugin
            raise NotStarted(f"it does not take over its state: {told(raised)}") from None

    async def start(self) -> None:
        """Raises NotStarted when it fails or takes too long."""
        why = await _bounded(self.plugin.start, f"plugin {self.name} start", START_S)
        if why is not None:
            raise NotStarted(why)

    @property
    def leaves(self) -> bool:
        """Whether it has something to put in order before it is taken out for good."""
        return self.failed is None and overridden(self.plugin, "leave")

    async def leave(self, enough: "asyncio.Future[None]", events: GuardEvents) -> None:
        """Lets it put that in order, until `enough` is done."""
        self.duties.leave()
        why = await _bounded(self.plugin.leave, f"plugin {self.name} leave", None, enough)
        if why is not None:
            events.failed(self.name, "leave", "timeout" if enough.done() else "raised", why)

    async def stop(self, owner: Callable[[CodeType], str | None], events: GuardEvents) -> None:
        """Ends it, and whatever of it would go on."""
        why = await _bounded(self.plugin.stop, f"plugin {self.name} stop", STOP_S)
        if why is not None:
            events.failed(self.name, "stop", "raised", why)
        await self.clockwork.close()
        await self.duties.close()
        await self.guard.close()
        self.hub.close()
        self.leaked = await self._end_leaked(owner)
        if self.leaked:
            events.failed(self.name, "stop", "leaked", f"{self.leaked} tasks of its own were still there")

    async def _end_leaked(self, owner: Callable[[CodeType], str | None]) -> int:
        """Ends tasks that run the plugin's code and that the hub does not own: it made them itself and forgot them."""
        mine = asyncio.current_task()
        leaked = []
        for task in asyncio.all_tasks():
            code = getattr(task.get_coro(), "cr_code", None)
            if task is mine or task in self.before or code is None:
                continue
            if owner(code) == self.name:
                leaked.append(task)
        for task in leaked:
            task.cancel()
        if leaked:
            await asyncio.wait(leaked, timeout=0.5)
        for task in leaked:
            if not task.done():
                end(task)
        return len(leaked)


async def _bounded(
    call: Callable[[], Any], name: str, seconds: float | None, *enough: "asyncio.Future[None]"
) -> str | None:
    """Why it did not come to a good end in so many seconds, or until `enough` is done; None when it did."""

    async def work() -> str | None:
        try:
            await call()
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - the boundary to the plugin; it may cancel itself, too
            return told(raised)
        return None

    task = asyncio.get_running_loop().create_task(work(), name=name)
    try:
        ends: list[asyncio.Future[Any]] = [task, *enough]
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        done = task.done()
    finally:
        if not task.done():
            task.cancel()
    if done:
        return "it was cancelled" if task.cancelled() else task.result()
    await asyncio.wait({task}, timeout=1.0)
    if not task.done():
        end(task)
    return "it was not done in time" if seconds is None else f"it took longer than {seconds:g} s"
