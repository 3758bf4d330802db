"""A load manager as far as the doors see it, in memory: real grid, capacities and judgement, and no steering. Its doors
are called as the hub calls them, by method and path.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from hub.plugin import Audience, HttpRequest, HttpResponse, Route
from plugins.load_manager.doors import routes
from plugins.load_manager.doors.port import (
    OPERATOR,
    ActivationEntry,
    CpoReport,
    GridChange,
    GroupView,
    LimitedSession,
    Mode,
    NobodyToAsk,
    NotThisNode,
    Operation,
    PlanEntry,
    Reception,
    SessionView,
    UnknownGroup,
    WaitingSignal,
)
from plugins.load_manager.evidence.activation import Activation
from plugins.load_manager.grid.coverage import Evse, controllable_share, unmapped
from plugins.load_manager.grid.group import GridRefused, Group, Problem
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.cpo_settings import CpoSettings
from plugins.load_manager.knowledge.power import Drawn
from plugins.load_manager.oscp import CapacityProviders
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.heard import Heard
from plugins.load_manager.signals.judging import SignalRefused, judge
from plugins.load_manager.signals.signal import Block, CapacitySignal
from plugins.load_manager.signals.wording import sentence
from tests.unit.plugins.load_manager.grid.grids import NOON
from tests.unit.plugins.load_manager.oscp.socket_hub import Told
from tests.unit.plugins.small_hub import SmallHub

DEMAND_MW = 200_000_000


@dataclass
class SmallGrid:
    """It is noon. `providers` are the capacity providers that are known; the rest is what tests put in or look at.
    `away`: the node that steers cannot be reached.
    """

    providers: set[str] = field(default_factory=set)
    model: GridModel = field(default_factory=GridModel)
    capacities: dict[str, Capacity] = field(default_factory=dict)
    taken: dict[tuple[str, str], CapacitySignal] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    mode: Mode = Mode.LIVE
    stopped: bool = False
    away: bool = False
    settings: dict[PartyId, CpoSettings] = field(default_factory=dict)
    evses: list[Evse] = field(default_factory=list)
    drawn: dict[str, Drawn] = field(default_factory=dict)
    sessions: dict[str, tuple[LimitedSession, ...]] = field(default_factory=dict)
    views: dict[tuple[PartyId, str], SessionView] = field(default_factory=dict)
    reports: dict[PartyId, CpoReport] = field(default_factory=dict)
    log: list[PlanEntry] = field(default_factory=list)
    evidence: list[ActivationEntry] = field(default_factory=list)
    asked: dict[str, tuple[Block, ...]] = field(default_factory=dict)

    def now(self) -> datetime:
        return NOON

    def limit_kw(self, group_id: str, at: datetime = NOON) -> int:
        """What is in force."""
        return self.capacities[group_id].limit_at(self.model.groups[group_id], at).limit_mw // 1_000_000

    async def groups(self) -> Sequence[GroupView]:
        return [self._view(group) for group in self.model.groups.values()]

    async def group(self, group_id: str) -> GroupView:
        return self._view(self._known(group_id), self.sessions.get(group_id, ()))

    async def put_group(self, group: Group) -> GridChange:
        created = group.id not in self.model.groups
        return GridChange(created, self._becomes(self.model.with_group(group)))

    async def delete_group(self, group_id: str) -> None:
        self._known(group_id)
        self._becomes(self.model.without_group(group_id))

    async def import_model(self, model: GridModel) -> GridChange:
        created = not self.model.groups
        return GridChange(created, self._becomes(model))

    async def unmapped(self) -> Sequence[Evse]:
        return unmapped(self.model, self.evses, NOON)

    async def take_signal(self, signal: CapacitySignal) -> Reception:
        group = judge(signal, self.model)
        if not self.heard.first_time(signal.sender, signal.message_id, NOON):
            return Reception.REPEATED
        before = self.capacities[group.id]
        if signal.capacity_provider is not None:
            before = before.contact(group, NOON, DEMAND_MW)
        try:
            after = before.received(signal, group, NOON, DEMAND_MW)
        except SignalRefused:
            self.heard.forget(signal.sender, signal.message_id)
            raise
        self.capacities[group.id] = after
        self.taken[signal.source, signal.message_id] = signal
        steps = after.steps(group, NOON, NOON + timedelta(hours=1))
        self.evidence.append(ActivationEntry(f"a{len(self.evidence) + 1}", Activation.of(signal, steps)))
        waits = any(one.message_id == signal.message_id for one in after.limits.set_aside())
        return Reception.SET_ASIDE if waits else Reception.TAKEN

    async def lift_limit(self, group_id: str) -> bool:
        self._known(group_id)
        before = self.capacities[group_id]
        after = Capacity(before.limits.without_source(OPERATOR), before.standing)
        self.capacities[group_id] = after
        return after != before

    async def ask_capacity(self, group_id: str, blocks: Sequence[Block]) -> str:
        provider_id = self._known(group_id).capacity_provider
        if provider_id is None:
            raise NobodyToAsk(f"Group {group_id} has no capacity provider that speaks OSCP")
        self.asked[group_id] = tuple(blocks)
        return provider_id

    async def waiting_signals(self) -> Sequence[WaitingSignal]:
        return [
            WaitingSignal(group_id, one)
            for group_id, capacity in self.capacities.items()
            for one in capacity.limits.set_aside()
        ]

    async def confirm_signal(self, waiting: WaitingSignal) -> bool:
        signal = self.taken[waiting.set_aside.source, waiting.set_aside.message_id]
        group, before = self.model.groups[waiting.group_id], self.capacities[waiting.group_id]
        self.capacities[group.id] = before.confirmed(signal, group, NOON, DEMAND_MW)
        return self.capacities[group.id] != before

    async def drop_signal(self, waiting: WaitingSignal) -> bool:
        one, group, before = (
            waiting.set_aside,
            self.model.groups[waiting.group_id],
            self.capacities[waiting.group_id],
        )
        self.capacities[group.id] = before.dropped(one.source, one.message_id, group, NOON, DEMAND_MW)
        return self.capacities[group.id] != before

    async def operation(self) -> Operation:
        return Operation(self.mode, self.stopped)

    async def stop(self) -> None:
        self._stop(True)

    async def start(self) -> None:
        self._stop(False)

    async def set_mode(self, mode: Mode) -> None:
        self.mode = mode

    async def cpos(self) -> Mapping[PartyId, CpoSettings]:
        return self.settings

    async def put_cpo(self, party: PartyId, settings: CpoSettings) -> bool:
        before = self.settings.get(party)
        self.settings[party] = settings
        return before is not None and before.consent and not settings.consent

    async def session(self, party: PartyId, session_id: str) -> SessionView | None:
        return self.views.get((party, session_id))

    async def cpo_report(self, party: PartyId) -> CpoReport:
        return self.reports.get(party, CpoReport((), (), (), None))

    async def plans(self, group_id: str | None, older_than: str | None, most: int) -> Sequence[PlanEntry]:
        tree = None if group_id is None else self.model.root(self._known(group_id).id)
        own = [one for one in self.log if tree in (None, one.tree) and (older_than is None or one.id < older_than)]
        return sorted(own, key=lambda one: one.id, reverse=True)[:most]

    async def activations(
        self, provider_id: str | None, older_than: str | None, most: int
    ) -> Sequence[ActivationEntry]:
        own = [
            one
            for one in self.evidence
            if provider_id in (None, one.activation.provider) and (older_than is None or one.id < older_than)
        ]
        return own[::-1][:most]

    async def activation(self, activation_id: str) -> ActivationEntry | None:
        return next((one for one in self.evidence if one.id == activation_id), None)

    def _known(self, group_id: str) -> Group:
        if group_id not in self.model.groups:
            raise UnknownGroup(group_id)
        return self.model.groups[group_id]

    def _becomes(self, model: GridModel) -> tuple[Any, ...]:
        """The model is the grid from now on. Returns the members left out."""
        unknown = [
            Problem(group.id, f"its capacity provider {group.capacity_provider} is not known")
            for group in model.groups.values()
            if group.capacity_provider not in (None, *self.providers)
        ]
        if unknown:
            raise GridRefused(unknown)
        left_out = self.model.left_out(model)
        self.capacities = {
            group.id: self.capacities.get(group.id) or Capacity.unknown(group, NOON) for group in model.groups.values()
        }
        self.model = model
        return left_out

    def _stop(self, stopped: bool) -> None:
        if self.away:
            raise NotThisNode("The node that steers cannot be reached: try again in a minute")
        self.stopped = stopped
        for group in self.model.groups.values():
            self.capacities[group.id] = self.capacities[group.id].stopped(stopped, group, NOON, DEMAND_MW)

    def _view(self, group: Group, sessions: tuple[LimitedSession, ...] = ()) -> GroupView:
        capacity = self.capacities[group.id]
        force = capacity.limit_at(group, NOON)
        return GroupView(
            group=group,
            state=capacity.standing.state,
            since=capacity.standing.since,
            reason=sentence(force, None, "Grid One", stopped=self.stopped),
            limit_mw=force.limit_mw,
            allocated_mw=min(force.limit_mw, DEMAND_MW),
            booked_mw=min(force.limit_mw, DEMAND_MW),
            drawn=self.drawn.get(group.id),
            controllable_share=controllable_share(self.model, group.id, self.evses, NOON),
            sessions=sessions,
        )


@dataclass
class Site:
    """The grid behind its doors, with two DSOs that have tokens."""

    grid: SmallGrid
    routes: list[Route]
    one: str
    one_token: str
    two: str
    two_token: str

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, content_type: str | None = None
    ) -> HttpResponse:
        """A call by an operator, or of a DSO's with its token. A body is JSON values, or bytes as they are."""
        path, _, asked = path.partition("?")
        query = dict(pair.split("=", 1) for pair in asked.split("&") if pair)
        sent = body if isinstance(body, bytes) else codec.dumps(body) if body is not None else b""
        headers = {"content-type": content_type or "application/json"}
        if token is not None:
            headers["authorization"] = f"Token {token}"
        audience = Audience.PLUGIN if path.startswith("/grid/v1/") else Audience.ADMIN
        for route in self.routes:
            params = _params(route.path, path)
            if params is not None and (route.method, route.audience) == (method, audience):
                return await route.serve(HttpRequest(method, path, params, query, headers, sent))
        raise LookupError(f"there is no route for {method} {path}")

    async def get(self, path: str, *, token: str | None = None) -> Any:
        """The JSON values of an answer that is good."""
        answer = await self.call("GET", path, token=token)
        assert answer.status == 200, answer.body
        return codec.loads(answer.content)

    async def put_group(self, group_id: str, **more: object) -> HttpResponse:
        """A group of 100 kW, of DSO one, whose fallback is 12 kW."""
        known = {"static_capacity_kw": 100, "fallback_capacity_kw": 12, "capacity_provider": self.one, **more}
        return await self.call("PUT", f"/grid/groups/{group_id}", known)


def told(answer: HttpResponse) -> dict[str, Any]:
    """The JSON values of an answer."""
    value = codec.loads(answer.content)
    assert isinstance(value, dict)
    return value


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    async with SmallHub() as hub:
        providers = CapacityProviders(hub, Told(), "https://hub.example")
        await providers.open()
        one, two = await providers.create_native("Grid One"), await providers.create_native("Grid Two")
        grid = SmallGrid({one.id, two.id})
        doors = list(routes(grid, providers.native_of))
        yield Site(grid, doors, one.id, one.registration_token, two.id, two.registration_token)


def _params(pattern: str, path: str) -> dict[str, str] | None:
    wanted, parts = pattern.split("/"), path.split("/")
    if len(wanted) != len(parts):
        return None
    pairs = list(zip(wanted, parts, strict=True))
    if any(want != part for want, part in pairs if not want.startswith("{")):
        return None
    return {want[1:-1]: unquote(part) for want, part in pairs if want.startswith("{")}
