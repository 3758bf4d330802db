"""The guard around one plugin: its hooks are called here, and whatever they do, the caller gets a verdict, None, or a
refusal - never an exception.

Rules
- A hook that returns at once costs a call. One that suspends becomes a task with `hook_timeout` seconds; one that is
  still there after cancellation and a grace is abandoned.
- `MOST_FAILURES` failures in a row, one abandoned hook, or `MOST_BLOCKS` blocks of the event loop trip the plugin: for
  `COOL_DOWN_S` it is not called, and `on_error` speaks for it. Then it is tried again, and the first failure trips it
  anew.
- What is told about a failure has no bodies in it, and no credentials.
"""

import asyncio
import math
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from types import CoroutineType
from typing import Any, Protocol

from hub.clock import Clock
from hub.logs import redact_text
from hub.ocpi.status import StatusCode
from hub.plugin.config import PluginConfig
from hub.plugin.exchange import BodyError
from hub.plugin.stepping import Ended, Suspended, begin, bounded, end
from hub.plugin.verdicts import ALLOWED, VERDICTS, Change, Reject, Verdict
from hub.plugin.words import Phase

MOST_FAILURES = 5
COOL_DOWN_S = 30.0
MOST_BLOCKS = 3
BLOCKS_WITHIN_S = 600.0
MOST_ABANDONED = 100
_LEAVING_S = 1.0

REFUSAL = Reject(StatusCode.HUB_ERROR, "A plugin of this hub failed, and without it nothing is sent", 200)
_NO_VERDICT = (Phase.RESULT, Phase.FINISHED)


class GuardEvents(Protocol):
    """Who is told what happens to a plugin."""

    def failed(self, plugin: str, hook: str, kind: str, text: str) -> None:
        """`kind` is raised, timeout, abandoned, nonsense or blocked."""

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
    verdicts: Counter[str] = field(default_factory=Counter)


class Hook:
    """One hook of one plugin, as it is called. `may_change`: its watches allow it another body."""

    __slots__ = ("call", "guard", "is_verdict", "kinds", "may_change", "name", "phase", "timing")

    def __init__(self, guard: "Guard", phase: Phase, call: Callable[..., Any]) -> None:
        self.guard = guard
        self.phase = phase
        self.call = call
        self.name = f"on_{phase.value}"
        self.is_verdict = ALLOWED[phase]
        self.kinds: frozenset[Any] | None = None
        self.may_change = False
        self.timing = guard.timing(self.name)


