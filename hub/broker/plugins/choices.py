"""What operators chose about plugins at run time, kept in the store so that a restart and other nodes know it."""

from dataclasses import dataclass, field, replace
from typing import Any

from hub.errors import StoreConflict
from hub.ocpi import codec
from hub.store.ports import ShelfStore
from hub.store.records import Put

# No plugin is called so: the name is taken.
HUB = "hub"
_KEY = "plugins"


@dataclass(frozen=True, slots=True)
class Choices:
    """Plugins switched on or off against the settings, and configurations that stand in place of the settings'."""

    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: int = 0

    def names(self, settled: list[str]) -> list[str]:
        """Which plugins run, in order: those of the settings, then those switched on besides."""
        wanted = [*settled, *(name for name in self.enabled if name not in settled)]
        return [name for name in wanted if name not in self.disabled]

    def with_enabled(self, name: str) -> "Choices":
        enabled = (*(one for one in self.enabled if one != name), name)
        return replace(self, enabled=enabled, disabled=tuple(one for one in self.disabled if one != name))

    def with_disabled(self, name: str) -> "Choices":
        disabled = (*(one for one in self.disabled if one != name), name)
        return replace(self, enabled=tuple(one for one in self.enabled if one != name), disabled=disabled)

    def with_config(self, name: str, table: dict[str, Any] | None) -> "Choices":
        """None: the settings' own counts again."""
        config = {one: kept for one, kept in self.config.items() if one != name}
        return replace(self, config=config if table is None else config | {name: table})


class ChoiceBook:
    """Keeps the choices. Raises StoreUnavailable; StoreConflict when another node has changed them meanwhile."""

    def __init__(self, shelf: ShelfStore) -> None:
        self._shelf = shelf

    async def load(self) -> Choices:
        kept = await self._shelf.load(HUB, _KEY)
        if kept is None:
            return Choices()
        found = codec.loads(kept.value)
        return Choices(tuple(found["enabled"]), tuple(found["disabled"]), dict(found["config"]), kept.revision)

    async def save(self, choices: Choices) -> Choices:
        """Stores them over the revision they were made of."""
        members = {"enabled": choices.enabled, "disabled": choices.disabled, "config": choices.config}
        try:
            await self._shelf.save(HUB, [Put(_KEY, codec.dumps(members), choices.revision)])
        except StoreConflict:
            raise StoreConflict("plugins") from None
        return replace(choices, revision=choices.revision + 1)
