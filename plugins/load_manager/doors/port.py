"""What the doors need of the load manager behind them, as a port of plain values. Who asks may ask is settled at the
doors, and what is wrong with a body too; what only the load manager can tell comes back as one of these exceptions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from hub.ocpi.party_id import PartyId
from plugins.load_manager.evidence.activation import Activation
from plugins.load_manager.evidence.writing import Figure
from plugins.load_manager.grid.coverage import Evse
from plugins.load_manager.grid.group import Group, Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.cpo_settings import CpoSettings
from plugins.load_manager.knowledge.power import Drawn
from plugins.load_manager.signals.limits import SetAside
from plugins.load_manager.signals.signal import Block, CapacitySignal
from plugins.load_manager.signals.standing import State

OPERATOR = "operator"
"""The source of the limits that the operator of the hub sets; they have no capacity provider."""


class UnknownGroup(Exception):
    """The group does not exist here."""

    def __init__(self, group_id: str) -> None:
        super().__init__(f"The group {group_id} is not known")
        self.group_id = group_id


class NotThisNode(Exception):
    """It can be done by the node that steers alone, which cannot be reached now; the sentence says what to do."""


class NobodyToAsk(Exception):
    """The group has no DSO that could be asked; the sentence says why."""


class NotAsked(Exception):
    """The DSO did not take what it was asked; the sentence says why."""


class Reception(StrEnum):
    """What became of a signal: taken; not plausible, so that it waits for an operator; heard before, and ignored."""

    TAKEN = "taken"
    SET_ASIDE = "set aside"
    REPEATED = "repeated"


class Mode(StrEnum):
    """LIVE steers. SHADOW plans and records, and sends nothing."""

    LIVE = "live"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Operation:
    """How the whole is operated. `stopped`: every group is at its fallback by the operator's word."""

    mode: Mode
    stopped: bool


