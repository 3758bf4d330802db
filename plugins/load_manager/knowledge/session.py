"""One charging session as far as its CPO tells: where it is, whose driver, how much energy, how much power."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.ocpi.party_id import PartyId, well_formed
from hub.ocpi.v221.cdrs import CdrDimensionType
from hub.ocpi.v221.sessions import SessionStatus
from plugins.load_manager.knowledge import wire
from plugins.load_manager.knowledge.keys import UNKNOWN_ID, owner
from plugins.load_manager.knowledge.power import METERED, Basis, PowerReading, Quality, current_to_mw, kw_to_mw, mean_mw
from plugins.load_manager.knowledge.telling import Told

MOST_KWH = 1_000_000
MOST_KW = 100_000
MOST_A = 100_000
MOST_SAMPLES = 8
LEAST_INTERVAL_S = 60

_ENDED = frozenset({SessionStatus.COMPLETED, SessionStatus.INVALID})
_DRAWING = frozenset({SessionStatus.ACTIVE, SessionStatus.PENDING})


class Source(StrEnum):
    """How a session was heard of. One found by a pull was running before anybody told."""

    ROUTED = "routed"
    PUSHED = "pushed"
    PULLED = "pulled"


@dataclass(frozen=True, slots=True)
class EnergySample:
    """The energy of a session in kWh at a moment."""

    at: datetime
    kwh: Decimal


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What the latest charging period says besides energy, in the units of OCPI; it is true from `since` on."""

    since: datetime
    power_kw: Decimal | None = None
    current_a: Decimal | None = None
    max_power_kw: Decimal | None = None
    soc_percent: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class Session(Told):
    """A session. `id` and `party` (`NL/ABC`) are spelled as they were first; `samples` are in order of time, at most
    one a minute. `noted`: it is among the arrivals of its group.
    """

    party: str
    id: str
    first_seen: datetime
    heard_at: datetime
    late: bool = False
    status: SessionStatus | None = None
    kwh: Decimal | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    connector_id: str | None = None
    emsp: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    dimensions: Dimensions | None = None
    samples: list[EnergySample] = field(default_factory=list)
    first_sample: EnergySample | None = None
    noted: bool = False

    @property
    def owner(self) -> PartyId:
        return owner(self.party)

    @property
    def ended(self) -> bool:
        return self.status in _ENDED

    @property
    def drawing(self) -> bool:
        """Whether a car may take power by it: a reservation has none, and of an unknown status the worst is thought."""
        return self.status is None or self.status in _DRAWING

    @property
    def soc_percent(self) -> Decimal | None:
        return self.dimensions.soc_percent if self.dimensions else None

    def sample(self, sample: EnergySample) -> None:
        """Keeps it unless the minute has a newer one. Whatever the order of coming, the newest minutes stay."""
        if self.first_sample is None or sample.at <= self.first_sample.at:
            self.first_sample = sample
        by_minute = {_minute(one.at): one for one in self.samples}
        known = by_minute.get(_minute(sample.at))
        if known is None or sample.at >= known.at:
            by_minute[_minute(sample.at)] = sample
        self.samples = [by_minute[minute] for minute in sorted(by_minute)][-MOST_SAMPLES:]

    def readings(self, voltage_v: int, phases: int) -> list[PowerReading]:
        """What is known of its power: the freshest first, and of the same age the best first."""
        if self.ended:
            return [PowerReading(0, Quality.MEASURED, Basis.ENDED, at=self.told["status"])]
        return sorted(self._readings(voltage_v, phases), key=_age_and_basis)

    def metered(self) -> list[PowerReading]:
        """Those of them that are averages over a stated time: the freshest first, of these the shortest first."""
        found = [] if self.ended else self._readings(0, 0)
        return sorted((one for one in found if one.basis in METERED), key=_at_and_since, reverse=True)

    def _readings(self, voltage_v: int, phases: int) -> list[PowerReading]:
        found = []
        if (known := self.dimensions) is not None:
            span = known.since, self.told["dimensions"]
            if known.power_kw is not None:
                found.append(PowerReading(kw_to_mw(known.power_kw), Quality.MEASURED, Basis.POWER, *span))
            if known.current_a is not None:
                # Whether it is a sum or one phase nobody says: the larger is booked.
                power_mw = current_to_mw(int(known.current_a * 1000), voltage_v, phases)
                found.append(PowerReading(power_mw, Quality.DERIVED, Basis.CURRENT, *span))
            if known.max_power_kw is not None:
                found.append(PowerReading(kw_to_mw(known.max_power_kw), Quality.DERIVED, Basis.MAX_POWER, *span))
        if self.samples:
            last = self.samples[-1]
            for before in reversed(self.samples):
                if (last.at - before.at).total_seconds() < LEAST_INTERVAL_S:
                    continue
                if last.kwh >= before.kwh:  # else it was corrected, which is no power
                    power_mw = mean_mw(last.kwh - before.kwh, last.at - before.at)
                    found.append(PowerReading(power_mw, Quality.DERIVED, Basis.ENERGY, before.at, last.at))
                break
        return found


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


