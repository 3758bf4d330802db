"""Signals and groups for tests, in a few words. All times are of one day, in UTC."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from plugins.load_manager.grid.group import GapPolicy, Group
from plugins.load_manager.grid.power import MW_PER_KW
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.signal import Block, CapacitySignal, SignalKind, Unit
from plugins.load_manager.signals.step import Step

DSO = "dso-x"
T1 = Group(id="T1", static_capacity_mw=100 * MW_PER_KW, capacity_provider=DSO, margin=Decimal(0), arrival_reserve_mw=0)
T1_BY_EVENTS = replace(T1, gap_policy=GapPolicy.EVENT)
TWO_AC3_16_MW = 2 * 11_040_000


def at(clock: str) -> datetime:
    """`12:15` or `12:15:30`."""
    hour, minute, *second = map(int, clock.split(":"))
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour, minutes=minute, seconds=sum(second))


def block(text: str) -> Block:
    """`12:00-12:15 20.5`."""
    period, value = text.split()
    start, end = period.split("-")
    return Block(at(start), at(end), Decimal(value))


def signal(
    *blocks: str, kind: SignalKind = SignalKind.LIMIT, message_id: str = "m1", received: str = "12:00"
) -> CapacitySignal:
    """A signal by DSO X about T1 in kilowatts."""
    return CapacitySignal(
        "oscp", DSO, "T1", kind, Unit.KW, tuple(map(block, blocks)), message_id=message_id, received_at=at(received)
    )


def fallback(*blocks: str) -> CapacitySignal:
    return signal(*blocks, kind=SignalKind.FALLBACK, message_id="fallback")


def by_operator(*blocks: str) -> CapacitySignal:
    return replace(signal(*blocks, message_id="manual"), source="operator", capacity_provider=None)


def limits(*signals: CapacitySignal, group: Group = T1) -> Limits:
    """What is said after these signals, one after the other."""
    said = Limits()
    for each in signals:
        said = said.with_signal(each, group)
    return said


def told(steps: tuple[Step, ...]) -> list[str]:
    """Steps as `12:00 20 LIMIT`."""
    return [f"{step.start:%H:%M} {Decimal(step.limit_mw) / MW_PER_KW:f} {step.force.rule}" for step in steps]


def online(group: Group = T1, *signals: CapacitySignal, now: str = "12:00", demand_mw: int = TWO_AC3_16_MW) -> Capacity:
    """A group with contact, after these signals."""
    capacity = Capacity.unknown(group, at(now)).contact(group, at(now), demand_mw)
    for each in signals:
        capacity = capacity.received(each, group, at(now), demand_mw)
    return capacity
