"""Which spans an exchange leaves, how they hang together, and what stands in them."""

import gc
import weakref
from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from hub.ocpi.party_id import PartyId
from hub.plugin import Body, Change, Content, Headers, Kind, Phase
from plugins.tracing import Tracing
from plugins.tracing.config import TracingConfig
from plugins.tracing.provider import Provider
from plugins.tracing.spans import Trace
from tests.unit.plugins.exchanges import answered, finished, leg_of, received
from tests.unit.plugins.small_hub import SmallHub
from tests.unit.plugins.tracing.memory import MemoryExporter

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
CALLER = Headers({"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "theirs=1"})


@pytest.fixture
async def hub() -> AsyncIterator[SmallHub]:
    async with SmallHub() as hub:
        yield hub


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> list[ReadableSpan]:
    """What was exported, in the order in which spans ended."""
    found: list[ReadableSpan] = []
    monkeypatch.setattr(MemoryExporter, "spans", found)
    return found


async def started(hub: SmallHub, *, propagate: bool = True) -> Tracing:
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(MemoryExporter()))
    plugin = Tracing(TracingConfig(propagate=propagate), hub, Provider(made, "Spans go to a list", made.shutdown))
    await plugin.start()
    return plugin


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    """Trace, span and parent."""
    assert span.context is not None
    parent = None if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", parent


async def test_it_watches_from_beginning_to_end_without_bodies(hub: SmallHub) -> None:
    (watch,) = (await started(hub)).watches()
    assert watch.phases == {Phase.RECEIVED, Phase.FORWARDING, Phase.ANSWERED, Phase.FINISHED}
    assert (watch.request, watch.response) == (Body.IGNORE, Body.IGNORE)


async def test_a_direct_exchange_is_two_spans_in_the_callers_trace(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    exchange = received(headers=CALLER)
    plugin.on_received(exchange)
    await hub.clock.advance(0.01)
    leg = leg_of(exchange)
    change = plugin.on_forwarding(exchange, leg)
    await hub.clock.advance(0.02)
    plugin.on_answered(exchange, answered(leg))
    plugin.on_finished(finished(exchange, leg))

    client, server = spans
    assert (server.kind, server.name, ids(server)[0], ids(server)[2]) == (
        SpanKind.SERVER,
        "PUT locations",
        TRACE_ID,
        SPAN_ID,
    )
    assert (client.kind, client.name) == (SpanKind.CLIENT, "PUT locations")
    assert ids(client)[0::2] == (TRACE_ID, ids(server)[1])
    assert change == Change(headers={"traceparent": f"00-{TRACE_ID}-{ids(client)[1]}-01", "tracestate": "theirs=1"})
    assert dict(server.attributes or {}) == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "ocpi.version": "2.2.1",
        "ocpi.module": "locations",
        "ocpi.interface": "RECEIVER",
        "ocpi.kind": "direct",
        "ocpi.platform": "alpha",
        "ocpi.from": "NL/ABC",
        "ocpi.to": "DE/XYZ",
        "ocpi.status_code": 1000,
        "ocpi.outcome": "relayed",
        "ocpi.request_id": "request-1",
        "ocpi.correlation_id": "correlation-1",
    }
    assert dict(client.attributes or {}) == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "ocpi.version": "2.2.1",
        "ocpi.module": "locations",
        "ocpi.platform": "beta",
        "ocpi.from": "NL/ABC",
        "ocpi.to": "DE/XYZ",
        "ocpi.status_code": 1000,
        "ocpi.outcome": "relayed",
    }
    assert {server.status.status_code, client.status.status_code} == {StatusCode.UNSET}


