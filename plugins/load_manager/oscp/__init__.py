"""OSCP 2.0 as the load manager speaks it: the hub is the Flexibility Provider, each DSO a Capacity Provider. What is on
the wire stays in here; the load manager sees `CapacityProviders` and its `CapacityPort`.
"""

from plugins.load_manager.oscp.access import NotDelivered
from plugins.load_manager.oscp.admin import AdminRoutes
from plugins.load_manager.oscp.book import UnknownProvider
from plugins.load_manager.oscp.capacity_providers import CapacityProviders, Invitation, View
from plugins.load_manager.oscp.messages import CapacityUnit, ForecastedBlock, ForecastType, Phase
from plugins.load_manager.oscp.port import CapacityPort, Forecast, OthersGroup, Refused, UnknownGroup, WrongBlocks
from plugins.load_manager.oscp.profile import Auth, ClientCredentials, Initiator, Metering, Profile
from plugins.load_manager.oscp.provider import Kind, State

__all__ = [
    "AdminRoutes",
    "Auth",
    "CapacityPort",
    "CapacityProviders",
    "CapacityUnit",
    "ClientCredentials",
    "Forecast",
    "ForecastType",
    "ForecastedBlock",
    "Initiator",
    "Invitation",
    "Kind",
    "Metering",
    "NotDelivered",
    "OthersGroup",
    "Phase",
    "Profile",
    "Refused",
    "State",
    "UnknownGroup",
    "UnknownProvider",
    "View",
    "WrongBlocks",
]
