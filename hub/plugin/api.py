"""The base class of plugins. Override what you need; the rest costs nothing."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin.config import PluginConfig
from hub.plugin.exchange import Exchange, Leg, PartyRequest, Result
from hub.plugin.hub_api import CatalogChange, HubApi, PartyChange
from hub.plugin.verdicts import (
    Answer,
    AnsweredVerdict,
    ForwardingVerdict,
    ReceivedVerdict,
    ResultVerdict,
    RoutedVerdict,
)
from hub.plugin.web import Health, Panel, Route
from hub.plugin.words import Watch

LEAVE_WITHIN_S = 60.0
"""So many seconds a plugin has to leave (`Plugin.leave`)."""

ConfigT = TypeVar("ConfigT", bound=PluginConfig)


@dataclass(frozen=True, slots=True)
class LocalParty:
    """A party that a plugin plays itself: addressable like any other, and in everybody's client info.

    `endpoints` are the modules it serves, by interface; None: all that its role is good for.
    """

    role: Role
    country_code: str
    party_id: str
    name: str
    endpoints: Sequence[tuple[str, Interface]] | None = None

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)


@dataclass(frozen=True, slots=True)
class Gap:
    """What a LOSSLESS watcher may have missed: `lost` exchanges of these modules, or anything when `modules` is
    empty.
    """

    lost: int
    why: str
    modules: frozenset[str] = field(default_factory=frozenset)


class Plugin(Generic[ConfigT]):
    """A plugin. The hub makes it with its configuration, then: `start`, hooks, maybe `leave`, `stop`.

    name    lower case letters, digits and underscores; how configuration, logs and metrics call it
    api     the versions of this API it works with
    Config  the model of its configuration

    Every `on_` hook may be `def` or `async def`; None as a verdict means: carry on. A hook that suspends has
    `hook_timeout` seconds; one that fails, or takes longer, is treated by the configuration's `on_error`.
    """

    name: ClassVar[str]
    api: ClassVar[str] = ">=1,<2"
    Config: ClassVar[type[PluginConfig]] = PluginConfig

    def __init__(self, config: ConfigT, hub: HubApi) -> None:
        self.config = config
        self.hub = hub

    # --- life ---

    async def start(self) -> None:
        """Called before the first hook. Failing here keeps the plugin out; it is tried again now and then."""

    async def stop(self) -> None:
        """Called after the last hook; also without `start`, and maybe twice."""

    async def leave(self) -> None:
        """Called before `stop` when an operator takes the plugin out for good: it is disabled, or a reload finds it in
        the settings no more. Not when the hub stops, when another configuration counts, when the plugin is tripped, and
        not without a `start` that went well.

        Meanwhile everything goes on as before: hooks, sends, routes, duties that this node holds. It gets no further
        duty, and those that it gives back run out instead of passing on at once, for the other nodes on the store leave
        too, within seconds. After `LEAVE_WITHIN_S` by the hub's clock it is cancelled, and stopped all the same. What
        has left is not used again: a plugin that is enabled again is a new instance.
        """

    def export_state(self) -> Any:
        """What the next instance takes over when the configuration changes; stays in the process."""
        return None

    def import_state(self, state: Any) -> None:
        """Takes over what the instance before exported, unless that was None; called after `start`, right before the
        first hook.
        """

    # --- the message flow ---

    def watches(self) -> Iterable[Watch]:
        """What the plugin wants to see. None at all: it is not on the path of any message."""
        return ()

    def on_received(self, exchange: Exchange) -> ReceivedVerdict | Awaitable[ReceivedVerdict | None] | None:
        """Somebody called. Answer, or reject."""
        return None

    def on_routed(self, exchange: Exchange) -> RoutedVerdict | Awaitable[RoutedVerdict | None] | None:
        """Kind and receivers are known. Narrow, re-route, answer, reject, or take it over."""
        return None

    def on_forwarding(
        self, exchange: Exchange, leg: Leg
    ) -> ForwardingVerdict | Awaitable[ForwardingVerdict | None] | None:
        """A leg is about to be sent. Change it, skip it, or reject."""
        return None

    def on_answered(self, exchange: Exchange, leg: Leg) -> AnsweredVerdict | Awaitable[AnsweredVerdict | None] | None:
        """A leg came back, or could not be sent. Change the answer, or reject. In a broadcast the requester has its
        answer already, so a verdict changes nothing.
        """
        return None

    def on_result(self, exchange: Exchange, result: Result) -> ResultVerdict | Awaitable[ResultVerdict | None] | None:
        """An asynchronous result is on its way. Change it."""
        return None

    def on_finished(self, exchange: Exchange) -> Awaitable[None] | None:
        """It is over. Everything is known, nothing can be changed."""
        return None

    def on_gap(self, gap: Gap) -> Awaitable[None] | None:
        """Something the plugin watches LOSSLESS was lost all the same: look for yourself."""
        return None

    # --- beside it ---

    def on_callback(self, context: Any, result: Result) -> Awaitable[None] | None:
        """The asynchronous result of the plugin's own `send(context=...)`, also after a restart. An error here is told
        to the receiver, who may try again.
        """
        return None

    def on_party_changed(self, change: PartyChange) -> Awaitable[None] | None:
        """A party is new, has another status, or is gone."""
        return None

    def on_catalog_changed(self, change: CatalogChange) -> Awaitable[None] | None:
        """The hub has read an owner's list itself, and the catalog holds something else now. What platforms push is
        watched; of this there is no message. It is told on the node that has read the list.
        """
        return None

    def parties(self) -> Iterable[LocalParty]:
        """The parties that the plugin plays."""
        return ()

    async def handle(self, request: PartyRequest) -> Answer:
        """A request addressed to one of them. It has as long as any receiver has."""
        raise NotImplementedError

    # --- for people ---

    def routes(self) -> Iterable[Route]:
        """HTTP routes of its own."""
        return ()

    def panels(self) -> Iterable[Panel]:
        """Tables for operators."""
        return ()

    def health(self) -> Health:
        """How it is."""
        return Health()
