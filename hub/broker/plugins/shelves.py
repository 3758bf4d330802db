"""A plugin's shelf, over the store's: JSON values by key, some of them saved only while the plugin holds a duty."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from hub.broker.plugins.duties import fence_of
from hub.broker.plugins.json_text import json_text
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi import codec
from hub.plugin.hub_api import Kept, Save, Term
from hub.store.ports import ShelfStore
from hub.store.records import Put, Shelved

# Values come along with the keys, so a page is not large.
_PER_PAGE = 200
# So many values are written out before others have the event loop.
_IN_A_ROW = 50
# How often a save that nothing can contradict is tried when saves of others keep crossing it.
_TRIES = 3


class PluginShelf:
    """The Shelf port. Every save raises ValueError for a value that is not JSON, and TypeError for a term that this
    plugin was not given.
    """

    def __init__(self, store: ShelfStore, plugin: str) -> None:
        self._store = store
        self._plugin = plugin

    async def load(self, key: str) -> Kept | None:
        found = await self._store.load(self._plugin, key)
        return None if found is None else Kept(codec.loads(found.value), found.revision)

    async def keys(self, prefix: str = "") -> list[str]:
        return [one.key async for one in self._all(prefix)]

    async def items(self, prefix: str = "") -> AsyncIterator[tuple[str, Kept]]:
        async for one in self._all(prefix):
            yield one.key, Kept(codec.loads(one.value), one.revision)

    async def save(self, key: str, value: Any, *, term: Term | None = None) -> None:
        await self._put([Put(key, self._text(key, value))], term)

    async def compare_and_set(self, key: str, value: Any, revision: int, *, term: Term | None = None) -> bool:
        return await self._put([Put(key, self._text(key, value), revision)], term)

    async def save_many(self, saves: Sequence[Save], *, term: Term | None = None) -> bool:
        puts: list[Put] = []
        for start in range(0, len(saves), _IN_A_ROW):
            if start:
                await asyncio.sleep(0)
            part = saves[start : start + _IN_A_ROW]
            puts += [Put(save.key, self._text(save.key, save.value), save.revision) for save in part]
        return await self._put(puts, term)

    async def remove(self, key: str, *, term: Term | None = None) -> None:
        await self._put([Put(key, None)], term)

    async def _all(self, prefix: str) -> AsyncIterator[Shelved]:
        after = ""
        while True:
            page = await self._store.list(self._plugin, prefix, after, _PER_PAGE)
            for one in page:
                yield one
            if len(page) < _PER_PAGE:
                return
            after = page[-1].key

    def _text(self, key: str, value: object) -> bytes:
        return json_text(value, f"the value of {key!r}")

    async def _put(self, puts: Sequence[Put], term: Term | None) -> bool:
        fence = None if term is None else fence_of(term, self._plugin)
        for _ in range(_TRIES):
            try:
                await self._store.save(self._plugin, puts, fence)
                return True
            except StoreConflict:
                if any(put.revision is not None for put in puts):
                    return False
        raise StoreUnavailable(f"saves of the plugin {self._plugin} kept crossing each other, so one was not done")
