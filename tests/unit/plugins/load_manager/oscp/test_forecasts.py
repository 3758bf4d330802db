"""Forecasts of a DSO on real sockets: whole or in segments, once or again, and those that are refused."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any, Literal

import pytest

from hub.ocpi import codec
from hub.sandbox.dso import block
from plugins.load_manager.oscp import CapacityUnit, ForecastType
from tests.unit.plugins.load_manager.oscp.socket_hub import Site, site


async def ready(s: Site) -> None:
    """Registered, and G1 is the DSO's."""
    await s.register()
    s.told.groups = {"G1": s.id, "G9": "somebody else"}


def blocks(s: Site, count: int) -> list[dict[str, Any]]:
    quarter = timedelta(minutes=15)
    return [block(s.clock.now() + n * quarter, s.clock.now() + (n + 1) * quarter, n) for n in range(count)]


async def test_a_forecast_reaches_the_load_manager() -> None:
    async with site() as s:
        await ready(s)
        now = s.clock.now()
        sent = [block(now, now + timedelta(hours=1), "30.50", "KW"), block(now, now + timedelta(hours=2), 0, "W")]
        answer = (await s.dso.forecast("G1", sent, "FALLBACK_CONSUMPTION", request_id="R7"))[0]

        assert (answer.status, answer.body) == (204, b"")
        (forecast,) = s.told.forecasts
        assert (forecast.group_id, forecast.type) == ("G1", ForecastType.FALLBACK_CONSUMPTION)
        assert [(one.capacity, one.unit) for one in forecast.blocks] == [
            (Decimal("30.50"), CapacityUnit.KW),
            (Decimal(0), CapacityUnit.W),
        ]
        assert (forecast.message_id, forecast.received_at) == ("R7", now)
        assert codec.loads(forecast.raw[0])["group_id"] == "G1"
        assert (await s.providers.get(s.id)).last_signal_at == now


async def test_a_forecast_that_comes_again_is_applied_once_for_a_day() -> None:
    async with site() as s:
        await ready(s)
        for _ in range(2):
            assert (await s.send_limit(request_id="R1"))[0].status == 204
        await s.clock.jump(24 * 3600 - 1)
        assert (await s.send_limit(request_id="R1"))[0].status == 204
        assert len(s.told.forecasts) == 1
        await s.clock.jump(2)
        assert (await s.send_limit(request_id="R1"))[0].status == 204
        assert len(s.told.forecasts) == 2


async def test_a_forecast_that_was_refused_may_come_again() -> None:
    async with site() as s:
        await s.register()
        assert (await s.send_limit(request_id="R1"))[0].status == 404
        s.told.groups = {"G1": s.id}
        assert (await s.send_limit(request_id="R1"))[0].status == 204
        assert len(s.told.forecasts) == 1


@pytest.mark.parametrize("each_names", ["first", "previous"])
@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
async def test_segments_are_joined_in_whatever_order_they_come(
    order: tuple[int, ...], each_names: Literal["first", "previous"]
) -> None:
    async with site() as s:
        await ready(s)
        sent = blocks(s, 5)
        answers = await s.dso.forecast("G1", sent, segments=3, order=order, each_names=each_names, request_id="R1")
        assert [one.status for one in answers] == [204, 204, 204]
        (forecast,) = s.told.forecasts
        assert [int(one.capacity) for one in forecast.blocks] == [0, 1, 2, 3, 4]
        assert (forecast.message_id, len(forecast.raw)) == ("R1", 3)


async def test_half_a_message_changes_nothing_and_is_forgotten() -> None:
    async with site() as s:
        await ready(s)
        await s.dso.forecast("G1", blocks(s, 4), segments=2, order=(1,), request_id="R1")
        assert s.told.forecasts == []
        await s.clock.advance(301)
        body = {"group_id": "G1", "type": "CONSUMPTION", "forecasted_blocks": blocks(s, 2)}
        said = {"X-Segment-Index": "2", "X-Segment-Count": "2"}
        path = "update_group_capacity_forecast"
        assert (await s.dso.send(path, body, correlation_id="R1", extra=said)).status == 204
        assert s.told.forecasts == []


async def test_a_last_segment_that_could_not_be_served_may_come_again() -> None:
    async with site() as s:
        await ready(s)
        await s.dso.forecast("G1", blocks(s, 2), segments=2, order=(1,), request_id="R1")
        body = {"group_id": "G1", "type": "CONSUMPTION", "forecasted_blocks": blocks(s, 1)}
        said = {"X-Segment-Index": "2", "X-Segment-Count": "2"}
        path = "update_group_capacity_forecast"
        wrong = body | {"type": "GENERATION"}
        assert (await s.dso.send(path, wrong, request_id="R2", correlation_id="R1", extra=said)).status == 400
        assert (await s.dso.send(path, body, request_id="R2", correlation_id="R1", extra=said)).status == 204
        assert len(s.told.forecasts) == 1


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"group_id": "G2"}, 404, "G2"),
        ({"group_id": "G9"}, 403, "G9"),
        ({"type": "LIMIT"}, 400, "type"),
        ({"forecasted_blocks": []}, 400, "forecasted_blocks"),
        ({"capacity": -1}, 400, "capacity"),
        ({"capacity": "NaN"}, 400, "capacity"),
        ({"capacity": True}, 400, "capacity"),
        ({"unit": "MW"}, 400, "unit"),
        ({"phase": None}, 400, "phase"),
        ({"end_time": "2026-01-01T00:00:00Z"}, 400, "starts"),
        ({"start_time": "2026-01-01T00:00:00"}, 400, "start_time"),
        ({"start_time": 1767225600}, 400, "start_time"),
    ],
)
async def test_a_forecast_that_cannot_be_applied(change: dict[str, Any], status: int, named: str) -> None:
    async with site() as s:
        await ready(s)
        whole = {"group_id": "G1", "type": "CONSUMPTION", "forecasted_blocks": blocks(s, 1)}
        body = whole | change if change.keys() & whole.keys() else whole
        if body is whole:
            body["forecasted_blocks"] = [blocks(s, 1)[0] | change]
        answer = await s.dso.send("update_group_capacity_forecast", body)
        assert answer.status == status
        assert named in codec.loads(answer.body)["message"]
        assert s.told.forecasts == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", {}),
        (b"[]", {}),
        (b'{"group_id":NaN}', {}),
        (None, {"X-Segment-Index": "1"}),
        (None, {"X-Segment-Index": "0", "X-Segment-Count": "2"}),
        (None, {"X-Segment-Index": "3", "X-Segment-Count": "2"}),
        (None, {"X-Segment-Index": "1", "X-Segment-Count": "101"}),
        (None, {"X-Segment-Index": "one", "X-Segment-Count": "2"}),
        (None, {"X-Request-ID": "x" * 129}),
    ],
)
async def test_what_is_no_forecast_at_all(body: bytes | None, said: dict[str, str]) -> None:
    async with site() as s:
        await ready(s)
        whole = {"group_id": "G1", "type": "CONSUMPTION", "forecasted_blocks": blocks(s, 1)}
        answer = await s.dso.send("update_group_capacity_forecast", whole if body is None else body, extra=said)
        assert answer.status == 400
        assert codec.loads(answer.body)["message"]
        assert s.told.forecasts == []
