"""From an exchange to what is wrong with it: which of its bodies can be checked, who made them, and the findings in
each.

Rules
- Who asks made the request. What the hub sends on its own account it pulled from the owner, so that is the owner's.
- Who was asked made the answer, if the hub relayed it. In its own answers the hub is not checked.
- A list out of the catalog is nobody's alone: the objects of each owner in it count as one body of that owner.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, get_args, get_origin

from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId, parse_party
from hub.ocpi.status import is_success
from hub.ocpi.v221.bodies import Body, answer_model, request_model
from hub.ocpi.v221.types import DateTime, Int, OcpiObject
from hub.plugin import BodyError, BodyTooLarge, Content, Exchange, Kind, NotJson
from plugins.schema_check.checking import MISSING, Finding, findings

VERSION = "2.2.1"
# What a body costs goes by the values in it. Those of honest ones have 18 bytes each at least, so this is more than
# 256 KiB hold; where larger bodies are to be checked it is more in proportion.
MOST_VALUES = 20_000
_BYTES_PER_VALUE = 12
_RELAYED = "relayed"
_BY_PLUGIN = "plugin"
_UNREADABLE = Finding("", "this cannot be read as JSON", "value")


class Direction(StrEnum):
    """Which way a body went."""

    REQUEST = "request"
    ANSWER = "answer"


class Judged(NamedTuple):
    """A body that was to be checked. `party` made it, None when that is not known. `found` is empty when nothing is
    wrong, None when the body could not be looked at: mostly because it is too large.
    """

    party: PartyId | None
    direction: Direction
    found: list[Finding] | None


class Envelope(OcpiObject):
    """What every answer has around its `data`."""

    status_code: Int
    timestamp: DateTime


@dataclass(frozen=True, slots=True)
class Judge:
    """Checks bodies of up to `max_body` bytes and says `most_findings` of each."""

    max_body: int
    most_findings: int

    def request(self, exchange: Exchange) -> Judged | None:
        """The request's body; None when there is none, or nothing is known about it."""
        model = _model(exchange, request_model)
        if model is None or exchange.request.absent:
            return None
        maker = exchange.sender if exchange.request_id else exchange.owner or exchange.sender
        found = self._found(exchange.request, lambda value: findings(value, model.kind, partial=model.partial))
        return Judged(maker, Direction.REQUEST, found)

    def answers(self, exchange: Exchange) -> Iterator[Judged]:
        """The bodies of the answers of a finished exchange, as far as others than the hub made them."""
        model = _model(exchange, answer_model)
        if exchange.kind is Kind.GET_ALL:
            if model is not None and exchange.outcome != _BY_PLUGIN:
                yield from self._out_of_catalog(exchange, model.kind)
            return
        for leg in exchange.legs:
            if leg.outcome == _RELAYED and leg.version == VERSION and not leg.answer.absent:
                found = self._found(leg.answer, lambda value: _in_answer(value, model))
                yield Judged(leg.receiver, Direction.ANSWER, found)

    def _out_of_catalog(self, exchange: Exchange, kind: type[object]) -> Iterator[Judged]:
        try:
            value = self._value(exchange.answer)
        except BodyError:
            yield Judged(None, Direction.ANSWER, None)
            return
        if not _succeeded(value):
            return
        by_owner: dict[PartyId | None, list[Finding]] = {}
        for pointer, row, one in _objects(value.get("data"), kind):
            of_owner = by_owner.setdefault(_owner_in(row) or exchange.owner, [])
            if len(of_owner) < self.most_findings:
                of_owner += _below(pointer, findings(row, one))
        for owner, of_owner in by_owner.items():
            yield Judged(owner, Direction.ANSWER, of_owner[: self.most_findings])

    def _found(self, content: Content, look: Callable[[Any], list[Finding]]) -> list[Finding] | None:
        try:
            value = self._value(content)
        except NotJson:
            return [_UNREADABLE]
        except BodyError:
            return None
        return look(value)[: self.most_findings]

    def _value(self, content: Content) -> Any:
        """Raises BodyError. Others may watch larger bodies, so the size is looked at here as well."""
        if content.size is None or content.size > self.max_body:
            raise BodyTooLarge
        if _values(content.raw) > max(MOST_VALUES, self.max_body // _BYTES_PER_VALUE):
            raise BodyTooLarge
        return content.value


def _values(raw: bytes) -> int:
    """How many values JSON text has in it, or a few more: told without parsing it."""
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _model(exchange: Exchange, look_up: Callable[[str, Interface, str, Sequence[str]], Body | None]) -> Body | None:
    if exchange.version != VERSION or exchange.interface is None:
        return None
    segments = [part for part in exchange.path.split("/") if part]
    return look_up(exchange.module, exchange.interface, exchange.method, segments)


def _in_answer(value: Any, model: Body | None) -> list[Finding]:
    if not isinstance(value, dict):
        return findings(value, Envelope)
    found = findings({name: value[name] for name in Envelope.model_fields if name in value}, Envelope)
    if model is None or not _succeeded(value):
        return found
    if "data" not in value:
        return [*found, Finding("/data", MISSING, "missing")]
    return [*found, *_below("/data", findings(value["data"], model.kind))]


def _succeeded(answer: Any) -> bool:
    """Whether the answer says so; only then `data` is what was asked for."""
    code = answer.get("status_code") if isinstance(answer, dict) else None
    return type(code) is int and is_success(code)


def _objects(data: Any, kind: type[object]) -> Iterator[tuple[str, Any, type[object]]]:
    """The objects in `data`, each with its pointer and its model."""
    if get_origin(kind) is not list:
        yield "/data", data, kind
    elif isinstance(data, list):
        (one,) = get_args(kind)
        yield from ((f"/data/{position}", row, one) for position, row in enumerate(data))


def _below(pointer: str, found: Iterable[Finding]) -> list[Finding]:
    return [one._replace(pointer=pointer + one.pointer) for one in found]


def _owner_in(row: Any) -> PartyId | None:
    if not isinstance(row, dict):
        return None
    country_code, party_id = row.get("country_code"), row.get("party_id")
    if not isinstance(country_code, str) or not isinstance(party_id, str):
        return None
    return parse_party(f"{country_code}/{party_id}")
