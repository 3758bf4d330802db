"""Exchanges with bodies in them, as a finished one looks when somebody watches it."""

from typing import Any

from hub.ocpi import codec
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import Body, Content, Exchange, Kind
from hub.sandbox import objects
from tests.unit.plugins.exchanges import XYZ, answered, finished, leg_of, received

LIMIT = 16 * 1024 * 1024
WHEN = "2026-01-01T00:00:00Z"


def content(value: object) -> Content:
    """A body that is watched with Body.READ; bytes stand for themselves."""
    return Content(value if isinstance(value, bytes) else codec.dumps(value), Body.READ, LIMIT)


def envelope(**members: object) -> dict[str, object]:
    return {"status_code": 1000, "timestamp": WHEN, **members}


def location(**members: object) -> dict[str, Any]:
    return dict(objects.location("NL/ABC")) | members


def wrong_location() -> dict[str, Any]:
    """Two findings: /evses/0/uid is missing, /city is a number."""
    wrong = location(city=5)
    del wrong["evses"][0]["uid"]
    return wrong


def push(body: object, *, answer: object = None, kind: Kind = Kind.DIRECT, receiver: PartyId = XYZ) -> Exchange:
    """NL/ABC has put a location; the answer is right unless another one is given."""
    exchange = received(request=content(body))
    leg = answered(leg_of(exchange, receiver))
    leg.answer = content(envelope() if answer is None else answer)
    return finished(exchange, leg, kind=kind, answer=leg.answer)


def asked(answer: object, module: str = "locations", *, path: str = "", kind: Kind = Kind.DIRECT) -> Exchange:
    """NL/ABC has fetched a list, or an object, of an owner; out of the catalog when the kind is GET_ALL."""
    exchange = received(module, method="GET")
    exchange.interface, exchange.path = Interface.SENDER, path
    found = content(answer)
    if kind is Kind.GET_ALL:
        finished(exchange, kind=kind, answer=found)
        exchange.outcome = "1000"
        return exchange
    leg = answered(leg_of(exchange))
    leg.answer = found
    return finished(exchange, leg, kind=kind, answer=found)
