"""What a CPO agrees to: whether its sessions may be steered, and how its charge points want it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, NewType

from hub.ocpi import times
from hub.ocpi.party_id import PartyId
from hub.ocpi.v221.charging_profiles import ChargingRateUnit
from plugins.load_manager.knowledge import wire
from plugins.load_manager.knowledge.shelving import Shelved

LOWEST_A, HIGHEST_A = 6, 1000
LARGEST_QUANTUM_A = 6
MOST_RATE_PER_S = 1000


class Refused(ValueError):
    """Settings that cannot be; the sentence names the key and says what it must be."""


@dataclass(frozen=True, slots=True)
class CpoSettings:
    """`default_current_a` per phase is what its charge points hold a car at before any profile; `unit` None: A for AC
    and W for DC; `quantum_a` is the smallest step of a limit, `rate_per_s` how many profiles it takes a second.
    """

    consent: bool = False
    reference: str | None = None
    since: datetime | None = None
    default_current_a: Decimal | None = None
    allow_pause: bool = True
    unit: ChargingRateUnit | None = None
    quantum_a: Decimal = Decimal("0.1")
    rate_per_s: Decimal = Decimal(100)
    stop_allowed: bool = False

    def consents(self, now: datetime) -> bool:
        """Whether its sessions may be steered now."""
        return self.consent and (self.since is None or self.since <= now)

    @property
    def default_current_ma(self) -> int | None:
        return None if self.default_current_a is None else int(self.default_current_a * 1000)

    @property
    def quantum_ma(self) -> int:
        return int(self.quantum_a * 1000)

    def public(self) -> dict[str, object]:
        """As the admin API shows it: numbers as numbers, times in OCPI's form."""
        shown: dict[str, object] = {key: getattr(self, key) for key in KEYS}
        shown["since"] = times.render(self.since) if self.since else None
        return shown


KEYS = tuple(field.name for field in fields(CpoSettings))
NO_CONSENT = CpoSettings()


def read(body: object, now: datetime) -> CpoSettings:
    """The settings that a JSON body asks for; `since` is now when consent comes without it. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused("the body must be an object")
    for key in body:
        if key not in KEYS:
            raise Refused(f"{_shown(key)} is not a key: there are {', '.join(KEYS)}")
    if "consent" not in body:
        raise Refused("consent must be there: true or false")
    consent = _switch(body, "consent", default=False)
    reference = body.get("reference")
    if reference is not None and wire.text(reference) is None:
        raise Refused("reference must be a text of 1 to 255 characters")
    if consent and reference is None:
        raise Refused("reference must say where the consent is written down")
    return CpoSettings(
        consent=consent,
        reference=reference,
        since=_since(body, now) if consent else None,
        default_current_a=_default_current(body),
        allow_pause=_switch(body, "allow_pause", default=True),
        unit=_unit(body),
        quantum_a=_number(body, "quantum_a", "from 0.1 to 6, with one decimal", (1, LARGEST_QUANTUM_A * 10), "0.1"),
        rate_per_s=_number(body, "rate_per_s", "from 0.1 to 1000, with one decimal", (1, MOST_RATE_PER_S * 10), "100"),
        stop_allowed=_switch(body, "stop_allowed", default=False),
    )


def _switch(body: Mapping[str, object], key: str, *, default: bool) -> bool:
    value = body.get(key, default)
    if not isinstance(value, bool):
        raise Refused(f"{key} must be true or false")
    return value


def _since(body: Mapping[str, object], now: datetime) -> datetime:
    if body.get("since") is None:
        return now
    if (since := wire.moment(body["since"])) is None:
        raise Refused("since must be a date and time such as 2026-01-01T12:00:00Z")
    return since


def _unit(body: Mapping[str, object]) -> ChargingRateUnit | None:
    if body.get("unit") is None:
        return None
    if (unit := wire.choice(ChargingRateUnit, body["unit"])) is None:
        raise Refused("unit must be A, W or null")
    return unit


def _default_current(body: Mapping[str, object]) -> Decimal | None:
    if body.get("default_current_a") is None:
        return None
    if wire.number(body["default_current_a"], 0, 0) is not None:
        return Decimal(0)
    words = "0 or from 6 to 1000, with one decimal"
    return _number(body, "default_current_a", words, (LOWEST_A * 10, HIGHEST_A * 10))


def _number(body: Mapping[str, object], key: str, words: str, tenths: tuple[int, int], default: str = "0") -> Decimal:
    """A number given in tenths at the finest, as limits on the wire are, between these two."""
    if body.get(key) is None:
        return Decimal(default)
    least, most = tenths
    value = wire.number(body[key], 0, most)
    if value is None or value * 10 % 1 or not least <= value * 10 <= most:
        raise Refused(f"{key} must be {words}")
    return value


def _shown(key: object) -> str:
    return re.sub(r"[^ -~]", "?", str(key))[:60]


CpoKey = NewType("CpoKey", str)
"""`nl*abc`: the party, case folded."""


class CpoBook(Shelved[CpoKey, CpoSettings]):
    """The settings of CPOs, a document `cpo/<party>` each."""

    prefix: ClassVar[str] = "cpo"
    kind: ClassVar[type[object]] = CpoSettings

    def of(self, party: PartyId) -> CpoSettings:
        """The CPO's settings; without consent when it has none."""
        return self._kept.get(CpoKey(party.key), NO_CONSENT)

    def change(self, party: PartyId, settings: CpoSettings) -> bool:
        """Whether a consent that there was is withdrawn by it: then the CPO's sessions are to be released."""
        withdrawn = self.of(party).consent and not settings.consent
        self._kept[CpoKey(party.key)] = settings
        self._touch(CpoKey(party.key))
        return withdrawn
