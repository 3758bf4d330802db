"""Enumerations and module names exactly as OCPI writes them (2.2.1, chapters "Versions", "Types" and the module
chapters).
"""

from enum import StrEnum


class Interface(StrEnum):
    """Interface role of an endpoint: SENDER is served by the owner of the data, RECEIVER by its consumer."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


class Role(StrEnum):
    """Role of a party. HUB exists in 2.2 and 2.2.1 only."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class ConnectionStatus(StrEnum):
    """Connection status of a party as HubClientInfo reports it (R-193)."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


# Module identifiers. Functional modules are routed, configuration modules never are.
CDRS = "cdrs"
CHARGING_PROFILES = "chargingprofiles"
COMMANDS = "commands"
LOCATIONS = "locations"
SESSIONS = "sessions"
TARIFFS = "tariffs"
TOKENS = "tokens"

FUNCTIONAL_MODULES = frozenset({CDRS, CHARGING_PROFILES, COMMANDS, LOCATIONS, SESSIONS, TARIFFS, TOKENS})
# Meant for everybody: what a hub may broadcast and hold in its catalog.
BROADCAST_MODULES = frozenset({LOCATIONS, TARIFFS, TOKENS})

CREDENTIALS = "credentials"
HUB_CLIENT_INFO = "hubclientinfo"
VERSIONS = "versions"

CONFIGURATION_MODULES = frozenset({CREDENTIALS, HUB_CLIENT_INFO, VERSIONS})
