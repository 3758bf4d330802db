"""The hub as a plugin sees it: a port, and the values that go through it. There is no other way from a plugin to the
hub.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from hub.errors import HubError
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin.verdicts import Answer

T = TypeVar("T")


class NotAllowed(HubError):
    """The hub does not do this for a plugin: a party it does not play, an address the guard forbids, a header that is
    the hub's."""


@dataclass(frozen=True, slots=True)
class PartySeen:
    """A party in one role, as the registry has it now. `platform` is the id of the platform that hosts it."""

    party: PartyId
    role: Role
    status: ConnectionStatus
    platform: str
    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class PartyChange:
    """A party in one role is new, has another status, or is gone (`status` None)."""

    party: PartyId
    role: Role
    status: ConnectionStatus | None
    platform: str


@dataclass(frozen=True, slots=True)
class HeldObject:
    """An object in the hub's catalog: its text exactly as the owner sent it. `kind` is a token's type, else empty."""

    module: str
    owner: PartyId
    id: str
    kind: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """Objects of an owner are new in the catalog, say something else, or are gone. `objects` are their ids; None when
    there are too many to name, or all of the owner's have just become visible.
    """

    module: str
    owner: PartyId
    objects: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came of `HubApi.http`. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class HttpFailed(HubError):
    """No answer came: the sentence says why; `sent` is False when the other side certainly saw nothing."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class NotComputed(HubError):
    """`compute` gave nothing: its process was killed, ran out of memory, or the hub is stopping."""


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """It will not be called any more. Safe twice."""


class Term(Protocol):
    """The time for which this node holds a duty. Sends and saves with a term that is over raise `TermOver`."""

    @property
    def number(self) -> int:
        """Grows by one whenever the duty passes on."""

    @property
    def over(self) -> bool:
        """Whether this node knows that it does not hold the duty any more."""

    async def until_over(self) -> None:
        """Returns when the duty has passed to somebody else, or could not be kept."""

    def events(self) -> AsyncIterator[Any]:
        """What any node hands in by `to_duty`, in order, as JSON values; ends when the term does."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value on the shelf: JSON values, and the number of saves it has seen."""

    value: Any
    revision: int


@dataclass(frozen=True, slots=True)
class Save:
    """One of the saves of `save_many`. `revision`: only over this one (0: only where nothing is); None: in any case."""

    key: str
    value: Any
    revision: int | None = None