@dataclass(frozen=True, slots=True)
class LimitedSession:
    """A session under a limit. `reason` is a sentence; `limit_mw` is what it is told, None when it is told nothing;
    `booked_mw` is what it is counted with. `release_at`: when its limit is expected to end, None when nobody knows.
    """

    party: PartyId
    session_id: str
    location_id: str | None
    evse_uid: str | None
    reason: str
    limit_mw: int | None
    booked_mw: int
    since: datetime | None = None
    release_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """What a driver may ask about a session. `energy_kwh` is what it has; `need_kwh` is what its driver still wants
    until `departure_at`, and `short_kwh` what will be missing of that by the plan. None: nobody said.
    """

    limited: LimitedSession
    energy_kwh: Decimal | None
    need_kwh: Decimal | None = None
    departure_at: datetime | None = None
    short_kwh: Decimal | None = None

    @property
    def expected_kwh(self) -> Decimal | None:
        """What it will have at its departure, as far as its driver wants it."""
        if self.need_kwh is None or self.short_kwh is None:
            return None
        return (self.energy_kwh or Decimal(0)) + max(Decimal(0), self.need_kwh - self.short_kwh)


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as it is now. `reason` is a sentence about its limit; `allocated_mw` is given to sessions, `booked_mw` is
    the most that may be drawn until everything sent is confirmed; `drawn` is what sessions draw, None when nobody
    tells. `controllable_share` is that of its EVSEs that take profiles, 0 to 1, None without EVSEs.
    """

    group: Group
    state: State
    since: datetime
    reason: str
    limit_mw: int
    allocated_mw: int
    booked_mw: int
    drawn: Drawn | None = None
    controllable_share: Fraction | None = None
    sessions: tuple[LimitedSession, ...] = ()


@dataclass(frozen=True, slots=True)
class GridChange:
    """What a change of the grid did. `left_out` has no place any more: its sessions are released."""

    created: bool
    left_out: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingSignal:
    """A signal that is not plausible and waits for an operator."""

    group_id: str
    set_aside: SetAside


@dataclass(frozen=True, slots=True)
class ChargerRefusals:
    """How often chargers of one kind did not take a profile in the last thirty days; `rejected` has those that do not
    support profiles too. OCPI knows no make of a charge point: `model` is what is known of its kind, such as
    `AC 3 phases 16 A`.
    """

    model: str
    rejected: int
    too_often: int
    timed_out: int


@dataclass(frozen=True, slots=True)
class CpoReport:
    """How a CPO fares. `without_default` are EVSEs that no default profile holds down before they are told anything.
    `parity` is the mean curtailed share of its sessions over that of all, 1 when it is treated like everybody; None
    when nothing was curtailed.
    """

    sessions: tuple[LimitedSession, ...]
    refusals: tuple[ChargerRefusals, ...]
    without_default: tuple[Member, ...]
    parity: Decimal | None


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A plan in the decision log: the rows of `evidence.group_rows` and `evidence.decision_rows`. `id` grows by time as
    text does.
    """

    id: str
    at: datetime
    tree: str
    groups: tuple[Mapping[str, Figure], ...]
    decisions: tuple[Mapping[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class ActivationEntry:
    """What came of a signal. `id` grows by time as text does."""

    id: str
    activation: Activation


class Operating(Protocol):
    """Everything raises StoreUnavailable, and what changes something raises NotThisNode. A change holds, on every node
    and after a restart, when the call returns.
    """

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    # --- the grid ---

    async def groups(self) -> Sequence[GroupView]:
        """Every group, without its sessions."""

    async def group(self, group_id: str) -> GroupView:
        """A group, with the sessions in it and below it. Raises UnknownGroup."""

    async def put_group(self, group: Group) -> GridChange:
        """A group more, or another form of one. Raises GridRefused, also for a capacity provider nobody knows."""

    async def delete_group(self, group_id: str) -> None:
        """Its limits are gone, and what they held is released. Raises UnknownGroup, and GridRefused while groups or
        members hang on it.
        """

    async def import_model(self, model: GridModel) -> GridChange:
        """This grid in place of the one before; groups that are in both keep what was said about them. Raises
        GridRefused for a capacity provider nobody knows. `created` is whether there was no group before.
        """

    async def unmapped(self) -> Sequence[Evse]:
        """EVSEs of the catalog that belong to no group now."""

    # --- limits ---

    async def take_signal(self, signal: CapacitySignal) -> Reception:
        """Judges a signal (`signals.judging`) and applies it, whole or not at all. Raises SignalRefused.

        Without a capacity provider it is the operator's, of source OPERATOR. That a native one came is contact with its
        provider. Message ids are told apart within a source, and each native provider is a source of its own.
        """

    async def lift_limit(self, group_id: str) -> bool:
        """Ends the operator's own limits of a group; False when there are none. Raises UnknownGroup."""

    async def ask_capacity(self, group_id: str, blocks: Sequence[Block]) -> str:
        """Asks the group's capacity provider for these capacities in kW, once; its id. Its answer is a new forecast, or
        nothing. Raises UnknownGroup, NobodyToAsk, NotAsked.
        """

    async def waiting_signals(self) -> Sequence[WaitingSignal]:
        """Signals that are set aside until an operator looks at them."""

    async def confirm_signal(self, waiting: WaitingSignal) -> bool:
        """Follows it after all, for the time nothing newer covers; False when it does not wait any more."""

    async def drop_signal(self, waiting: WaitingSignal) -> bool:
        """Throws it away; False when it does not wait any more."""

    # --- the whole ---

    async def operation(self) -> Operation:
        """How the whole is operated now."""

    async def stop(self) -> None:
        """All groups to their fallback, until `start`. Safe twice."""

    async def start(self) -> None:
        """Signals are followed again. Safe twice."""

    async def set_mode(self, mode: Mode) -> None:
        """From SHADOW to LIVE everything is planned anew before anything is sent; into SHADOW what was sent stays as it
        is, and ends by itself.
        """

    # --- CPOs ---

    async def cpos(self) -> Mapping[PartyId, CpoSettings]:
        """The CPOs that have settings."""

    async def put_cpo(self, party: PartyId, settings: CpoSettings) -> bool:
        """Whether a consent is withdrawn by it: then the CPO's sessions are released."""

    async def session(self, party: PartyId, session_id: str) -> SessionView | None:
        """One session of a CPO; None when none such runs in a group."""

    async def cpo_report(self, party: PartyId) -> CpoReport:
        """How a CPO fares, known or not."""

    # --- what was done, newest first ---

    async def plans(self, group_id: str | None, older_than: str | None, most: int) -> Sequence[PlanEntry]:
        """At most so many plans of the tree of a group, None for all, with an id below another's. Raises
        UnknownGroup.
        """

    async def activations(
        self, provider_id: str | None, older_than: str | None, most: int
    ) -> Sequence[ActivationEntry]:
        """At most so many activations by a capacity provider, None for all, with an id below another's."""

    async def activation(self, activation_id: str) -> ActivationEntry | None:
        """One of them."""
