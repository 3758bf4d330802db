"""Locations with their EVSEs and connectors (owner: CPO), and what describes them."""

from hub.ocpi.v221.common import DisplayText
from hub.ocpi.v221.location_enums import (
    Capability,
    ConnectorFormat,
    ConnectorType,
    EnergySourceCategory,
    EnvironmentalImpactCategory,
    Facility,
    ImageCategory,
    ParkingRestriction,
    ParkingType,
    PowerType,
    Status,
)
from hub.ocpi.v221.tokens import TokenType
from hub.ocpi.v221.types import (
    URL,
    Boolean,
    CiString2,
    CiString3,
    CiString4,
    CiString36,
    CiString48,
    ClockTime,
    DateTime,
    Int,
    Int5,
    Latitude,
    ListOf,
    Longitude,
    NonEmptyList,
    Number,
    OcpiObject,
    String3,
    String4,
    String10,
    String16,
    String45,
    String64,
    String100,
    String255,
    Weekday,
)


class GeoLocation(OcpiObject):
    """WGS 84 in decimal degrees, as text with five to seven decimals."""

    latitude: Latitude
    longitude: Longitude


class AdditionalGeoLocation(OcpiObject):
    """A place of the location that is not where its coordinates are, such as an entrance."""

    latitude: Latitude
    longitude: Longitude
    name: DisplayText | None = None


class Image(OcpiObject):
    """`width` and `height` in pixels; `type` is a file type such as png."""

    url: URL
    thumbnail: URL | None = None
    category: ImageCategory
    type: CiString4
    width: Int5 | None = None
    height: Int5 | None = None


class BusinessDetails(OcpiObject):
    """A company as drivers see it."""

    name: String100
    website: URL | None = None
    logo: Image | None = None


class RegularHours(OcpiObject):
    """One opening period in local time; `weekday` is 1 for Monday to 7 for Sunday."""

    weekday: Weekday
    period_begin: ClockTime
    period_end: ClockTime


class ExceptionalPeriod(OcpiObject):
    period_begin: DateTime
    period_end: DateTime


class Hours(OcpiObject):
    """Regular hours are given when it is not open around the clock; closings win over all else."""

    twentyfourseven: Boolean
    regular_hours: ListOf[RegularHours] = None
    exceptional_openings: ListOf[ExceptionalPeriod] = None
    exceptional_closings: ListOf[ExceptionalPeriod] = None


class EnergySource(OcpiObject):
    """`percentage` from 0 to 100; all sources of a mix make 100."""

    source: EnergySourceCategory
    percentage: Number


class EnvironmentalImpact(OcpiObject):
    """`amount` in g/kWh."""

    category: EnvironmentalImpactCategory
    amount: Number


class EnergyMix(OcpiObject):
    is_green_energy: Boolean
    energy_sources: ListOf[EnergySource] = None
    environ_impact: ListOf[EnvironmentalImpact] = None
    supplier_name: String64 | None = None
    energy_product_name: String64 | None = None


class StatusSchedule(OcpiObject):
    """A status planned ahead; without `period_end` it stays. Informational only."""

    period_begin: DateTime
    period_end: DateTime | None = None
    status: Status


class PublishTokenType(OcpiObject):
    """Whose tokens may see a location that is not published."""

    uid: CiString36 | None = None
    type: TokenType | None = None
    visual_number: String64 | None = None
    issuer: String64 | None = None
    group_id: CiString36 | None = None


class Connector(OcpiObject):
    """`max_voltage` in V (line to neutral for AC_3_PHASE), `max_amperage` in A, `max_electric_power` in W."""

    id: CiString36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: Int
    max_amperage: Int
    max_electric_power: Int | None = None
    tariff_ids: ListOf[CiString36] = None
    terms_and_conditions: URL | None = None
    last_updated: DateTime


class EVSE(OcpiObject):
    """A unit that charges one vehicle at a time."""

    uid: CiString36
    evse_id: CiString48 | None = None
    status: Status
    status_schedule: ListOf[StatusSchedule] = None
    capabilities: ListOf[Capability] = None
    connectors: NonEmptyList[Connector]
    floor_level: String4 | None = None
    coordinates: GeoLocation | None = None
    physical_reference: String16 | None = None
    directions: ListOf[DisplayText] = None
    parking_restrictions: ListOf[ParkingRestriction] = None
    images: ListOf[Image] = None
    last_updated: DateTime


class Location(OcpiObject):
    """A place with EVSEs. `last_updated` moves with every change below it."""

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    publish: Boolean
    publish_allowed_to: ListOf[PublishTokenType] = None
    name: String255 | None = None
    address: String255
    city: String45
    postal_code: String10 | None = None
    state: String45 | None = None
    country: String3
    coordinates: GeoLocation
    related_locations: ListOf[AdditionalGeoLocation] = None
    parking_type: ParkingType | None = None
    evses: ListOf[EVSE] = None
    directions: ListOf[DisplayText] = None
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: ListOf[Facility] = None
    time_zone: String255
    opening_times: Hours | None = None
    charging_when_closed: Boolean | None = None
    images: ListOf[Image] = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
