"""What stands in a record, and what never does."""

from typing import Any

import pytest

from hub.ocpi.party_id import PartyId
from hub.plugin import Body, Content, Kind
from plugins.message_log.record import body_bytes, record_of
from tests.unit.plugins.exchanges import START, answered, finished, leg_of, received

MOST = 64


def body(raw: bytes | None, *, limit: int = 1024, streams: bool = False) -> Content:
    return Content(raw, Body.BYTES, limit, streams=streams)


def test_facts_of_the_exchange_and_its_legs() -> None:
    exchange = received()
    failed = answered(leg_of(exchange, PartyId("FR", "QRS"), "gamma"), 200, 4002, "timeout")
    exchange = finished(exchange, answered(leg_of(exchange)), failed, kind=Kind.BROADCAST)

    record = record_of(exchange, None)

    assert record.at == START
    assert record.body == {
        "request_id": "request-1",
        "correlation_id": "correlation-1",
        "at": "2026-01-01T00:00:00.000Z",
        "platform": "alpha",
        "sender": "NL/ABC",
        "to": "DE/XYZ",
        "module": "locations",
        "interface": "RECEIVER",
        "method": "PUT",
        "path": "NL/ABC/LOC1",
        "query": "",
        "kind": "broadcast",
        "http": 200,
        "status_code": 1000,
        "outcome": "relayed",
        "ms": 50.0,
        "legs": [
            {
                "receiver": "DE/XYZ",
                "platform": "beta",
                "http": 200,
                "status_code": 1000,
                "outcome": "relayed",
                "ms": 20.0,
            },
            {
                "receiver": "FR/QRS",
                "platform": "gamma",
                "http": 200,
                "status_code": 4002,
                "outcome": "timeout",
                "ms": 20.0,
            },
        ],
    }
    assert dict(record.keys) == {
        "request_id": "request-1",
        "correlation_id": "correlation-1",
        "party": ["de*xyz", "fr*qrs", "nl*abc"],
    }


def test_a_refused_exchange_of_nobody() -> None:
    exchange = finished(received(platform=None, request_id=""), kind=None)
    exchange.sender = exchange.to = exchange.interface = None

    record = record_of(exchange, None)

    assert (record.body["platform"], record.body["sender"], record.body["kind"]) == (None, None, None)
    assert (record.keys["party"], record.keys["request_id"]) == ([], [])


def test_bodies_only_where_they_are_wanted() -> None:
    exchange = finished(received(request=body(b'{"id": "LOC1"}')), answer=body(b"{}"))

    assert not {"request", "answer"} & set(record_of(exchange, None).body)
    record = record_of(exchange, MOST)
    assert record.body["request"] == {"size": 14, "text": '{"id": "LOC1"}'}
    assert record.body["answer"] == {"size": 2, "text": "{}"}
    assert body_bytes(record) == 16


@pytest.mark.parametrize(
    ("content", "written"),
    [
        (Content(None), None),
        (body(b"x" * 64), {"size": 64, "text": "x" * 64}),
        (body(b"x" * 65), {"size": 65}),  # another plugin watches larger bodies
        (body(None, streams=True), {"size": None}),
        (body(b"x" * 9, limit=8), {"size": 9}),
        (body(b"\xff\xfe"), {"size": 2}),
        (Content(b"secret"), {"size": 6}),  # nobody asked for it
    ],
    ids=["none", "fits", "too large here", "streamed", "too large to watch", "no text", "not watched"],
)
def test_what_cannot_be_written_as_text_is_a_size(content: Content, written: dict[str, Any] | None) -> None:
    record = record_of(finished(received(request=content)), MOST)
    assert record.body["request"] == written
    assert body_bytes(record) == (64 if written is not None and "text" in written else 0)
