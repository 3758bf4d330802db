"""What several modules share: texts for people, prices, the envelope of every answer."""

from enum import StrEnum

from hub.ocpi.v221.types import DateTime, Int, Number, OcpiObject, String, String2, String512


class ProfileType(StrEnum):
    """How a driver wants to charge: `default_profile_type` of a token, `profile_type` of charging preferences."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class DisplayText(OcpiObject):
    """Plain text in one language (ISO 639-1)."""

    language: String2
    text: String512


class Price(OcpiObject):
    """An amount in the currency of the object around it. Without `incl_vat` the gross amount is not stated."""

    excl_vat: Number
    incl_vat: Number | None = None


class Envelope(OcpiObject):
    """What every answer is wrapped in. `data` may be a list, an object or a string."""

    data: object = None
    status_code: Int
    status_message: String | None = None
    timestamp: DateTime
