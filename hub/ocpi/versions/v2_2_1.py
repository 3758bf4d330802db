"""OCPI 2.2.1: endpoints, path shapes and methods (chapters of the functional modules; 2.2.1-d2)."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.versions.table import ModuleTable, Shape, VersionTable

_S, _R = Interface.SENDER, Interface.RECEIVER
_OWNER = "{country_code}/{party_id}"

TABLE = VersionTable(
    version="2.2.1",
    configuration=((names.CREDENTIALS, _S), (names.HUB_CLIENT_INFO, _S)),
    modules=(
        ModuleTable(
            names.CDRS,
            _R,
            (
                Shape("", ("POST",)),
                Shape("{cdr}", ("GET",)),
                # Some CPOs add the owner to the path; the leg goes to the bare endpoint (T-58).
                Shape(_OWNER, ("POST",)),
            ),
        ),
        ModuleTable(names.CDRS, _S, (Shape("", ("GET",)),)),
        ModuleTable(
            names.CHARGING_PROFILES, _R, (Shape("{session_id}", ("GET", "PUT", "DELETE")),), takes_response_url=True
        ),
        ModuleTable(names.CHARGING_PROFILES, _S, (Shape("{session_id}", ("POST", "PUT")),)),
        ModuleTable(names.COMMANDS, _R, (Shape("{command}", ("POST",)),), takes_response_url=True),
        ModuleTable(names.COMMANDS, _S, (Shape("{command}/{callback}", ("POST",)),)),
        ModuleTable(
            names.LOCATIONS,
            _R,
            (
                Shape(f"{_OWNER}/{{location_id}}", ("GET", "PUT", "PATCH")),
                Shape(f"{_OWNER}/{{location_id}}/{{evse_uid}}", ("GET", "PUT", "PATCH")),
                Shape(f"{_OWNER}/{{location_id}}/{{evse_uid}}/{{connector_id}}", ("GET", "PUT", "PATCH")),
            ),
        ),
        ModuleTable(
            names.LOCATIONS,
            _S,
            (
                Shape("", ("GET",)),
                Shape("{location_id}", ("GET",)),
                Shape("{location_id}/{evse_uid}", ("GET",)),
                Shape("{location_id}/{evse_uid}/{connector_id}", ("GET",)),
            ),
        ),
        ModuleTable(names.SESSIONS, _R, (Shape(f"{_OWNER}/{{session_id}}", ("GET", "PUT", "PATCH")),)),
        ModuleTable(names.SESSIONS, _S, (Shape("", ("GET",)), Shape("{session_id}/charging_preferences", ("PUT",)))),
        ModuleTable(names.TARIFFS, _R, (Shape(f"{_OWNER}/{{tariff_id}}", ("GET", "PUT", "DELETE")),)),
        ModuleTable(names.TARIFFS, _S, (Shape("", ("GET",)),)),
        ModuleTable(names.TOKENS, _R, (Shape(f"{_OWNER}/{{token_uid}}", ("GET", "PUT", "PATCH")),)),
        ModuleTable(
            names.TOKENS, _S, (Shape("", ("GET",)), Shape("{token_uid}/authorize", ("POST",), body_optional=True))
        ),
    ),
)
