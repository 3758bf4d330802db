"""Charge detail records (owner: CPO), and the parts that sessions share with them."""

from enum import StrEnum

from hub.ocpi.v221.common import Price
from hub.ocpi.v221.location_enums import ConnectorFormat, ConnectorType, PowerType
from hub.ocpi.v221.locations import GeoLocation
from hub.ocpi.v221.tariffs import Tariff
from hub.ocpi.v221.tokens import TokenType
from hub.ocpi.v221.types import (
    Boolean,
    CiString2,
    CiString3,
    CiString32,
    CiString36,
    CiString39,
    CiString48,
    DateTime,
    Int,
    ListOf,
    NonEmptyList,
    Number,
    OcpiObject,
    String3,
    String10,
    String45,
    String255,
    String512,
    String5000,
)


class AuthMethod(StrEnum):
    """Whether the eMSP was asked, sent a command, or its token was known."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class CdrDimensionType(StrEnum):
    """Volumes are kWh for energy, A for currents, kW for powers, h for times, percent for the state of charge."""

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class CdrDimension(OcpiObject):
    type: CdrDimensionType
    volume: Number


class ChargingPeriod(OcpiObject):
    """Lasts until the next one starts, the last one to the end of the session."""

    start_date_time: DateTime
    dimensions: NonEmptyList[CdrDimension]
    tariff_id: CiString36 | None = None


class CdrToken(OcpiObject):
    """The part of a token that identifies a driver."""

    country_code: CiString2
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36


class CdrLocation(OcpiObject):
    """The one connector of a CDR. A reservation that never charged has `#NA` for EVSE and connector."""

    id: CiString36
    name: String255 | None = None
    # Printed lengths are 45 and 20 here, though a location may have 255 and 45 of what is copied from it.
    address: String255
    city: String45
    postal_code: String10 | None = None
    state: String45 | None = None
    country: String3
    coordinates: GeoLocation
    evse_uid: CiString36
    evse_id: CiString48
    connector_id: CiString36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class SignedValue(OcpiObject):
    nature: CiString32
    plain_data: String5000
    signed_data: String5000


class SignedData(OcpiObject):
    """Meter values signed by the meter."""

    encoding_method: CiString36
    encoding_method_version: Int | None = None
    public_key: String512 | None = None
    signed_values: NonEmptyList[SignedValue]
    url: String512 | None = None


class CDR(OcpiObject):
    """`total_energy` in kWh, `total_time` and `total_parking_time` in hours. Never changes once it is sent."""

    country_code: CiString2
    party_id: CiString3
    id: CiString39
    start_date_time: DateTime
    end_date_time: DateTime
    session_id: CiString36 | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    cdr_location: CdrLocation
    meter_id: String255 | None = None
    currency: String3
    tariffs: ListOf[Tariff] = None
    charging_periods: NonEmptyList[ChargingPeriod]
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Number
    total_energy_cost: Price | None = None
    total_time: Number
    total_time_cost: Price | None = None
    total_parking_time: Number | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: String255 | None = None
    invoice_reference_id: CiString39 | None = None
    credit: Boolean | None = None
    credit_reference_id: CiString39 | None = None
    home_charging_compensation: Boolean | None = None
    last_updated: DateTime
