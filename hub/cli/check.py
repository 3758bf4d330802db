"""`ocpi-hub check`: says what is wrong with a hub's configuration and surroundings, and where."""

import asyncio
import sys
from pathlib import Path

import click

from hub.cli.checks import Line, network_lines, secret_lines, settings_lines, store_lines
from hub.cli.options import config_option, settings_from
from hub.cli.screen import mark, show_table


@click.command()
@config_option
def check(config: Path | None) -> None:
    """Check configuration, secrets, database, keys and network; exit code 1 if anything is wrong."""
    settings = settings_from(config)

    async def looked() -> list[Line]:
        return [*await store_lines(settings), *await network_lines(settings)]

    lines = [*settings_lines(settings, config), *secret_lines(settings), *asyncio.run(looked())]
    show_table(("", "WHAT", "FOUND"), [(mark(line.ok), line.what, line.found) for line in lines])
    if any(line.ok is False for line in lines):
        sys.exit(1)
