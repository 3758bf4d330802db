"""Commands to a CPO, its answer, and the result that comes later."""

from enum import StrEnum

from hub.ocpi.v221.common import DisplayText
from hub.ocpi.v221.tokens import Token
from hub.ocpi.v221.types import URL, CiString36, DateTime, Int, ListOf, OcpiObject


class CommandType(StrEnum):
    """The last segment of the path a command is sent to."""

    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    RESERVE_NOW = "RESERVE_NOW"
    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"


class CommandResponseType(StrEnum):
    """What the CPO says at once."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    ACCEPTED = "ACCEPTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class CommandResultType(StrEnum):
    """What became of it at the charge point."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


class CancelReservation(OcpiObject):
    response_url: URL
    reservation_id: CiString36


class ReserveNow(OcpiObject):
    """Without `evse_uid` any EVSE of the location."""

    response_url: URL
    token: Token
    expiry_date: DateTime
    reservation_id: CiString36
    location_id: CiString36
    evse_uid: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StartSession(OcpiObject):
    response_url: URL
    token: Token
    location_id: CiString36
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StopSession(OcpiObject):
    response_url: URL
    session_id: CiString36


class UnlockConnector(OcpiObject):
    response_url: URL
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36


class CommandResponse(OcpiObject):
    """`timeout` in seconds: no result by then means that none will come."""

    result: CommandResponseType
    timeout: Int
    message: ListOf[DisplayText] = None


class CommandResult(OcpiObject):
    result: CommandResultType
    message: ListOf[DisplayText] = None
