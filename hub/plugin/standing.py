"""How a plugin stands: what its hooks took, how often they failed in a row, and whether it is left alone for now.

Rules
- `MOST_FAILURES` failures of one hook in a row, one abandoned hook, or `MOST_BLOCKS` blocks of the event loop within
  `BLOCKS_WITHIN_S` trip the plugin: for `COOL_DOWN_S` it is not called.
- After that one call is let through, to see; the others wait for what comes of it. If it fails, the next cool-down
begins.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from hub.clock import Clock

MOST_FAILURES = 5
COOL_DOWN_S = 30.0
MOST_BLOCKS = 3
BLOCKS_WITHIN_S = 600.0


class GuardEvents(Protocol):
    """Who is told what happens to a plugin."""

    def failed(self, plugin: str, hook: str, kind: str, text: str) -> None:
        """`kind` is raised, timeout, abandoned, nonsense, unfit, blocked or leaked."""

    def tripped(self, plugin: str, why: str) -> None: ...

    def recovered(self, plugin: str) -> None: ...


@dataclass(slots=True)
class Timing:
    """What is known of one hook. Seconds are those it took of the hub, or waited for what it asked for."""

    calls: int = 0
    seconds: float = 0.0
    most_s: float = 0.0
    suspended: int = 0
    failures: int = 0
    in_a_row: int = 0
    # A verdict may turn out to be of no use only when it is carried out; then its call was no success.
    before: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)


class Standing:
    """The standing of one plugin."""

    def __init__(self, plugin: str, clock: Clock, events: GuardEvents) -> None:
        self.plugin = plugin
        self.trips = 0
        self.timings: dict[str, Timing] = {}
        self.tripped_until = 0.0
        self._clock = clock
        self._events = events
        self._held = False
        self._probing = False
        self._blocks: deque[float] = deque(maxlen=MOST_BLOCKS)

    def timing(self, hook: str) -> Timing:
        return self.timings.setdefault(hook, Timing())

    @property
    def tripped(self) -> bool:
        """Whether the plugin is left alone for now."""
        return self._held or self.tripped_until > self._clock.monotonic()

    @property
    def troubled(self) -> bool:
        """Whether a call has to ask first: it is tripped, or was and has not shown yet that it is well."""
        return self._held or bool(self.tripped_until)

    @property
    def failures(self) -> int:
        """The most failures in a row that any hook has just had."""
        return max((timing.in_a_row for timing in self.timings.values()), default=0)

    def probe(self) -> bool:
        """Whether this call may be the one that shows how it is; `probed` must follow."""
        if self.tripped or self._probing:
            return False
        self._probing = True
        return True

    def probed(self, *, well: bool) -> None:
        self._probing = False
        if well:
            self.tripped_until = 0.0
            self._events.recovered(self.plugin)
        else:
            self.trip("it failed again")

    def failed(self, hook: str, kind: str, text: str, *, counts: bool = True, late: bool = False) -> None:
        """A hook failed. What does not count may have failed because of who asked; `late`: its call had seemed well."""
        timing = self.timing(hook)
        timing.failures += 1
        self._events.failed(self.plugin, hook, kind, text)
        if counts:
            timing.in_a_row = (timing.before if late else timing.in_a_row) + 1
            timing.before = 0
            if timing.in_a_row >= MOST_FAILURES:
                self.trip(f"{hook} failed {timing.in_a_row} times in a row")

    def unfit(self, hook: str, why: str) -> None:
        """A verdict does not go with a message, which says nothing against the plugin."""
        self._events.failed(self.plugin, hook, "unfit", why)

    def well(self, timing: Timing) -> None:
        """A hook did what it should."""
        timing.before, timing.in_a_row = timing.in_a_row, 0

    def blocked(self, hook: str, text: str) -> None:
        """A hook held the event loop."""
        now = self._clock.monotonic()
        self._blocks.append(now)
        self.failed(hook, "blocked", text, counts=False)
        if len(self._blocks) == MOST_BLOCKS and now - self._blocks[0] <= BLOCKS_WITHIN_S:
            self._blocks.clear()
            self.trip(f"{hook} held the event loop {MOST_BLOCKS} times")

    def trip(self, why: str) -> None:
        """Leaves the plugin alone for the cool-down."""
        if self.tripped:
            return
        self.trips += 1
        self.tripped_until = self._clock.monotonic() + COOL_DOWN_S
        for timing in self.timings.values():
            timing.in_a_row = timing.before = 0
        self._events.tripped(self.plugin, why)

    def hold(self) -> None:
        """Leaves it alone until `release`: it does not run."""
        self._held = True

    def release(self) -> None:
        self._held = False
        self.tripped_until = 0.0
