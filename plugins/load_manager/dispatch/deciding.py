"""One round of decisions about all sessions of a board.

Rules
- A profile is compared with the newest one sent, up to where that one's ending begins; what lies behind waits for the
  refresh. It goes down where it is lower anywhere there, and up where it is above all that is booked.
- A message is due when there was none yet, when nothing is known about the last, when the car does not keep to the
  last, when the limit is lower, when the refresh is due and would change something, or when it is higher by an ampere
  and a tenth and the last change was a minute ago. A message that is due carries the whole target if that fits, else
  only what is lower in it.
- A small decrease leaves only where it is needed, as `sparing` says, or with the refresh.
- While one is in flight only a lower limit overtakes it.
- Lower limits leave first: those under the largest overload, of these the largest drop. Then the higher ones, those
  with the least power first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter

from plugins.load_manager.dispatch.actions import (
    Action,
    Alarm,
    Complied,
    Deficit,
    Forget,
    Put,
    Reason,
    Regained,
    Release,
    Settle,
    TimedOut,
    Verify,
    WakeAt,
)
from plugins.load_manager.dispatch.ledger import Ledger
from plugins.load_manager.dispatch.move import Move
from plugins.load_manager.dispatch.rates import Rates
from plugins.load_manager.dispatch.row import Kind, Row, Sent, Target, Trouble
from plugins.load_manager.dispatch.sparing import needed, small
from plugins.load_manager.dispatch.state import Settings, State
from plugins.load_manager.profiles import StepProfile, exceeds, maximum_over, minimum, second, written
from plugins.load_manager.strides import Strides

_AT_ONCE = timedelta(milliseconds=500)
"""Messages that wait for a CPO's rate leave together after so long: each look at a tree costs more than a message."""


