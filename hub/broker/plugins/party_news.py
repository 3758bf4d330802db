"""Telling plugins which parties are new, changed or gone: beside the traffic, each change once."""

import asyncio
from collections.abc import Callable, Iterable

from hub.broker.client_info import ClientInfo, ClientInfos
from hub.broker.plugins.incarnation import Incarnation
from hub.plugin.guard import Refused
from hub.plugin.hub_api import PartyChange
from hub.plugin.inspecting import overridden


class PartyNews:
    """Compares what holds with what was told. `plugins` gives those that run."""

    def __init__(self, infos: ClientInfos, plugins: Callable[[], Iterable[Incarnation]]) -> None:
        self._infos = infos
        self._plugins = plugins
        self._told: dict[str, ClientInfo] = {}
        self._something = asyncio.Event()

    def changed(self) -> None:
        """Something in registry or liveness is different."""
        self._something.set()

    def start(self) -> None:
        """What holds now is no news."""
        self._told = {info.key: info for info in self._infos.every()}

    async def run(self) -> None:
        """Tells, for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            changes = self._changes()
            told = [
                self._tell(one, changes)
                for one in (self._plugins() if changes else ())
                if one.failed is None and overridden(one.plugin, "on_party_changed")
            ]
            await asyncio.gather(*told)

    def _changes(self) -> list[PartyChange]:
        before, self._told = self._told, {info.key: info for info in self._infos.every()}
        changes = []
        for key, info in self._told.items():
            known = before.pop(key, None)
            if known is None or known.status is not info.status or known.host != info.host:
                changes.append(PartyChange(info.party, info.role, info.status, info.host))
        changes += [PartyChange(gone.party, gone.role, None, gone.host) for gone in before.values()]
        return changes

    async def _tell(self, one: Incarnation, changes: Iterable[PartyChange]) -> None:
        for change in changes:
            try:
                await one.guard.call("on_party_changed", one.plugin.on_party_changed, change)
            except Refused:
                continue  # it was told, and failed; the next one may go well