class Guard:
    """Calls one plugin's hooks. `trace`, if there is one, is told every call with its verdict."""

    def __init__(self, name: str, config: PluginConfig, clock: Clock, events: GuardEvents) -> None:
        self.name = name
        self.rejects = config.on_error == "reject"
        self.hook_timeout_s = config.hook_timeout
        self.failures = 0
        self.trips = 0
        self.tripped_until = 0.0
        self.trace: Callable[[str, str, Sequence[Any], object, float], None] | None = None
        self.timings: dict[str, Timing] = {}
        self._clock = clock
        self._events = events
        self._was_tripped = False
        # A verdict may turn out to be of no use only when it is carried out; then its call was no success.
        self._failures_before = 0
        self._blocks: deque[float] = deque(maxlen=MOST_BLOCKS)
        self._abandoned: set[asyncio.Task[Ended]] = set()

    def timing(self, hook: str) -> Timing:
        return self.timings.setdefault(hook, Timing())

    @property
    def tripped(self) -> bool:
        """Whether the plugin is left alone for now."""
        return self.tripped_until > self._clock.monotonic()

    @property
    def abandoned(self) -> int:
        """Hooks that were given up and have not ended yet."""
        return len(self._abandoned)

    # --- one call ---

    async def ask(self, hook: Hook, *about: Any) -> Verdict | None:
        """The hook's verdict, None to carry on, or the refusal by which `on_error` speaks."""
        if self.tripped_until and self._left_alone():
            return self._without(hook)
        started = perf_counter()
        timing = hook.timing
        timing.calls += 1
        given: Any
        try:
            given = self._called(hook.name, timing, hook.call, about)
            if given is not None and not isinstance(given, VERDICTS):
                given = await self._awaited(hook.name, timing, given, self.hook_timeout_s)
        except (BodyError, _Failed):
            given = self._without(hook)
        else:
            if given is not None and not self._fits(hook, given):
                given = self._without(hook)
            elif self.failures or self._was_tripped or self._failures_before:
                self._well()
        seconds = perf_counter() - started
        timing.seconds += seconds
        timing.most_s = max(timing.most_s, seconds)
        if given is not None:
            timing.verdicts[type(given).__name__] += 1
        if self.trace is not None:
            self.trace(self.name, hook.name, about, given, seconds)
        verdict: Verdict | None = given
        return verdict

    async def call(
        self, name: str, call: Callable[..., Any], *about: Any, timeout_s: float | None = None, heals: bool = True
    ) -> Any:
        """The same for what is no hook of the message flow: what it returns. Raises `Refused` when there is nothing.
        One that does not heal says nothing about whether the plugin is well.
        """
        if self.tripped_until and self._left_alone():
            raise Refused(f"the plugin {self.name} is tripped")
        started = perf_counter()
        timing = self.timing(name)
        timing.calls += 1
        try:
            given = self._called(name, timing, call, about)
            limit_s = self.hook_timeout_s if timeout_s is None else timeout_s
            given = await self._awaited(name, timing, given, limit_s)
        except BodyError as problem:
            raise Refused(str(problem)) from None
        except _Failed as failed:
            raise (TookTooLong if failed.late else Refused)(failed.why) from None
        finally:
            seconds = perf_counter() - started
            timing.seconds += seconds
            timing.most_s = max(timing.most_s, seconds)
        if heals and (self.failures or self._was_tripped):
            self._well()
        return given

    def _called(self, name: str, timing: Timing, call: Callable[..., Any], about: Sequence[Any]) -> Any:
        try:
            return call(*about)
        except (BodyError, KeyboardInterrupt):
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever a plugin raises, even a cancellation, is its own
            self._fail(name, "raised", raised, timing)
            raise _Failed(f"{name} raised {type(raised).__name__}") from None

    async def _awaited(self, name: str, timing: Timing, given: Any, timeout_s: float) -> Any:
        """What comes of a hook that is a coroutine; anything else is returned as it is."""
        if type(given) is not CoroutineType:
            if not hasattr(given, "__await__"):
                return given
            given = _awaiting(given)
        begun = self._called(name, timing, begin, (given,))
        if not isinstance(begun, Suspended):
            return begun
        timing.suspended += 1
        task = begun.task(f"plugin {self.name} {name}")
        try:
            ended = await bounded(task, timeout_s)
        finally:
            if not task.done():
                self._abandon(task)
        if ended is None:
            self._fail(name, "abandoned", None, timing)
            self.trip(f"{name} did not end when it was cancelled")
            raise _Failed(f"{name} does not end", late=True)
        if isinstance(ended.raised, BodyError):
            raise ended.raised
        if isinstance(ended.raised, TimeoutError):
            self._fail(name, "timeout", ended.raised, timing)
            raise _Failed(f"{name}: {ended.raised}", late=True)
        if ended.raised is not None:
            self._fail(name, "raised", ended.raised, timing)
            raise _Failed(f"{name} raised {type(ended.raised).__name__}")
        return ended.value

    def _fits(self, hook: Hook, given: object) -> bool:
        allowed = hook.is_verdict
        if isinstance(given, allowed):
            if not isinstance(given, Change) or hook.may_change:
                return True
            try:
                if given.text is None:
                    return True
            except (TypeError, ValueError) as problem:
                self._fail(hook.name, "nonsense", problem, hook.timing)
                return False
            wrong = "changed a body, and no watch of the plugin says Body.CHANGE for it"
        else:
            takes = ", ".join(kind.__name__ for kind in allowed)
            wrong = f"returned {type(given).__name__}; this phase takes {takes or 'no verdict'} or None"
        self._fail(hook.name, "nonsense", TypeError(wrong), hook.timing)
        return False

    def _without(self, hook: Hook) -> Verdict | None:
        return REFUSAL if self.rejects and hook.phase not in _NO_VERDICT else None

    # --- failing and recovering ---

    def nonsense(self, hook: Hook, why: str) -> Reject | None:
        """A verdict could not be carried out; what `on_error` says to that."""
        self.failures = max(self.failures, self._failures_before)
        self._fail(hook.name, "nonsense", ValueError(why), hook.timing)
        return REFUSAL if self.rejects and hook.phase not in _NO_VERDICT else None

    def misspoke(self, name: str, why: str) -> None:
        """What it returned elsewhere than in a hook cannot be used."""
        self._fail(name, "nonsense", ValueError(why), self.timing(name))

    def blocked(self, hook: str, stack: str, seconds: float) -> None:
        """It held the event loop; the stack shows where."""
        now = self._clock.monotonic()
        self._blocks.append(now)
        self.timing(hook).failures += 1
        self._events.failed(
            self.name, hook, "blocked", f"held the event loop for {seconds:.1f} s\n{redact_text(stack)}"
        )
        if len(self._blocks) == MOST_BLOCKS and now - self._blocks[0] <= BLOCKS_WITHIN_S:
            self._blocks.clear()
            self.trip(f"{hook} held the event loop {MOST_BLOCKS} times")

    def _fail(self, hook: str, kind: str, raised: BaseException | None, timing: Timing) -> None:
        timing.failures += 1
        self.failures += 1
        self._events.failed(self.name, hook, kind, told(raised))
        if self.failures >= MOST_FAILURES:
            self.trip(f"{hook} failed, {self.failures} failures in a row")

    def trip(self, why: str) -> None:
        """Leaves the plugin alone for the cool-down."""
        if self.tripped:
            return
        self.trips += 1
        self._was_tripped = True
        self.tripped_until = self._clock.monotonic() + COOL_DOWN_S
        self._events.tripped(self.name, why)

    def hold(self) -> None:
        """Leaves the plugin alone until `release`: it does not run."""
        self.tripped_until = math.inf

    def release(self) -> None:
        self.tripped_until = 0.0
        self.failures = 0

    def _left_alone(self) -> bool:
        if self.tripped:
            return True
        self.tripped_until = 0.0
        self.failures = MOST_FAILURES - 1  # one more chance, not five
        return False

    def _well(self) -> None:
        self._failures_before = self.failures
        self.failures = 0
        if self._was_tripped:
            self._was_tripped = False
            self._events.recovered(self.name)

    def _abandon(self, task: "asyncio.Task[Ended]") -> None:
        if len(self._abandoned) < MOST_ABANDONED:
            self._abandoned.add(task)
            task.add_done_callback(self._abandoned.discard)

    async def close(self) -> None:
        """Ends what was abandoned: a coroutine that does not take a cancellation is closed where it stands."""
        for task in tuple(self._abandoned):
            task.cancel()
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=_LEAVING_S)
        for task in tuple(self._abandoned):
            end(task)


class Refused(Exception):
    """The plugin gave no value; the text is a sentence without secrets."""


class TookTooLong(Refused):
    """It gave none in time."""


class _Failed(Exception):
    """It failed, which has been told."""

    def __init__(self, why: str, *, late: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.late = late


async def _awaiting(given: Any) -> Any:
    return await given


def told(raised: BaseException | None) -> str:
    """An exception for the log: its kind, its text without credentials, and the last places it came through."""
    if raised is None:
        return ""
    frames = traceback.extract_tb(raised.__traceback__)[-4:]
    places = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(raised).__name__}: {redact_text(str(raised))[:500]}{places}"
