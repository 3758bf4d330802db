"""The chain: which hooks see a message, compiled per endpoint whenever plugins change. A message that nobody watches
pays one look-up here.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hub.ocpi.names import Interface
from hub.plugin.api import Plugin
from hub.plugin.guard import Guard, Hook
from hub.plugin.words import Body, Delivery, Kind, Phase, Watch

MOST_COMPILED = 2_000


class Link(NamedTuple):
    """One running plugin in the chain."""

    plugin: Plugin[Any]
    guard: Guard
    watches: tuple[Watch, ...]


class Hooks:
    """Who is asked about messages of one endpoint and method, in order; `answered` in the reverse one.

    `early` is asked in RECEIVED before the body is read, `late` after. `request` and `response` are the most that
    anybody does with the bodies, up to so many bytes.
    """

    __slots__ = (
        "answered",
        "early",
        "finished",
        "forwarding",
        "late",
        "lossless",
        "request",
        "request_limit",
        "response",
        "response_limit",
        "result",
        "routed",
    )

    def __init__(self, links: Sequence[Link], endpoint: "Endpoint") -> None:
        early: list[Hook] = []
        late: list[Hook] = []
        by_phase: dict[Phase, list[Hook]] = {phase: [] for phase in Phase}
        self.lossless: frozenset[str] = frozenset()
        watching = [watch for link in links for watch in link.watches if watch.covers(*endpoint)]
        for link in links:
            watches = [watch for watch in link.watches if watch.covers(*endpoint)]
            for phase in Phase:
                hook = _hook(link, phase, [watch for watch in watches if phase in watch.phases])
                if hook is None:
                    continue
                by_phase[phase].append(hook)
                if phase is Phase.RECEIVED:
                    wants = any(w.request is not Body.IGNORE for w in watches if phase in w.phases)
                    (late if wants else early).append(hook)
            if any(Phase.FINISHED in w.phases and w.delivery is Delivery.LOSSLESS for w in watches):
                self.lossless |= {link.guard.name}
        self.early = tuple(early)
        self.late = tuple(late)
        self.routed = tuple(by_phase[Phase.ROUTED])
        self.forwarding = tuple(by_phase[Phase.FORWARDING])
        self.answered = tuple(reversed(by_phase[Phase.ANSWERED]))
        self.result = tuple(by_phase[Phase.RESULT])
        self.finished = tuple(by_phase[Phase.FINISHED])
        self.request = max((watch.request for watch in watching), key=lambda body: body.rank, default=Body.IGNORE)
        self.response = max((watch.response for watch in watching), key=lambda body: body.rank, default=Body.IGNORE)
        self.request_limit = max((w.max_body for w in watching if w.request is not Body.IGNORE), default=0)
        self.response_limit = max((w.max_body for w in watching if w.response is not Body.IGNORE), default=0)

    @property
    def any(self) -> bool:
        """Whether there is anybody."""
        return any((self.early, self.late, self.routed, self.forwarding, self.answered, self.result, self.finished))


def _hook(link: Link, phase: Phase, watches: Sequence[Watch]) -> Hook | None:
    if not watches:
        return None
    hook = Hook(link.guard, phase, getattr(link.plugin, f"on_{phase.value}"))
    kinds = [watch.kinds for watch in watches]
    if phase is not Phase.RECEIVED and None not in kinds:
        hook.kinds = frozenset[Kind]().union(*(some for some in kinds if some is not None))
    response = phase is Phase.ANSWERED
    hook.may_change = any((w.response if response else w.request) is Body.CHANGE for w in watches)
    return hook


class Endpoint(NamedTuple):
    """What hooks are compiled for. `interface` is None for configuration modules."""

    module: str
    interface: Interface | None
    method: str


class UnderWay:
    """How many exchanges are watched by a chain and not over."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Chain:
    """The running plugins in their order. Immutable but for what it has compiled. `watched`: those that watch
    anything; `under_way` counts.
    """

    def __init__(self, links: Iterable[Link] = (), under_way: UnderWay | None = None) -> None:
        self.under_way = under_way or UnderWay()
        self.links = tuple(links)
        self.watched = tuple(link for link in self.links if link.watches)
        self._compiled: dict[tuple[str, str, bool], Hooks | None] = {}
        self._without: dict[str, Chain] = {}

    def hooks(self, endpoint: Endpoint) -> Hooks | None:
        """Who sees messages of this endpoint; None when nobody does."""
        return self.at(*endpoint)

    def at(self, module: str, interface: Interface | None, method: str) -> Hooks | None:
        """The same. A module that is no endpoint's has no interface, so what is SENDER or none needs no telling
        apart.
        """
        key = module, method, interface is Interface.RECEIVER
        try:
            return self._compiled[key]
        except KeyError:
            hooks = Hooks(self.watched, Endpoint(module, interface, method))
            found = hooks if hooks.any else None
            if len(self._compiled) < MOST_COMPILED:  # names come from the wire
                self._compiled[key] = found
            return found

    def without(self, plugin: str) -> "Chain":
        """The chain for messages that this plugin sends itself: it is not asked about them."""
        other = self._without.get(plugin)
        if other is None:
            other = self._without[plugin] = Chain(
                (link for link in self.links if link.guard.name != plugin), self.under_way
            )
        return other

    def order(self) -> dict[Phase, list[str]]:
        """Names of plugins, per phase in the order in which they are asked."""
        return {phase: self._order(phase) for phase in Phase}

    def _order(self, phase: Phase) -> list[str]:
        names = [link.guard.name for link in self.watched if any(phase in watch.phases for watch in link.watches)]
        return names[::-1] if phase is Phase.ANSWERED else names


NO_CHAIN = Chain()
