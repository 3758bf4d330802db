"""The body of a signal that comes without a protocol around it:
`{group_id, kind, unit, blocks: [{start, end, value}], message_id}`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from plugins.load_manager.grid.power import number
from plugins.load_manager.grid.reading import MOST_ID, is_id, moment_of
from plugins.load_manager.signals.judging import MOST_BLOCKS, Refusal, SignalRefused
from plugins.load_manager.signals.signal import (
    Block,
    CapacitySignal,
    Counting,
    Direction,
    SignalKind,
    SignalPhase,
    Unit,
)

E = TypeVar("E", bound=StrEnum)

FIELDS = ("group_id", "kind", "unit", "blocks", "message_id", "direction", "phase", "counting", "version", "issued_at")
BLOCK_FIELDS = ("start", "end", "value")
_A_TIME = "is a time with its offset, such as 2026-01-31T12:00:00Z"
_NEVER = datetime.min.replace(tzinfo=UTC)


def read_signal(
    body: object, source: str, capacity_provider: str | None, received_at: datetime, raw: str = ""
) -> CapacitySignal:
    """The signal of a decoded JSON body, not yet judged. Raises SignalRefused with every mistake.

    `kind` is LIMIT unless said otherwise; `direction`, `phase`, `counting`, `version` and `issued_at` may be left out.
    """
    if not isinstance(body, Mapping):
        raise SignalRefused([Refusal("body", "is an object")])
    fields = _Fields(body)
    signal = CapacitySignal(
        source=source,
        capacity_provider=capacity_provider,
        group_id=fields.id("group_id"),
        kind=fields.choice("kind", SignalKind.LIMIT),
        unit=fields.choice("unit", Unit.KW, required=True),
        blocks=fields.blocks(),
        message_id=fields.id("message_id"),
        received_at=received_at,
        direction=fields.choice("direction", Direction.CONSUMPTION),
        phase=fields.choice("phase", SignalPhase.ALL),
        counting=fields.choice("counting", Counting.PEAK),
        version=fields.version(),
        issued_at=fields.issued_at(),
        raw=raw,
    )
    if fields.refusals:
        raise SignalRefused(fields.refusals)
    return signal


class _Fields:
    """Reads one field after the other and notes what is wrong."""

    def __init__(self, body: Mapping[str, object]) -> None:
        self.refusals = [Refusal(str(name), "is no field of a signal") for name in body if name not in FIELDS]
        self._body = body

    def id(self, name: str) -> str:
        value = self._body.get(name)
        if is_id(value):
            return value
        self._wrong(name, f"is required, a text of 1 to {MOST_ID} characters that can be printed")
        return ""

    def choice(self, name: str, default: E, *, required: bool = False) -> E:
        value = self._body.get(name)
        for one in type(default):
            if value == one.value:
                return one
        if value is not None or required:
            self._wrong(name, f"is one of {', '.join(type(default))}")
        return default

    def version(self) -> int:
        value = self._body.get("version")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
            return value
        if value is not None:
            self._wrong("version", "is a whole number, 0 or above")
        return 0

    def issued_at(self) -> datetime | None:
        return None if self._body.get("issued_at") is None else self._moment("issued_at", self._body["issued_at"])

    def blocks(self) -> tuple[Block, ...]:
        rows = self._body.get("blocks")
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST_BLOCKS:
            self._wrong("blocks", f"is a list of 1 to {MOST_BLOCKS} blocks")
            return ()
        return tuple(self._block(f"blocks[{position}]", row) for position, row in enumerate(rows))

    def _block(self, field: str, row: object) -> Block:
        if not isinstance(row, Mapping) or any(name not in BLOCK_FIELDS for name in row):
            self._wrong(field, f"is an object of {', '.join(BLOCK_FIELDS)}")
            return Block(_NEVER, _NEVER, Decimal(0))
        value = number(row.get("value"))
        if value is None:
            self._wrong(f"{field}.value", "is a number, 0 or above")
        start, end = (self._moment(f"{field}.{name}", row.get(name)) for name in ("start", "end"))
        return Block(start, end, Decimal(0) if value is None else value)

    def _moment(self, field: str, value: object) -> datetime:
        moment = moment_of(value)
        if moment is None:
            self._wrong(field, _A_TIME)
        return _NEVER if moment is None else moment

    def _wrong(self, field: str, text: str) -> None:
        self.refusals.append(Refusal(field, text))