async def test_times_are_the_hubs(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    exchange = received()
    plugin.on_received(exchange)
    await hub.clock.advance(0.01)
    leg = leg_of(exchange)
    plugin.on_forwarding(exchange, leg)
    await hub.clock.advance(0.03)
    plugin.on_answered(exchange, answered(leg))
    await hub.clock.advance(60)  # the end comes late: the span is as long as the requester waited
    plugin.on_finished(finished(exchange, leg))

    client, server = spans
    start_ns = int(exchange.at.timestamp()) * 1_000_000_000
    assert (server.start_time, server.end_time) == (start_ns, start_ns + 50_000_000)
    assert (client.start_time, client.end_time) == (start_ns + 10_000_000, start_ns + 40_000_000)


async def test_a_broadcast_has_a_span_per_leg(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    exchange = received()
    plugin.on_received(exchange)
    legs = [leg_of(exchange, PartyId("DE", f"X{number}"), "beta") for number in range(3)]
    changes = [plugin.on_forwarding(exchange, leg) for leg in legs]
    plugin.on_answered(exchange, answered(legs[1]))
    plugin.on_answered(exchange, answered(legs[0], 200, 4002, "timeout"))
    plugin.on_finished(finished(exchange, *legs, kind=Kind.BROADCAST))  # the third was skipped by somebody

    *clients, server = spans
    assert [(span.attributes or {})["ocpi.to"] for span in clients] == ["DE/X1", "DE/X0", "DE/X2"]
    assert [span.status.status_code for span in clients] == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET]
    assert clients[1].status.description == "timeout"
    assert {ids(span)[2] for span in clients} == {ids(server)[1]}
    assert len({str(change) for change in changes}) == 3


async def test_a_leg_that_is_sent_again_ends_the_span_before(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    exchange = received()
    plugin.on_received(exchange)
    leg = leg_of(exchange)
    plugin.on_forwarding(exchange, leg)
    plugin.on_forwarding(exchange, leg)
    plugin.on_answered(exchange, answered(leg))
    plugin.on_answered(exchange, leg)  # nothing is under way any more
    plugin.on_finished(finished(exchange, leg))
    assert [span.kind for span in spans] == [SpanKind.CLIENT, SpanKind.CLIENT, SpanKind.SERVER]


async def test_what_is_seen_only_at_its_end_has_a_span(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    """Handshakes and refused requests come in no phase before."""
    plugin = await started(hub)
    exchange = finished(received("credentials", platform=None, headers=CALLER), kind=Kind.CONFIGURATION)
    exchange.sender = exchange.to = exchange.interface = exchange.status_code = None
    plugin.on_finished(exchange)

    (server,) = spans
    assert ids(server)[0::2] == (TRACE_ID, SPAN_ID)
    assert not {"ocpi.from", "ocpi.to", "ocpi.platform", "ocpi.status_code"} & set(server.attributes or {})


@pytest.mark.parametrize(
    ("http", "status_code", "red"),
    [
        (200, 1000, False),
        (404, 2003, False),
        (429, 2000, False),
        (200, 4001, True),
        (200, 3000, True),
        (500, 1000, True),
    ],
)
async def test_a_server_span_is_red_for_what_the_requester_cannot_help(
    hub: SmallHub, spans: list[ReadableSpan], http: int, status_code: int, red: bool
) -> None:
    plugin = await started(hub)
    exchange = received()
    plugin.on_finished(finished(exchange, answered(leg_of(exchange), http, status_code)))
    assert (spans[0].status.status_code is StatusCode.ERROR) is red


async def test_without_propagation_nothing_comes_in_or_goes_out(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub, propagate=False)
    exchange = received(headers=CALLER)
    plugin.on_received(exchange)
    leg = leg_of(exchange)
    assert plugin.on_forwarding(exchange, leg) is None
    plugin.on_answered(exchange, answered(leg))
    plugin.on_finished(finished(exchange, leg))

    client, server = spans
    assert ids(server)[0] != TRACE_ID
    assert ids(server)[2] is None
    assert ids(client)[0::2] == ids(server)[0:2]


@pytest.mark.parametrize("traceparent", ["", "nonsense", f"00-{'0' * 32}-{SPAN_ID}-01", f"ff-{TRACE_ID}-{SPAN_ID}-01"])
async def test_a_broken_traceparent_begins_a_trace(hub: SmallHub, spans: list[ReadableSpan], traceparent: str) -> None:
    plugin = await started(hub)
    plugin.on_finished(finished(received(headers=Headers({"traceparent": traceparent}))))
    assert ids(spans[0])[2] is None


async def test_a_tracestate_of_any_length_is_not_passed_on(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    state = ",".join(f"vendor{number}={'x' * 200}" for number in range(30))
    exchange = received(headers=Headers({"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": state}))
    change = plugin.on_forwarding(exchange, leg_of(exchange))
    assert change is not None
    assert set(change.headers) == {"traceparent"}
    assert change.headers["traceparent"].startswith(f"00-{TRACE_ID}-")


async def test_bodies_credentials_and_paths_are_never_in_a_span(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    secrets = Headers({"Authorization": "Token SECRET-1", "authorization": "Token SECRET-1"})
    exchange = received("tokens", headers=secrets, request=Content(b'{"uid": "SECRET-2"}', Body.READ, 100))
    exchange.path, exchange.query, exchange.object_id = "NL/ABC/SECRET-3", "q=SECRET-4", "SECRET-3"
    plugin.on_received(exchange)
    leg = leg_of(exchange)
    plugin.on_forwarding(exchange, leg)
    plugin.on_answered(exchange, answered(leg))
    plugin.on_finished(finished(exchange, leg, answer=Content(b"SECRET-5", Body.BYTES, 100)))
    assert len(spans) == 2
    assert "SECRET" not in "".join(span.to_json() for span in spans)


async def test_an_exchange_that_never_finishes_takes_its_spans_along(hub: SmallHub, spans: list[ReadableSpan]) -> None:
    plugin = await started(hub)
    exchange = received()
    plugin.on_received(exchange)
    plugin.on_forwarding(exchange, leg_of(exchange))
    kept = weakref.ref(exchange.state[Trace])
    assert kept() is not None

    del exchange
    gc.collect()

    assert kept() is None
    assert spans == []
