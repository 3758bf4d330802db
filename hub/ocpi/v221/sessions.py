"""Charging sessions and what their drivers prefer (owner: CPO)."""

from enum import StrEnum

from hub.ocpi.v221.cdrs import AuthMethod, CdrToken, ChargingPeriod
from hub.ocpi.v221.common import Price, ProfileType
from hub.ocpi.v221.types import (
    Boolean,
    CiString2,
    CiString3,
    CiString36,
    DateTime,
    ListOf,
    Number,
    OcpiObject,
    String3,
    String255,
)


class SessionStatus(StrEnum):
    """PENDING comes first, COMPLETED and INVALID are final."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class ChargingPreferencesResponse(StrEnum):
    """The whole answer to charging preferences: a bare text."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


class ChargingPreferences(OcpiObject):
    """`energy_need` in kWh."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: Boolean | None = None


class Session(OcpiObject):
    """`kwh` so far. A PATCH appends its charging periods, a PUT replaces them all."""

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36
    meter_id: String255 | None = None
    currency: String3
    charging_periods: ListOf[ChargingPeriod] = None
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime
