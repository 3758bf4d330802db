"""Which object a body is: of each request of the functional modules, and as `data` of its answer (the methods tables
of the module chapters).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.v221.cdrs import CDR
from hub.ocpi.v221.charging_profiles import (
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    ChargingProfileResponse,
    SetChargingProfile,
)
from hub.ocpi.v221.commands import (
    CancelReservation,
    CommandResponse,
    CommandResult,
    CommandType,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from hub.ocpi.v221.locations import EVSE, Connector, Location
from hub.ocpi.v221.sessions import ChargingPreferences, ChargingPreferencesResponse, Session
from hub.ocpi.v221.tariffs import Tariff
from hub.ocpi.v221.tokens import AuthorizationInfo, LocationReferences, Token


class Body(NamedTuple):
    """`kind` is a model, an enumeration, or a list of models like `list[Location]`. `partial`: a PATCH, which has only
    what changes, each member whole. `optional`: there may be no body at all.
    """

    kind: type[object]
    partial: bool = False
    optional: bool = False


# Module, interface, method and how many segments the path has below the endpoint: no two shapes share all four.
Rows = Mapping[tuple[str, Interface, str, int], Body]

_S, _R = Interface.SENDER, Interface.RECEIVER

_COMMANDS: Mapping[str, Body] = {
    CommandType.CANCEL_RESERVATION: Body(CancelReservation),
    CommandType.RESERVE_NOW: Body(ReserveNow),
    CommandType.START_SESSION: Body(StartSession),
    CommandType.STOP_SESSION: Body(StopSession),
    CommandType.UNLOCK_CONNECTOR: Body(UnlockConnector),
}

_REQUESTS: Rows = {
    (names.CDRS, _R, "POST", 0): Body(CDR),
    (names.CDRS, _R, "POST", 2): Body(CDR),
    (names.CHARGING_PROFILES, _R, "PUT", 1): Body(SetChargingProfile),
    # The results of a PUT and of a DELETE are this one without a profile; the path does not tell them apart.
    (names.CHARGING_PROFILES, _S, "POST", 1): Body(ActiveChargingProfileResult),
    (names.CHARGING_PROFILES, _S, "PUT", 1): Body(ActiveChargingProfile),
    (names.COMMANDS, _S, "POST", 2): Body(CommandResult),
    (names.LOCATIONS, _R, "PUT", 3): Body(Location),
    (names.LOCATIONS, _R, "PUT", 4): Body(EVSE),
    (names.LOCATIONS, _R, "PUT", 5): Body(Connector),
    (names.LOCATIONS, _R, "PATCH", 3): Body(Location, partial=True),
    (names.LOCATIONS, _R, "PATCH", 4): Body(EVSE, partial=True),
    (names.LOCATIONS, _R, "PATCH", 5): Body(Connector, partial=True),
    (names.SESSIONS, _R, "PUT", 3): Body(Session),
    (names.SESSIONS, _R, "PATCH", 3): Body(Session, partial=True),
    (names.SESSIONS, _S, "PUT", 2): Body(ChargingPreferences),
    (names.TARIFFS, _R, "PUT", 3): Body(Tariff),
    (names.TOKENS, _R, "PUT", 3): Body(Token),
    (names.TOKENS, _R, "PATCH", 3): Body(Token, partial=True),
    (names.TOKENS, _S, "POST", 2): Body(LocationReferences, optional=True),
}

_ANSWERS: Rows = {
    (names.CDRS, _R, "GET", 1): Body(CDR),
    (names.CDRS, _S, "GET", 0): Body(list[CDR]),
    (names.CHARGING_PROFILES, _R, "GET", 1): Body(ChargingProfileResponse),
    (names.CHARGING_PROFILES, _R, "PUT", 1): Body(ChargingProfileResponse),
    (names.CHARGING_PROFILES, _R, "DELETE", 1): Body(ChargingProfileResponse),
    (names.COMMANDS, _R, "POST", 1): Body(CommandResponse),
    (names.LOCATIONS, _R, "GET", 3): Body(Location),
    (names.LOCATIONS, _R, "GET", 4): Body(EVSE),
    (names.LOCATIONS, _R, "GET", 5): Body(Connector),
    (names.LOCATIONS, _S, "GET", 0): Body(list[Location]),
    (names.LOCATIONS, _S, "GET", 1): Body(Location),
    (names.LOCATIONS, _S, "GET", 2): Body(EVSE),
    (names.LOCATIONS, _S, "GET", 3): Body(Connector),
    (names.SESSIONS, _R, "GET", 3): Body(Session),
    (names.SESSIONS, _S, "GET", 0): Body(list[Session]),
    (names.SESSIONS, _S, "PUT", 2): Body(ChargingPreferencesResponse),
    (names.TARIFFS, _R, "GET", 3): Body(Tariff),
    (names.TARIFFS, _S, "GET", 0): Body(list[Tariff]),
    (names.TOKENS, _R, "GET", 3): Body(Token),
    (names.TOKENS, _S, "GET", 0): Body(list[Token]),
    (names.TOKENS, _S, "POST", 2): Body(AuthorizationInfo),
}


def request_model(module: str, interface: Interface, method: str, segments: Sequence[str]) -> Body | None:
    """What a request carries whose path has these segments below the endpoint. None: nothing, or nothing known, such as
    a custom module or command.
    """
    if (module, interface, method, len(segments)) == (names.COMMANDS, _R, "POST", 1):
        return _COMMANDS.get(segments[0])
    return _REQUESTS.get((module, interface, method, len(segments)))


def answer_model(module: str, interface: Interface, method: str, segments: Sequence[str]) -> Body | None:
    """What `data` of its answer is when the answer is a success. None as for requests."""
    return _ANSWERS.get((module, interface, method, len(segments)))
