"""What is written about an exchange: facts, what the record is found by, and bodies where they are wanted."""

from typing import Any

from hub.ocpi import times
from hub.ocpi.party_id import PartyId
from hub.plugin import BodyError, Content, Exchange, Leg, Record


def record_of(exchange: Exchange, most_body: int | None) -> Record:
    """The record of a finished exchange. `most_body`: bytes up to which bodies are written, None for no bodies."""
    body: dict[str, object] = {
        "request_id": exchange.request_id,
        "correlation_id": exchange.correlation_id,
        "at": times.render(exchange.at),
        "platform": exchange.platform,
        "sender": _text(exchange.sender),
        "to": _text(exchange.to),
        "module": exchange.module,
        "interface": exchange.interface,
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "kind": exchange.kind,
        "http": exchange.http,
        "status_code": exchange.status_code,
        "outcome": exchange.outcome,
        "ms": _ms(exchange.seconds),
        "legs": [_leg(leg) for leg in exchange.legs],
    }
    if most_body is not None:
        body["request"] = _content(exchange.request, most_body)
        body["answer"] = _content(exchange.answer, most_body)
    return Record(exchange.at, body, _keys(exchange))


def body_bytes(record: Record) -> int:
    """Bytes of the bodies in it, whose number nothing else bounds."""
    if "request" not in record.body:
        return 0
    contents = (record.body["request"], record.body["answer"])
    return sum(content["size"] for content in contents if content is not None and "text" in content)


def _keys(exchange: Exchange) -> dict[str, str | list[str]]:
    """The ids, and everybody who had a part in it, asked or asking: that is how a complaint is looked into. Each key is
    paid for with every message, so what is in every other record is none. What the hub sends on its own account, such
    as objects it has pulled, has no request id.
    """
    parties = {party.key for party in (exchange.sender, exchange.to, *exchange.receivers) if party is not None}
    parties.update(leg.receiver.key for leg in exchange.legs)
    return {
        "request_id": exchange.request_id or [],
        "correlation_id": exchange.correlation_id,
        "party": sorted(parties),
    }


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "receiver": str(leg.receiver),
        "platform": leg.platform,
        "http": leg.http,
        "status_code": leg.status_code,
        "outcome": leg.outcome,
        "ms": _ms(leg.seconds),
    }


def _content(content: Content, most: int) -> dict[str, Any] | None:
    """The body as text. Of one that is too large or no UTF-8 the size alone, which of one that streams nobody knows."""
    if content.absent:
        return None
    try:
        raw = content.raw
        if len(raw) <= most:
            return {"size": len(raw), "text": raw.decode()}
    except (BodyError, UnicodeDecodeError):
        pass
    return {"size": content.size}


def _text(party: PartyId | None) -> str | None:
    return None if party is None else str(party)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
