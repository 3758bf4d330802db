"""One session on the board: what may be in force at the charge point, what should be, and what stands in the way.

Rules
- What may be in force: the confirmed profile, the one in flight, and `doubt`, the highest of all that were sent and
  never answered for. Without a confirmed one it is the CPO's default profile, else the connector's maximum.
- A lower limit the CPO reported bounds what was confirmed by then, and nothing that may still get through.
- What a car draws although it was told less is booked too; `drawing` says when.
- A session is held when no lower limit can be brought to it now; the plan has to count what is booked for it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from plugins.load_manager.profiles import (
    Scale,
    StepProfile,
    above_until,
    exceeds,
    highest,
    minimum,
    moment_of,
    second,
    with_ending,
    written,
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it comes to the board. `path` is its nodes from the leaf to the root.

    `default_mw` is the CPO's default profile, None where it has none.
    """

    id: str
    cpo: str
    path: tuple[str, ...]
    maximum_mw: int
    scale: Scale
    default_mw: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What the plan wants: the profile with its ending, and the second from which on it is the ending."""

    profile: StepProfile
    until_s: int


class Kind(StrEnum):
    """Whose limit holds with a message: the load manager's, the eMSP's alone, or nobody's."""

    OURS = "ours"
    THEIRS = "theirs"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sent:
    """A profile in flight; without `deadline` it is past it. For a DELETE the profile is what holds without one.

    `composed`: it was the eMSP's PUT.
    """

    epoch: int
    seq: int
    profile: StepProfile
    until_s: int
    deadline: datetime | None
    kind: Kind = Kind.OURS
    composed: bool = False


class Trouble(StrEnum):
    """Why a session cannot be controlled."""

    REJECTED = "its profiles are rejected"
    NOT_SUPPORTED = "it does not support charging profiles"
    SILENT = "no result comes back for its profiles"
    IGNORED = "it draws more than it was told"


@dataclass(frozen=True, slots=True)
class Excess:
    """What a car draws above all that it was told, in mW, and how many readings in a row were above."""

    mw: int
    readings: int


