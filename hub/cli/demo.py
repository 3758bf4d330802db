"""`ocpi-hub demo`: the hub and simulated platforms, told step by step."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from hub import logs
from hub.cli.screen import note

PLAIN_WIDTH = 100


class _Terminal(Console):
    """A console that ends the showing in good order, instead of the program at once, when nobody reads any more."""

    def __init__(self, stop: asyncio.Event, **options: Any) -> None:
        super().__init__(**options)
        self._stop = stop

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        self._stop.set()


@click.command()
@click.option("--once", is_flag=True, help="Run the story once, print a summary, exit 0 only if every step worked.")
@click.option(
    "--export",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    hidden=True,
    help="Save the screen of the story as an SVG picture.",
)
def demo(*, once: bool, picture: Path | None) -> None:
    """Start a hub and simulated platforms on this machine and route every kind of message."""
    from hub.cli.demo_show import FAILED, show

    folder = Path(tempfile.mkdtemp(prefix="ocpi-hub-demo-"))
    with (folder / "hub.log").open("w", encoding="utf-8") as log:
        logs.configure("info", "console", log)

        async def until_stopped() -> int:
            stop = asyncio.Event()
            fixed = picture is not None or not sys.stdout.isatty()
            console = _Terminal(stop, width=PLAIN_WIDTH if fixed else None, record=picture is not None)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            return await show(folder, console, stop, once=once, picture=picture)

        try:
            code = asyncio.run(until_stopped())
        except BaseException:
            note(f"The demo broke off; its hub's log: {folder / 'hub.log'}")
            raise
    if code != FAILED:  # the log of a failure is what its reader wants next
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)
