"""The spans: one of kind SERVER per exchange, one of kind CLIENT per leg. This module needs `opentelemetry-api`.

Facts only: no bodies, no headers, no paths (the id of a driver's token stands in them). A span that is not ended is
held by nothing but its exchange, so an exchange that never finishes takes its spans along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hub.ocpi.status import is_success
from hub.plugin import Exchange, Headers, Leg

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_W3C = TraceContextTextMapPropagator()
# W3C asks for 512 characters of tracestate; what the hub cannot pass on is not taken in.
_MOST_VALUE = 1024

LegKey = tuple[str, str, str]


class _FromHeaders(Getter[Headers]):
    """How OpenTelemetry reads what the hub received."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        value = carrier.get(key)
        return None if value is None or len(value) > _MOST_VALUE else [value]

    def keys(self, carrier: Headers) -> list[str]:
        return [name for name in _W3C.fields if carrier.get(name) is not None]


_FROM_HEADERS = _FromHeaders()


@dataclass(slots=True, weakref_slot=True)
class Trace:
    """What an exchange keeps while it lasts: its span, and those of the legs under way."""

    span: Span
    legs: dict[LegKey, Span] = field(default_factory=dict)


class Spans:
    """Makes them. Every time is given by whoever calls, aware."""

    def __init__(self, tracer: Tracer, *, propagate: bool) -> None:
        self._tracer = tracer
        self._propagate = propagate

    def begin(self, exchange: Exchange) -> Trace:
        """The exchange's span, begun when it came in, wherever the plugin sees the exchange first."""
        if Trace in exchange.state:
            return exchange.state[Trace]
        context = Context()
        if self._propagate:
            context = _W3C.extract(exchange.headers, context, _FROM_HEADERS)
        span = self._tracer.start_span(
            f"{exchange.method} {exchange.module}", context, SpanKind.SERVER, start_time=_ns(exchange.at)
        )
        trace = exchange.state[Trace] = Trace(span)
        return trace

    def forward(self, exchange: Exchange, leg: Leg, now: datetime) -> Mapping[str, str]:
        """A leg's span begins; the headers by which the receiver joins the trace."""
        trace = self.begin(exchange)
        attributes = {
            "http.request.method": leg.method,
            "ocpi.version": leg.version,
            "ocpi.module": exchange.module,
            "ocpi.platform": leg.platform,
            "ocpi.from": str(leg.sender),
            "ocpi.to": str(leg.receiver),
        }
        parent = set_span_in_context(trace.span, Context())
        name = f"{leg.method} {exchange.module}"
        span = self._tracer.start_span(name, parent, SpanKind.CLIENT, attributes, start_time=_ns(now))
        before = trace.legs.pop(_key(leg), None)
        if before is not None:
            before.end(_ns(now))
        trace.legs[_key(leg)] = span
        headers: dict[str, str] = {}
        if self._propagate:
            _W3C.inject(headers, set_span_in_context(span, Context()))
        return headers

    def answer(self, exchange: Exchange, leg: Leg, now: datetime) -> None:
        """A leg's span ends. One that was never sent has none."""
        span = self.begin(exchange).legs.pop(_key(leg), None)
        if span is None:
            return
        _set(span, _answered(leg.http, leg.status_code, leg.outcome))
        if leg.http is None or leg.http >= 400 or leg.status_code is None or not is_success(leg.status_code):
            span.set_status(Status(StatusCode.ERROR, leg.outcome))
        span.end(_ns(now))

    def finish(self, exchange: Exchange, now: datetime) -> None:
        """The exchange's span ends when the requester had its answer, and with it whatever leg never came back."""
        trace = self.begin(exchange)
        for span in trace.legs.values():
            span.end(_ns(now))
        trace.legs.clear()
        _set(trace.span, _facts(exchange))
        # What the requester did wrong is no error of the hub's: a server's span is red for what went wrong behind it.
        if (exchange.http or 0) >= 500 or (exchange.status_code or 0) >= 3000:
            trace.span.set_status(Status(StatusCode.ERROR, exchange.outcome))
        trace.span.end(_ns(now if exchange.seconds is None else exchange.at + timedelta(seconds=exchange.seconds)))


def _facts(exchange: Exchange) -> dict[str, str | int | None]:
    return {
        "http.request.method": exchange.method,
        "ocpi.version": exchange.version,
        "ocpi.module": exchange.module,
        "ocpi.interface": exchange.interface,
        "ocpi.kind": exchange.kind,
        "ocpi.platform": exchange.platform,
        "ocpi.from": None if exchange.sender is None else str(exchange.sender),
        "ocpi.to": None if exchange.to is None else str(exchange.to),
        "ocpi.request_id": exchange.request_id,
        "ocpi.correlation_id": exchange.correlation_id,
        **_answered(exchange.http, exchange.status_code, exchange.outcome),
    }


def _answered(http: int | None, status_code: int | None, outcome: str) -> dict[str, str | int | None]:
    return {
        "http.response.status_code": http,
        "ocpi.status_code": status_code,
        "ocpi.outcome": outcome or None,
    }


def _set(span: Span, facts: Mapping[str, str | int | None]) -> None:
    """What is known of them."""
    span.set_attributes({name: value for name, value in facts.items() if value is not None})


def _key(leg: Leg) -> LegKey:
    return leg.receiver.key, leg.platform, leg.method


def _ns(moment: datetime) -> int:
    """Nanoseconds since 1970, exact to the microsecond."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
