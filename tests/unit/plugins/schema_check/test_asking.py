"""GET /schema-check and GET /schema-check/findings: what operators see, and what they are told when it makes no
sense.
"""

from typing import Any

import pytest

from hub.ocpi import codec
from hub.plugin import Audience, HttpRequest, HttpResponse
from plugins.schema_check import SchemaCheck
from plugins.schema_check.config import SchemaCheckConfig
from tests.unit.plugins.exchanges import START
from tests.unit.plugins.schema_check.bodies import location, push, wrong_location
from tests.unit.plugins.small_hub import SmallHub

AT = "2026-01-01T00:00:00.000Z"


async def checked() -> SchemaCheck:
    """NL/ABC pushed three locations, two of them wrong; DE/XYZ answered one without an envelope, a minute later."""
    hub = SmallHub(START)
    checking = SchemaCheck(SchemaCheckConfig(every_message=True), hub)
    for _ in range(2):
        checking.on_finished(push(wrong_location()))
    await hub.clock.advance(60)
    late = push(location(), answer={})
    late.correlation_id = "c-late"
    checking.on_finished(late)
    return checking


async def ask(checking: SchemaCheck, path: str, **query: str) -> HttpResponse:
    (route,) = (one for one in checking.routes() if one.path == path)
    assert (route.method, route.audience) == ("GET", Audience.ADMIN)
    return await route.serve(HttpRequest("GET", path, {}, query, {}, b""))


async def items(checking: SchemaCheck, path: str, **query: str) -> list[dict[str, Any]]:
    response = await ask(checking, path, **query)
    assert response.status == 200, response.body
    shown: dict[str, list[dict[str, Any]]] = codec.loads(response.content)
    assert list(shown) == ["items"]
    return shown["items"]


async def test_the_most_wrong_first_with_the_places() -> None:
    assert await items(await checked(), "/schema-check", module="locations", party="NL/ABC") == [
        {
            "party": "NL/ABC",
            "module": "locations",
            "direction": "request",
            "checked": 3,
            "wrong": 2,
            "share": codec.loads("0.6667"),
            "problems": [
                {
                    "pointer": "/city",
                    "problem": "a string was expected, but this is a number",
                    "count": 2,
                    "last_at": AT,
                },
                {
                    "pointer": "/evses/*/uid",
                    "problem": "the field is required, and it is missing",
                    "count": 2,
                    "last_at": AT,
                },
            ],
        }
    ]


@pytest.mark.parametrize(
    ("query", "parties"),
    [
        ({}, ["NL/ABC", "DE/XYZ"]),
        ({"party": "de-xyz"}, ["DE/XYZ"]),
        ({"party": "DE*XYZ", "module": "locations"}, ["DE/XYZ"]),
        ({"module": "tokens"}, []),
        ({"party": "FR/QRS"}, []),
    ],
)
async def test_rows_narrow_down(query: dict[str, str], parties: list[str]) -> None:
    assert [row["party"] for row in await items(await checked(), "/schema-check", **query)] == parties


async def test_the_latest_findings_newest_first() -> None:
    checking = await checked()
    found = await items(checking, "/schema-check/findings")
    assert [one["pointer"] for one in found] == [
        "/timestamp",
        "/status_code",
        *["/evses/0/uid", "/city"] * 2,
    ]
    assert found[0] == {
        "correlation_id": "c-late",
        "at": "2026-01-01T00:01:00.000Z",
        "party": "DE/XYZ",
        "module": "locations",
        "direction": "answer",
        "pointer": "/timestamp",
        "problem": "the field is required, and it is missing",
    }
    assert await items(checking, "/schema-check/findings", party="nl/abc", limit="3") == found[2:5]


async def test_nothing_is_an_empty_list() -> None:
    checking = SchemaCheck(SchemaCheckConfig(), SmallHub())
    assert await items(checking, "/schema-check") == []
    assert await items(checking, "/schema-check/findings") == []


async def test_the_panel_has_a_column_for_every_value() -> None:
    (panel,) = (await checked()).panels()
    assert panel.title == "Who sends what wrong"
    shown = [dict(zip(panel.columns, row, strict=True)) for row in panel.rows()]
    assert [(row["party"], row["wrong"], row["last at"], row["last pointer"]) for row in shown] == [
        ("NL/ABC", 2, AT, "/city"),
        ("DE/XYZ", 1, "2026-01-01T00:01:00.000Z", "/status_code"),
    ]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/schema-check", "party", "ABC"),
        ("/schema-check", "module", "x-weather"),
        ("/schema-check", "module", ""),
        ("/schema-check", "limit", "5"),
        ("/schema-check/findings", "party", ""),
        ("/schema-check/findings", "module", "locations"),
        ("/schema-check/findings", "limit", "0"),
        ("/schema-check/findings", "limit", "501"),
        ("/schema-check/findings", "limit", "²"),
        ("/schema-check/findings", "limit", "9" * 5000),
    ],
)
async def test_what_makes_no_sense_is_named(path: str, name: str, value: str) -> None:
    response = await ask(await checked(), path, **{name: value})
    assert (response.status, response.content_type) == (400, "application/problem+json")
    told = codec.loads(response.content)
    assert told["parameter"] == name
    assert told["title"].startswith(f"{name} cannot be used: ")


async def test_no_value_is_ever_shown_or_kept() -> None:
    secret = "hidden-value"
    checking = SchemaCheck(SchemaCheckConfig(every_message=True), SmallHub())
    body = location(city={secret: secret}, country=secret, id=[secret], parking_type=secret, **{secret: 1})
    checking.on_finished(push(body, answer={"status_code": secret, "timestamp": secret}))

    (panel,) = checking.panels()
    shown = [
        str(await items(checking, "/schema-check")),
        str(await items(checking, "/schema-check/findings")),
        str(list(panel.rows())),
        str(checking.export_state()),
    ]
    assert "/parking_type" in shown[0]
    assert all(secret not in text for text in shown)
