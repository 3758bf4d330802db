"""Versions, version details and the endpoints in them."""

from enum import StrEnum

from hub.ocpi.names import Interface
from hub.ocpi.v221.types import URL, CiString64, NonEmptyList, OcpiObject, String16


class VersionNumber(StrEnum):
    V2_0 = "2.0"
    V2_1 = "2.1"
    V2_1_1 = "2.1.1"
    V2_2 = "2.2"
    V2_2_1 = "2.2.1"


class ModuleID(StrEnum):
    """The modules of the specification; custom ones have names of their own."""

    CDRS = "cdrs"
    CHARGINGPROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUBCLIENTINFO = "hubclientinfo"
    LOCATIONS = "locations"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"


class Version(OcpiObject):
    """Any number is taken: the list also names versions that came later."""

    version: String16
    url: URL


class Endpoint(OcpiObject):
    """`identifier` is a `ModuleID` or a custom module. `role` means nothing for credentials."""

    identifier: CiString64
    role: Interface
    url: URL


class VersionDetails(OcpiObject):
    version: VersionNumber
    endpoints: NonEmptyList[Endpoint]
