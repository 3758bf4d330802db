"""The messages of OSCP 2.0 as values: what is read, how it is written, and what is not one of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.ocpi import codec
from plugins.load_manager.oscp import Refused, WrongBlocks
from plugins.load_manager.oscp.messages import (
    EnergyMeasurement,
    GroupCapacityForecast,
    Handshake,
    Heartbeat,
    Message,
    NotUsable,
    Register,
    UpdateGroupMeasurements,
    read,
)
from plugins.load_manager.oscp.seen import Seen
from plugins.load_manager.oscp.segments import MOST_SEGMENTS, MOST_WAITING, Segment, Segments

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BLOCK = {
    "capacity": "12.50",
    "phase": "ALL",
    "unit": "KW",
    "start_time": "2026-01-01T20:00:00+08:00",
    "end_time": "2026-01-01T12:15:00Z",
    "comment": "not of OSCP",
}
FORECAST = {"group_id": "G1", "type": "CONSUMPTION", "forecasted_blocks": [BLOCK]}


def forecast(**changes: Any) -> GroupCapacityForecast:
    return read(GroupCapacityForecast, codec.dumps(FORECAST | changes))


def test_a_forecast_is_read_with_its_digits_and_in_utc() -> None:
    (block,) = forecast().forecasted_blocks
    assert (block.start_time, block.end_time) == (NOW, NOW + timedelta(minutes=15))
    assert str(block.capacity) == "12.50"


def test_a_forecast_is_written_with_a_number() -> None:
    assert codec.loads(forecast().written()) == {
        "group_id": "G1",
        "type": "CONSUMPTION",
        "forecasted_blocks": [
            {
                "capacity": Decimal("12.50"),
                "phase": "ALL",
                "unit": "KW",
                "start_time": "2026-01-01T12:00:00Z",
                "end_time": "2026-01-01T12:15:00Z",
            }
        ],
    }
    assert b'"capacity":12.50' in forecast().written()


def test_a_message_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        forecast().group_id = "G2"  # type: ignore[misc]


def test_an_empty_acknowledgement_is_one() -> None:
    assert read(Handshake, b"{}").required_behaviour is None
    asked = read(Handshake, b'{"required_behaviour":{"measurement_configuration":[]}}').required_behaviour
    assert asked is not None
    assert asked.heartbeat_interval is None


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        (Handshake, b'{"required_behaviour":{}}', "measurement_configuration"),
        (Handshake, b'{"required_behaviour":{"heartbeat_interval":0.5,"measurement_configuration":[]}}', "interval"),
        (Handshake, b'{"required_behaviour":{"heartbeat_interval":"60","measurement_configuration":[]}}', "interval"),
        (Handshake, b'{"required_behaviour":{"measurement_configuration":["HOURLY"]}}', "measurement_configuration"),
        (Heartbeat, b"{}", "offline_mode_at"),
        (Heartbeat, b'{"offline_mode_at":"2026-01-01T12:00:00"}', "offline_mode_at"),
        (Heartbeat, b'{"offline_mode_at":1767225600}', "offline_mode_at"),
        (Heartbeat, b'{"offline_mode_at":"0001-01-01T00:00:00+14:00"}', "offline_mode_at"),
        (Register, b'{"token":"t","version_url":[]}', "version_url"),
        (Register, b'{"token":"","version_url":[{"version":"2.0","base_url":"http://a"}]}', "token"),
        (Register, b'{"token":"t\\r\\nX: y","version_url":[{"version":"2.0","base_url":"http://a"}]}', "token"),
        (GroupCapacityForecast, b"null", "the body"),
        (GroupCapacityForecast, b"\xff", "JSON"),
        (UpdateGroupMeasurements, b'{"group_id":"G1","measurements":[]}', "measurements"),
        (EnergyMeasurement, b'{"value":"1","phase":"ALL","unit":"KWH","direction":"NET"}', "value"),
        (EnergyMeasurement, b'{"value":1e-400,"phase":"ALL","unit":"KWH","direction":"NET"}', "value"),
        (EnergyMeasurement, b'{"value":1e400,"phase":"ALL","unit":"KWH","direction":"NET"}', "value"),
    ],
)
def test_what_is_no_message(kind: type[Message], body: bytes, named: str) -> None:
    with pytest.raises(NotUsable, match=named):
        read(kind, body)


def test_a_refusal_does_not_repeat_a_token() -> None:
    with pytest.raises(NotUsable) as refused:
        read(Register, b'{"token":"secret token","version_url":[{"version":"2.0","base_url":"http://a"}]}')
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(read(Register, b'{"token":"secret","version_url":[{"version":"2","base_url":"x"}]}'))


# ---- segments


def segment(index: int, count: int, request_id: str, names: str | None = None, **changes: Any) -> Segment:
    return Segment(index, count, request_id, names, forecast(**changes), b"")


def test_two_messages_in_parts_do_not_mix() -> None:
    waiting = Segments()
    assert waiting.add(segment(1, 2, "A1"), NOW) is None
    assert waiting.add(segment(1, 2, "B1"), NOW) is None
    whole = waiting.add(segment(2, 2, "B2", "B1"), NOW)
    assert whole is not None
    assert [one.request_id for one in whole] == ["B1", "B2"]


def test_a_part_that_contradicts_the_others_leaves_them_waiting() -> None:
    waiting = Segments()
    waiting.add(segment(1, 2, "A1"), NOW)
    with pytest.raises(Refused, match="Segment-Count"):
        waiting.add(segment(2, 3, "A2", "A1"), NOW)
    with pytest.raises(Refused, match="has come before"):
        waiting.add(segment(1, 2, "A3", "A1"), NOW)
    with pytest.raises(WrongBlocks, match="group_id"):
        waiting.add(segment(2, 2, "A4", "A1", group_id="G2"), NOW)
    assert waiting.add(segment(2, 2, "A5", "A1"), NOW) is not None


def test_a_message_of_too_many_blocks() -> None:
    waiting = Segments()
    waiting.add(segment(1, 2, "A1", forecasted_blocks=[BLOCK] * 9_999), NOW)
    with pytest.raises(WrongBlocks, match="at most"):
        waiting.add(segment(2, 2, "A2", "A1", forecasted_blocks=[BLOCK] * 2), NOW)


def test_what_waits_longest_goes_when_too_much_waits() -> None:
    waiting = Segments()
    for number in range(MOST_WAITING + 1):
        waiting.add(segment(1, MOST_SEGMENTS, f"A{number}"), NOW + timedelta(seconds=number))
    late = NOW + timedelta(seconds=20)
    assert waiting.add(segment(2, MOST_SEGMENTS, "B1", "A1"), late) is None
    with pytest.raises(Refused, match="has come before"):
        waiting.add(segment(1, MOST_SEGMENTS, "B2", "A1"), late)
    waiting.add(segment(1, MOST_SEGMENTS, "B3", "A0"), late)  # the first of A0 is gone


# ---- request ids


def test_request_ids_are_known_for_a_day_and_the_newest_of_many() -> None:
    seen = Seen(most=3)
    for number in range(4):
        seen.add(f"R{number}", NOW + timedelta(seconds=number))
    late = NOW + timedelta(seconds=4)
    assert [seen.has(f"R{number}", late) for number in range(4)] == [False, True, True, True]
    assert not seen.has("R3", NOW + timedelta(days=1, seconds=4))
    seen.add("R9", NOW + timedelta(days=2))
    assert not seen.has("R3", late)
