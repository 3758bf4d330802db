"""Who gets in: nobody without the token, on no route, and nobody learns which routes there are."""

import re

import pytest

from hub.web.admin.table import ENDPOINTS
from tests.admin_api.conftest import BEARER, Operator
from tests.hubs import ADMIN_TOKEN

ROUTES = [(endpoint.method, re.sub(r"\{\w+\}", "x", endpoint.path)) for endpoint in ENDPOINTS]
WRONG = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": f"Token {ADMIN_TOKEN}"},
    {"Authorization": ADMIN_TOKEN},
    {"Authorization": f"Bearer {ADMIN_TOKEN}x"},
    {"Authorization": f"Bearer {ADMIN_TOKEN[:-1]}"},
    {"Authorization": "Bearer \N{SNOWMAN}"},
]


@pytest.mark.parametrize("headers", WRONG, ids=lambda headers: headers.get("Authorization", "none")[:12])
async def test_every_route_refuses_who_has_not_the_token(admin: Operator, headers: dict[str, str]) -> None:
    elsewhere = [("GET", "/openapi.json"), ("GET", "/nothing"), ("PUT", "/platforms")]
    for method, path in [*ROUTES, *elsewhere]:
        reply = await admin.call(method, path, {"name": "Charge"} if method != "GET" else None, headers=headers)

        assert reply.status == 401, (method, path)
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert ADMIN_TOKEN not in reply.text

    assert (await admin.get("/platforms")).body["items"] == []


async def test_the_scheme_has_no_case(admin: Operator) -> None:
    assert (await admin.call("GET", "/platforms", headers={"Authorization": f"bearer  {ADMIN_TOKEN} "})).status == 200


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "/v1/nothing", "/v1/platforms/", "/v1/platforms/x/y", "/v2/platforms"]
)
async def test_an_unknown_path_is_404(admin: Operator, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        reply = await admin.call(method, path, prefix="/admin")

        assert reply.status == 404
        assert "/admin/v1/openapi.json" in reply.body["title"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/platforms", "POST, GET"),
        ("POST", "/platforms/x", "GET, PATCH, DELETE"),
        ("GET", "/platforms/x/rotate", "POST"),
        ("DELETE", "/parties", "GET"),
        ("GET", "/parties/NL/ABC/CPO/suspend", "POST"),
        ("POST", "/openapi.json", "GET"),
    ],
)
async def test_a_wrong_method_is_405_and_says_which_are_right(
    admin: Operator, method: str, path: str, allow: str
) -> None:
    reply = await admin.call(method, path)

    assert (reply.status, reply.headers["Allow"]) == (405, allow)
    assert allow in reply.body["title"]


async def test_no_answer_is_kept_by_anybody(admin: Operator) -> None:
    for reply in (await admin.get("/platforms"), await admin.get("/nothing")):
        assert reply.headers["Cache-Control"] == "no-store"


async def test_the_token_alone_opens_the_door(admin: Operator) -> None:
    assert BEARER.keys() == {"Authorization"}
    assert (await admin.call("GET", "/parties", headers=BEARER)).status == 200
