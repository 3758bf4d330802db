"""Which object a body is, against the version table: a row for every request that carries something, and no others."""

from itertools import product

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.v221.bodies import Body, answer_model, request_model
from hub.ocpi.v221.cdrs import CDR
from hub.ocpi.v221.charging_profiles import ActiveChargingProfile, ChargingProfileResponse, SetChargingProfile
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
from hub.ocpi.versions import Shape
from hub.ocpi.versions.v2_2_1 import TABLE

S, R = Interface.SENDER, Interface.RECEIVER
OWNED = ("NL", "ABC")


def path(shape: Shape, command: str = "START_SESSION") -> tuple[str, ...]:
    return tuple(command if part == "{command}" else part.strip("{}") for part in shape.segments)


REQUESTS = [
    (table.module, table.interface, method, path(shape))
    for table in TABLE.modules
    for shape in table.shapes
    for method in shape.methods
]


@pytest.mark.parametrize("request_line", REQUESTS, ids=str)
def test_every_request_that_has_a_body_has_a_model_and_no_other(
    request_line: tuple[str, Interface, str, tuple[str, ...]],
) -> None:
    module, interface, method, segments = request_line
    body = request_model(module, interface, method, segments)

    assert (body is not None) is (method in ("POST", "PUT", "PATCH"))
    assert body is None or body.partial is (method == "PATCH")


@pytest.mark.parametrize("request_line", REQUESTS, ids=str)
def test_every_get_has_an_answer_and_a_list_where_the_path_is_bare(
    request_line: tuple[str, Interface, str, tuple[str, ...]],
) -> None:
    module, interface, method, segments = request_line
    body = answer_model(module, interface, method, segments)

    if method == "GET":
        assert body is not None
        assert str(body.kind).startswith("list[") is (segments == ())
    if body is not None:
        assert not body.partial


def test_what_the_version_table_does_not_have_has_no_model() -> None:
    known = {(module, interface, method, len(segments)) for module, interface, method, segments in REQUESTS}
    modules = (*names.FUNCTIONAL_MODULES, *names.CONFIGURATION_MODULES, "nltnm-extra", "")
    for module, interface, method, length in product(
        modules, Interface, ("GET", "POST", "PUT", "PATCH", "DELETE"), range(7)
    ):
        if (module, interface, method, length) not in known:
            assert request_model(module, interface, method, ("a",) * length) is None
            assert answer_model(module, interface, method, ("a",) * length) is None


@pytest.mark.parametrize(
    ("request_line", "sent", "answered"),
    [
        ((names.LOCATIONS, R, "PUT", (*OWNED, "L")), Body(Location), None),
        ((names.LOCATIONS, R, "PUT", (*OWNED, "L", "E")), Body(EVSE), None),
        ((names.LOCATIONS, R, "PATCH", (*OWNED, "L", "E", "1")), Body(Connector, partial=True), None),
        ((names.LOCATIONS, S, "GET", ()), None, Body(list[Location])),
        ((names.LOCATIONS, S, "GET", ("L", "E")), None, Body(EVSE)),
        ((names.LOCATIONS, R, "GET", (*OWNED, "L")), None, Body(Location)),
        ((names.SESSIONS, R, "PATCH", (*OWNED, "S1")), Body(Session, partial=True), None),
        (
            (names.SESSIONS, S, "PUT", ("S1", "charging_preferences")),
            Body(ChargingPreferences),
            Body(ChargingPreferencesResponse),
        ),
        ((names.CDRS, R, "POST", ()), Body(CDR), None),
        ((names.CDRS, R, "POST", OWNED), Body(CDR), None),
        ((names.CDRS, R, "GET", ("x",)), None, Body(CDR)),
        ((names.TARIFFS, R, "PUT", (*OWNED, "T1")), Body(Tariff), None),
        ((names.TARIFFS, R, "DELETE", (*OWNED, "T1")), None, None),
        ((names.TOKENS, S, "GET", ()), None, Body(list[Token])),
        ((names.TOKENS, R, "PATCH", (*OWNED, "U1")), Body(Token, partial=True), None),
        (
            (names.TOKENS, S, "POST", ("U1", "authorize")),
            Body(LocationReferences, optional=True),
            Body(AuthorizationInfo),
        ),
        ((names.COMMANDS, S, "POST", ("START_SESSION", "x")), Body(CommandResult), None),
        (
            (names.CHARGING_PROFILES, R, "PUT", ("S1",)),
            Body(SetChargingProfile),
            Body(ChargingProfileResponse),
        ),
        ((names.CHARGING_PROFILES, R, "DELETE", ("S1",)), None, Body(ChargingProfileResponse)),
        ((names.CHARGING_PROFILES, S, "PUT", ("S1",)), Body(ActiveChargingProfile), None),
    ],
)
def test_both_ways(
    request_line: tuple[str, Interface, str, tuple[str, ...]], sent: Body | None, answered: Body | None
) -> None:
    assert request_model(*request_line) == sent
    assert answer_model(*request_line) == answered


def test_each_command_has_its_own_object() -> None:
    kinds = {
        "CANCEL_RESERVATION": CancelReservation,
        "RESERVE_NOW": ReserveNow,
        "START_SESSION": StartSession,
        "STOP_SESSION": StopSession,
        "UNLOCK_CONNECTOR": UnlockConnector,
    }
    assert set(kinds) == set(CommandType)
    for command, kind in kinds.items():
        assert request_model(names.COMMANDS, R, "POST", (command,)) == Body(kind)
        assert answer_model(names.COMMANDS, R, "POST", (command,)) == Body(CommandResponse)
    assert request_model(names.COMMANDS, R, "POST", ("MAKE_COFFEE",)) is None
