"""After the story: the hub keeps running, the parties go on talking, and a table counts their messages."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.clock import Clock, SystemClock
from hub.sandbox.demo.cast import Cast
from hub.sandbox.demo.everyday import go_on
from hub.sandbox.demo.hub import Hub
from hub.sandbox.demo.screen import Screen
from hub.sandbox.results import ResultMode

REFRESH_S = 0.5

# What the hub counts a message as, in words. Rows of its table of outcomes start with F, refusals are OCPI codes.
_OUTCOMES = {
    "relayed": "answered",
    "2001": "refused",
    "4001": "unknown party",
    "4003": "offline",
    "F5": "unreachable",
    "F6": "too slow",
}


def invite(screen: Screen, hub: Hub, facts: Sequence[tuple[str, str]], commands: Sequence[tuple[str, str]]) -> None:
    """Where the hub can be found and what to try next, in lines that can be copied whole."""
    screen.say()
    screen.say(Text(f"The hub keeps running at {hub.url} until you press Ctrl-C.", "bold"))
    label_width = max(len(name) for name, _ in facts) + 2
    for name, value in facts:
        screen.console.print(Text(name.ljust(label_width), "dim") + Text(value, "cyan"), soft_wrap=True)
    screen.say()
    screen.say("In another terminal:")
    for about, command in commands:
        screen.say()
        screen.say(Text(f"  # {about}", "dim"))
        screen.console.print(Text(f"  {command}", "green"), soft_wrap=True)


async def stay(hub: Hub, cast: Cast, screen: Screen, stop: asyncio.Event, *, clock: Clock | None = None) -> None:
    """Runs until `stop` is set. On a terminal the table is drawn anew again and again, elsewhere once."""
    for platform in cast.platforms:
        platform.results.mode = ResultMode.AT_ONCE
    everyday = asyncio.create_task(go_on(cast, clock or SystemClock()))
    screen.say()
    try:
        if not screen.console.is_terminal:
            screen.console.print(_table(hub.messages()))
            await stop.wait()
            return
        with Live(_table(hub.messages()), console=screen.console, auto_refresh=False) as live:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), REFRESH_S)
                live.update(_table(hub.messages()), refresh=True)
    finally:
        everyday.cancel()
        await asyncio.gather(everyday, return_exceptions=True)


def _table(messages: Mapping[tuple[str, str], int]) -> Table:
    """A row for each module, a column for each outcome there was."""
    outcomes = sorted({outcome for _, outcome in messages}, key=lambda outcome: (outcome != "relayed", outcome))
    table = Table(title="Messages through the hub", title_justify="left", title_style="bold", box=None)
    table.add_column("module", style="cyan")
    for outcome in outcomes:
        table.add_column(_OUTCOMES.get(outcome, outcome), justify="right")
    table.add_column("all", justify="right", style="bold")
    for module in sorted({module for module, _ in messages}):
        counts = [messages.get((module, outcome), 0) for outcome in outcomes]
        table.add_row(module, *(str(count or "") for count in counts), str(sum(counts)))
    return table
