"""Which pulls there are and when each is due, and the end of those that are not wanted any more (ruling 13)."""

from dataclasses import replace
from datetime import datetime

from hub.broker.liveness import LivenessBoard
from hub.broker.pull_book import PullBook
from hub.broker.pull_crawl import PullCrawls
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.pulling import PullState, due_at
from hub.domain.pulls import Pull, PullKey, owners_on, pulls_of
from hub.domain.registry import RegistrySnapshot
from hub.errors import StoreUnavailable
from hub.ocpi.names import ConnectionStatus


class PullPlan:
    """Follows the registry. `wanted` has every pull that is switched on, by platform, owner and module."""

    def __init__(
        self,
        *,
        book: PullBook,
        crawls: PullCrawls,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        clock: Clock,
    ) -> None:
        self._book = book
        self._crawls = crawls
        self._registry = registry
        self._liveness = liveness
        self._clock = clock
        self._seen: tuple[RegistrySnapshot, bool] | None = None
        self._since: dict[PullKey, datetime] = {}
        self._due: dict[PullKey, tuple[PullState, datetime]] = {}
        self._leaving: set[PullKey] = set()
        self.wanted: dict[PullKey, Pull] = {}

    @property
    def tidy(self) -> bool:
        """Whether nothing is left of pulls that are not wanted any more."""
        return not self._leaving

    def look(self) -> None:
        """Takes over what the registry says, if it has changed, and the book once it is read. Alarms of what is not
        wanted any more end.
        """
        snapshot = self._registry.snapshot
        seen = (snapshot, self._book.loaded)
        if seen == self._seen:
            return
        now = self._clock.now()
        self._seen = seen
        wanted = pulls_of(snapshot)
        self.wanted = {key: wanted[key] for key in sorted(wanted)}
        self._since = {key: self._since.get(key, now) for key in wanted}
        self._due.clear()
        leaving = [state for state in self._book.every if state.key not in wanted and self._leaves(state)]
        for state in leaving:
            self._crawls.hush(state)
        self._leaving = {state.key for state in leaving}

    def obstacle(self, pull: Pull) -> str | None:
        """Why the pull cannot be just now."""
        if pull.obstacle is None and pull.platform_id in self._liveness.offline:
            return f"The platform is {ConnectionStatus.OFFLINE.value}"
        return pull.obstacle

    def due_at(self, pull: Pull) -> datetime:
        """When the pull's next crawl is due."""
        state = self._book.of(pull)
        known = self._due.get(pull.key)
        if known is None or known[0] is not state:
            known = self._due[pull.key] = (state, due_at(state, pull, self._since[pull.key]))
        return known[1]

    def due(self) -> list[Pull]:
        """What is due and has nothing in its way, the longest due first."""
        now = self._clock.now()
        found = [
            (due, key)
            for key, pull in self.wanted.items()
            if self.obstacle(pull) is None and (due := self.due_at(pull)) <= now
        ]
        return [self.wanted[key] for _, key in sorted(found)]

    def _leaves(self, state: PullState) -> bool:
        """Whether anything is left of a pull that is not wanted."""
        return self._is_gone(state) or state.hides or state.problem is not None or state.resync_at is not None

    def _is_gone(self, state: PullState) -> bool:
        """Whether the owner has left the platform, or the platform the hub, and the state was not forgotten yet."""
        platform = self._registry.snapshot.platform(state.platform_id)
        if platform is None:
            return True
        return state.owner not in owners_on(platform, state.module) and state != state.untouched()

    async def clear(self) -> None:
        """Ends hiding and states of pulls that are not wanted any more."""
        for key in tuple(self._leaving):
            state = self._book.get(key)
            if state is not None and key in self._leaving:
                try:
                    await self._leave(state)
                except StoreUnavailable:
                    return
            self._leaving.discard(key)

    async def _leave(self, state: PullState) -> None:
        if self._registry.snapshot.platform(state.platform_id) is None:
            for other in self._book.every:
                if other.platform_id == state.platform_id:
                    await self._crawls.show(other)
            await self._book.forget(state.platform_id)
            return
        await self._crawls.show(state)
        if state.hides or self._is_gone(state):
            # Its objects may be gone with it: should it come back, everything has to be read.
            await self._book.keep(state.untouched())
        else:
            await self._book.keep(replace(state, failed_at=None, problem=None, failures=0, resync_at=None))
