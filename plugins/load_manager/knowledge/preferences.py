"""What drivers wish: charging preferences count when the CPO answered ACCEPTED, from the moment they were asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, NamedTuple

from hub.ocpi.v221.common import ProfileType
from hub.ocpi.v221.sessions import ChargingPreferencesResponse
from plugins.load_manager.knowledge import wire
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.session import MOST_KWH
from plugins.load_manager.knowledge.shelving import Shelved

ANSWER_WITHIN = timedelta(minutes=2)
MOST_WAITING = 10_000
MOST_PREFERENCES = 500_000


@dataclass(frozen=True, slots=True)
class Preference:
    """A driver's wish. `need_kwh` is what was still to come when it was asked, at `asked_kwh` on the session."""

    profile_type: ProfileType
    asked_at: datetime
    asked_kwh: Decimal | None = None
    departure_at: datetime | None = None
    need_kwh: Decimal | None = None
    discharge_allowed: bool = False


class _Waiting(NamedTuple):
    key: SessionKey
    preference: Preference


class PreferenceBook(Shelved[SessionKey, Preference]):
    """Accepted preferences by session, a document `preference/<key>` each. What waits for an answer is not kept: an
    exchange does not outlive the hub. Above the bounds the oldest go.
    """

    prefix: ClassVar[str] = "preference"
    kind: ClassVar[type[object]] = Preference

    def __init__(self, most: int = MOST_PREFERENCES, most_waiting: int = MOST_WAITING) -> None:
        super().__init__()
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: dict[str, _Waiting] = {}

    @property
    def waiting(self) -> int:
        """Requests without an answer so far."""
        return len(self._waiting)

    def asked(
        self, correlation_id: str, key: SessionKey, body: object, kwh: Decimal | None, now: datetime
    ) -> Preference | None:
        """A ChargingPreferences body on its way to the CPO while the session stands at `kwh`; None when it is none."""
        self._drop_unanswered(now)
        has = wire.members(body)
        profile_type = wire.choice(ProfileType, has.get("profile_type"))
        if profile_type is None:
            return None
        preference = Preference(
            profile_type,
            asked_at=now,
            asked_kwh=kwh,
            departure_at=wire.moment(has.get("departure_time")),
            need_kwh=wire.number(has.get("energy_need"), 0, MOST_KWH),
            discharge_allowed=has.get("discharge_allowed") is True,
        )
        self._waiting[correlation_id] = _Waiting(key, preference)
        return preference

    def answered(self, correlation_id: str, answer: object, now: datetime) -> SessionKey | None:
        """The CPO's answer (`data` of the envelope; None when there was none); the session whose wish is now another.

        An answer that comes after that of a later request changes nothing.
        """
        self._drop_unanswered(now)
        waiting = self._waiting.pop(correlation_id, None)
        if waiting is None or answer != ChargingPreferencesResponse.ACCEPTED:
            return None
        key, preference = waiting
        known = self._kept.pop(key, None)
        newest = preference if known is None or preference.asked_at >= known.asked_at else known
        self._kept[key] = newest
        if newest is known:
            return None
        self._touch(key)
        if len(self._kept) > self._most:
            self.forget(next(iter(self._kept)))
        return key

    def _drop_unanswered(self, now: datetime) -> None:
        while self._waiting:
            oldest = next(iter(self._waiting))
            late = now - self._waiting[oldest].preference.asked_at > ANSWER_WITHIN
            if not late and len(self._waiting) < self._most_waiting:
                break
            del self._waiting[oldest]
