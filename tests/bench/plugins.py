"""What plugins cost a message: the look-up that an unwatched one pays, and hooks that do nothing, beside a bare
`await`.

Run it with `python -m tests.bench.plugins`. Each figure is the least of 20 batches: what is left when nothing else
runs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from hub.broker.exchange import Arrival
from hub.broker.plugins.spoken import Spoken
from hub.broker.plugins.watching import Watching
from hub.clock import SystemClock
from hub.ocpi.names import Interface
from hub.plugin import Exchange, HubApi, Phase, Plugin, PluginConfig, Watch
from hub.plugin.chain import NO_CHAIN, Chain, Endpoint, Link
from hub.plugin.guard import Guard, Hook
from hub.plugin.inbox import Inbox

BATCHES = 20
CALLS = 20_000
ENDPOINT = Endpoint("sessions", Interface.RECEIVER, "PUT")


class Quiet(Plugin[PluginConfig]):
    """Hooks that do nothing."""

    name = "quiet"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.RECEIVED, Phase.ROUTED, Phase.FINISHED})

    def on_received(self, exchange: Exchange) -> None:
        return None

    async def on_routed(self, exchange: Exchange) -> None:
        return None

    def on_finished(self, exchange: Exchange) -> None:
        return None


class _Events:
    def failed(self, plugin: str, hook: str, kind: str, text: str) -> None:
        raise AssertionError(text)

    def tripped(self, plugin: str, why: str) -> None:
        raise AssertionError(why)

    def recovered(self, plugin: str) -> None: ...


def _link(name: str) -> Link:
    plugin = Quiet(PluginConfig(), cast("HubApi", None))
    return Link(plugin, Guard(name, plugin.config, SystemClock(), _Events()), tuple(plugin.watches()))


async def nanoseconds(call: Callable[[], Awaitable[Any]]) -> float:
    """The least time of a batch, per call."""
    best = float("inf")
    for _ in range(BATCHES):
        started = time.perf_counter_ns()
        for _ in range(CALLS):
            await call()
        best = min(best, (time.perf_counter_ns() - started) / CALLS)
    return best


async def _nothing(_: object) -> None:
    return None


def _arrival() -> Arrival:
    return Arrival("r", "c", 0.0, "PUT", {}, None, "2.2.1", "sessions", Interface.RECEIVER, "NL/ABC/S1")


def _watching(chain: Chain) -> Watching:
    made = Watching(cast("Spoken", None), cast("Any", None), SystemClock())
    made.chain = chain
    made.inboxes = {link.guard.name: Inbox(link.guard.name) for link in chain.links}
    return made


async def measured() -> list[tuple[str, float]]:
    """Every figure in nanoseconds, the bare `await` first."""
    link = _link("quiet")
    chain = Chain([link])
    hooks = chain.hooks(ENDPOINT)
    assert hooks is not None
    arrival = _arrival()
    unwatched = _watching(Chain([link._replace(watches=(Watch(phases={Phase.ROUTED}, modules={"tariffs"}),))]))
    empty, watching = _watching(NO_CHAIN), _watching(chain)

    async def look_up(where: Watching) -> None:
        where.begin(arrival)

    async def whole() -> None:
        watched = watching.begin(_arrival())
        assert watched is not None
        await watched.received_early()

    def asking(hook: Hook) -> Callable[[], Awaitable[Any]]:
        return lambda: link.guard.ask(hook, arrival)

    return [
        ("a bare await", await nanoseconds(lambda: _nothing(arrival))),
        ("a message when no plugin runs", await nanoseconds(lambda: look_up(empty))),
        ("a message that nobody watches", await nanoseconds(lambda: look_up(unwatched))),
        ("a hook that does nothing (def)", await nanoseconds(asking(hooks.early[0]))),
        ("a hook that does nothing (async def)", await nanoseconds(asking(hooks.routed[0]))),
        ("the exchange that plugins see, and one hook", await nanoseconds(whole)),
    ]


def main() -> None:
    """Measures and prints."""
    rows = asyncio.run(measured())
    table = Table(title=f"Cost of plugins (least of {BATCHES} batches of {CALLS:,} calls)")
    table.add_column("what")
    table.add_column("ns", justify="right")
    table.add_column("ratio to a bare await", justify="right")
    for what, figure in rows:
        table.add_row(what, f"{figure:.0f}", f"{figure / rows[0][1]:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