class Shelf(Protocol):
    """What the plugin keeps across restarts, by key, as JSON values; durable when the call returns.

    Raises StoreUnavailable. With a term: TermOver when the duty has passed on.
    """

    async def load(self, key: str) -> Kept | None: ...

    async def keys(self, prefix: str = "") -> list[str]:
        """Every key that starts so, sorted."""

    def items(self, prefix: str = "") -> AsyncIterator[tuple[str, Kept]]:
        """Everything whose key starts so, sorted by key; what is saved meanwhile may be in it or not."""

    async def save(self, key: str, value: Any, *, term: Term | None = None) -> None: ...

    async def compare_and_set(self, key: str, value: Any, revision: int, *, term: Term | None = None) -> bool:
        """Saves over this revision only (0: where nothing is); whether it did."""

    async def save_many(self, saves: Sequence[Save], *, term: Term | None = None) -> bool:
        """All or none; False when a revision did not fit. On MongoDB more than one needs a replica set."""

    async def remove(self, key: str, *, term: Term | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Record:
    """A record to append: its body as JSON values, and what it can be found by; a name may have several values."""

    at: datetime
    body: Any
    keys: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found. `id` grows in the order of appending."""

    id: int
    at: datetime
    raw: bytes

    def read(self) -> Any:
        """The body as JSON values."""
        from hub.ocpi import codec

        return codec.loads(self.raw)


class Records(Protocol):
    """Many small things in order of time, found by keys. Raises StoreUnavailable."""

    async def append_many(self, records: Sequence[Record]) -> None:
        """In one commit."""

    async def find(
        self,
        where: Mapping[str, str] | None = None,
        *,
        before: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Found]:
        """Newest first: those that have all these keys, with an id below `before`."""

    async def size(self) -> tuple[int, int]:
        """How many there are, and bytes of their bodies."""

    async def prune(self, *, before: datetime | None = None, most_bytes: int | None = None) -> int:
        """Drops what is older, and the oldest until the rest fits; how many."""


class Secrets(Protocol):
    """Sealing with the hub's own keys."""

    def seal(self, text: str) -> str:
        """Encrypted, fit for a shelf; opens also after a key rotation."""

    def open(self, sealed: str) -> str:
        """Raises KeyUnusable."""

    def fingerprint(self, text: str) -> str:
        """Keyed and one-way: to know a token again without keeping it."""


class Counter(Protocol):
    def add(self, amount: float = 1.0, **labels: str) -> None: ...


class Gauge(Protocol):
    def set(self, value: float, **labels: str) -> None: ...


class Histogram(Protocol):
    def observe(self, value: float, **labels: str) -> None: ...


class HubApi(Protocol):
    """What the hub does for a plugin."""

    log: FilteringBoundLogger
    """Lines with the plugin's name; credentials are taken out of them."""
    shelf: Shelf
    secrets: Secrets

    # --- time: simulated in tests, so never look at the wall ---

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""

    async def sleep(self, seconds: float) -> None: ...

    def call_at(self, at: datetime, call: Callable[[], object]) -> Timer:
        """Calls it once, then or soon after; a coroutine function is awaited. Ends with the plugin."""

    def every(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Calls it again and again, `seconds` after the last call was done. A call that fails is logged and counted."""

    def spawn(self, work: Coroutine[Any, Any, object], *, name: str) -> Timer:
        """Runs it beside the traffic; ends with the plugin. Failing is logged and counted."""

    # --- registry and catalog, read only ---

    def parties(self, role: Role | None = None) -> Sequence[PartySeen]:
        """Every party that hosts are registered for, those of plugins included."""

    def objects(self, module: str, owner: PartyId | None = None) -> AsyncIterator[HeldObject]:
        """What the catalog holds of locations, tariffs or tokens, in order of first sight. Raises StoreUnavailable."""

    async def held(self, module: str, owner: PartyId, object_id: str, kind: str = "") -> HeldObject | None:
        """One of them. Raises StoreUnavailable."""

    # --- messages ---

    async def send(  # noqa: PLR0917 - a request line in its usual order
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
        """Sends a request in the name of a party the plugin plays (the only one, if `as_party` is not given), over the
        same walk as everybody's: agreements, other plugins, table F. Whatever happens on the way is an answer.

        to       None sends it by open routing; the hub's own party broadcasts it, or asks for a list
        body     JSON values, or bytes as they go out; None sends none
        context  for commands and charging profiles: comes back with the asynchronous result (`on_callback`), also after
                 a restart. JSON values, at most 4 kB. The hub puts the response_url in
        timeout  seconds; the receiver's own deadline if not given

        Raises NotAllowed, ValueError (body or context are not JSON); with a term also TermOver, StoreUnavailable.
        """

    async def deliver(self, handle: str, result: object) -> Answer:
        """Sends the asynchronous result that a `Take` owes (JSON values, or bytes) to whoever asked, in the name of the
        party that was asked; the requester's answer to it. May be called again if that was no success.

        Raises NotAllowed for a handle that is not of this plugin, or too old; StoreUnavailable.
        """

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
        """A request to anywhere the hub itself may go: the guard of addresses, ALLOW_HTTP and the proxy hold, redirects
        are not followed. Raises NotAllowed, HttpFailed.
        """

    # --- what lasts ---

    def records(self, kind: str) -> Records:
        """The plugin's records of this kind."""

    # --- several nodes ---

    def duty(self, name: str) -> AbstractAsyncContextManager[Term]:
        """Waits until this node holds the duty, of all nodes on the store; gives it back at the end of the block."""

    async def to_duty(self, name: str, event: object) -> None:
        """Hands JSON values to whoever holds the duty, now or later (`Term.events`). Raises StoreUnavailable;
        NotAllowed when 10,000 wait.
        """

    async def compute(self, work: Callable[..., T], *args: Any) -> T:
        """Runs a pure function in a process of its own, away from the event loop: for anything over 20 ms. Function and
        arguments are pickled, so the function must be importable. Raises what it raises; NotComputed; TypeError for
        what cannot be pickled.
        """

    # --- what operators see ---

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A metric `ocpi_hub_plugin_<plugin>_<name>_total`."""

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """A metric `ocpi_hub_plugin_<plugin>_<name>`."""

    def histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """A metric `ocpi_hub_plugin_<plugin>_<name>`, with these upper bounds."""

    def alarm(self, kind: str, subject: str, text: str, *, standing: bool = False) -> None:
        """Tells operators. A standing alarm stays until `clear_alarm`."""

    def clear_alarm(self, kind: str, subject: str) -> None: ...
