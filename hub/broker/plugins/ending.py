"""How instances of plugins end: when what was under way with them is over, the hub lets go of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from types import CodeType

import structlog

from hub.broker.plugins.incarnation import Incarnation
from hub.broker.plugins.notices import Notices
from hub.broker.plugins.tellers import Tellers
from hub.plugin.chain import Chain

log = structlog.get_logger("hub.plugins")

# How long an old instance may have to see the end of what was under way with it.
_UNDER_WAY_S = 5.0
_PULSE_S = 0.01

Over = tuple[Chain, Incarnation, Incarnation | None]
"""An instance that is in place no more, the chain it was in, and its successor if it has one."""


class Ending:
    """Ends them. `owner` says which plugin a function belongs to; `leaked` counts tasks that were left, by plugin."""

    def __init__(self, owner: Callable[[CodeType], str | None], notices: Notices, tellers: Tellers) -> None:
        self.leaked: Counter[str] = Counter()
        self._owner = owner
        self._notices = notices
        self._tellers = tellers

    async def of_all(self, over: Iterable[Over]) -> None:
        """Each when its messages have ended; one that nobody succeeds has been told of them all by then."""
        for chain, old, successor in over:
            await self._let_finish(chain, old)
            if successor is None:
                await self._tellers.told(old)
                await self._tellers.close([old.name])
                self._notices.gone(old.name)
            await self.of(old, successor)

    async def of(self, one: Incarnation, successor: Incarnation | None = None) -> None:
        """This one, now."""
        if successor is not None:  # what the new instance has begun since is none of the old one's tasks
            one.before.update(asyncio.all_tasks() - set(successor.before))
        await one.stop(self._owner, self._notices)
        self.leaked[one.name] += one.leaked

    async def _let_finish(self, chain: Chain, old: Incarnation) -> None:
        try:
            async with asyncio.timeout(_UNDER_WAY_S):
                while chain.under_way.count or old.guard.busy:  # noqa: ASYNC110 - rare, and short
                    await asyncio.sleep(_PULSE_S)
        except TimeoutError:
            log.warning("a plugin ends while messages are under way with it", plugin=old.name)
