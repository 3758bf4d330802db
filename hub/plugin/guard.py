"""The guard around one plugin: its hooks are called here, and whatever they do, the caller gets a verdict that can be
carried out, None, or a refusal - never an exception.

Rules
- A hook that returns at once costs a call. One that suspends becomes a task with `hook_timeout` seconds; one that is
  still there after cancellation and a grace is abandoned, and trips the plugin.
- While it is tripped, `on_error` speaks for it.
- What is told about a failure has no bodies in it, and no credentials.
"""

import asyncio
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from time import perf_counter
from types import CoroutineType
from typing import Any

from hub.clock import Clock
from hub.logs import redact_text
from hub.ocpi.status import StatusCode
from hub.plugin.config import PluginConfig
from hub.plugin.exchange import BodyError, NotWatched
from hub.plugin.standing import GuardEvents, Standing, Timing
from hub.plugin.stepping import Ended, Suspended, begin, bounded, end
from hub.plugin.verdicts import ALLOWED, VERDICTS, Change, Reject, Verdict, checked
from hub.plugin.words import Phase

_LEAVING_S = 1.0
_LONGEST_TOLD = 500

# How many sends of plugins led to what is being looked at: one that sends because of what it sees adds one.
DEPTH: ContextVar[int] = ContextVar("plugin_depth", default=0)

REFUSAL = Reject(StatusCode.HUB_ERROR, "A plugin of this hub failed, and without it nothing is sent", 200)


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
        self.timing = guard.standing.timing(self.name)