class Round:
    """The decisions of one moment. `actions` is called once."""

    def __init__(self, state: State, settings: Settings, now: datetime, rates: Rates) -> None:
        self._state = state
        self._settings = settings
        self._now = now
        self._now_s = second(now)
        self._end_s = self._now_s + settings.horizon_s
        self._rates = rates
        self._wakes: list[datetime] = []
        self._spared: dict[str, Move] = {}
        self._short: set[str] = set()
        self._late: list[str] = []
        self._ledger = Ledger({}, [])

    def actions(self) -> Strides[list[Action]]:
        """What is to be done, in order. Sessions that come or go between two strides have their turn in the next
        round.
        """
        rows = list(self._state.rows.values())
        self._ledger = yield from Ledger.of(rows, self._state.limits, self._now_s, self._end_s)
        for row in rows:
            yield
            self._let_time_pass(row)
        news = yield from self._news(rows)
        downs, rises = yield from self._moves(rows)
        ups = yield from self._fitting(rises, downs)
        downs += yield from needed(self._spared.values(), [*downs, *ups], self._short, self._state, self._now_s)
        sent = yield from self._sent(downs, ups)
        results: list[Action] = []
        for row in rows:
            yield
            results += self._results(row)
            if row.waiting and row.waiting.deadline:
                self._wakes.append(row.waiting.deadline)
        later = [moment for moment in self._wakes if moment > self._now]
        return [*sent, *news, *results, *([WakeAt(min(later))] if later else [])]

    def _moves(self, rows: list[Row]) -> Strides[tuple[list[Move], list[Move]]]:
        """What is due: what books no more than there is, and what does."""
        downs: list[Move] = []
        rises: list[Move] = []
        for row in rows:
            yield
            move = self._due(row)
            if move is not None:
                self._spared.pop(row.session.id, None)
                (rises if self._rises(move) else downs).append(move)
        return downs, rises

    def _fitting(self, rises: list[Move], downs: list[Move]) -> Strides[list[Move]]:
        """Those that fit, one after the other; of the others what is lower goes to `downs`."""
        by_power = []
        for move in rises:
            yield
            by_power.append((move.row.newest.at(self._now_s), move.row.session.id, move))
        ups = []
        for _, _, move in sorted(by_power, key=itemgetter(0, 1)):
            yield
            if self._may_rise(move):
                ups.append(move)
            elif (lower := self._lower_part(move)) is not None:
                downs.append(lower)
        return ups

    def _sent(self, downs: list[Move], ups: list[Move]) -> Strides[list[Action]]:
        """The messages, in order."""
        urgencies = []
        for move in downs:
            yield
            urgencies.append((self._urgency(move), move))
        sent = []
        for move in (*(move for _, move in sorted(urgencies, key=itemgetter(0))), *ups):
            yield
            action = self._send(move)
            if action is not None:
                sent.append(action)
        return sent

    def _let_time_pass(self, row: Row) -> None:
        sent = row.waiting
        if sent is None or sent.deadline is None or sent.deadline > self._now:
            return
        row.waiting = replace(sent, deadline=None)
        if row.session.cpo not in self._state.offline:
            row.unanswered += 1
            self._late.append(row.session.id)
        if row.unanswered > self._settings.most_again:
            row.trouble = row.trouble or Trouble.SILENT

    def _due(self, row: Row) -> Move | None:
        """What should be sent about the session, whether it fits or not."""
        if row.held(self._state.offline, self._now):
            if row.not_before is not None:
                self._wakes.append(row.not_before)
            return None
        if row.releasing:
            return self._due_release(row)
        want = row.desired
        if want is None:
            return None
        newest, until_s = row.newest, row.newest_until_s
        lower = self._lower(row, want)
        if row.in_flight:
            return lower
        if until_s is None:
            return Move(row, row.seq, want, Reason.FIRST)
        if row.doubtful or row.remind:
            return Move(row, row.seq, want, Reason.AGAIN)
        if lower is not None:
            return lower
        if self._refresh_due(row) and (
            exceeds(newest, want.profile, self._now_s) or exceeds(want.profile, newest, self._now_s)
        ):
            return Move(row, row.seq, want, Reason.REFRESH)
        if self._much_higher(row, want.profile) and self._rested(row):
            return Move(row, row.seq, want, Reason.HIGHER)
        return None

    def _lower(self, row: Row, want: Target) -> Move | None:
        """The decrease that cannot wait; a small one is noted."""
        to_s = want.until_s if row.newest_until_s is None else row.newest_until_s
        if not exceeds(row.newest, want.profile, self._now_s, to_s):
            return None
        move = Move(row, row.seq, want, Reason.LOWER)
        if not small(row, want.profile, self._now_s, to_s):
            return move
        spared = self._lower_part(move) if self._rises(move) else move
        if spared is not None:
            self._spared[row.session.id] = spared
        return None

    def _due_release(self, row: Row) -> Move | None:
        if row.in_flight:
            return None
        if not row.to_release:
            row.releasing = False
            return None
        if row.theirs is None:
            return Move(row, row.seq, Target(row.unsteered, 0), Reason.HIGHER, Kind.NONE)
        return Move(row, row.seq, Target(written(row.theirs, row.session.scale), 0), Reason.HIGHER, Kind.THEIRS)

    def _refresh_due(self, row: Row) -> bool:
        if row.sent_at is None:
            return True
        due = row.sent_at + timedelta(seconds=self._settings.refresh_s)
        self._wakes.append(due)
        return due <= self._now

    def _much_higher(self, row: Row, profile: StepProfile) -> bool:
        # Under a reported local limit the same profile once more would change nothing.
        before = row.given if row.waiting is None else row.waiting.profile
        ampere_mw = row.session.scale.ampere_mw
        return exceeds(profile, before, self._now_s, self._end_s, lambda power_mw: max(ampere_mw, power_mw // 10))

    def _rested(self, row: Row) -> bool:
        if row.changed_at is None:
            return True
        rested = row.changed_at + timedelta(seconds=self._settings.rise_pause_s)
        self._wakes.append(rested)
        return rested <= self._now

    def _rises(self, move: Move) -> bool:
        """Whether more would be booked: then it has to fit."""
        return exceeds(move.target.profile, move.row.booked, self._now_s, self._end_s)

    def _may_rise(self, move: Move) -> bool:
        row = move.row
        if row.in_flight:
            return False
        if row.rise_not_before is not None and row.rise_not_before > self._now:
            self._wakes.append(row.rise_not_before)
            return False
        added = self._ledger.added(row, move.target.profile)
        if short := self._ledger.short(row, added):
            self._short.update(short)
            return False
        self._ledger.book(row, added)
        return True

    def _lower_part(self, move: Move) -> Move | None:
        """What can be sent of it although the rest does not fit; None when that changes nothing."""
        row, want = move.row, move.target
        if move.kind is not Kind.OURS:
            return None
        newest, until_s = row.newest, row.newest_until_s
        if until_s is None:
            until_s = want.until_s
        profile = written(minimum(want.profile, newest), row.session.scale)
        end_s = None if move.reason is Reason.REFRESH else until_s
        if move.reason is not Reason.AGAIN and not exceeds(newest, profile, self._now_s, end_s):
            return None
        return move._replace(target=Target(profile, min(until_s, want.until_s)))

    def _urgency(self, move: Move) -> tuple[int, int, str]:
        row = move.row
        overload_mw = max((self._ledger.overload_mw(node) for node in row.session.path), default=0)
        drop_mw = max(
            one - other
            for one, other in zip(
                self._ledger.sample(row.newest), self._ledger.sample(move.target.profile), strict=True
            )
        )
        return -overload_mw, -drop_mw, row.session.id

    def _send(self, move: Move) -> Action | None:
        row = move.row
        if row.seq != move.seq:
            return None
        if not self._rates.take(row.session.cpo, self._now):
            self._wakes.append(max(self._now + _AT_ONCE, self._rates.free_at(row.session.cpo, self._now)))
            return None
        profile = move.target.profile.since(self._now_s)
        deadline = self._now + timedelta(seconds=self._settings.answer_s)
        sent = Sent(self._state.epoch, row.seq + 1, profile, move.target.until_s, deadline, move.kind)
        row.put_in_flight(sent, self._now)
        if move.kind is not Kind.OURS:
            return Release(row.session.id, profile if move.kind is Kind.THEIRS else None, sent.epoch, sent.seq)
        return Put(row.session.id, profile, sent.epoch, sent.seq, move.reason)

    def _news(self, rows: list[Row]) -> Strides[list[Action]]:
        found: list[Action] = [*map(TimedOut, self._late), *map(Forget, self._state.gone)]
        self._state.gone = []
        for row in rows:
            yield
            if row.trouble is not None and not row.told:
                row.told = True
                found.append(
                    Alarm(row.session.id, f"session {row.session.id} of {row.session.cpo}: {row.trouble.value}")
                )
            elif row.trouble is None and row.told:
                row.told = False
                found.append(Regained(row.session.id))
            if row.unknown and not row.asked:
                row.asked = True
                found.append(Verify(row.session.id))
        stuck = [row for row in rows if row.trouble is not None or self._stays(row)]
        of_stuck = yield from Ledger.of(stuck, self._state.limits, self._now_s, self._end_s)
        return [*found, *self._deficits(of_stuck.overloads()), *self._compliance()]

    def _stays(self, row: Row) -> bool:
        """Whether nothing lower will come to it: none can be brought to it now, or none is wanted for it."""
        return row.target is None or row.held(self._state.offline, self._now)

    def _deficits(self, shortfalls: Mapping[str, StepProfile]) -> Iterator[Action]:
        told = self._state.deficits_mw
        self._state.deficits_mw = {}
        for node, shortfall in shortfalls.items():
            most_mw = maximum_over(shortfall, self._now_s, self._end_s)
            self._state.deficits_mw[node] = most_mw
            if most_mw > told.get(node, 0):
                yield Deficit(node, most_mw, shortfall)

    def _compliance(self) -> Iterator[Action]:
        over = self._ledger.overloads()
        since = self._state.over_since
        self._state.over_since = {node: since.get(node, self._now) for node in over}
        for node, began in since.items():
            if node not in over:
                yield Complied(node, began, (self._now - began).total_seconds())

    def _results(self, row: Row) -> Iterator[Action]:
        if not row.owes_result:
            return
        lost = row.lost(self._state.offline)
        waits = row.in_flight or row.releasing or row.doubtful
        if lost or not (waits or (row.desired is not None and self._much_higher(row, row.desired.profile))):
            row.owes_result = False
            yield Settle(row.session.id, accepted=not lost)
