"""The tasks that tell plugins what is over, one for each plugin that wants to know."""

import asyncio
from collections.abc import Iterable

from hub.broker.plugins.incarnation import Incarnation
from hub.plugin.inbox import Inbox
from hub.plugin.words import Phase

_DRAIN_S = 5.0


class Tellers:
    """Owns the inboxes' tasks."""

    def __init__(self) -> None:
        self.inboxes: dict[str, Inbox] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def belong_to(self, made: Iterable[Incarnation]) -> None:
        """From now on these instances are told."""
        for one in made:
            inbox = self.inboxes.get(one.name)
            if inbox is None:
                if not any(Phase.FINISHED in watch.phases for watch in one.watches):
                    continue
                inbox = self.inboxes[one.name] = Inbox(one.name)
                name = f"plugin {one.name} finished"
                self._tasks[one.name] = asyncio.get_running_loop().create_task(inbox.run(), name=name)
            inbox.belong_to(one.guard, one.plugin.on_finished, one.plugin.on_gap)

    def stir(self) -> None:
        """A moment has passed."""
        for inbox in self.inboxes.values():
            inbox.stir()

    async def told(self, one: Incarnation) -> None:
        """Waits a while until the plugin has been told what is over by now."""
        inbox = self.inboxes.get(one.name)
        if inbox is not None and not one.guard.tripped:
            await inbox.told(_DRAIN_S)

    async def close(self, names: Iterable[str]) -> None:
        """Nothing is told to these any more."""
        tasks = [task for name in names if (task := self._tasks.pop(name, None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in names:
            self.inboxes.pop(name, None)

    async def close_all(self) -> None:
        await self.close(tuple(self._tasks))
