"""Whether a signal is taken, and in which power its values are. A signal with a mistake is refused whole, each mistake
in a sentence with the field.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from plugins.load_manager.grid.group import Group
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.grid.power import LINE_VOLTAGE_V, MW_PER_KW, MW_PER_W, milliwatts
from plugins.load_manager.signals.signal import Block, CapacitySignal, SignalPhase, Unit

MOST_BLOCKS = 1000
MOST_TIMES_NOMINAL = 10
LEAST_PART_OF_NOMINAL = 100

_MICROSECONDS_PER_H = 3_600_000_000
_MW_PER_UNIT = {Unit.W: MW_PER_W, Unit.KW: MW_PER_KW, Unit.WH: MW_PER_W, Unit.KWH: MW_PER_KW}


class Why(StrEnum):
    """Which kind of mistake it is: on HTTP 400, 404 and 403."""

    WRONG = "wrong"
    UNKNOWN_GROUP = "unknown group"
    NOT_YOURS = "another's group"


class Refusal(NamedTuple):
    """A mistake: the field, such as `blocks[2].value`, and what is wrong with it."""

    field: str
    text: str
    why: Why = Why.WRONG

    def __str__(self) -> str:
        return f"{self.field} {self.text}"


class SignalRefused(Exception):
    """A signal is not taken; nothing of it is. `refusals` has every mistake, at least one."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(map(str, self.refusals)))

    @property
    def why(self) -> Why:
        return self.refusals[0].why


def judge(signal: CapacitySignal, model: GridModel, most_blocks: int = MOST_BLOCKS) -> Group:
    """The group that a signal is about. Raises SignalRefused. The operator of the hub may limit every group, a capacity
    provider those that name it.
    """
    group = model.groups.get(signal.group_id)
    if group is None:
        raise SignalRefused([Refusal("group_id", f"{signal.group_id} is not known", Why.UNKNOWN_GROUP)])
    if signal.capacity_provider not in (None, group.capacity_provider):
        raise SignalRefused([Refusal("group_id", f"{group.id} belongs to another capacity provider", Why.NOT_YOURS)])
    if not signal.message_id:
        raise SignalRefused([Refusal("message_id", "is required")])
    if not 0 < len(signal.blocks) <= most_blocks:
        raise SignalRefused([Refusal("blocks", f"has {len(signal.blocks)} blocks; 1 to {most_blocks} are taken")])
    if refusals := mistakes(signal):
        raise SignalRefused(refusals)
    return group


def mistakes(signal: CapacitySignal) -> list[Refusal]:
    """What is wrong with its blocks, whichever group they are about."""
    return [*_each(signal), *_together(signal.blocks)]


def power_mw(signal: CapacitySignal, block: Block) -> int:
    """The power of a block in whole milliwatts. Raises ValueError above ten gigawatts.

    Amperes are on each phase: three for ALL, one for everything else, so that a phase nobody named is not counted on.
    Energy is the average over the block.
    """
    match signal.unit:
        case Unit.A:
            phases = 3 if signal.phase is SignalPhase.ALL else 1
            return milliwatts(block.value, phases * LINE_VOLTAGE_V * MW_PER_W)
        case Unit.WH | Unit.KWH:
            hours = Decimal((block.end - block.start) // timedelta(microseconds=1)) / _MICROSECONDS_PER_H
            return milliwatts(block.value, _MW_PER_UNIT[signal.unit] / hours)
    return milliwatts(block.value, _MW_PER_UNIT[signal.unit])


def plausible(limit_mw: int, group: Group) -> bool:
    """Whether it looks like a value of this group and not like watts taken for kilowatts. 0 always means 0."""
    nominal_mw = group.static_capacity_mw
    return limit_mw == 0 or nominal_mw <= limit_mw * LEAST_PART_OF_NOMINAL <= (
        nominal_mw * MOST_TIMES_NOMINAL * LEAST_PART_OF_NOMINAL
    )


def _each(signal: CapacitySignal) -> Iterator[Refusal]:
    for position, block in enumerate(signal.blocks):
        field = f"blocks[{position}]"
        naive = [name for name in ("start", "end") if getattr(block, name).tzinfo is None]
        yield from (Refusal(f"{field}.{name}", "has no offset") for name in naive)
        if naive:
            continue
        if block.start >= block.end:
            yield Refusal(f"{field}.end", "is not after its start")
        elif not block.value.is_finite() or block.value < 0:
            yield Refusal(f"{field}.value", "is a number, 0 or above")
        else:
            try:
                power_mw(signal, block)
            except ValueError as why:
                yield Refusal(f"{field}.value", str(why))


def _together(blocks: Sequence[Block]) -> Iterator[Refusal]:
    if any(moment.tzinfo is None for block in blocks for moment in (block.start, block.end)):
        return
    order = sorted(range(len(blocks)), key=lambda position: blocks[position].start)
    for earlier, later in pairwise(order):
        if blocks[later].start < blocks[earlier].end:
            yield Refusal(f"blocks[{later}].start", f"is before the end of blocks[{earlier}]")
