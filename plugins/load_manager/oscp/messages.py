"""The messages of OSCP 2.0 as values, by its published JSON schemas: what another side sent is checked here and nowhere
else. Numbers are decimals, times carry an offset and are kept in UTC, members that OSCP does not name are passed over.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hub.ocpi import codec, token

MessageT = TypeVar("MessageT", bound="Message")

MOST_BLOCKS = 10_000
MOST_MEASUREMENTS = 10_000
LONGEST_INTERVAL_S = 24 * 3600
_MOST = Decimal(10) ** 15
# Below this a number is no measurement, and its digits would take memory for nothing.
_LEAST_EXPONENT = -40
_LONGEST_TEXT = 255
_LONGEST_MESSAGE = 4096
_LONGEST_TOKEN = 2048


class NotUsable(ValueError):
    """A body is not the message it should be; the sentence names the member and what is wrong with it."""


class ForecastType(StrEnum):
    """What a forecast limits. FALLBACK_* holds while there is no contact; OPTIMUM comes from a Capacity Optimizer."""

    CONSUMPTION = "CONSUMPTION"
    GENERATION = "GENERATION"
    FALLBACK_CONSUMPTION = "FALLBACK_CONSUMPTION"
    FALLBACK_GENERATION = "FALLBACK_GENERATION"
    OPTIMUM = "OPTIMUM"


class Phase(StrEnum):
    UNKNOWN = "UNKNOWN"
    ONE = "ONE"
    TWO = "TWO"
    THREE = "THREE"
    ALL = "ALL"


class CapacityUnit(StrEnum):
    """Of a forecast or of an instantaneous measurement. A is per phase."""

    A = "A"
    W = "W"
    KW = "KW"
    WH = "WH"
    KWH = "KWH"


class EnergyUnit(StrEnum):
    WH = "WH"
    KWH = "KWH"


class Direction(StrEnum):
    NET = "NET"
    IMPORT = "IMPORT"
    EXPORT = "EXPORT"


class EnergyType(StrEnum):
    """Which part of a group's energy; absent means TOTAL."""

    FLEXIBLE = "FLEXIBLE"
    NONFLEXIBLE = "NONFLEXIBLE"
    TOTAL = "TOTAL"


class AssetCategory(StrEnum):
    CHARGING = "CHARGING"
    CONSUMPTION = "CONSUMPTION"
    GENERATION = "GENERATION"
    STORAGE = "STORAGE"


class MeasurementConfiguration(StrEnum):
    """CONTINUOUS: a register that never goes back to zero. INTERMITTENT: one that does, at events such as the start of
    a session, and then says since when it counts.
    """

    CONTINUOUS = "CONTINUOUS"
    INTERMITTENT = "INTERMITTENT"


# ---- numbers, times and texts


def _is_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _is_number_or_text(value: object) -> object:
    return value if isinstance(value, str) else _is_number(value)


def _can_be_counted_with(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _LEAST_EXPONENT:
        raise ValueError("has too many digits behind the point")
    return value


def _is_time(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("must be a time such as 2026-01-01T12:00:00Z")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of the years 1 to 9999") from None


def _fits_a_header(value: str) -> str:
    if not all("!" <= character <= "~" for character in value):
        raise ValueError("must be printable ASCII without spaces")
    return value


_Bounded = Annotated[Decimal, Field(ge=-_MOST, le=_MOST), AfterValidator(_can_be_counted_with)]
Number = Annotated[_Bounded, BeforeValidator(_is_number)]
# Written as a number, read as a text too: an SDK in the field types it so.
Capacity = Annotated[_Bounded, Field(ge=0), BeforeValidator(_is_number_or_text)]
Interval = Annotated[Decimal, Field(ge=1, le=LONGEST_INTERVAL_S), BeforeValidator(_is_number)]
Time = Annotated[AwareDatetime, BeforeValidator(_is_time), AfterValidator(_in_utc)]
Text = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT)]
TokenText = Annotated[str, Field(min_length=1, max_length=_LONGEST_TOKEN), AfterValidator(_fits_a_header)]


# ---- the messages


class Message(BaseModel):
    """What all of them have in common: frozen, and members of others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def written(self) -> bytes:
        """As JSON; members that are not set are left out."""
        return codec.dumps(self.model_dump(exclude_none=True))


class VersionUrl(Message):
    version: Text
    base_url: Text


class Register(Message):
    """`token` is what the receiver must present when it calls the sender."""

    token: TokenText = Field(repr=False)
    version_url: Annotated[tuple[VersionUrl, ...], Field(min_length=1, max_length=100)]


class RequiredBehaviour(Message):
    """What the sender wants of the receiver: heartbeats every so many seconds (none when left out), measurements."""

    heartbeat_interval: Interval | None = None
    measurement_configuration: Annotated[tuple[MeasurementConfiguration, ...], Field(max_length=10)]


class Handshake(Message):
    """A handshake, and its acknowledgement."""

    required_behaviour: RequiredBehaviour | None = None


class Heartbeat(Message):
    """After `offline_mode_at` the receiver takes the sender for offline, if nothing more comes."""

    offline_mode_at: Time


class ForecastedBlock(Message):
    capacity: Capacity
    phase: Phase
    unit: CapacityUnit
    start_time: Time
    end_time: Time


Blocks = Annotated[tuple[ForecastedBlock, ...], Field(min_length=1, max_length=MOST_BLOCKS)]


class GroupCapacityForecast(Message):
    """UpdateGroupCapacityForecast from a Capacity Provider, AdjustGroupCapacityForecast to it."""

    group_id: Text
    type: ForecastType
    forecasted_blocks: Blocks


class GroupCapacityComplianceError(Message):
    """The blocks that cannot be met. The forecast they are of is named by the correlation id alone."""

    message: Annotated[str, Field(max_length=_LONGEST_MESSAGE)]
    forecasted_blocks: Blocks | None = None


class EnergyMeasurement(Message):
    """A meter reading. `initial_measure_time` says since when it counts: asked for by INTERMITTENT."""

    value: Number
    phase: Phase
    unit: EnergyUnit
    direction: Direction
    energy_type: EnergyType | None = None
    measure_time: Time
    initial_measure_time: Time | None = None


class InstantaneousMeasurement(Message):
    value: Number
    phase: Phase
    unit: CapacityUnit
    measure_time: Time


class UpdateGroupMeasurements(Message):
    group_id: Text
    measurements: Annotated[tuple[EnergyMeasurement, ...], Field(min_length=1, max_length=MOST_MEASUREMENTS)]


class AssetMeasurement(Message):
    asset_id: Text
    asset_category: AssetCategory
    energy_measurement: EnergyMeasurement | None = None
    instantaneous_measurement: InstantaneousMeasurement | None = None


class UpdateAssetMeasurements(Message):
    group_id: Text
    measurements: Annotated[tuple[AssetMeasurement, ...], Field(min_length=1, max_length=MOST_MEASUREMENTS)]


def read(kind: type[MessageT], body: bytes) -> MessageT:
    """The message of a body. Raises NotUsable."""
    try:
        value: Any = codec.loads(body)
    except codec.NotJson as problem:
        raise NotUsable(f"the body is not JSON: {problem}") from None
    try:
        return kind.model_validate(value)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise NotUsable(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None


def new_token() -> str:
    """An unguessable token for another side to present."""
    return token.new_token()
