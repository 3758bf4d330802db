"""How every pull stands: in memory for those who look, in the store for the next start."""

from hub.domain.pulling import PullState
from hub.domain.pulls import Pull, PullKey
from hub.store.ports import PullStore


class PullBook:
    """One state per pull that was ever begun or asked for."""

    def __init__(self, store: PullStore) -> None:
        self._store = store
        self._states: dict[PullKey, PullState] = {}
        self.loaded = False

    async def load(self) -> None:
        """Reads what earlier hubs left. Raises StoreUnavailable."""
        self._states = {state.key: state for state in await self._store.load_all()}
        self.loaded = True

    @property
    def every(self) -> tuple[PullState, ...]:
        return tuple(self._states.values())

    def get(self, key: PullKey) -> PullState | None:
        return self._states.get(key)

    def of(self, pull: Pull) -> PullState:
        """How a pull stands now."""
        return self._states.get(pull.key) or PullState(pull.platform_id, pull.owner, pull.module)

    def note(self, state: PullState) -> None:
        """From now on this is how the pull stands; the next `keep` stores it."""
        self._states[state.key] = state

    async def keep(self, state: PullState) -> None:
        """Notes the state and stores it. Raises StoreUnavailable; then it is noted all the same."""
        self.note(state)
        await self._store.save(state)

    async def forget(self, platform_id: str) -> None:
        """Drops the states of a platform. Raises StoreUnavailable; then they are still there."""
        await self._store.remove_of(platform_id)
        self._states = {key: state for key, state in self._states.items() if state.platform_id != platform_id}
