"""Which sessions are on and since when: at the moment of a plan, and along it as it switches them.

What the previous plan said comes first, for it is what the profiles say; without one, as after a takeover, the profiles
themselves; else what is known of the session.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Floats, Ints
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import SessionRow
from plugins.load_manager.planning.circumstances import Settings
from plugins.load_manager.planning.plan import Plan, Turn
from plugins.load_manager.profiles import StepProfile, second

_S_PER_H = 3600.0


class Turns:
    """The turns of sessions, as arrays in their order; `since_s` is when the session was switched last."""

    def __init__(self, turns: Sequence[Turn], settings: Settings) -> None:
        self.on: Bools = np.array([turn.on for turn in turns], dtype=np.bool_)
        self.since_s: Ints = np.array([turn.since_s for turn in turns], dtype=np.int64)
        self._settings = settings

    def hours(self, moment_s: int) -> tuple[Floats, Floats]:
        """For how long each has been on, and for how long off; 0 for what it is not."""
        passed_h = np.maximum(moment_s - self.since_s, 0) / _S_PER_H
        return np.where(self.on, passed_h, 0.0), np.where(self.on, 0.0, passed_h)

    def resting(self, moment_s: int) -> Bools:
        """Those that went off a moment ago."""
        return ~self.on & (moment_s - self.since_s < self._settings.min_off_s)

    def switch(self, on: Bools, moment_s: int) -> None:
        """From that second on these are on and no others."""
        self.since_s = np.where(on == self.on, self.since_s, moment_s)
        self.on = on

    def next_rest_over_s(self, moment_s: int, resting: Bools) -> int:
        """The first full minute at which one of those that rested then may go on again."""
        over_s = int(self.since_s[resting].min()) + self._settings.min_off_s
        return max(moment_s + 1, -(-over_s // 60) * 60)

    def next_change_s(self, moment_s: int) -> int:
        """When somebody who waits may take the place of a session that is on: at a slot, once that has been on for long
        enough.
        """
        free_s = int((self.since_s[self.on] + self._settings.min_on_s).min()) if self.on.any() else 0
        slot_s = self._settings.slot_s
        return -(-max(free_s, moment_s + 1) // slot_s) * slot_s


def turns_now(
    rows: Sequence[SessionRow], previous: Plan | None, told: Mapping[SessionKey, StepProfile], now_s: int
) -> list[Turn]:
    """The turn of each session at this second. `told`: the profiles that CPOs have, where nobody knows the plan that
    made them.
    """
    return [_by(previous, row.key, now_s) or _along(_known(row, now_s), told.get(row.key), now_s) for row in rows]


def turns_of(keys: Sequence[SessionKey], turns: Turns) -> Mapping[SessionKey, Turn]:
    """The turns by session, for the plan after this one."""
    rows = zip(keys, turns.on.tolist(), turns.since_s.tolist(), strict=True)
    return {key: Turn(on, since_s) for key, on, since_s in rows}


def _by(previous: Plan | None, key: SessionKey, now_s: int) -> Turn | None:
    turn = previous.turns.get(key) if previous is not None else None
    target = previous.targets.get(key) if previous is not None else None
    if turn is None or not isinstance(target, StepProfile):
        return turn
    return _along(turn, target, now_s)


def _along(turn: Turn, profile: StepProfile | None, now_s: int) -> Turn:
    """The turn that a profile has brought about by now."""
    for moment_s, power_mw in () if profile is None else profile.steps:
        if moment_s <= now_s and (power_mw > 0) != turn.on:
            turn = Turn(power_mw > 0, moment_s)
    return turn


def _known(row: SessionRow, now_s: int) -> Turn:
    if row.on_since is None:
        return Turn(on=False, since_s=now_s - row.waiting_s)
    return Turn(on=True, since_s=min(now_s, second(row.on_since)))
