"""All that the load manager knows, and the rows that the allocation works on: plain values, taken at one moment."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from hub.ocpi.v221.charging_profiles import ChargingRateUnit
from hub.ocpi.v221.common import ProfileType
from hub.ocpi.v221.location_enums import Status
from hub.ocpi.v221.sessions import SessionStatus
from plugins.load_manager.knowledge.arrivals import ArrivalBook
from plugins.load_manager.knowledge.connectors import DC_MINIMUM_MW, UNKNOWN, Bounds, Evse
from plugins.load_manager.knowledge.cpo_settings import CpoBook, CpoSettings
from plugins.load_manager.knowledge.evse_book import EvseBook
from plugins.load_manager.knowledge.keys import EvseKey, LocationKey, SessionKey, evse_key, location_key
from plugins.load_manager.knowledge.learning import LearningBook
from plugins.load_manager.knowledge.needs import PRIORS, LocationClass, Need, Prior, need
from plugins.load_manager.knowledge.power import Basis, PowerReading, Quality
from plugins.load_manager.knowledge.preferences import PreferenceBook
from plugins.load_manager.knowledge.refusals import RefusalBook
from plugins.load_manager.knowledge.register import RegisterBook
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.knowledge.session_book import SessionBook
from plugins.load_manager.knowledge.shelving import Documents
from plugins.load_manager.strides import Strides, at_once

WEIGHT_PERCENT = {ProfileType.REGULAR: 100, ProfileType.FAST: 200, ProfileType.CHEAP: 50, ProfileType.GREEN: 100}


class Uncontrolled(StrEnum):
    """Why a session is counted and not steered."""

    NO_CONSENT = "its CPO has not consented"
    NOT_CAPABLE = "its EVSE takes no charging profiles"
    UNKNOWN_EVSE = "its EVSE is not in the catalog"


class SessionRow(NamedTuple):
    """A session for the allocation: it may have 0, or from `minimum_mw` to `maximum_mw` (0: only a pause is left).

    connector_mw  what it may take when nothing limits it; `default_mw`: what its CPO holds it at before any profile
    weight_percent  its share beside a session of 100
    waiting_s  seconds it has been paused; `on_since`: since when it has not, None while it is paused
    pausable  whether it may be paused: its CPO allows it, and the car woke after earlier pauses
    uncontrolled  None when it can be steered; `late`: it ran before it was heard of
    """

    key: SessionKey
    session: Session
    evse: EvseKey | None
    minimum_mw: int
    maximum_mw: int
    connector_mw: int
    default_mw: int
    phases: int
    voltage_v: int
    unit: ChargingRateUnit
    quantum_ma: int
    weight_percent: int
    need: Need
    waiting_s: int
    on_since: datetime | None
    pausable: bool
    uncontrolled: Uncontrolled | None
    late: bool
    draw: PowerReading


@dataclass(frozen=True, slots=True)
class HiddenCar:
    """An EVSE that charges without a session known: what is booked for it, and whether that is the CPO's default."""

    evse: EvseKey
    location_id: str
    evse_uid: str
    booked_mw: int
    by_default: bool


