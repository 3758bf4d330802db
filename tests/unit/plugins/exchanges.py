"""Exchanges as the hub hands them to plugins, with what a test does not care about filled in."""

from datetime import UTC, datetime

from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import Content, Exchange, Headers, Kind, Leg
from hub.plugin.exchange import EMPTY, NO_HEADERS

ABC = PartyId("NL", "ABC")
XYZ = PartyId("DE", "XYZ")
START = datetime(2026, 1, 1, tzinfo=UTC)


def received(
    module: str = "locations",
    *,
    platform: str | None = "alpha",
    method: str = "PUT",
    request_id: str = "request-1",
    correlation_id: str = "correlation-1",
    at: datetime = START,
    headers: Headers = NO_HEADERS,
    request: Content = EMPTY,
) -> Exchange:
    """A request of NL/ABC to DE/XYZ of which nothing is decided yet."""
    return Exchange(
        request_id=request_id,
        correlation_id=correlation_id,
        at=at,
        platform=platform,
        version="2.2.1",
        module=module,
        interface=Interface.RECEIVER,
        method=method,
        path="NL/ABC/LOC1",
        query="",
        to=XYZ,
        sender=ABC,
        headers=headers,
        request=request,
    )


def leg_of(exchange: Exchange, receiver: PartyId = XYZ, platform: str = "beta") -> Leg:
    """One of its legs, about to be sent."""
    assert exchange.sender is not None
    return Leg(receiver, exchange.sender, platform, "2.2.1", exchange.method, exchange.request)


def answered(
    leg: Leg, http: int = 200, status_code: int = 1000, outcome: str = "relayed", seconds: float = 0.02
) -> Leg:
    """The leg came back."""
    leg.http, leg.status_code, leg.outcome, leg.seconds = http, status_code, outcome, 0.02
    return leg


def finished(exchange: Exchange, *legs: Leg, kind: Kind | None = Kind.DIRECT, answer: Content = EMPTY) -> Exchange:
    """The exchange is over: it answers what its first leg did."""
    exchange.kind = kind
    exchange.legs = list(legs)
    exchange.receivers = tuple(leg.receiver for leg in legs)
    exchange.answer = answer
    first = legs[0] if legs else None
    exchange.http = 200 if first is None else first.http
    exchange.status_code = 1000 if first is None else first.status_code
    exchange.outcome = "relayed" if first is None else first.outcome
    exchange.seconds = 0.05
    return exchange
