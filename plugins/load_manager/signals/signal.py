"""A capacity signal as it was sent, whichever wire it came over. It is kept unchanged, as evidence."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.ocpi import codec


class SignalKind(StrEnum):
    """What a signal's blocks are."""

    LIMIT = "LIMIT"
    FALLBACK = "FALLBACK"
    """The limit while there is no contact, or while a limit is missing."""
    SUBSCRIPTION = "SUBSCRIPTION"
    """What has been contracted: it stands in for a fallback."""
    EMERGENCY = "EMERGENCY"
    """A limit that holds whatever else is said."""
    OPTIMUM = "OPTIMUM"
    """A wish within the limits; it steers nothing."""


class Direction(StrEnum):
    """Charging, or feeding back, which steers nothing."""

    CONSUMPTION = "CONSUMPTION"
    GENERATION = "GENERATION"


class Unit(StrEnum):
    """What values are counted in: current on each phase, power, or energy over the block."""

    A = "A"
    W = "W"
    KW = "KW"
    WH = "WH"
    KWH = "KWH"


class SignalPhase(StrEnum):
    """The phase a value is about."""

    UNKNOWN = "UNKNOWN"
    ONE = "ONE"
    TWO = "TWO"
    THREE = "THREE"
    ALL = "ALL"


class Counting(StrEnum):
    """How a block's value binds."""

    PEAK = "PEAK"
    """At every moment."""
    AVERAGE = "AVERAGE"
    """Its average binds: after too much, what is left of the block gets less; it never gets more than the value."""
    BUDGET = "BUDGET"
    """Its energy binds: what is left of it, over the time that is left."""


@dataclass(frozen=True, slots=True)
class Block:
    """A value from `start` until before `end`; both are in UTC."""

    start: datetime
    end: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class CapacitySignal:
    """What a source says about a group.

    `source` is the interface or programme it came over: signals of one source replace each other, of several sources
    the lowest holds. `capacity_provider` is the DSO behind it, None when it is the operator of the hub. `raw` is the
    message as it came.
    """

    source: str
    capacity_provider: str | None
    group_id: str
    kind: SignalKind
    unit: Unit
    blocks: tuple[Block, ...]
    message_id: str
    received_at: datetime
    direction: Direction = Direction.CONSUMPTION
    phase: SignalPhase = SignalPhase.ALL
    counting: Counting = Counting.PEAK
    version: int = 0
    issued_at: datetime | None = None
    raw: str = ""

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self)

    @staticmethod
    def from_json(value: object) -> "CapacitySignal":
        """The reverse of `to_json`. Raises ValueError."""
        return codec.from_plain(CapacitySignal, value)

    @property
    def sender(self) -> str:
        """Whose message it is: another's may have the same id, also one that comes over the same interface."""
        return f"{self.source}/{self.capacity_provider or ''}"

    @property
    def steers(self) -> bool:
        """Whether limits follow from it."""
        return self.direction is Direction.CONSUMPTION and self.kind is not SignalKind.OPTIMUM