@dataclass(slots=True)
class Known:
    """The books, and what operators set. `classes`: what kind of place a location is, where somebody said so."""

    sessions: SessionBook = field(default_factory=SessionBook)
    evses: EvseBook = field(default_factory=EvseBook)
    preferences: PreferenceBook = field(default_factory=PreferenceBook)
    learning: LearningBook = field(default_factory=LearningBook)
    cpos: CpoBook = field(default_factory=CpoBook)
    registers: RegisterBook = field(default_factory=RegisterBook)
    refusals: RefusalBook = field(default_factory=RefusalBook)
    arrivals: ArrivalBook = field(default_factory=ArrivalBook)
    classes: Mapping[LocationKey, LocationClass] = field(default_factory=dict)
    priors: Mapping[LocationClass, Prior] = field(default_factory=lambda: dict(PRIORS))
    weights: Mapping[ProfileType, int] = field(default_factory=lambda: dict(WEIGHT_PERCENT))
    dc_minimum_mw: int = DC_MINIMUM_MW

    def rows(self, now: datetime, ceilings_mw: Mapping[SessionKey, int] | None = None) -> Iterator[SessionRow]:
        """Every session that may take power. `ceilings_mw`: what others' profiles and charge points allow at most."""
        for key, session in self.sessions.running():
            if session.drawing:
                yield self.row(key, session, now, (ceilings_mw or {}).get(key))

    def row(self, key: SessionKey, session: Session, now: datetime, ceiling_mw: int | None = None) -> SessionRow:
        """One session as it is now."""
        at, evse, bounds = self.place(session)
        settings = self.cpos.of(session.owner)
        learnt, preference = self.learning.pass_to(key, now), self.preferences.find(key)
        phases = learnt.phases if learnt else None
        minimum_mw = bounds.lowest_mw(phases)
        maximum_mw = bounds.highest_mw(phases)
        if learnt is not None and learnt.highest_mw is not None:
            maximum_mw = max(minimum_mw, min(maximum_mw, learnt.highest_mw))
        if ceiling_mw is not None:
            maximum_mw = min(maximum_mw, ceiling_mw) if ceiling_mw >= minimum_mw else 0
        off_since = learnt.off_since if learnt else None
        return SessionRow(
            key,
            session,
            at,
            minimum_mw,
            maximum_mw,
            bounds.maximum_mw,
            default_mw(settings, bounds),
            phases or bounds.phases,
            bounds.voltage_v,
            settings.unit or bounds.unit,
            settings.quantum_ma,
            self.weights[preference.profile_type] if preference else 100,
            need(session, preference, self._prior(session), now),
            max(0, int((now - off_since).total_seconds())) if off_since else 0,
            None if off_since else (learnt.on_since if learnt and learnt.on_since else session.first_seen),
            settings.allow_pause and (learnt is None or learnt.wakes),
            uncontrolled(settings, evse, now),
            session.late,
            draw(session, bounds, phases),
        )

    def draw(self, key: SessionKey, session: Session) -> PowerReading:
        """The best figure of what one session draws, for those who need no more of its row."""
        _, _, bounds = self.place(session)
        learnt = self.learning.find(key)
        return draw(session, bounds, learnt.phases if learnt else None)

    def hidden_cars(self) -> list[HiddenCar]:
        """Every EVSE that says CHARGING while no session is known to charge there."""
        seen = {at for _, one in self.sessions.running() if one.drawing and (at := self._evse_of(one)) is not None}
        found = []
        for at, location, evse in self.evses.evses():
            if evse.status is not Status.CHARGING or at in seen:
                continue
            bounds = evse.bounds(None, self.dc_minimum_mw)
            settings = self.cpos.of(location.owner)
            booked_mw = default_mw(settings, bounds)
            found.append(HiddenCar(at, location.id, evse.uid, booked_mw, _has_default(settings, bounds)))
        return found

    def learn(self, key: SessionKey) -> bool:
        """Learns from what was told of this session; whether there was something new to learn from."""
        session = self.sessions.find(key)
        if session is None or session.status is not SessionStatus.ACTIVE:
            return False
        _, _, bounds = self.place(session)
        learnt = self.learning.find(key)
        phases = learnt.phases if learnt and learnt.phases else bounds.phases
        return self.learning.observe(key, session.readings(bounds.voltage_v, phases), bounds)

    def place(self, session: Session) -> tuple[EvseKey | None, Evse | None, Bounds]:
        """Where the session is: its EVSE as far as known, and what its connector allows; the largest of the location
        when the EVSE is not known.
        """
        at = self._evse_of(session)
        evse = self.evses.evse(at) if at else None
        if evse is not None:
            return at, evse, evse.bounds(session.connector_id, self.dc_minimum_mw)
        return at, None, self._largest(session)

    def prune(self, now: datetime) -> None:
        """Forgets sessions that ended long enough ago, with their preferences and what was learnt."""
        for key in self.sessions.prune(now):
            self.preferences.forget(key)
            self.learning.forget(key)

    def changes(self) -> dict[str, object | None]:
        """What must be saved since the last call, by shelf key; None for what must be removed."""
        return at_once(self.changing())

    def changing(self) -> Strides[dict[str, object | None]]:
        """The same in strides."""
        found: dict[str, object | None] = {}
        for book in self._books():
            found |= yield from book.changing()
        return found

    def unsaved(self, shelf_keys: Collection[str]) -> None:
        """These are not on the shelf after all."""
        for book in self._books():
            book.unsaved(key for key in shelf_keys if key.startswith(f"{book.prefix}/"))

    def to_json(self) -> Documents:
        """Everything, by shelf key."""
        return {key: document for book in self._books() for key, document in book.to_json().items()}

    def from_json(self, documents: Mapping[str, object]) -> None:
        """Takes over what stands on the shelf. Raises ValueError when a document is not one of these."""
        at_once(self.restoring(documents))

    def restoring(self, documents: Mapping[str, object]) -> Strides[None]:
        """The same in strides."""
        for book in self._books():
            yield from book.restoring(documents)

    def _books(
        self,
    ) -> tuple[SessionBook, EvseBook, PreferenceBook, LearningBook, CpoBook, RegisterBook, ArrivalBook, RefusalBook]:
        return (
            self.sessions,
            self.evses,
            self.preferences,
            self.learning,
            self.cpos,
            self.registers,
            self.arrivals,
            self.refusals,
        )

    def _evse_of(self, session: Session) -> EvseKey | None:
        if session.location_id is None or session.evse_uid is None:
            return None
        return evse_key(session.owner, session.location_id, session.evse_uid)

    def _largest(self, session: Session) -> Bounds:
        location = session.location_id and self.evses.find(location_key(session.owner, session.location_id))
        evses = location.evses.values() if location else ()
        those = (evse.bounds(None, self.dc_minimum_mw) for evse in evses)
        return max(those, key=lambda bounds: bounds.maximum_mw, default=UNKNOWN)

    def _prior(self, session: Session) -> Prior | None:
        if session.location_id is None or not self.classes:
            return None
        kind = self.classes.get(location_key(session.owner, session.location_id))
        return self.priors.get(kind) if kind else None


def default_mw(settings: CpoSettings, bounds: Bounds) -> int:
    """What a car may take without a profile: the CPO's default on AC, else all that the connector allows."""
    current_ma = settings.default_current_ma
    return bounds.maximum_mw if current_ma is None or bounds.dc else bounds.at_current_mw(current_ma)


def _has_default(settings: CpoSettings, bounds: Bounds) -> bool:
    return settings.default_current_a is not None and not bounds.dc


def uncontrolled(settings: CpoSettings, evse: Evse | None, now: datetime) -> Uncontrolled | None:
    """Why a session there is only counted; None when it can be steered."""
    if not settings.consents(now):
        return Uncontrolled.NO_CONSENT
    if evse is None:
        return Uncontrolled.UNKNOWN_EVSE
    return None if evse.steerable else Uncontrolled.NOT_CAPABLE


def draw(session: Session, bounds: Bounds, phases: int | None) -> PowerReading:
    """The best figure of its power; the worst case when nobody told one."""
    readings = session.readings(bounds.voltage_v, phases or bounds.phases)
    return readings[0] if readings else PowerReading(bounds.maximum_mw, Quality.ASSUMED, Basis.CONNECTOR)