_BASES = list(Basis)


def _at_and_since(reading: PowerReading) -> tuple[float, float]:
    at, since = reading.at, reading.since
    return at.timestamp() if at else 0.0, since.timestamp() if since else 0.0


def _age_and_basis(reading: PowerReading) -> tuple[float, int]:
    return (-reading.at.timestamp() if reading.at else 0.0, _BASES.index(reading.basis))


def read(body: object, stamp: datetime, *, whole: bool) -> dict[str, object]:
    """The members of a Session body that the load manager goes by. What cannot be read is as if it was not told; a
    whole object that has no end and no charging periods has none.
    """
    has = wire.members(body)
    token = wire.members(has.get("cdr_token"))
    found: dict[str, object | None] = {
        "status": wire.choice(SessionStatus, has.get("status")),
        "kwh": wire.number(has.get("kwh"), 0, MOST_KWH),
        "location_id": wire.text(has.get("location_id")),
        "evse_uid": wire.text(has.get("evse_uid")),
        "connector_id": wire.text(has.get("connector_id")),
        "emsp": _party(token.get("country_code"), token.get("party_id")),
        "started_at": wire.moment(has.get("start_date_time")),
        "ended_at": wire.moment(has.get("end_date_time")),
        "dimensions": _dimensions(has.get("charging_periods"), stamp),
    }
    emptied = {"ended_at", "dimensions"} if whole else set[str]()
    told = {name: value for name, value in found.items() if value is not None or name in emptied}
    return {name: None if value == UNKNOWN_ID else value for name, value in told.items()}


def _party(country_code: object, party_id: object) -> str | None:
    if isinstance(country_code, str) and isinstance(party_id, str) and well_formed(country_code, party_id):
        return f"{country_code}/{party_id}"
    return None


def _dimensions(periods: object, stamp: datetime) -> Dimensions | None:
    """Of the period that starts last; a PATCH brings new ones only, which is all that is needed."""
    latest: tuple[datetime, Mapping[str, object]] | None = None
    for period in wire.rows(periods) or ():
        start = wire.moment(period.get("start_date_time"))
        if start is not None and (latest is None or start >= latest[0]):
            latest = start, period
    if latest is None:
        return None
    kinds = CdrDimensionType
    volumes: dict[object, object] = {}
    for row in wire.rows(latest[1].get("dimensions")) or ():
        if (kind := wire.choice(kinds, row.get("type"))) is not None:
            volumes[kind] = row.get("volume")
    return Dimensions(
        min(latest[0], stamp),
        power_kw=wire.number(volumes.get(kinds.POWER), -MOST_KW, MOST_KW),
        current_a=wire.number(volumes.get(kinds.CURRENT), -MOST_A, MOST_A),
        max_power_kw=wire.number(volumes.get(kinds.MAX_POWER), 0, MOST_KW),
        soc_percent=wire.number(volumes.get(kinds.STATE_OF_CHARGE), 0, 100),
    )
