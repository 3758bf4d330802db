"""Telling plugins what the catalog holds otherwise because the hub has read an owner's list itself: no message passes
then that they could watch.

It is told beside the crawl, and what happens while a plugin is told comes together in one change. What waits is bounded
by the lists there are, and by `MOST_NAMED` ids for each.
"""

import asyncio
from collections.abc import Callable, Iterable

from hub.broker.plugins.incarnation import Incarnation
from hub.ocpi.party_id import PartyId
from hub.plugin.guard import Refused
from hub.plugin.hub_api import CatalogChange
from hub.plugin.inspecting import overridden

MOST_NAMED = 1_000


def _nobody() -> Iterable[Incarnation]:
    return ()


class CatalogNews:
    """Keeps what is to be told. `plugins` gives those that run."""

    def __init__(self) -> None:
        self.plugins: Callable[[], Iterable[Incarnation]] = _nobody
        self._changed: dict[tuple[str, str], tuple[PartyId, set[str] | None]] = {}
        self._something = asyncio.Event()

    def changed(self, module: str, owner: PartyId, objects: Iterable[str] | None) -> None:
        """These objects of an owner are new, say something else or are gone; None: maybe all."""
        key = (module, owner.key)
        _, before = self._changed.get(key, (owner, set[str]()))
        ids = None if objects is None or before is None else before | set(objects)
        if ids is None or ids:
            self._changed[key] = (owner, None if ids is not None and len(ids) > MOST_NAMED else ids)
            self._something.set()

    def taken(self) -> list[CatalogChange]:
        """What waits, and waits no more."""
        changed, self._changed = self._changed, {}
        return [
            CatalogChange(module, owner, None if ids is None else frozenset(ids))
            for (module, _), (owner, ids) in changed.items()
        ]

    async def run(self) -> None:
        """Tells, for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            changes = self.taken()
            told = [
                self._tell(one, changes)
                for one in self.plugins()
                if one.failed is None and overridden(one.plugin, "on_catalog_changed")
            ]
            await asyncio.gather(*told)

    async def _tell(self, one: Incarnation, changes: Iterable[CatalogChange]) -> None:
        for change in changes:
            try:
                await one.guard.call("on_catalog_changed", one.plugin.on_catalog_changed, change)
            except Refused:
                continue  # it was told, and failed; the next one may go well
