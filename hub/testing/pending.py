"""What is still going on at a hub without anybody moving the clock, in words."""

from collections.abc import Iterable, Iterator, Sequence

from hub.app import RunningHub
from hub.net.client import PooledForwarder
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.results import ResultMode
from hub.testing.clock import BenchClock
from hub.testing.counted import UnderWay


def pending(
    hub: RunningHub, platforms: Iterable[SandboxPlatform], stored: UnderWay, clock: BenchClock
) -> Sequence[str]:
    """Empty when nothing is. A message whose hook sleeps on the clock waits for time, and with it what waits for that
    message.
    """
    found = list(_on_wires(hub, platforms, stored))
    return found if clock.hooks_asleep else [*found, *_messages(hub)]


def _on_wires(hub: RunningHub, platforms: Iterable[SandboxPlatform], stored: UnderWay) -> Iterator[str]:
    if isinstance(hub.forwarder, PooledForwarder) and hub.forwarder.in_flight:
        yield "a request of the hub under way"
    if stored.count:
        yield "something being stored"
    for one in platforms:
        if one.results.owed and one.results.mode is ResultMode.AT_ONCE:
            yield f"a result that {one.name} owes"


def _messages(hub: RunningHub) -> Iterator[str]:
    if hub.metrics.in_flight:
        yield "a message under way"
    # What open routing learns counts at once, so when it is stored makes no difference to anybody.
    quiet = {
        "a broadcast": hub.broadcasts.quiet,
        "client info to be told": hub.client_info.quiet,
        "a pull": hub.pulls.quiet,
        "a list of a peer hub": hub.peers.quiet,
    }
    yield from (what for what, is_quiet in quiet.items() if not is_quiet)
    for name, inbox in hub.plugins.inboxes.items():
        if inbox.waiting:
            yield f"finished exchanges for the plugin {name}"
