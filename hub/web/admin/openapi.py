"""The OpenAPI 3.1 document of the admin API, made from the endpoint table."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from hub import __version__
from hub.web.admin import problems
from hub.web.admin.endpoint import Endpoint
from hub.web.admin.inputs import Nothing
from hub.web.admin.outputs import ProblemOutput

# What every call may answer beside its own statuses.
COMMON = {
    401: "The bearer token is missing or wrong",
    422: "Something in the request does not fit",
    503: "The store is away; nothing was changed for certain",
}
WITH_BODY = {400: "The body is not a JSON object, or a part of it names nothing", 413: "The body is too large"}
OTHERS = {
    404: "There is no such thing",
    409: "It is at odds with what is there",
    502: "The platform did not do its part",
}
_JSON = "application/json"
_INPUT: JsonSchemaMode = "validation"
_OUTPUT: JsonSchemaMode = "serialization"


def document(endpoints: Sequence[Endpoint[Any]], prefix: str, server_url: str) -> dict[str, Any]:
    """The whole document. `prefix` stands before every path of the table."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemOutput, _OUTPUT): None}
    for endpoint in endpoints:
        if not endpoint.reads_query and endpoint.takes is not Nothing:
            wanted[endpoint.takes, _INPUT] = None
        wanted |= {(kind, _OUTPUT): None for kind in (endpoint.gives, *endpoint.also.values())}
    references, schemas = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        row = paths.setdefault(f"{prefix}{endpoint.path}", {})
        row[endpoint.method.lower()] = _operation(endpoint, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "OCPI hub: admin API", "version": __version__},
        "servers": [{"url": server_url}],
        "security": [{"admin": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas.get("$defs", {}),
        },
    }


def _operation(endpoint: Endpoint[Any], references: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    refusal = {problems.CONTENT_TYPE: {"schema": references[ProblemOutput, _OUTPUT]}}
    statuses = COMMON | {status: OTHERS[status] for status in endpoint.refusals}
    if not endpoint.reads_query:
        statuses |= WITH_BODY
    responses: dict[str, Any] = {
        str(status): {
            "description": (kind.__doc__ or endpoint.summary).strip(),
            "content": {_JSON: {"schema": references[kind, _OUTPUT]}},
        }
        for status, kind in ((endpoint.status, endpoint.gives), *endpoint.also.items())
    }
    for status in sorted(statuses):
        responses[str(status)] = {"description": statuses[status], "content": refusal}
    operation: dict[str, Any] = {"operationId": endpoint.operation, "summary": endpoint.summary, "responses": responses}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in endpoint.path_names
    ]
    if endpoint.reads_query:
        parameters += _query(endpoint.takes)
    elif endpoint.takes is not Nothing:
        schema = references[endpoint.takes, _INPUT]
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    if parameters:
        operation["parameters"] = parameters
    return operation


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": property_schema}
        for name, property_schema in schema.get("properties", {}).items()
    ]
