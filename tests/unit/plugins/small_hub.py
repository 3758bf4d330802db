"""A hub as small as a plugin can be tried with: the whole HubApi port on a clock that stands still, with records in
memory and everything that was said, sent or counted in plain lists. Nothing here knows a plugin.
"""

import asyncio
import hashlib
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from structlog.testing import LogCapture

from hub.clock import ManualClock
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Answer,
    HeldObject,
    HttpAnswer,
    HttpFailed,
    HubApi,
    PartySeen,
    Secrets,
    Shelf,
    Term,
)
from hub.store.vault import Vault
from tests.unit.plugins.small_store import Outage, SmallDuty, SmallRecords, SmallShelf, SmallTerm

T = TypeVar("T")
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that the plugin sent with `send`."""

    to: PartyId | None
    module: str
    interface: Interface
    method: str
    path: str
    body: object
    query: str
    as_party: PartyId | None
    context: object


@dataclass(frozen=True, slots=True)
class Called:
    """A request that the plugin made with `http`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class Metric:
    """Counter, gauge and histogram in one: `value(**labels)` is the sum, or what was set last."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._names = set(labels)
        self._values: dict[Labels, float] = {}

    def add(self, amount: float = 1.0, **labels: str) -> None:
        key = self._key(labels)
        self._values[key] = self._values.get(key, 0.0) + amount

    def set(self, value: float, **labels: str) -> None:
        self._values[self._key(labels)] = value

    def observe(self, value: float, **labels: str) -> None:
        self.add(value, **labels)

    def value(self, **labels: str) -> float:
        """Zero before anything was counted."""
        return self._values.get(self._key(labels), 0.0)

    def _key(self, labels: Mapping[str, str]) -> Labels:
        assert set(labels) == self._names, f"the metric has the labels {sorted(self._names)}"
        return frozenset(labels.items())


class SmallSecrets:
    """The Secrets port, with a key of its own."""

    def __init__(self) -> None:
        self._vault = Vault(["a secret key for tests"])

    def seal(self, text: str) -> str:
        return self._vault.seal(text)

    def open(self, sealed: str) -> str:
        return self._vault.open(sealed)

    def fingerprint(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=b"a key for tests", digest_size=16).hexdigest()


class Work:
    """The Timer port over a task."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task

    def cancel(self) -> None:
        self.task.cancel()


