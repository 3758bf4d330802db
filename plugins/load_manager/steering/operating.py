"""What operators ask for and change, on whichever node they are let in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from hub.ocpi.party_id import PartyId
from hub.plugin import HubApi, NotAllowed
from plugins.load_manager.doors.port import (
    OPERATOR,
    ActivationEntry,
    CpoReport,
    GridChange,
    GroupView,
    Mode,
    NobodyToAsk,
    NotAsked,
    NotThisNode,
    Operation,
    PlanEntry,
    Reception,
    SessionView,
    UnknownGroup,
    WaitingSignal,
)
from plugins.load_manager.grid.coverage import Evse, unmapped
from plugins.load_manager.grid.files import body_of
from plugins.load_manager.grid.group import GridRefused, Group, Problem
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.cpo_settings import CpoSettings
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.oscp import (
    CapacityProviders,
    CapacityUnit,
    ForecastedBlock,
    Kind,
    NotDelivered,
    Phase,
    State,
    UnknownProvider,
)
from plugins.load_manager.signals.judging import judge
from plugins.load_manager.signals.signal import Block, CapacitySignal, Unit
from plugins.load_manager.steering.drawing import drawn_by_group
from plugins.load_manager.steering.facts import (
    Asked,
    ContactChanged,
    CpoChanged,
    Fact,
    GridImported,
    GroupDeleted,
    GroupPut,
    LimitLifted,
    ModeChanged,
    SignalCame,
    SignalSettled,
)
from plugins.load_manager.steering.node import Node
from plugins.load_manager.steering.outcome import Outcome
from plugins.load_manager.steering.proving import activation, activations
from plugins.load_manager.steering.recording import Recording
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.viewing import cpo_report, evses, group_view, group_views, session_view
from plugins.load_manager.strides import unhurried

_NATIVE = "native:"
_LOOKS, _LOOK_EVERY_S = 40, 0.5
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class GridOperating:
    """The load manager as its doors see it (`doors.port.Operating`)."""

    def __init__(self, hub: HubApi, node: Node, providers: CapacityProviders) -> None:
        self._hub = hub
        self._node = node
        self._providers = providers
        self._recording = Recording(hub)

    def now(self) -> datetime:
        return self._hub.now()

    # --- the grid ---

    async def groups(self) -> Sequence[GroupView]:
        scene = await self._with_plans(await self._node.scene())
        drawn = await drawn_by_group(self._hub, scene)
        return await unhurried(group_views(scene, self.now(), drawn), self._hub.sleep)

    async def group(self, group_id: str) -> GroupView:
        scene = await self._with_plans(await self._node.scene())
        drawn = await drawn_by_group(self._hub, scene)
        try:
            return await unhurried(group_view(scene, group_id, self.now(), drawn.get(group_id)), self._hub.sleep)
        except KeyError:
            raise UnknownGroup(group_id) from None

    async def _with_plans(self, scene: Scene) -> Scene:
        """With what the last plans say; where another node makes them, by their log."""
        if self._node.lead is None:
            for root, tree in scene.trees.items():
                tree.logged = await self._recording.newest(root)
        return scene

    async def put_group(self, group: Group) -> GridChange:
        self._check_providers([group])
        outcome = await self._ask(GroupPut(_id(), body_of(group)))
        await self._in_contact([group])
        return GridChange(outcome.created, outcome.left_out)

    async def delete_group(self, group_id: str) -> None:
        if group_id not in (await self._node.scene()).model.groups:
            raise UnknownGroup(group_id)
        await self._ask(GroupDeleted(_id(), group_id))

    async def import_model(self, model: GridModel) -> GridChange:
        groups = model.groups.values()
        self._check_providers(groups)
        created = not (await self._node.scene()).model.groups
        outcome = await self._ask(GridImported(_id(), [body_of(group) for group in groups]))
        await self._in_contact(groups)
        return GridChange(created, outcome.left_out)

    async def unmapped(self) -> Sequence[Evse]:
        scene = await self._node.scene()
        return unmapped(scene.model, evses(scene), self.now())

    def _check_providers(self, groups: Iterable[Group]) -> None:
        known = {view.id for view in self._providers.every()}
        problems = [
            Problem(group.id, f"the capacity provider {group.capacity_provider} is not known")
            for group in groups
            if group.capacity_provider is not None and group.capacity_provider not in known
        ]
        if problems:
            raise GridRefused(problems)

    async def _in_contact(self, groups: Iterable[Group]) -> None:
        """Groups that a provider in contact has newly are in contact as well."""
        theirs = {group.capacity_provider for group in groups}
        for view in self._providers.every():
            if view.id in theirs and view.state in {State.HANDSHAKEN, State.ONLINE}:
                await self._tell(ContactChanged(view.id, online=True))

    # --- limits ---

    async def take_signal(self, signal: CapacitySignal) -> Reception:
        scene = await self._node.scene()
        group = judge(signal, scene.model)
        if scene.heard.already(signal.sender, signal.message_id, self.now()):
            return Reception.REPEATED  # known on every node, as far as whoever steers has taken it
        contact = signal.source.startswith(_NATIVE)
        if not await self._tell(SignalCame(signal, contact=contact)):
            return Reception.REPEATED
        capacity = (await self._node.scene()).capacities.get(group.id)
        waits = {one.message_id for one in capacity.limits.set_aside()} if capacity is not None else set[str]()
        return Reception.SET_ASIDE if signal.message_id in waits else Reception.TAKEN

    async def lift_limit(self, group_id: str) -> bool:
        scene, now = await self._node.scene(), self.now()
        if group_id not in scene.model.groups:
            raise UnknownGroup(group_id)
        limits = scene.capacities[group_id].limits
        there = any(line.source == OPERATOR and any(span.end > now for span in line.spans) for line in limits.lines)
        if there:
            await self._tell(LimitLifted(group_id, OPERATOR))
        return there

    async def ask_capacity(self, group_id: str, blocks: Sequence[Block]) -> str:
        group = (await self._node.scene()).model.groups.get(group_id)
        if group is None:
            raise UnknownGroup(group_id)
        wanted = [
            ForecastedBlock(
                capacity=block.value,
                phase=Phase.ALL,
                unit=CapacityUnit.KW,
                start_time=block.start,
                end_time=block.end,
            )
            for block in blocks
        ]
        provider_id = group.capacity_provider
        try:
            if provider_id is None or (await self._providers.get(provider_id)).kind is not Kind.OSCP:
                raise NobodyToAsk(f"Group {group_id} has no capacity provider that speaks OSCP")
            # Whoever asks waits for it, and can ask again.
            await self._providers.reports.adjust(provider_id, group_id, wanted, retry_after_s=())
        except UnknownProvider:
            raise NobodyToAsk(f"The capacity provider of group {group_id} is not known any more") from None
        except NotDelivered as failed:
            raise NotAsked(f"The capacity provider did not take part: {failed}") from None
        return provider_id

    async def waiting_signals(self) -> Sequence[WaitingSignal]:
        scene = await self._node.scene()
        return [
            WaitingSignal(group_id, one)
            for group_id, capacity in scene.capacities.items()
            for one in capacity.limits.set_aside()
        ]

    async def confirm_signal(self, waiting: WaitingSignal) -> bool:
        return await self._settle(waiting, take=True)

    async def drop_signal(self, waiting: WaitingSignal) -> bool:
        return await self._settle(waiting, take=False)

    async def _settle(self, waiting: WaitingSignal, *, take: bool) -> bool:
        still = waiting.set_aside in [one.set_aside for one in await self.waiting_signals()]
        if still:
            await self._tell(SignalSettled(_signal_of(waiting), take))
        return still

    # --- the whole ---

    async def operation(self) -> Operation:
        mode = (await self._node.scene()).mode
        return Operation(Mode.SHADOW if mode.shadow else Mode.LIVE, mode.stopped)

    async def stop(self) -> None:
        await self._ask(ModeChanged(_id(), stopped=True))

    async def start(self) -> None:
        await self._ask(ModeChanged(_id(), stopped=False))

    async def set_mode(self, mode: Mode) -> None:
        await self._ask(ModeChanged(_id(), shadow=mode is Mode.SHADOW))

    # --- CPOs ---

    async def cpos(self) -> Mapping[PartyId, CpoSettings]:
        scene = await self._node.scene()
        return {_party(key): settings for key, settings in scene.known.cpos.items()}

    async def put_cpo(self, party: PartyId, settings: CpoSettings) -> bool:
        before = (await self._node.scene()).known.cpos.of(party)
        await self._ask(CpoChanged(_id(), str(party), settings))
        return before.consent and not settings.consent

    async def session(self, party: PartyId, session_id: str) -> SessionView | None:
        key = session_key(party, session_id)
        return session_view(await self._with_plans(await self._node.scene_of(key)), key, self.now())

    async def cpo_report(self, party: PartyId) -> CpoReport:
        scene = await self._with_plans(await self._node.scene())
        return await unhurried(cpo_report(scene, party, self.now()), self._hub.sleep)

    # --- what was done ---

    async def plans(self, group_id: str | None, older_than: str | None, most: int) -> Sequence[PlanEntry]:
        model = self._node.grid
        if group_id is not None and group_id not in model.groups:
            raise UnknownGroup(group_id)
        root = None if group_id is None else model.root(group_id)
        return await self._recording.plans(root, older_than, most)

    async def activations(
        self, provider_id: str | None, older_than: str | None, most: int
    ) -> Sequence[ActivationEntry]:
        return await activations(self._hub, provider_id, older_than, most)

    async def activation(self, activation_id: str) -> ActivationEntry | None:
        return await activation(self._hub, activation_id)

    async def _ask(self, fact: Asked) -> Outcome:
        """Tells whoever steers, and waits for what came of it, which is seen on the shelf. Raises GridRefused."""
        await self._tell(fact)
        for _ in range(_LOOKS):
            outcome = await self._node.keeping.outcome(fact.asked)
            if outcome is not None:
                await self._node.look()
                if outcome.problems:
                    raise GridRefused(outcome.problems)
                return outcome
            await self._hub.sleep(_LOOK_EVERY_S)
        raise NotThisNode("No node steers at the moment: it will be done as soon as one does")

    async def _tell(self, fact: Fact) -> bool:
        try:
            return await self._node.tell(fact)
        except NotAllowed as full:
            raise NotThisNode(f"The node that steers cannot be reached: {full}; try again in a minute") from None


def _id() -> str:
    return uuid4().hex


def _party(key: str) -> PartyId:
    country_code, _, party_id = key.upper().partition("*")
    return PartyId(country_code, party_id)


def _signal_of(waiting: WaitingSignal) -> CapacitySignal:
    """What still waits of a signal, as old as it is: that an operator looks at it is no sign of life of its sender."""
    said = waiting.set_aside
    return CapacitySignal(
        source=said.source,
        capacity_provider=said.capacity_provider,
        group_id=waiting.group_id,
        kind=said.kind,
        unit=Unit.W,
        blocks=tuple(Block(span.start, span.end, Decimal(span.limit_mw) / 1000) for span in said.spans),
        message_id=said.message_id,
        received_at=said.received_at or _LONG_AGO,
    )
