"""How pulls come along: bars on a terminal, one line for each change of state anywhere else."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from hub.cli.screen import cell, printable

Row = dict[str, Any]


class PullProgress:
    """Shows rows of `GET /pulls` again and again, as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, rows: list[Row]) -> None:
        """The newest state of every pull."""
        for row in rows:
            if self._console.is_terminal:
                self._draw(row)
            else:
                self._print(row)

    def _draw(self, row: Row) -> None:
        name = name_of(row)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(printable(name), total=None, said="")
        # A list without a count has no end to draw until it is over.
        total = row["objects"] if row["status"] == "DONE" else row["total"]
        said = printable(in_words(row))
        self._bars.update(self._tasks[name], completed=row["objects"], total=total, said=said)

    def _print(self, row: Row) -> None:
        name = name_of(row)
        state = f"{row['status']} {row['problem']}"
        if self._said.get(name) != state:
            self._said[name] = state
            self._console.print(cell(f"{name}: {in_words(row)}"))


def name_of(row: Row) -> str:
    """What a pull is called."""
    return f"{row['country_code']}/{row['party_id']} {row['module']}"


def in_words(row: Row) -> str:
    """How far a pull has come."""
    total = "" if row["total"] is None else f" of {row['total']}"
    words = f"{row['status']}, {row['objects']}{total} objects in {row['pages']} pages"
    return words if row["problem"] is None else f"{words}: {row['problem']}"
