"""GET /messages: what operators ask, and what they are told when it makes no sense."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from hub.plugin import Audience, Body, Content, HttpRequest, HttpResponse
from plugins.message_log import MessageLog, searching
from plugins.message_log.config import MessageLogConfig
from tests.unit.plugins.exchanges import START, answered, finished, leg_of, received
from tests.unit.plugins.small_hub import SmallHub

QRS = PartyId("FR", "QRS")


@pytest.fixture
async def hub() -> AsyncIterator[SmallHub]:
    async with SmallHub() as hub:
        yield hub


@pytest.fixture
async def plugin(hub: SmallHub) -> MessageLog:
    """Six exchanges, a minute apart: r1 to r6, every other one tokens and to FR/QRS on gamma."""
    plugin = MessageLog(MessageLogConfig(), hub)
    for number in range(1, 7):
        even = number % 2 == 0
        exchange = received(
            "tokens" if even else "locations",
            request_id=f"r{number}",
            correlation_id=f"c{(number + 1) // 2}",
            at=START + timedelta(minutes=number),
        )
        exchange.to = QRS if even else exchange.to
        leg = leg_of(exchange, QRS, "gamma") if even else leg_of(exchange)
        plugin.on_finished(finished(exchange, answered(leg)))
    await plugin.stop()
    return plugin


async def ask(plugin: MessageLog, **query: str) -> HttpResponse:
    (route,) = plugin.routes()
    assert (route.method, route.path, route.audience) == ("GET", "/messages", Audience.ADMIN)
    return await route.serve(HttpRequest("GET", "/messages", {}, query, {}, b""))


async def ids(plugin: MessageLog, **query: str) -> list[str]:
    response = await ask(plugin, **query)
    assert response.status == 200, response.body
    return [item["request_id"] for item in codec.loads(response.content)["items"]]


async def test_newest_first_with_everything_that_was_written(plugin: MessageLog) -> None:
    shown: dict[str, Any] = codec.loads((await ask(plugin)).content)
    assert shown["before"] is None
    assert [item["request_id"] for item in shown["items"]] == ["r6", "r5", "r4", "r3", "r2", "r1"]
    assert shown["items"][0]["id"] == 6
    assert shown["items"][0]["legs"][0]["receiver"] == "FR/QRS"


async def test_nothing_is_an_empty_list(hub: SmallHub) -> None:
    response = await ask(MessageLog(MessageLogConfig(), hub))
    assert codec.loads(response.content) == {"items": [], "before": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"request_id": "r3"}, ["r3"]),
        ({"correlation_id": "c2"}, ["r4", "r3"]),
        ({"module": "tokens"}, ["r6", "r4", "r2"]),
        ({"platform": "alpha", "limit": "2"}, ["r6", "r5"]),
        ({"platform": "gamma"}, ["r6", "r4", "r2"]),
        ({"party": "FR/QRS"}, ["r6", "r4", "r2"]),
        ({"party": "FR*QRS"}, ["r6", "r4", "r2"]),
        ({"party": "fr-qrs"}, ["r6", "r4", "r2"]),
        ({"party": "nl/abc", "module": "locations"}, ["r5", "r3", "r1"]),
        ({"party": "fr-qrs", "module": "locations"}, []),
        ({"correlation_id": "c2", "module": "tokens"}, ["r4"]),
        ({"platform": "gamma", "module": "tokens", "limit": "2"}, ["r6", "r4"]),
        ({"platform": "gamma", "module": "locations"}, []),
        ({"module": "token"}, []),
        ({"module": 'tokens","'}, []),
        ({"module": "tokens", "until": "2026-01-01T00:05:00Z"}, ["r4", "r2"]),
        ({"since": "2026-01-01T00:05:00Z"}, ["r6", "r5"]),
        ({"until": "2026-01-01T00:02:00Z"}, ["r1"]),
        ({"since": "2026-01-01T01:03:00 01:00", "until": "2026-01-01T00:04:00"}, ["r3"]),  # the + came as a space
        ({"before": "3"}, ["r2", "r1"]),
    ],
)
async def test_parameters_narrow_down(plugin: MessageLog, query: dict[str, str], expected: list[str]) -> None:
    assert await ids(plugin, **query) == expected


async def test_pages_join_without_gap_or_overlap(plugin: MessageLog) -> None:
    seen: list[str] = []
    page: dict[str, Any] = codec.loads((await ask(plugin, limit="2")).content)
    while page["before"] is not None:
        seen += [item["request_id"] for item in page["items"]]
        page = codec.loads((await ask(plugin, limit="2", before=str(page["before"]))).content)
    assert len(page["items"]) == 2
    assert [*seen, *(item["request_id"] for item in page["items"])] == ["r6", "r5", "r4", "r3", "r2", "r1"]


@pytest.mark.parametrize("limit", ["1", "2", "3"])
async def test_pages_of_one_module_join(plugin: MessageLog, limit: str) -> None:
    query = {"module": "tokens", "limit": limit}
    page: dict[str, Any] = codec.loads((await ask(plugin, **query)).content)
    seen = [item["request_id"] for item in page["items"]]
    while page["before"] is not None:
        assert len(page["items"]) == int(limit)
        page = codec.loads((await ask(plugin, **query, before=str(page["before"]))).content)
        seen += [item["request_id"] for item in page["items"]]
    assert seen == ["r6", "r4", "r2"]


async def test_one_answer_looks_through_so_many_and_says_where_to_go_on(
    hub: SmallHub, plugin: MessageLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_STEP", 2)
    monkeypatch.setattr(searching, "MOST_LOOKED_THROUGH", 3)
    assert codec.loads((await ask(plugin, module="cdrs")).content) == {"items": [], "before": 3}
    assert codec.loads((await ask(plugin, module="cdrs", before="3")).content) == {"items": [], "before": None}
    first = codec.loads((await ask(plugin, module="locations")).content)
    assert ([item["request_id"] for item in first["items"]], first["before"]) == (["r5", "r3"], 3)
    assert await ids(plugin, module="locations", before="3") == ["r1"]


async def test_what_stands_in_a_body_is_not_taken_for_the_records_own(hub: SmallHub) -> None:
    plugin = MessageLog(MessageLogConfig(bodies=True), hub)
    text = b'{"module":"cdrs","platform":"gamma"}'
    exchange = received(request=Content(text, Body.BYTES, 1024))
    exchange.query = '"module":"cdrs"'
    plugin.on_finished(finished(exchange, answered(leg_of(exchange))))
    await plugin.stop()
    assert await ids(plugin, module="cdrs") == await ids(plugin, platform="gamma") == []
    assert await ids(plugin, module="locations", platform="beta") == ["request-1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "ten"),
        ("limit", "²"),
        ("before", "-1"),
        ("before", "9" * 30),
        ("since", "yesterday"),
        ("until", ""),
        ("party", "ABC"),
        ("party", "NL/ABCD"),
        ("module", " "),
        ("correlation_id", ""),
        ("colour", "red"),
    ],
)
async def test_what_makes_no_sense_is_named(plugin: MessageLog, name: str, value: str) -> None:
    response = await ask(plugin, **{name: value})

    assert (response.status, response.content_type) == (400, "application/problem+json")
    told = codec.loads(response.content)
    assert told["parameter"] == name
    assert told["title"].startswith(f"{name} cannot be used: ")


async def test_a_store_that_is_away_is_503(hub: SmallHub, plugin: MessageLog) -> None:
    hub.outage.away = True
    assert (await ask(plugin)).status == 503
