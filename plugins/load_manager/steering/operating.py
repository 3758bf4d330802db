"""What operators ask for and change, on whichever node they are let in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

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
    UnknownGroup,
    WaitingSignal,
)
from plugins.load_manager.grid.coverage import Evse, unmapped
from plugins.load_manager.grid.files import body_of
from plugins.load_manager.grid.group import GridRefused, Group, Problem
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.cpo_settings import CpoSettings
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
from plugins.load_manager.signals.signal import Block, CapacitySignal, SignalKind, Unit
from plugins.load_manager.steering.facts import (
    ContactChanged,
    CpoChanged,
    Fact,
    GridChanged,
    LimitLifted,
    ModeChanged,
    SignalCame,
    SignalSettled,
)
from plugins.load_manager.steering.node import Node
from plugins.load_manager.steering.proving import activation, activations
from plugins.load_manager.steering.recording import Recording
from plugins.load_manager.steering.scene import Mode as ModeOf
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.viewing import cpo_report, evses, group_view

_NATIVE = "native:"
_LOOKS, _LOOK_EVERY_S = 40, 0.5


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
        scene = await self._node.scene()
        return [group_view(scene, group_id, self.now()) for group_id in scene.model.groups]

    async def group(self, group_id: str) -> GroupView:
        scene = await self._node.scene()
        if group_id not in scene.model.groups:
            raise UnknownGroup(group_id)
        return group_view(scene, group_id, self.now(), with_sessions=True)

    async def put_group(self, group: Group) -> GridChange:
        before = (await self._node.scene()).model
        return await self._regroup(before, before.with_group(group), created=group.id not in before.groups)

    async def delete_group(self, group_id: str) -> None:
        before = (await self._node.scene()).model
        if group_id not in before.groups:
            raise UnknownGroup(group_id)
        await self._regroup(before, before.without_group(group_id), created=False)

    async def import_model(self, model: GridModel) -> GridChange:
        before = (await self._node.scene()).model
        return await self._regroup(before, model, created=not before.groups)

    async def unmapped(self) -> Sequence[Evse]:
        scene = await self._node.scene()
        return unmapped(scene.model, evses(scene), self.now())

    async def _regroup(self, before: GridModel, after: GridModel, *, created: bool) -> GridChange:
        known = {view.id for view in self._providers.every()}
        problems = [
            Problem(group.id, f"the capacity provider {group.capacity_provider} is not known")
            for group in after.groups.values()
            if group.capacity_provider is not None and group.capacity_provider not in known
        ]
        if problems:
            raise GridRefused(problems)
        await self._change(
            GridChanged([body_of(group) for group in after.groups.values()]), lambda scene: scene.model == after
        )
        for view in self._providers.every():
            if view.state in {State.HANDSHAKEN, State.ONLINE}:  # its new groups are in contact as well
                await self._tell(ContactChanged(view.id, online=True))
        return GridChange(created, before.left_out(after))

    # --- limits ---

    async def take_signal(self, signal: CapacitySignal) -> Reception:
        scene = await self._node.scene()
        group = judge(signal, scene.model)
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
            WaitingSignal(group_id, one, scene.model.groups[group_id].capacity_provider)
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
        await self._switch(stopped=True)

    async def start(self) -> None:
        await self._switch(stopped=False)

    async def set_mode(self, mode: Mode) -> None:
        await self._switch(shadow=mode is Mode.SHADOW)

    async def _switch(self, *, shadow: bool | None = None, stopped: bool | None = None) -> None:
        mode = (await self._node.scene()).mode
        shadow, stopped = mode.shadow if shadow is None else shadow, mode.stopped if stopped is None else stopped
        wanted = ModeOf(shadow, stopped)
        await self._change(ModeChanged(shadow, stopped), lambda scene: scene.mode == wanted)

    # --- CPOs ---

    async def cpos(self) -> Mapping[PartyId, CpoSettings]:
        scene = await self._node.scene()
        return {_party(key): settings for key, settings in scene.known.cpos.items()}

    async def put_cpo(self, party: PartyId, settings: CpoSettings) -> bool:
        before = (await self._node.scene()).known.cpos.of(party)
        fact = CpoChanged(str(party), settings)
        await self._change(fact, lambda scene: scene.known.cpos.of(party) == settings)
        return before.consent and not settings.consent

    async def cpo_report(self, party: PartyId) -> CpoReport:
        return cpo_report(await self._node.scene(), party, self.now())

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

    async def _change(self, fact: Fact, done: Callable[[Scene], bool]) -> None:
        """Tells whoever steers, and waits until it has done it, which is seen on the shelf."""
        await self._tell(fact)
        for _ in range(_LOOKS):
            if done(await self._node.scene()):
                await self._node.look()
                return
            await self._hub.sleep(_LOOK_EVERY_S)
        raise NotThisNode("No node steers at the moment: it will be done as soon as one does")

    async def _tell(self, fact: Fact) -> bool:
        try:
            return await self._node.tell(fact)
        except NotAllowed as full:
            raise NotThisNode(f"The node that steers cannot be reached: {full}; try again in a minute") from None


def _party(key: str) -> PartyId:
    country_code, _, party_id = key.upper().partition("*")
    return PartyId(country_code, party_id)


def _signal_of(waiting: WaitingSignal) -> CapacitySignal:
    """What still waits of a signal. It counts as old as its first block, so that it is no sign of life."""
    spans = waiting.set_aside.spans
    return CapacitySignal(
        source=waiting.set_aside.source,
        capacity_provider=waiting.capacity_provider,
        group_id=waiting.group_id,
        kind=SignalKind.LIMIT,
        unit=Unit.W,
        blocks=tuple(Block(span.start, span.end, Decimal(span.limit_mw) / 1000) for span in spans),
        message_id=waiting.set_aside.message_id,
        received_at=min(span.block_start for span in spans),
    )
