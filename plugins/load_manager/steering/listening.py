"""Capacity providers as steering hears them: forecasts become signals, contact comes and goes."""

from datetime import datetime

from plugins.load_manager.oscp import Forecast, ForecastType, OthersGroup, Refused, UnknownGroup, WrongBlocks
from plugins.load_manager.signals.judging import SignalRefused, Why, judge
from plugins.load_manager.signals.signal import Block, CapacitySignal, Direction, SignalKind, SignalPhase, Unit
from plugins.load_manager.steering.facts import ContactChanged, SignalCame
from plugins.load_manager.steering.node import Node

OSCP = "oscp"

_KINDS = {
    ForecastType.CONSUMPTION: (SignalKind.LIMIT, Direction.CONSUMPTION),
    ForecastType.GENERATION: (SignalKind.LIMIT, Direction.GENERATION),
    ForecastType.FALLBACK_CONSUMPTION: (SignalKind.FALLBACK, Direction.CONSUMPTION),
    ForecastType.FALLBACK_GENERATION: (SignalKind.FALLBACK, Direction.GENERATION),
    ForecastType.OPTIMUM: (SignalKind.OPTIMUM, Direction.CONSUMPTION),
}


class Listening:
    """Takes what OSCP brings, on whichever node it comes in."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def on_forecast(self, provider_id: str, forecast: Forecast) -> None:
        """Judged here, applied by whoever steers. Raises UnknownGroup, OthersGroup, WrongBlocks."""
        signal = signal_of(provider_id, forecast)
        try:
            judge(signal, self._node.grid)
            await self._node.tell(SignalCame(signal))
        except SignalRefused as refused:
            raise _refusal(refused, forecast.group_id) from None

    async def on_online(self, provider_id: str) -> None:
        await self._node.tell(ContactChanged(provider_id, online=True))

    async def on_offline(self, provider_id: str, since: datetime) -> None:
        await self._node.tell(ContactChanged(provider_id, online=False))


def signal_of(provider_id: str, forecast: Forecast) -> CapacitySignal:
    """The signal that a forecast is. Phases of one forecast are one signal: that of its first block counts."""
    kind, direction = _KINDS[forecast.type]
    first = forecast.blocks[0]
    return CapacitySignal(
        source=OSCP,
        capacity_provider=provider_id,
        group_id=forecast.group_id,
        kind=kind,
        unit=Unit(first.unit.value),
        blocks=tuple(Block(block.start_time, block.end_time, block.capacity) for block in forecast.blocks),
        message_id=forecast.message_id,
        received_at=forecast.received_at,
        direction=direction,
        phase=SignalPhase(first.phase.value),
        raw=b"\n".join(forecast.raw).decode(errors="replace"),
    )


def _refusal(refused: SignalRefused, group_id: str) -> Refused:
    match refused.why:
        case Why.UNKNOWN_GROUP:
            return UnknownGroup(group_id)
        case Why.NOT_YOURS:
            return OthersGroup(group_id)
        case _:
            return WrongBlocks(str(refused))
