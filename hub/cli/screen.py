"""What a terminal shows: tables, marks and JSON. No colour and no cut lines where the output is not a terminal."""

import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.ocpi import codec

# Wide enough that no URL is cut when a script reads the table.
PIPE_WIDTH = 500

STYLES = {"CONNECTED": "green", "OFFLINE": "red", "PLANNED": "yellow", "SUSPENDED": "magenta"}
MARKS = {True: ("ok", "green"), False: ("FAILED", "bold red"), None: ("-", "dim")}


def console(*, quiet: bool = False) -> Console:
    """For standard output as it is now; a quiet one shows nothing."""
    terminal = sys.stdout.isatty()
    return Console(width=None if terminal else PIPE_WIDTH, no_color=not terminal, highlight=False, quiet=quiet)


def show_json(value: object) -> None:
    """For scripts."""
    click.echo(codec.pretty(value))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table for people; a status among the cells gets its colour."""
    table = Table(
        title=title,
        title_justify="left",
        show_header=any(headings),
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console().print(table)


def cell(value: object) -> Text:
    """A value as text; what a platform called itself cannot steer the terminal."""
    if isinstance(value, Text):
        return value
    text = printable("" if value is None else str(value))
    return Text(text, style=STYLES.get(text, ""))


def printable(text: str) -> str:
    """The text with a mark in place of every character that could steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def mark(ok: bool | None) -> Text:
    """Whether a line is fine; None is a remark."""
    word, style = MARKS[ok]
    return Text(word, style=style)


def note(sentence: str) -> None:
    """A line for the person beside the output: on standard error, out of the way of scripts and logs."""
    click.echo(sentence, err=True)
