"""The energy register of a grid group: what its sessions have been given, in kWh, on a meter that never runs back and
survives restarts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, NewType

from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.power import Quality, mean_mw
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.knowledge.shelving import Shelved

GroupId = NewType("GroupId", str)

COUNTED_KEPT = timedelta(days=1)
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a session's energy is on the register, and when that was last looked at."""

    kwh: Decimal
    at: datetime


@dataclass(slots=True)
class Register:
    """A meter that runs since `begun_at` and was last read at `measured_at`."""

    begun_at: datetime
    measured_at: datetime
    value_kwh: Decimal = _NONE
    counted: dict[str, Counted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupMeasurement:
    """A reading: the register in kWh, and the average power in mW since the reading before (None for the first).

    Quality is derived, or assumed when a car that charges was not heard of since then.
    """

    group: GroupId
    value_kwh: Decimal
    quality: Quality
    average_mw: int | None
    since: datetime
    at: datetime


class RegisterBook(Shelved[GroupId, Register]):
    """Registers by group, a document `register/<group>` each, changed by a reading only. What is read, is saved and
    only then sent cannot be counted twice, nor lost, by a restart.
    """

    prefix: ClassVar[str] = "register"
    kind: ClassVar[type[object]] = Register

    def begin(self, group: GroupId, now: datetime, value_kwh: Decimal = _NONE) -> None:
        """A register that stands at this value; what sessions have been given before is not on it."""
        self._kept[group] = Register(now, now, value_kwh)
        self._touch(group)

    def measure(
        self, group: GroupId, sessions: Iterable[tuple[SessionKey, Session]], now: datetime
    ) -> GroupMeasurement:
        """Reads it. `sessions`: all of the group that are known, those that ended included.

        Of a session that is new, all its energy is counted if it began after the register did. What it had before it
        was first heard of does not make the average, if it began before the last reading.
        """
        first = group not in self._kept
        if first:
            self.begin(group, now)
        register = self._kept[group]
        since = register.measured_at
        recent_kwh = _NONE
        quality = Quality.DERIVED
        for key, session in sessions:
            if session.kwh is None:
                continue
            known = register.counted.get(key)
            counted_kwh = known.kwh if known else _before(session, register.begun_at, first=first)
            kwh = max(session.kwh, counted_kwh)
            register.value_kwh += kwh - counted_kwh
            recent_kwh += kwh - (counted_kwh if known else max(counted_kwh, _before(session, since, first=first)))
            register.counted[key] = Counted(kwh, now)
            if session.drawing and (not session.samples or session.samples[-1].at < since):
                quality = Quality.ASSUMED
        register.counted = {key: one for key, one in register.counted.items() if now - one.at <= COUNTED_KEPT}
        register.measured_at = now
        self._touch(group)
        average_mw = mean_mw(recent_kwh, now - since) if now > since else None
        return GroupMeasurement(group, register.value_kwh, quality, average_mw, since, now)


def _before(session: Session, moment: datetime, *, first: bool) -> Decimal:
    """What a session that is not on the register had before it could be."""
    if session.kwh is not None and first:
        return session.kwh
    if (session.started_at or session.first_seen) >= moment:
        return _NONE
    return session.first_sample.kwh if session.first_sample else _NONE
