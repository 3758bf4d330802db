"""OCPI status codes, their ranges, and what to send to a version that does not define a code (R-027, R-031, table
S).
"""

from enum import IntEnum


class StatusCode(IntEnum):
    """Every status code the hub itself sends. Codes of others are plain numbers and are passed on as they are."""

    OK = 1000
    CLIENT_ERROR = 2000
    INVALID_PARAMETERS = 2001
    NOT_ENOUGH_INFORMATION = 2002
    UNKNOWN_LOCATION = 2003
    UNKNOWN_TOKEN = 2004
    SERVER_ERROR = 3000
    UNABLE_TO_USE_CLIENT_API = 3001
    UNSUPPORTED_VERSION = 3002
    NO_MATCHING_ENDPOINTS = 3003
    HUB_ERROR = 4000
    UNKNOWN_RECEIVER = 4001
    TIMEOUT_ON_FORWARD = 4002
    CONNECTION_PROBLEM = 4003


_DEFAULT_MESSAGES = {
    StatusCode.OK: "Success",
    StatusCode.CLIENT_ERROR: "The request cannot be served as it is",
    StatusCode.INVALID_PARAMETERS: "A parameter is missing or wrong",
    StatusCode.NOT_ENOUGH_INFORMATION: "Not enough information to decide",
    StatusCode.UNKNOWN_LOCATION: "Unknown location",
    StatusCode.UNKNOWN_TOKEN: "Unknown token",
    StatusCode.SERVER_ERROR: "The server cannot serve the request",
    StatusCode.UNABLE_TO_USE_CLIENT_API: "The client's API could not be used",
    StatusCode.UNSUPPORTED_VERSION: "This version is not supported",
    StatusCode.NO_MATCHING_ENDPOINTS: "Required endpoints are missing",
    StatusCode.HUB_ERROR: "The hub cannot forward the request",
    StatusCode.UNKNOWN_RECEIVER: "The receiver is not known to this hub",
    StatusCode.TIMEOUT_ON_FORWARD: "The receiver did not answer in time",
    StatusCode.CONNECTION_PROBLEM: "The receiver is not connected",
}


def default_message(code: StatusCode) -> str:
    """A sentence for `status_message` when the place that answers has nothing more exact to say."""
    return _DEFAULT_MESSAGES[code]


def is_success(code: int) -> bool:
    """1000 to 1999 (R-026: success is never read from the HTTP status alone)."""
    return 1000 <= code <= 1999
