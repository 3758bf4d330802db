"""Which plugins are to run: what the settings say, what operators chose at run time, and what there is."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.broker.plugins.choices import Choices
from hub.errors import SettingsError
from hub.plugin.loader import DEFAULT_SET, Available, Chosen, available, chosen
from hub.plugin.web import Audience, Route

# First parts of paths that are the hub's own, by audience.
OWN_ADMIN = frozenset({"platforms", "parties", "agreements", "catalog", "pulls", "alarms", "plugins", "openapi.json"})
OWN_PUBLIC = frozenset({"ocpi", "admin", "healthz", "readyz", "metrics", "dashboard", "favicon.ico", "logo.svg"})


@dataclass(frozen=True, slots=True)
class Settled:
    """What the settings say: names in order (None: the default set), tables by name, the folder, and where that
    stands.
    """

    names: tuple[str, ...] | None
    tables: Mapping[str, Mapping[str, Any]]
    folder: Path | None
    source: str


class Wanting:
    """Finds plugins and says which of them run. `more` are there besides those that are found."""

    def __init__(self, more: Sequence[Available] = ()) -> None:
        self._more = more
        self.found: dict[str, Available] = {}

    async def of(self, settled: Settled, choices: Choices) -> list[Chosen]:
        """What is to run, in order. Raises SettingsError."""
        found = await asyncio.to_thread(available, settled.folder)
        for one in self._more:
            found[one.name] = one
        self.found = found
        kept = {name: as_in_settings(table) for name, table in choices.config.items() if name in found}
        tables = {**settled.tables, **kept}
        settled_names = list(settled.names) if settled.names is not None else [n for n in DEFAULT_SET if n in found]
        names = [name for name in choices.names(settled_names) if name in found or name in settled_names]
        return chosen(names, tables, found, settled.source)


def no_clashes(routes: Iterable[tuple[str, Sequence[Route]]]) -> None:
    """No two plugins answer for one path, and none for one of the hub's. Raises SettingsError."""
    taken: dict[tuple[bool, str], str] = {}
    for name, own in routes:
        for admin, first in {(route.audience is Audience.ADMIN, route.path.split("/")[1]) for route in own}:
            if first in (OWN_ADMIN if admin else OWN_PUBLIC):
                raise SettingsError(f"the plugin {name} has routes below /{first}, which is the hub's own")
            other = taken.setdefault((admin, first), name)
            if other != name:
                raise SettingsError(f"the plugins {other} and {name} both have routes below /{first}: run one of them")


def as_in_settings(value: Any) -> Any:
    """What came as JSON, with fractions as a file of settings has them."""
    if isinstance(value, dict):
        return {name: as_in_settings(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_in_settings(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value