class Guard:
    """Calls one plugin. `trace`, if there is one, is told every call of a hook with its verdict; `busy` counts the
    calls that have not ended.
    """

    def __init__(self, name: str, config: PluginConfig, clock: Clock, events: GuardEvents) -> None:
        self.name = name
        self.standing = Standing(name, clock, events)
        self.rejects = config.on_error == "reject"
        self.hook_timeout_s = config.hook_timeout
        self.busy = 0
        self.trace: Callable[[str, str, Sequence[Any], object, float], None] | None = None
        self._abandoned: set[asyncio.Task[Ended]] = set()

    @property
    def tripped(self) -> bool:
        """Whether the plugin is left alone for now."""
        return self.standing.tripped

    @property
    def abandoned(self) -> int:
        """Hooks that were given up and have not ended yet."""
        return len(self._abandoned)

    # --- one call ---

    async def ask(self, hook: Hook, *about: Any) -> Verdict | None:
        """The hook's verdict, None to carry on, or the refusal by which `on_error` speaks."""
        standing, timing = self.standing, hook.timing
        probing = False
        if standing.troubled:
            probing = standing.probe()
            if not probing:
                return self._without(hook)
        started = perf_counter()
        timing.calls += 1
        self.busy += 1
        well = False
        given: Any = None
        try:
            given = self._called(hook.name, hook.call, about)
            if given is not None and not isinstance(given, VERDICTS):
                given = await self._awaited(hook.name, timing, given, self.hook_timeout_s)
            if given is not None:
                given = self._fitting(hook, given)
            well = True
            if timing.in_a_row or timing.before:
                standing.well(timing)
        except NotWatched as mistake:
            standing.failed(hook.name, "raised", str(mistake))
            given = self._without(hook)
        except BodyError:
            well = True
            given = self._without(hook)
        except _Failed:
            given = self._without(hook)
        finally:
            self.busy -= 1
            if probing:
                standing.probed(well=well)
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
        self, name: str, call: Callable[..., Any], *about: Any, timeout_s: float | None = None, counts: bool = True
    ) -> Any:
        """The same for what is no hook of the message flow: what it returns. Raises `Refused` when there is nothing.
        One that does not count may fail because of who asks, and does not trip the plugin.
        """
        if self.tripped:
            raise Refused(f"the plugin {self.name} is left alone for now")
        started = perf_counter()
        timing = self.standing.timing(name)
        timing.calls += 1
        self.busy += 1
        try:
            given = self._called(name, call, about, counts=counts)
            limit_s = self.hook_timeout_s if timeout_s is None else timeout_s
            given = await self._awaited(name, timing, given, limit_s, counts=counts)
        except BodyError as problem:
            raise Refused(str(problem)) from None
        except _Failed as failed:
            raise (TookTooLong if failed.late else Refused)(failed.why) from None
        finally:
            self.busy -= 1
            seconds = perf_counter() - started
            timing.seconds += seconds
            timing.most_s = max(timing.most_s, seconds)
        if counts:
            self.standing.well(timing)
        return given

    def _called(self, name: str, call: Callable[..., Any], about: Sequence[Any], *, counts: bool = True) -> Any:
        try:
            return call(*about)
        except (BodyError, KeyboardInterrupt):
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever a plugin raises, even a cancellation, is its own
            self.standing.failed(name, "raised", told(raised), counts=counts)
            raise _Failed(f"{name} raised {type(raised).__name__}") from None

    async def _awaited(self, name: str, timing: Timing, given: Any, timeout_s: float, *, counts: bool = True) -> Any:
        """What comes of a hook that is a coroutine; anything else is returned as it is."""
        if type(given) is not CoroutineType:
            if not hasattr(given, "__await__"):
                return given
            given = _awaiting(given)
        begun = self._called(name, begin, (given,), counts=counts)
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
            self.standing.failed(name, "abandoned", "it did not end when it was cancelled")
            self.standing.trip(f"{name} did not end when it was cancelled")
            raise _Failed(f"{name} does not end", late=True)
        raised = ended.raised
        if raised is None:
            return ended.value
        if isinstance(raised, BodyError):
            raise raised
        late = isinstance(raised, TimeoutError)
        self.standing.failed(name, "timeout" if late else "raised", told(raised), counts=counts)
        raise _Failed(f"{name}: {raised}" if late else f"{name} raised {type(raised).__name__}", late=late)

    def _fitting(self, hook: Hook, given: object) -> Verdict:
        """The verdict as it can be carried out. Raises _Failed for anything else."""
        if not isinstance(given, hook.is_verdict):
            takes = ", ".join(kind.__name__ for kind in hook.is_verdict)
            wrong = f"returned {type(given).__name__}; this phase takes {takes or 'no verdict'} or None"
        else:
            try:
                verdict = checked(given)
            except Exception as problem:  # noqa: BLE001 - what somebody's values do when they are looked at
                wrong = told(problem)
            else:
                if not isinstance(verdict, Change) or verdict.text is None or hook.may_change:
                    return verdict
                wrong = "changed a body, and no watch of the plugin says Body.CHANGE for it"
        self.standing.failed(hook.name, "nonsense", wrong)
        raise _Failed(wrong)

    def _without(self, hook: Hook) -> Verdict | None:
        return REFUSAL if self.rejects and hook.phase is not Phase.FINISHED else None

    # --- what turns out later ---

    def nonsense(self, hook: Hook, why: str) -> Reject | None:
        """A verdict could not be carried out; what `on_error` says to that."""
        self.standing.failed(hook.name, "nonsense", why, late=True)
        return REFUSAL if self.rejects else None

    def unfit(self, hook: Hook, why: str) -> Reject | None:
        """A verdict does not go with this message; what `on_error` says to that."""
        self.standing.unfit(hook.name, why)
        return REFUSAL if self.rejects else None

    def misspoke(self, name: str, why: str) -> None:
        """What it returned elsewhere than in a hook cannot be used."""
        self.standing.failed(name, "nonsense", why, counts=False)

    def blocked(self, hook: str, stack: str, seconds: float) -> None:
        """It held the event loop; the stack shows where."""
        self.standing.blocked(hook, f"held the event loop for {seconds:.1f} s\n{redact_text(stack)}")

    # --- the end ---

    def _abandon(self, task: "asyncio.Task[Ended]") -> None:
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


def told(raised: BaseException) -> str:
    """An exception for the log: its kind, its text without credentials, and the last places it came through."""
    try:
        text = redact_text(str(raised)[: 4 * _LONGEST_TOLD])[:_LONGEST_TOLD]
    except Exception:  # noqa: BLE001 - an exception that cannot even be shown
        text = "it cannot be shown"
    frames = traceback.extract_tb(raised.__traceback__)[-4:]
    places = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(raised).__name__}: {text}{places}"