class SmallHub:
    """The HubApi port. Use it as an async context manager: what still runs ends with the block, and whatever failed
    beside the traffic is raised there unless the test took it out of `failures`.

    clock      time moves with `await hub.clock.advance(seconds)`
    outage     `hub.outage.away = True` takes the store away
    answer     what `send` and `deliver` answer; call_http what `http` does
    lines      what was logged; alarms: those that stand; sounded: every alarm as (kind, subject)
    """

    def __init__(self, start: datetime | None = None) -> None:
        self.clock = ManualClock() if start is None else ManualClock(start)
        self.outage = Outage()
        self.shelf: Shelf = SmallShelf(self.outage)
        self.secrets: Secrets = SmallSecrets()
        capture = LogCapture()
        self.lines = capture.entries
        self.log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger("debug")
        )
        self.known_parties: list[PartySeen] = []
        self.known_objects: list[HeldObject] = []
        self.sent: list[Sent] = []
        self.delivered: list[tuple[str, object]] = []
        self.called: list[Called] = []
        self.answer: Callable[[Sent], Answer] = lambda _sent: Answer()
        self.call_http: Callable[[Called], HttpAnswer] = _nobody_there
        self.alarms: dict[tuple[str, str], str] = {}
        self.sounded: list[tuple[str, str]] = []
        self.metrics: dict[str, Metric] = {}
        self.failures: list[Exception] = []
        self._kinds: dict[str, SmallRecords] = {}
        self._duties: dict[str, SmallDuty] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if problem is None and self.failures:
            raise self.failures[0]

    # --- time ---

    def now(self) -> datetime:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    def call_at(self, at: datetime, call: Callable[[], object]) -> Work:
        async def wait_and_call() -> None:
            await self.clock.sleep((at - self.clock.now()).total_seconds())
            await self._call(call)

        return self._start(wait_and_call(), "call_at")

    def every(self, seconds: float, call: Callable[[], object]) -> Work:
        async def call_again() -> None:
            while True:
                await self.clock.sleep(seconds)
                await self._call(call)

        return self._start(call_again(), "every")

    def spawn(self, work: Coroutine[Any, Any, object], *, name: str) -> Work:
        async def run() -> None:
            await self._call(lambda: work)

        running = self._start(run(), name)
        running.task.add_done_callback(lambda _: work.close())  # if it ended before it began
        return running

    def _start(self, work: Coroutine[Any, Any, object], name: str) -> Work:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Work(task)

    async def _call(self, call: Callable[[], object]) -> None:
        try:
            found = call()
            if inspect.isawaitable(found):
                await found
        except Exception as problem:  # noqa: BLE001 - as in the hub: it is counted, and the timer goes on
            self.failures.append(problem)

    # --- registry and catalog ---

    def parties(self, role: Role | None = None) -> Sequence[PartySeen]:
        return [one for one in self.known_parties if role is None or one.role is role]

    async def objects(self, module: str, owner: PartyId | None = None) -> AsyncIterator[HeldObject]:
        self.outage.check()
        for one in self.known_objects:
            if one.module == module and (owner is None or one.owner == owner):
                yield one

    async def held(self, module: str, owner: PartyId, object_id: str, kind: str = "") -> HeldObject | None:
        async for one in self.objects(module, owner):
            if one.id == object_id and one.kind == kind:
                return one
        return None

    # --- messages ---

    async def send(
        self,
        to: PartyId | None,
        module: str,
        interface: Interface,
        method: str,
        path: str = "",
        body: object = None,
        *,
        query: str = "",
        as_party: PartyId | None = None,
        context: object = None,
        term: Term | None = None,
        timeout: float | None = None,
    ) -> Answer:
        sent = Sent(to, module, interface, method, path, body, query, as_party, context)
        self.sent.append(sent)
        return self.answer(sent)

    async def deliver(self, handle: str, result: object) -> Answer:
        self.delivered.append((handle, result))
        return Answer()

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 10.0,
        max_body: int = 1024 * 1024,
    ) -> HttpAnswer:
        called = Called(method, url, dict(headers or {}), body)
        self.called.append(called)
        return self.call_http(called)

    # --- what lasts, and several nodes ---

    def records(self, kind: str) -> SmallRecords:
        return self._kinds.setdefault(kind, SmallRecords(self.outage))

    def put_records(self, kind: str, records: SmallRecords) -> None:
        """Records of another behaviour under this kind, from now on."""
        self._kinds[kind] = records

    @asynccontextmanager
    async def duty(self, name: str) -> AsyncIterator[SmallTerm]:
        duty = self._duty(name)
        async with duty.held:
            term = duty.next_term()
            try:
                yield term
            finally:
                term.end()

    async def to_duty(self, name: str, event: object) -> None:
        self.outage.check()
        self._duty(name).add(event)

    def _duty(self, name: str) -> SmallDuty:
        return self._duties.setdefault(name, SmallDuty())

    async def compute(self, work: Callable[..., T], *args: Any) -> T:
        await asyncio.sleep(0)
        return work(*args)

    # --- what operators see ---

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Metric:
        return self._metric(name, labels)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Metric:
        return self._metric(name, labels)

    def histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Metric:
        return self._metric(name, labels)

    def _metric(self, name: str, labels: Sequence[str]) -> Metric:
        return self.metrics.setdefault(name, Metric(labels))

    def alarm(self, kind: str, subject: str, text: str, *, standing: bool = False) -> None:
        self.sounded.append((kind, subject))
        if standing:
            self.alarms[kind, subject] = text

    def clear_alarm(self, kind: str, subject: str) -> None:
        self.alarms.pop((kind, subject), None)


def _nobody_there(called: Called) -> HttpAnswer:
    raise HttpFailed(f"nobody listens at {called.url}", sent=False)


def _port(hub: SmallHub) -> HubApi:
    """For the type checker alone: it is the whole port."""
    return hub
