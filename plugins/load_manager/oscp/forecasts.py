"""UpdateGroupCapacityForecast from a capacity provider: its segments joined, then handed to the load manager."""

from collections.abc import Mapping

from hub.plugin import HubApi
from plugins.load_manager.oscp.book import ProviderBook
from plugins.load_manager.oscp.messages import ForecastedBlock, GroupCapacityForecast, read
from plugins.load_manager.oscp.port import CapacityPort, Forecast, Refused, WrongBlocks
from plugins.load_manager.oscp.provider import Provider
from plugins.load_manager.oscp.segments import Segment, Segments, place


class Forecasts:
    """Takes them in."""

    def __init__(self, hub: HubApi, book: ProviderBook, port: CapacityPort) -> None:
        self._hub = hub
        self._book = book
        self._port = port
        self._segments: dict[str, Segments] = {}

    async def updated(self, provider: Provider, request_id: str, headers: Mapping[str, str], raw: bytes) -> None:
        """One message, or one segment of it, in the provider's turn. Raises Refused, NotUsable; then nothing is
        applied.
        """
        message = read(GroupCapacityForecast, raw)
        for block in message.forecasted_blocks:
            _check(block)
        index, count = place(headers)
        now = self._hub.now()
        segment = Segment(index, count, request_id, headers.get("x-correlation-id"), message, raw)
        waiting = self._segments.setdefault(provider.id, Segments())
        whole = (segment,) if count == 1 else waiting.add(segment, now)
        if whole is None:
            return
        forecast = Forecast(
            group_id=message.group_id,
            type=message.type,
            blocks=tuple(block for part in whole for block in part.forecast.forecasted_blocks),
            message_id=whole[0].request_id,
            received_at=now,
            raw=tuple(part.raw for part in whole),
        )
        try:
            await self._port.on_forecast(provider.id, forecast)
        except Refused:
            waiting.drop(whole)
            raise
        waiting.drop(whole)
        await self._book.change(provider.id, lambda one: one.with_(last_signal_at=now), may_wait=True)

    def forget(self, provider_id: str) -> None:
        self._segments.pop(provider_id, None)


def _check(block: ForecastedBlock) -> None:
    if block.start_time >= block.end_time:
        raise WrongBlocks(f"a block that starts at {block.start_time.isoformat()} ends before it, or then")