@dataclass(slots=True)
class Row:
    """The state of one session; plain values, kept over a restart.

    `ours`: the confirmed profile is from the load manager. `desired` is the target under the eMSP's own profile, as
    it can be written. `told`: people know of the trouble; `asked`: the session is being looked up. `lowered_at`: up to
    when more was in force than since; `read_at`: up to when its power was read; `remind`: it is to be told once more.
    """

    session: Session
    target: Target | None = None
    desired: Target | None = None
    releasing: bool = False
    theirs: StepProfile | None = None
    theirs_before: StepProfile | None = None
    confirmed: StepProfile | None = None
    confirmed_until_s: int = 0
    ours: bool = False
    waiting: Sent | None = None
    doubt: StepProfile | None = None
    reported: StepProfile | None = None
    seq: int = 0
    sent_at: datetime | None = None
    changed_at: datetime | None = None
    not_before: datetime | None = None
    rise_not_before: datetime | None = None
    backoff_s: int = 0
    rejections: int = 0
    unanswered: int = 0
    trouble: Trouble | None = None
    told: bool = False
    unknown: bool = False
    asked: bool = False
    owes_result: bool = False
    lowered_at: datetime | None = None
    read_at: datetime | None = None
    excess: Excess | None = None
    remind: bool = False

    @property
    def lasting(self) -> tuple[object, ...]:
        """All of it that has to be on the shelf: `target` and `desired` are told anew after a restart."""
        return _LASTING(self)

    @property
    def unsteered(self) -> StepProfile:
        """What holds without a profile."""
        default_mw = self.session.default_mw
        return StepProfile.flat(0, self.session.maximum_mw if default_mw is None else default_mw)

    @property
    def given(self) -> StepProfile:
        """What the CPO has: the confirmed profile, else what holds without one."""
        return self.unsteered if self.confirmed is None else self.confirmed

    @property
    def settled(self) -> StepProfile:
        """What holds if nothing in flight or in doubt got through: the confirmed profile under the reported limit."""
        return self.given if self.reported is None else minimum(self.given, self.reported)

    @property
    def in_force(self) -> StepProfile:
        """The highest of all that may be in force."""
        waiting = None if self.waiting is None else self.waiting.profile
        return highest([self.settled, *(profile for profile in (self.doubt, waiting) if profile is not None)])

    @property
    def booked(self) -> StepProfile:
        """The highest of all that may be in force and of what the car draws all the same."""
        in_force = self.in_force
        return in_force if self.excess is None else highest([in_force, StepProfile.flat(0, self.excess.mw)])

    @property
    def newest(self) -> StepProfile:
        """What holds if all that was sent got through."""
        return self.settled if self.waiting is None else self.waiting.profile

    @property
    def newest_until_s(self) -> int | None:
        """From when on the newest is its ending; None where it is not the load manager's and has none."""
        if self.waiting is not None:
            return self.waiting.until_s if self.waiting.kind is Kind.OURS else None
        return self.confirmed_until_s if self.ours else None

    @property
    def in_flight(self) -> bool:
        """Whether a result may still come in time."""
        return self.waiting is not None and self.waiting.deadline is not None

    @property
    def doubtful(self) -> bool:
        """Whether something was sent about which nothing is known, so that the newest plan has to be sent again."""
        return not self.in_flight and (self.waiting is not None or self.doubt is not None)

    @property
    def to_release(self) -> bool:
        """Whether a profile may be in force that is neither the eMSP's nor taken away by what is in flight."""
        if self.waiting is not None:
            wanted = Kind.NONE if self.theirs is None else Kind.THEIRS
            return not (self.in_flight and self.waiting.kind is wanted)
        return self.ours or self.doubt is not None or (self.confirmed is not None and self.theirs is None)

    def booked_without_ending(self) -> StepProfile:
        """The highest of all that may be in force while the newest is refreshed before its ending begins."""
        booked, until_s = self.booked, self.newest_until_s
        if until_s is None:
            return booked
        steps = booked.steps
        return StepProfile.of([steps[0], *(step for step in steps[1:] if step[0] < until_s)])

    def lost(self, offline: Collection[str]) -> bool:
        """Whether no limit can be brought to it at all; `offline` are the CPOs that cannot be reached."""
        return self.trouble not in {None, Trouble.IGNORED} or self.unknown or self.session.cpo in offline

    def held(self, offline: Collection[str], now: datetime) -> bool:
        """Whether no other limit can be brought to it now: it is lost, or was told too often."""
        return self.lost(offline) or (self.not_before is not None and self.not_before > now)

    def aim(self) -> None:
        """Works out `desired`, after the target or the eMSP's profile has changed."""
        if self.target is None:
            self.desired = None
            return
        plan = self.target.profile
        bounds = [StepProfile.flat(plan.start_s, self.session.maximum_mw)]
        if self.theirs is not None:
            bounds.append(self.theirs.since(plan.start_s))
        profile = minimum(plan, *bounds)
        self.desired = Target(written(profile, self.session.scale), self.target.until_s)

    def put_in_flight(self, sent: Sent, now: datetime) -> None:
        """It leaves; what was in flight before is in doubt from now on."""
        self.doubt_waiting()
        self.waiting, self.seq, self.remind = sent, sent.seq, False
        self.sent_at = self.changed_at = now

    def doubt_waiting(self) -> None:
        """Nothing more is expected about what is in flight, and it may have got through."""
        if self.waiting is not None:
            self.doubt = self.waiting.profile if self.doubt is None else highest([self.doubt, self.waiting.profile])
            self.waiting = None

    def confirm(self, sent: Sent, now: datetime) -> None:
        """This one is in force, and nothing else is."""
        before = self.in_force
        self.confirmed = None if sent.kind is Kind.NONE else sent.profile
        self.confirmed_until_s = sent.until_s
        self.ours = sent.kind is Kind.OURS
        self.waiting = self.doubt = self.reported = self.not_before = None
        self.backoff_s = self.rejections = self.unanswered = 0
        if self.trouble is not Trouble.IGNORED:
            self.trouble = None
        self._note_lower(before, now)

    def reject(self) -> None:
        """What is in flight never came into force."""
        if self.waiting is not None and self.waiting.composed:
            self.theirs = self.theirs_before
            self.aim()
        self.waiting = None
        self.rejections += 1

    def report(self, limit: StepProfile, now: datetime, until_s: int | None) -> None:
        """The CPO says what the charge point goes by: it bounds what is confirmed, and it counts if it is higher.

        After `until_s` it says nothing.
        """
        before, now_s = self.in_force, second(now)
        bound = limit if until_s is None else with_ending(limit, StepProfile.flat(0, self.session.maximum_mw), until_s)
        self.reported = bound if exceeds(self.given, bound, now_s) else None
        if exceeds(limit, self.in_force, now_s, until_s):
            seen = limit if until_s is None else with_ending(limit, StepProfile.flat(0, 0), until_s)
            self.doubt = seen if self.doubt is None else highest([self.doubt, seen])
        self._note_lower(before, now)

    def _note_lower(self, before: StepProfile, now: datetime) -> None:
        # A profile says nothing of what was in force before it: readings of that time are not held against it.
        from_s = 0 if self.lowered_at is None else second(self.lowered_at)
        over_s = above_until(before, self.in_force, from_s, second(now) + 1)
        if over_s is not None:
            self.lowered_at = min(now, moment_of(over_s))


_LASTING: Callable[[Row], tuple[object, ...]] = attrgetter(
    *(each.name for each in fields(Row) if each.name not in {"target", "desired"})
)
