"""The dispatch board of one tree: events change what it knows, `decide` says what is to be sent.

Rules
- What goes down is sent at once. What goes up is sent only when all that is booked fits under every node above the
  session with it added, over the whole horizon.
- The limits count every session of the board, also those that cannot be controlled; the plan takes those from `held`.
- The state is written down before anything goes out: after `decide`, `theirs` and `theirs_gone`, and after `reported`
  before the CPO has its answer. After a restart all that was in flight counts as never answered; who is there, limits
  and targets are told anew before the first `decide`.
- Messages about one session go one after the other: the next leaves after the answer to the last, or its timeout.
- An event about a session the board does not have changes nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from hub.ocpi.codec import from_plain, to_plain
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Answer
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch.actions import Action, Put, Reason
from plugins.load_manager.dispatch.deciding import Round
from plugins.load_manager.dispatch.drawing import judge
from plugins.load_manager.dispatch.rates import Rates
from plugins.load_manager.dispatch.row import Kind, Row, Sent, Session, Target, Trouble
from plugins.load_manager.dispatch.state import Settings, State
from plugins.load_manager.profiles import StepProfile, minimum, second, written
from plugins.load_manager.strides import Strides, at_once


class Board:
    """The sessions of one tree. Every event comes with the moment it is told."""

    def __init__(self, state: State | None = None, settings: Settings | None = None) -> None:
        self.state = state or State()
        self.settings = settings or Settings()

    @classmethod
    def from_json(cls, value: object, settings: Settings | None = None) -> "Board":
        """As it was when `to_json` was called; ValueError when the value does not fit."""
        return cls(from_plain(State, value), settings)

    def to_json(self) -> object:
        """Everything it remembers, as a JSON value."""
        plain: object = to_plain(self.state)
        return plain

    def decide(self, now: datetime, rates: Rates) -> list[Action]:
        """What is to be done now, in this order. A second call with nothing changed sends nothing."""
        return at_once(self.deciding(now, rates))

    def deciding(self, now: datetime, rates: Rates) -> Strides[list[Action]]:
        """The same in strides; events may come between them, one other such round may not."""
        return Round(self.state, self.settings, now, rates).actions()

    def booked(self, session_id: str, moment: datetime) -> int:
        """The highest power in mW that may be in force at that moment; KeyError for a session it does not have."""
        return self.state.rows[session_id].booked.value_at(moment)

    def held(self, now: datetime) -> dict[str, StepProfile]:
        """What the plan has to count as it is, because no other limit can be brought to the session now."""
        return {row.session.id: row.booked for row in self.state.rows.values() if row.held(self.state.offline, now)}

    def overdrawn(self, now: datetime) -> dict[str, int]:
        """What sessions draw above all that they were told, in mW: the plan has to count it, and tell them their limit
        all the same. Those that are held are not among them.
        """
        rows = self.state.rows.values()
        return {row.session.id: row.excess.mw for row in rows if row.excess and not row.held(self.state.offline, now)}

    # What the plan says

    def aim(self, session_id: str, target: Target) -> None:
        """The plan has a limit for the session."""
        if row := self.state.rows.get(session_id):
            row.target, row.releasing = target, False
            row.aim()

    def release(self, session_id: str) -> None:
        """The plan has no limit for the session any more: what it has of ours is taken away when there is room."""
        if row := self.state.rows.get(session_id):
            row.target, row.releasing = None, True
            row.aim()

    def let_go(self) -> None:
        """Nobody steers any more: no limit holds, and what there is of ours is taken away at once."""
        self.state.limits, self.state.deficits_mw, self.state.over_since = {}, {}, {}
        for row in self.state.rows.values():
            row.target, row.releasing, row.rise_not_before = None, True, None
            row.aim()

    def limit(self, limits: Mapping[str, StepProfile]) -> None:
        """The limits of all nodes that have one, in mW and without anything taken off for the board's own sessions."""
        before = self.state.limits
        self.state.limits = dict(limits)
        self.state.deficits_mw = {
            node: told_mw for node, told_mw in self.state.deficits_mw.items() if before.get(node) == limits.get(node)
        }

    def lifted(self, now: datetime, nodes: Iterable[str]) -> None:
        """Limits rose after FALLBACK or unannounced: the sessions below go up one by one, each after its own delay."""
        above = set(nodes)
        for row in self.state.rows.values():
            if above.intersection(row.session.path):
                row.rise_not_before = now + self._delay(row.session.id)

    # What the sessions do

    def seen(self, session: Session) -> None:
        """A session started, is found late, or is seen with other bounds."""
        row = self.state.rows.setdefault(session.id, Row(session))
        row.session, row.unknown, row.asked = session, False, False
        row.aim()

    def ended(self, session_id: str) -> None:
        """The session is over; those that shared a node with it may go up without a pause."""
        gone = self.state.rows.pop(session_id, None)
        if gone is None:
            return
        self.state.gone.append(session_id)
        shared = set(gone.session.path)
        for row in self.state.rows.values():
            if shared.intersection(row.session.path):
                row.changed_at = None

    def drew(
        self, session_id: str, power_mw: int, since: datetime, at: datetime, *, least_mw: int | None = None
    ) -> bool:
        """A reading of its average power from `since` to `at`, which was at least `least_mw` for sure; whether it
        changes what is booked.
        """
        row, most = self.state.rows.get(session_id), self.settings.most_ignored
        least_mw = power_mw if least_mw is None else least_mw
        return row is not None and judge(row, power_mw, since, at, least_mw=least_mw, most_readings=most)

    # What the CPO says

    def answered(self, now: datetime, session_id: str, epoch: int, seq: int, *, answer: Answer, timeout_s: int) -> bool:
        """What the CPO says at once; False when it is about nothing in flight, which changes nothing."""
        row = self._about(session_id, epoch, seq)
        if row is None or row.waiting is None:
            return False
        match answer:
            case Answer.ACCEPTED:
                row.waiting = replace(row.waiting, deadline=now + timedelta(seconds=max(0, timeout_s)))
            case Answer.REJECTED:
                self._rejected(row)
            case Answer.NOT_SUPPORTED:
                row.waiting, row.trouble = None, Trouble.NOT_SUPPORTED
            case Answer.UNKNOWN_SESSION:
                row.waiting, row.unknown = None, True
            case Answer.TOO_OFTEN:
                first_s, most_s = self.settings.first_backoff_s, self.settings.most_backoff_s
                row.backoff_s = min(most_s, row.backoff_s * 2 or first_s)
                row.waiting, row.not_before = None, now + timedelta(seconds=row.backoff_s)
        return True

    def called_back(self, now: datetime, session_id: str, epoch: int, seq: int, result: Result) -> bool:
        """The result; False when it is not about the newest, which changes nothing."""
        row = self._about(session_id, epoch, seq)
        if row is None or row.waiting is None:
            return False
        nothing_there = result is Result.UNKNOWN and row.waiting.kind is Kind.NONE
        if result is Result.ACCEPTED or nothing_there:
            row.confirm(row.waiting, now)
        elif result is Result.REJECTED:
            self._rejected(row)
        return True

    def unanswered(self, now: datetime, session_id: str, epoch: int, seq: int) -> None:
        """No answer came, so nobody knows whether the message arrived: its time is over now."""
        row = self._about(session_id, epoch, seq)
        if row is not None and row.waiting is not None and row.waiting.deadline is not None:
            row.waiting = replace(row.waiting, deadline=now)

    def reported(self, now: datetime, session_id: str, limit: StepProfile, until_s: int | None = None) -> None:
        """The CPO pushed an active charging profile, which says something up to `until_s`."""
        if row := self.state.rows.get(session_id):
            row.report(limit, now, until_s)
            self._heard(row)

    def offline(self, cpo: str) -> None:
        """The CPO cannot be reached: its sessions stay at what is booked."""
        if cpo not in self.state.offline:
            self.state.offline.append(cpo)

    def online(self, cpo: str) -> None:
        """The CPO is back, and its sessions were looked up."""
        if cpo in self.state.offline:
            self.state.offline.remove(cpo)
            for row in self.state.rows.values():
                if row.session.cpo == cpo:
                    self._heard(row)

    # What the eMSP says

    def theirs(self, now: datetime, session_id: str, profile: StepProfile) -> Put | None:
        """The eMSP's PUT is under way: what becomes of it. None lets it pass, for a session the board does not have.

        It is the lowest of theirs, what is booked and what the plan wants, so that it fits whatever else happens. Where
        there is neither a limit nor a plan it is theirs as it is.
        """
        row = self.state.rows.get(session_id)
        if row is None:
            return None
        row.theirs_before, row.theirs = row.theirs, profile
        row.aim()
        wanted, until_s = row.desired, row.newest_until_s
        if wanted is not None:
            lowest = minimum(wanted.profile, row.in_force)
            until_s = wanted.until_s if until_s is None else min(until_s, wanted.until_s)
        elif any(node in self.state.limits for node in row.session.path):
            lowest = minimum(profile, row.in_force)
        else:
            lowest = profile
        sent = Sent(
            self.state.epoch,
            row.seq + 1,
            written(lowest.since(second(now)), row.session.scale),
            until_s or 0,
            now + timedelta(seconds=self.settings.answer_s),
            Kind.THEIRS if wanted is None else Kind.OURS,
            composed=True,
        )
        row.put_in_flight(sent, now)
        return Put(session_id, sent.profile, sent.epoch, sent.seq, Reason.COMPOSED)

    def theirs_gone(self, session_id: str) -> bool:
        """The eMSP's DELETE came. True: it is not passed on, a `Settle` says when its result is due.

        False lets it pass, for a session the board does not have or that has no profile.
        """
        row = self.state.rows.get(session_id)
        if row is None:
            return False
        row.theirs = None
        row.aim()
        if row.target is None:
            row.releasing = row.to_release
        row.owes_result = row.target is not None or row.releasing
        return row.owes_result

    # What the hub does

    def restarted(self) -> None:
        """A new epoch: nothing that was in flight is heard of again, and people are told again."""
        self.state.epoch += 1
        self.state.deficits_mw.clear()
        for row in self.state.rows.values():
            row.doubt_waiting()
            row.told = row.asked = False

    def _about(self, session_id: str, epoch: int, seq: int) -> Row | None:
        row = self.state.rows.get(session_id)
        if row is None or row.waiting is None or (row.waiting.epoch, row.waiting.seq) != (epoch, seq):
            return None
        return row

    def _rejected(self, row: Row) -> None:
        row.reject()
        if row.rejections >= self.settings.most_rejections:
            row.trouble = Trouble.REJECTED

    @staticmethod
    def _heard(row: Row) -> None:
        row.unanswered = 0
        if row.trouble is Trouble.SILENT:
            row.trouble = None

    def _delay(self, session_id: str) -> timedelta:
        digest = hashlib.blake2b(f"{self.state.epoch}:{session_id}".encode(), digest_size=8).digest()
        return timedelta(milliseconds=int.from_bytes(digest) % (self.settings.most_jitter_ms + 1))
