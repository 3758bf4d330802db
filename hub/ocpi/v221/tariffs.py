"""Tariffs (owner: CPO)."""

from enum import StrEnum

from hub.ocpi.v221.common import DisplayText, Price
from hub.ocpi.v221.locations import EnergyMix
from hub.ocpi.v221.types import (
    URL,
    CiString2,
    CiString3,
    CiString36,
    ClockTime,
    DateTime,
    Int,
    ListOf,
    LocalDate,
    NonEmptyList,
    Number,
    OcpiObject,
    String3,
)


class TariffType(StrEnum):
    """For which sessions a tariff is; a tariff without one is for all."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class TariffDimensionType(StrEnum):
    """Prices are per kWh for ENERGY, per hour for TIME and PARKING_TIME."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class ReservationRestrictionType(StrEnum):
    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class DayOfWeek(StrEnum):
    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class PriceComponent(OcpiObject):
    """`price` net per unit, `vat` in percent, `step_size` in Wh or seconds."""

    type: TariffDimensionType
    price: Number
    vat: Number | None = None
    step_size: Int


class TariffRestrictions(OcpiObject):
    """When an element counts: all that are given hold. Times and dates are local, energy in kWh, current in A, power in
    kW, duration in seconds.
    """

    start_time: ClockTime | None = None
    end_time: ClockTime | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_current: Number | None = None
    max_current: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: Int | None = None
    max_duration: Int | None = None
    day_of_week: ListOf[DayOfWeek] = None
    reservation: ReservationRestrictionType | None = None


class TariffElement(OcpiObject):
    price_components: NonEmptyList[PriceComponent]
    restrictions: TariffRestrictions | None = None


class Tariff(OcpiObject):
    """For each dimension the first element that has it and whose restrictions hold is the one that counts."""

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    currency: String3
    type: TariffType | None = None
    tariff_alt_text: ListOf[DisplayText] = None
    tariff_alt_url: URL | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    elements: NonEmptyList[TariffElement]
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
