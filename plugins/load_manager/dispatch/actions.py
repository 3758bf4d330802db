"""What the board asks for: messages to CPOs, news for people, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plugins.load_manager.profiles import StepProfile


class Reason(StrEnum):
    """Why a profile is sent."""

    FIRST = "first"
    LOWER = "lower"
    HIGHER = "higher"
    REFRESH = "refresh"
    AGAIN = "again"
    COMPOSED = "composed"


@dataclass(frozen=True, slots=True)
class Put:
    """PUT this profile. With COMPOSED it is what the PUT of the eMSP that is under way becomes."""

    session_id: str
    profile: StepProfile
    epoch: int
    seq: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Release:
    """Our limit is lifted: PUT of the eMSP's own profile, or DELETE where `profile` is None."""

    session_id: str
    profile: StepProfile | None
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """The session cannot be controlled; it counts with all it may take."""

    session_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Regained:
    """The session can be controlled again."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Deficit:
    """What cannot be lowered is above the node's limit: by `mw` at most, by `shortfall` at each moment."""

    node: str
    mw: int
    shortfall: StepProfile


@dataclass(frozen=True, slots=True)
class Complied:
    """The last needed decrease under the node is confirmed; it was above its limit since `since`."""

    node: str
    since: datetime
    took_s: float


@dataclass(frozen=True, slots=True)
class Verify:
    """The CPO does not know the session: GET it, and tell the board whether it ended."""

    session_id: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing was heard in time of the newest message about the session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The eMSP's DELETE has become our limit (or cannot): its result is due."""

    session_id: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is kept about the session any more."""

    session_id: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Decide again then, if nothing happens before."""

    at: datetime


Action = Put | Release | Alarm | Regained | Deficit | Complied | Verify | TimedOut | Settle | Forget | WakeAt
