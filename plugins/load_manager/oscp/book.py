"""The capacity providers by id, kept on the shelf and at hand in memory.

Rules
- Every change goes over the revision it was made from, so two nodes do not overwrite each other; it is made again from
  what is there when it does not fit.
- What is said about one provider is taken in turns, so that the load manager hears it in the order in which it holds.
- While the store is away, what is at hand is used as it is. A change that may wait (a heartbeat) is made in memory and
  kept with the next one; any other raises StoreUnavailable and has not happened.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.plugin import HubApi, Kept, StoreUnavailable
from plugins.load_manager.oscp.provider import Provider

_PREFIX = "oscp/provider/"
_TRIES = 20
# Strangers with invented tokens must not make the store work.
_LOOK_AGAIN_S = 1.0


class UnknownProvider(LookupError):
    """There is no capacity provider of this id (any more)."""

    def __init__(self, provider_id: str) -> None:
        super().__init__(f"there is no capacity provider {provider_id}")


@dataclass(frozen=True, slots=True)
class _Held:
    provider: Provider
    revision: int


class ProviderBook:
    """All of them. Iterating gives them as they are at hand."""

    def __init__(self, hub: HubApi) -> None:
        self._hub = hub
        self._held: dict[str, _Held] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._looked_at_s: float | None = None

    def __iter__(self) -> Iterator[Provider]:
        return iter([one.provider for one in self._held.values()])

    def turn(self, provider_id: str) -> asyncio.Lock:
        """Held by whoever acts on what the provider says, or on its silence."""
        return self._turns.setdefault(provider_id, asyncio.Lock())

    async def open(self) -> None:
        """Reads all of them. Raises StoreUnavailable."""
        ids = {key.removeprefix(_PREFIX) for key in await self._hub.shelf.keys(_PREFIX)}
        for provider_id in ids | self._held.keys():
            with contextlib.suppress(UnknownProvider):
                await self._fresh(provider_id)

    async def refresh(self) -> None:
        """Reads what other nodes have changed, unless the store is away."""
        with contextlib.suppress(StoreUnavailable):
            await self.open()

    def at_hand(self, provider_id: str) -> Provider | None:
        """As this node knew it last."""
        held = self._held.get(provider_id)
        return None if held is None else held.provider

    async def get(self, provider_id: str) -> Provider:
        """As it is now. Raises UnknownProvider."""
        return (await self._fresh(provider_id)).provider

    async def owner(self, fingerprint: str) -> str | None:
        """The id of the provider whose token this is, or was a moment ago. Those that another node has made known are
        looked for at most once a second. Raises StoreUnavailable.
        """
        found = self._by_token(fingerprint)
        now_s = self._hub.monotonic()
        if found is None and (self._looked_at_s is None or now_s - self._looked_at_s >= _LOOK_AGAIN_S):
            self._looked_at_s = now_s
            await self.open()
            found = self._by_token(fingerprint)
        return None if found is None else found.id

    async def current(self, fingerprint: str) -> Provider | None:
        """The provider whose token this is, as it is now. Raises StoreUnavailable."""
        owner = await self.owner(fingerprint)
        if owner is None:
            return None
        try:
            provider = await self.get(owner)
        except UnknownProvider:
            return None
        return provider if provider.has(fingerprint) else None

    def _by_token(self, fingerprint: str) -> Provider | None:
        return next((one for one in self if one.has(fingerprint)), None)

    async def add(self, provider: Provider) -> None:
        """A new one. Raises StoreUnavailable."""
        await self._hub.shelf.save(_PREFIX + provider.id, provider.model_dump(mode="json"))
        self._held[provider.id] = _Held(provider, 1)

    async def remove(self, provider_id: str) -> None:
        """Raises StoreUnavailable."""
        await self._hub.shelf.remove(_PREFIX + provider_id)
        self._held.pop(provider_id, None)
        self._turns.pop(provider_id, None)

    async def change(
        self, provider_id: str, change: Callable[[Provider], Provider], *, may_wait: bool = False
    ) -> Provider:
        """Changes it and returns what it is then. `change` may be called more than once; what it raises passes out, and
        nothing is changed. Raises UnknownProvider; StoreUnavailable unless it may wait.
        """
        for _ in range(_TRIES):
            held = await self._fresh(provider_id)
            changed = change(held.provider)
            if changed == held.provider:
                return changed
            try:
                value = changed.model_dump(mode="json")
                saved = await self._hub.shelf.compare_and_set(_PREFIX + provider_id, value, held.revision)
            except StoreUnavailable:
                if not may_wait:
                    raise
                self._held[provider_id] = _Held(changed, held.revision)
                return changed
            if saved:
                self._held[provider_id] = _Held(changed, held.revision + 1)
                return changed
        raise StoreUnavailable(f"the capacity provider {provider_id} is changed too often to be changed")

    async def _fresh(self, provider_id: str) -> _Held:
        known = self._held.get(provider_id)
        try:
            kept = await self._hub.shelf.load(_PREFIX + provider_id)
        except StoreUnavailable:
            if known is None:
                raise
            return known
        if kept is None:
            self._held.pop(provider_id, None)
            raise UnknownProvider(provider_id)
        # At the same revision memory may hold a change that waits.
        if known is None or known.revision != kept.revision:
            known = self._held[provider_id] = _held(kept)
        return known


def _held(kept: Kept) -> _Held:
    return _Held(Provider.model_validate(kept.value), kept.revision)
