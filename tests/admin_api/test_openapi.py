"""The OpenAPI document: valid, and neither more nor less than the endpoint table."""

import re

from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.app import RunningHub
from hub.web.admin import PREFIX
from hub.web.admin.inputs import Nothing
from hub.web.admin.table import ENDPOINTS
from tests.admin_api.conftest import Operator


async def test_it_is_valid_and_tells_where_the_hub_is(admin: Operator, hub: RunningHub) -> None:
    reply = await admin.get("/openapi.json")

    OpenAPIV31SpecValidator(reply.body).validate()
    assert reply.body["openapi"].startswith("3.1.")
    assert reply.body["servers"] == [{"url": hub.identity.public_url}]
    assert reply.body["security"] == [{"admin": []}]


async def test_it_lists_what_the_table_lists(admin: Operator) -> None:
    paths = (await admin.get("/openapi.json")).body["paths"]

    assert {(method.upper(), path) for path, row in paths.items() for method in row} == {
        (endpoint.method, f"{PREFIX}{endpoint.path}") for endpoint in ENDPOINTS
    }
    for endpoint in ENDPOINTS:
        operation = paths[f"{PREFIX}{endpoint.path}"][endpoint.method.lower()]
        assert operation["summary"] == endpoint.summary
        expected = {endpoint.status, 401, 422, 503, *endpoint.also, *endpoint.refusals}
        if endpoint.method != "GET":
            expected |= {400, 413}
        assert {int(status) for status in operation["responses"]} == expected
        named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", endpoint.path))
        takes_body = endpoint.method != "GET" and endpoint.takes is not Nothing
        assert ("requestBody" in operation) is takes_body


async def test_names_of_operations_are_unique(admin: Operator) -> None:
    paths = (await admin.get("/openapi.json")).body["paths"]
    names = [operation["operationId"] for row in paths.values() for operation in row.values()]

    assert len(names) == len(set(names)) == len(ENDPOINTS)


async def test_every_path_of_the_table_is_routed(admin: Operator) -> None:
    """404 of a thing that is not there, never of a path; nothing is 405."""
    for endpoint in ENDPOINTS:
        path = re.sub(r"\{\w+\}", "CPO" if endpoint.path.startswith("/parties/") else "x", endpoint.path)
        reply = await admin.call(endpoint.method, path)

        assert reply.status in (200, 404, 422), (endpoint.method, path, reply.text)
        assert "at this path" not in reply.text
