"""Driver tokens and their authorization (owner: eMSP)."""

from enum import StrEnum

from hub.ocpi.v221.common import DisplayText, ProfileType
from hub.ocpi.v221.types import (
    Boolean,
    CiString2,
    CiString3,
    CiString36,
    DateTime,
    ListOf,
    OcpiObject,
    String2,
    String64,
)


class TokenType(StrEnum):
    """AD_HOC_USER is used once, APP_USER is the same each time."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"


class WhitelistType(StrEnum):
    """Whether the eMSP is asked: ALWAYS never, ALLOWED at will, ALLOWED_OFFLINE if it answers, NEVER always."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class AllowedType(StrEnum):
    """NOT_ALLOWED is a valid token in the wrong place."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"


class EnergyContract(OcpiObject):
    supplier_name: String64
    contract_id: String64 | None = None


class Token(OcpiObject):
    """Known by `uid` and `type` together. Never deleted: `valid` becomes false."""

    country_code: CiString2
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36
    visual_number: String64 | None = None
    issuer: String64
    group_id: CiString36 | None = None
    valid: Boolean
    whitelist: WhitelistType
    language: String2 | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime


class LocationReferences(OcpiObject):
    """Where somebody wants to charge; without `evse_uids` at the location as a whole."""

    location_id: CiString36
    evse_uids: ListOf[CiString36] = None


class AuthorizationInfo(OcpiObject):
    """The eMSP's answer. `location` is what was asked for, reduced to the EVSEs allowed."""

    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: CiString36 | None = None
    info: DisplayText | None = None
