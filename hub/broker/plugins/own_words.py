"""What a plugin says of itself to people: its health and its tables. Its mistakes end here, as sentences."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hub.broker.plugins.incarnation import Incarnation
from hub.ocpi import codec
from hub.plugin.configuring import told
from hub.plugin.web import Health

MOST_ROWS = 1_000

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class HealthView:
    """What the plugin says of itself; not ok when it cannot say."""

    ok: bool
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PanelView:
    """A table for operators. Of very many rows the first are shown; `problem` says why there are none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    problem: str | None = None


def health_of(one: Incarnation) -> HealthView:
    """How the plugin is, in its own words; one that does not run, or fails to say, is not well."""
    if one.failed is not None:
        return HealthView(ok=False, text=one.failed, facts={})
    try:
        said: object = one.plugin.health()
        if inspect.iscoroutine(said):
            said.close()
        if not isinstance(said, Health):
            return HealthView(ok=False, text=f"health() gives {type(said).__name__}, not a Health", facts={})
        facts = {str(name): codec.to_plain(value) for name, value in said.facts.items()}
        codec.dumps(facts)
        return HealthView(bool(said.ok), str(said.text), facts)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - the boundary to the plugin
        return HealthView(ok=False, text=f"health() fails: {told(raised)}", facts={})


def panels_of(one: Incarnation) -> tuple[list[PanelView], str | None]:
    """Its tables, filled now; and why there are none, if asking for them fails."""
    if one.failed is not None:
        return [], one.failed
    try:
        panels = [(str(panel.title), tuple(map(str, panel.columns)), panel.rows) for panel in one.plugin.panels()]
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - the boundary to the plugin
        return [], f"panels() fails: {told(raised)}"
    views = []
    for title, columns, rows in panels:
        try:
            views.append(PanelView(title, columns, tuple(_row(row) for row in islice(rows(), MOST_ROWS))))
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - the boundary to the plugin
            views.append(PanelView(title, columns, problem=f"its rows fail: {told(raised)}"))
    return views, None


def _row(cells: Iterable[object]) -> tuple[Cell, ...]:
    return tuple(cell if isinstance(cell, Cell) else str(cell) for cell in cells)
