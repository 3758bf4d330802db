"""What a plan is made from: the grid, the books, what the board and the meters say, and the figures of planning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from plugins.load_manager.allocation import Policy
from plugins.load_manager.grid.group import Group
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.profiles import StepProfile, second
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.spans import Measured


@dataclass(frozen=True, slots=True)
class Settings:
    """`horizon_s` is how far limits are looked at; it reaches to the next drop, but no further than `furthest_s`.
    Profiles end at the fallback share after `ending_after_s`. A car stays on for `min_on_s` and off for `min_off_s` if
    the grid allows; they change turns at multiples of `slot_s` on the clock. `always`: a profile also where no limit
    binds.
    """

    horizon_s: int = 3600
    furthest_s: int = 7200
    ending_after_s: int = 2700
    min_on_s: int = 900
    min_off_s: int = 300
    slot_s: int = 300
    always: bool = False
    policy: Policy = Policy.FAIR

    def __post_init__(self) -> None:
        if not 0 < self.ending_after_s <= self.horizon_s <= self.furthest_s:
            raise ValueError("the ending lies within the horizon, and that within what is looked at")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`held`: what is booked for sessions that no other limit can be brought to now (`Board.held`). `drawn_mw`: what
    sessions draw above all that they were told (`Board.overdrawn`). `ceilings_mw`: what others' profiles allow at most.
    `told`: the profiles that CPOs have, where nobody knows the plan that made them. By group: `taken_mw`, what other
    load draws behind the same limit or what must stay free after an overload,
    `arrivals_per_h` for the reserve, and what was `measured`. `sessions`: those of the tree, where the caller knows
    them; else all that run are looked through.
    """

    held: Mapping[SessionKey, StepProfile] = field(default_factory=dict)
    drawn_mw: Mapping[SessionKey, int] = field(default_factory=dict)
    ceilings_mw: Mapping[SessionKey, int] = field(default_factory=dict)
    told: Mapping[SessionKey, StepProfile] = field(default_factory=dict)
    taken_mw: Mapping[str, int] = field(default_factory=dict)
    arrivals_per_h: Mapping[str, Decimal] = field(default_factory=dict)
    measured: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    sessions: Sequence[tuple[SessionKey, Session]] | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a plan at `now` follows from, but the plan before it and who can be steered."""

    model: GridModel
    capacities: Mapping[str, Capacity]
    known: Known
    now: datetime
    circumstances: Circumstances
    settings: Settings

    @property
    def now_s(self) -> int:
        return second(self.now)

    @property
    def until_s(self) -> int:
        """When the endings of profiles begin."""
        return self.now_s + self.settings.ending_after_s

    def capacity(self, group: Group) -> Capacity:
        """The capacity of a group, also of one that nobody said anything about."""
        return self.capacities.get(group.id) or Capacity.unknown(group, self.now)
