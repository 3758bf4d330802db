"""Plugins that an operator takes out for good: before they are stopped each has a while to put in order what it leaves
behind.
"""

import asyncio
from collections.abc import Sequence

from hub.broker.plugins.incarnation import Incarnation
from hub.broker.plugins.notices import Notices
from hub.clock import Clock
from hub.plugin.api import LEAVE_WITHIN_S


class Leaving:
    """Lets plugins leave; `names` are those that do so now."""

    def __init__(self, clock: Clock, notices: Notices) -> None:
        self.names: frozenset[str] = frozenset()
        self._clock = clock
        self._notices = notices
        self._enough: asyncio.Future[None] | None = None
        self._stopping = False

    async def left(self, leaving: Sequence[Incarnation]) -> None:
        """Returns when all of them have left, their time is over, or the hub stops."""
        if self._stopping:
            return
        self.names = frozenset(one.name for one in leaving)
        self._enough = asyncio.ensure_future(self._clock.sleep(LEAVE_WITHIN_S))
        try:
            await asyncio.gather(*(one.leave(self._enough, self._notices) for one in leaving))
        finally:
            self._enough.cancel()
            self._enough = None
            self.names = frozenset()

    def cut_short(self) -> None:
        """The hub stops: it waits for nobody any more."""
        self._stopping = True
        if self._enough is not None:
            self._enough.cancel()
