"""What a plan says, as values: per session the profile it should have and why, per group what becomes of its limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto

from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.profiles import StepProfile
from plugins.load_manager.signals.in_force import Rule


class Release(Enum):
    """The session's limit is gone: what it has of ours is taken away."""

    RELEASE = auto()


class Standing(StrEnum):
    """How a session stands in a plan; the last three draw no power by it."""

    UNLIMITED = "unlimited"
    """No limit above it can bind: it has no profile."""
    COUNTED = "counted"
    """It cannot be steered, so what it may draw is taken off the limits."""
    FULL = "full"
    """All it can draw, under a limit that may bind others or later."""
    LIMITED = "limited"
    WAITING = "waiting"
    """There is less than everybody's minimum, and it is not its turn."""
    RESTING = "resting"
    """It was paused a moment ago, and cars are not switched to and fro."""
    NO_CAPACITY = "no capacity"
    """A group above it has less than its minimum, whoever else charges; or it can draw less than that itself."""

    @property
    def paused(self) -> bool:
        """Whether it means 0 A."""
        return self in {Standing.WAITING, Standing.RESTING, Standing.NO_CAPACITY}


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a session is on, and since which second it has been so."""

    on: bool
    since_s: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a session has what it has now. `group_id` is the group that holds it back, None if none does.

    `turn_at`: when a paused session goes on, None when the plan does not reach that far. `shortfall_kwh`: what it will
    lack of what its driver asked for, None when nobody said, 0.0 when it will be met.
    """

    standing: Standing
    power_mw: int
    sentence: str
    group_id: str | None = None
    turn_at: datetime | None = None
    shortfall_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A group now. `limit_mw` is what is in force by `rule`; `effective_mw` is what is left of it for sessions that are
    steered, below 0 by `deficit_mw` where not even the others fit; `allocated_mw` is given out of that.

    `uncontrolled_mw` is booked for what cannot be steered, cars without a session among it, and `reserve_mw` kept for
    arrivals. `room` is what all its sessions may take together, steered or not, over time. `next_edge_at`: when its
    limit changes next, None when it does not within the horizon. `binding`: whether its EVSEs could exceed it.
    """

    limit_mw: int
    rule: Rule
    message_id: str
    effective_mw: int
    allocated_mw: int
    uncontrolled_mw: int
    reserve_mw: int
    deficit_mw: int
    admitted: int
    paused: int
    binding: bool
    next_edge_at: datetime | None
    room: StepProfile


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of the tree whose root is `tree`. A target of None changes nothing: there is no limit and was none, or
    no other can be brought to the session. Profiles are as they can be written, and from `until_s` on they are the
    fallback share. `plan_again_at` is when the plan itself changes next. Equal `inputs_hash`, equal targets.
    """

    tree: str
    at: datetime
    epoch: int
    until_s: int
    targets: Mapping[SessionKey, StepProfile | Release | None]
    decisions: Mapping[SessionKey, Decision]
    groups: Mapping[str, GroupPlan]
    turns: Mapping[SessionKey, Turn]
    plan_again_at: datetime | None
    inputs_hash: str
