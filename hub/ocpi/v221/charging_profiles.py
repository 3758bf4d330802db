"""Charging profiles for a session, what a CPO answers, and the results that come later."""

from enum import StrEnum

from hub.ocpi.v221.types import URL, DateTime, Int, ListOf, Number, OcpiObject


class ChargingRateUnit(StrEnum):
    """W is total power, A is per phase."""

    W = "W"
    A = "A"


class ChargingProfileResponseType(StrEnum):
    """What the CPO says at once."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TOO_OFTEN = "TOO_OFTEN"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class ChargingProfileResultType(StrEnum):
    """UNKNOWN: there is no such profile."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class ChargingProfilePeriod(OcpiObject):
    """`start_period` in seconds from the start of the profile, `limit` in its unit."""

    start_period: Int
    limit: Number


class ChargingProfile(OcpiObject):
    """`duration` in seconds. Without `start_date_time` it starts when charging does."""

    start_date_time: DateTime | None = None
    duration: Int | None = None
    charging_rate_unit: ChargingRateUnit
    min_charging_rate: Number | None = None
    charging_profile_period: ListOf[ChargingProfilePeriod] = None


class SetChargingProfile(OcpiObject):
    charging_profile: ChargingProfile
    response_url: URL


class ActiveChargingProfile(OcpiObject):
    """What the charge point goes by; times are relative to `start_date_time`."""

    start_date_time: DateTime
    charging_profile: ChargingProfile


class ChargingProfileResponse(OcpiObject):
    """`timeout` in seconds: no result by then means that none will come."""

    result: ChargingProfileResponseType
    timeout: Int


class ActiveChargingProfileResult(OcpiObject):
    result: ChargingProfileResultType
    profile: ActiveChargingProfile | None = None


class ChargingProfileResult(OcpiObject):
    result: ChargingProfileResultType


class ClearProfileResult(OcpiObject):
    result: ChargingProfileResultType
