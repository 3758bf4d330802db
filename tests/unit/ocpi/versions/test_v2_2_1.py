"""The 2.2.1 table against the methods tables of the module chapters, written down here once more, row by row."""

from itertools import product

import pytest

from hub.ocpi.names import Interface
from hub.ocpi.versions import SERVED, Match, WrongMethod
from hub.ocpi.versions.v2_2_1 import TABLE

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MODULES = ("cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens")

# module, interface, methods, path below the endpoint
ROWS = """
locations        SENDER   GET            -
locations        SENDER   GET            /{location_id}
locations        SENDER   GET            /{location_id}/{evse_uid}
locations        SENDER   GET            /{location_id}/{evse_uid}/{connector_id}
locations        RECEIVER GET,PUT,PATCH  /{cc}/{pid}/{location_id}
locations        RECEIVER GET,PUT,PATCH  /{cc}/{pid}/{location_id}/{evse_uid}
locations        RECEIVER GET,PUT,PATCH  /{cc}/{pid}/{location_id}/{evse_uid}/{connector_id}
sessions         SENDER   GET            -
sessions         SENDER   PUT            /{session_id}/charging_preferences
sessions         RECEIVER GET,PUT,PATCH  /{cc}/{pid}/{session_id}
cdrs             SENDER   GET            -
cdrs             RECEIVER POST           -
cdrs             RECEIVER POST           /{cc}/{pid}
cdrs             RECEIVER GET            /{id_of_the_hub}
tariffs          SENDER   GET            -
tariffs          RECEIVER GET,PUT,DELETE /{cc}/{pid}/{tariff_id}
tokens           SENDER   GET            -
tokens           SENDER   POST           /{token_uid}/authorize
tokens           RECEIVER GET,PUT,PATCH  /{cc}/{pid}/{token_uid}
commands         RECEIVER POST           /{command}
commands         SENDER   POST           /{command}/{id_of_the_hub}
chargingprofiles RECEIVER GET,PUT,DELETE /{session_id}
chargingprofiles SENDER   POST,PUT       /{session_id}
"""

EXPECTED: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
for _line in ROWS.split("\n"):
    if _line:
        _module, _interface, _methods, _path = _line.split()
        EXPECTED.setdefault((_module, _interface), {})[_path.strip("-")] = tuple(_methods.split(","))

OPTIONAL_BODY = ("tokens", "SENDER", "/{token_uid}/authorize")
RESPONSE_URL = {("commands", "RECEIVER"), ("chargingprofiles", "RECEIVER")}


def segments_of(path: str) -> tuple[str, ...]:
    """An address of that shape, with values no literal segment has."""
    return tuple(f"v{position}" if part[0] == "{" else part for position, part in enumerate(path.split("/")[1:]))


def allowed(rows: dict[str, tuple[str, ...]], segments: tuple[str, ...]) -> tuple[str, ...]:
    """What the rows above allow at an address."""
    methods: list[str] = []
    for path, taken in rows.items():
        parts = path.split("/")[1:]
        if len(parts) == len(segments) and all(
            part[0] == "{" or part == segment for part, segment in zip(parts, segments, strict=True)
        ):
            methods += taken
    return tuple(methods)


def test_every_module_has_both_interfaces_and_nothing_else_is_there() -> None:
    assert {(module, side.value) for module, side in TABLE.by_endpoint} == set(product(MODULES, ("SENDER", "RECEIVER")))
    assert set(EXPECTED) == set(product(MODULES, ("SENDER", "RECEIVER")))
    assert [(module, side.value) for module, side in TABLE.configuration] == [
        ("credentials", "SENDER"),
        ("hubclientinfo", "SENDER"),
    ]
    assert list(SERVED.values())[-1] is TABLE
    assert SERVED == {"2.2.1": TABLE}


@pytest.mark.parametrize(
    ("module", "interface", "path"), [(*endpoint, path) for endpoint, rows in EXPECTED.items() for path in rows]
)
def test_each_row_matches_with_its_methods_alone(module: str, interface: str, path: str) -> None:
    table = TABLE.by_endpoint[module, Interface(interface)]
    segments = segments_of(path)
    methods = EXPECTED[module, interface][path]

    for method in METHODS:
        found = table.look_up(method, segments)
        if method in methods:
            assert isinstance(found, Match)
            assert (found.table, found.segments) == (table, segments)
            assert found.is_list is (path == "")
            assert found.shape.owned is path.startswith("/{cc}/{pid}")
            assert found.shape.body_optional is ((module, interface, path) == OPTIONAL_BODY)
        else:
            assert isinstance(found, WrongMethod)
            assert sorted(found.allow) == sorted(methods)


@pytest.mark.parametrize("endpoint", EXPECTED)
def test_every_other_address_or_method_is_wrong_or_unknown(endpoint: tuple[str, str]) -> None:
    module, interface = endpoint
    table = TABLE.by_endpoint[module, Interface(interface)]
    words = ("NL", "authorize", "charging_preferences", "LOC1", "Authorize")
    addresses = [address for length in range(4) for address in product(words, repeat=length)]
    addresses += [("NL", "CPA", "LOC1", word) for word in words] + [("NL", "CPA", "L", "E", "C"), ("a",) * 6]

    for segments, method in product(addresses, (*METHODS, "HEAD", "OPTIONS", "get")):
        found = table.look_up(method, segments)
        methods = allowed(EXPECTED[endpoint], segments)
        if method in methods:
            assert isinstance(found, Match)
        elif methods:
            assert found == WrongMethod(methods)
        else:
            assert found is None


@pytest.mark.parametrize("endpoint", EXPECTED)
@pytest.mark.parametrize("segments", [("",), ("", "b"), ("a", ""), ("a", "", "c"), ("", "", ""), ("a", "b", "", "d")])
def test_an_empty_segment_is_at_no_address(endpoint: tuple[str, str], segments: tuple[str, ...]) -> None:
    table = TABLE.by_endpoint[endpoint[0], Interface(endpoint[1])]

    assert all(table.look_up(method, segments) is None for method in METHODS)


def test_requests_with_an_asynchronous_result_are_those_of_two_receivers() -> None:
    found = {(table.module, table.interface.value) for table in TABLE.modules if table.takes_response_url}

    assert found == RESPONSE_URL
