"""What became of one capacity signal: when it was heard, planned for, sent out and confirmed, and what was drawn.

Rules
- Only profiles that lower a session count for it: those it takes to keep the limit.
- A session is confirmed when the result of its newest profile is. It is kept here under a code that means nothing
  outside this activation.
- Events of one activation come in order of time. What comes after it was superseded, or after its last block, is not
  about it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub.ocpi.codec import from_plain, to_plain
from plugins.load_manager.evidence.metering import Metered, Quality
from plugins.load_manager.profiles import second
from plugins.load_manager.signals.signal import CapacitySignal, SignalKind
from plugins.load_manager.signals.step import Step


class Why(StrEnum):
    """Why a session could not be lowered, or the limit not be kept."""

    REJECTED = "rejected"
    NOT_SUPPORTED = "not supported"
    TOO_OFTEN = "too often"
    UNKNOWN_SESSION = "unknown session"
    NO_ANSWER = "no answer"
    IGNORED = "draws more than it was told"
    CPO_OFFLINE = "CPO offline"
    NO_CONSENT = "no consent"
    NOT_CAPABLE = "takes no profiles"
    DEFICIT = "deficit"
    """What cannot be steered is above the limit by itself."""


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """An exception: from when on, why, and how much power in mW it concerns."""

    at: datetime
    why: Why
    power_mw: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What was in force from `start` until before `end`, in mW."""

    start: datetime
    end: datetime
    limit_mw: int


@dataclass(slots=True)
class Profile:
    """The newest profile of a session; `confirmed_at` None while its result has not come."""

    epoch: int
    seq: int
    confirmed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Activation:
    """A signal and what was made of it. Times are None until the event came. `profiles` by the code of the session."""

    provider: str
    group_id: str
    message_id: str
    source: str
    kind: SignalKind
    received_at: datetime
    allowed: list[Allowed]
    acknowledged_at: datetime | None = None
    planned_at: datetime | None = None
    first_put_at: datetime | None = None
    last_put_at: datetime | None = None
    superseded_at: datetime | None = None
    profiles: dict[str, Profile] = field(default_factory=dict)
    shortcomings: list[Shortcoming] = field(default_factory=list)
    metered: Metered = field(default_factory=Metered)

    @classmethod
    def of(cls, signal: CapacitySignal, steps: Sequence[Step]) -> "Activation":
        """A signal that was just taken; `steps` are what is in force by it. ValueError when there is none."""
        if not steps:
            raise ValueError("a signal is in force for some time")
        return cls(
            provider=signal.capacity_provider or "",
            group_id=signal.group_id,
            message_id=signal.message_id,
            source=signal.source,
            kind=signal.kind,
            received_at=signal.received_at,
            allowed=[Allowed(step.start, step.end, step.limit_mw) for step in steps],
        )

    # What happens

    def acknowledged(self, now: datetime) -> None:
        """Its sender has the answer."""
        self.acknowledged_at = self.acknowledged_at or now

    def planned(self, now: datetime) -> None:
        """The first plan that knows it is made."""
        self.planned_at = self.planned_at or now

    def put(self, now: datetime, session_id: str, epoch: int, seq: int) -> None:
        """A profile that lowers a session left for it."""
        if self._over(now):
            return
        self.first_put_at = self.first_put_at or now
        self.last_put_at = now
        self.profiles[self._code(session_id)] = Profile(epoch, seq)

    def called_back(self, now: datetime, session_id: str, epoch: int, seq: int) -> bool:
        """The profile is in force at the charge point; whether that is news. One that is not the newest is none."""
        profile = self.profiles.get(self._code(session_id))
        if profile is None or (profile.epoch, profile.seq) != (epoch, seq) or profile.confirmed_at is not None:
            return False
        profile.confirmed_at = now
        return True

    def fell_short(self, now: datetime, why: Why, power_mw: int) -> None:
        """Something stands in the way; said once while nothing changes about it."""
        known = next((each for each in reversed(self.shortcomings) if each.why is why), None)
        if not self._over(now) and (known is None or known.power_mw != power_mw):
            self.shortcomings.append(Shortcoming(now, why, power_mw))

    def measured(self, start: datetime, end: datetime, average_mw: int, quality: Quality) -> None:
        """The average power of the group over some time; only the time in which the signal is in force counts."""
        for each in self.allowed:
            until = each.end if self.superseded_at is None else min(each.end, self.superseded_at)
            start_s, end_s = second(max(start, each.start)), second(min(end, until))
            self.metered.add(start_s, end_s, average_mw, each.limit_mw, quality)

    def superseded(self, now: datetime) -> None:
        """A newer signal has taken its place altogether."""
        self.superseded_at = self.superseded_at or now

    # What came of it

    @property
    def ends_at(self) -> datetime:
        """When it was, or will be, over."""
        end = max(each.end for each in self.allowed)
        return end if self.superseded_at is None else min(end, self.superseded_at)

    @property
    def confirmed_share(self) -> float | None:
        """Of the sessions that had to be lowered, how many have confirmed it: 0 to 1. None when none had to be."""
        if not self.profiles:
            return None
        return sum(profile.confirmed_at is not None for profile in self.profiles.values()) / len(self.profiles)

    @property
    def confirmed_at(self) -> datetime | None:
        """When the last of them confirmed it; None while one has not."""
        moments = [profile.confirmed_at for profile in self.profiles.values()]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    def data_quality(self, now: datetime) -> dict[str, float]:
        """Which shares of its time until now were measured, derived, assumed, or are not known."""
        start_s = second(min(each.start for each in self.allowed))
        whole_s = second(min(now, self.ends_at)) - start_s
        if whole_s <= 0:
            return {}
        shares = {quality.value: self.metered.seconds.get(quality, 0) / whole_s for quality in Quality}
        return shares | {"unknown": max(0.0, 1 - sum(shares.values()))}

    def to_json(self) -> object:
        """JSON values for a store."""
        plain: object = to_plain(self)
        return plain

    @staticmethod
    def from_json(value: object) -> "Activation":
        """The reverse of `to_json`. Raises ValueError."""
        return from_plain(Activation, value)

    def _over(self, now: datetime) -> bool:
        return now >= self.ends_at

    def _code(self, session_id: str) -> str:
        text = f"{self.source}\0{self.message_id}\0{self.group_id}\0{session_id}"
        return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
