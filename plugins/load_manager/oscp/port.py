"""Where OSCP ends and the load manager begins: what came from a capacity provider, as plain values, and the port that
takes it. No other module of the load manager needs to be known here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugins.load_manager.oscp.messages import ForecastedBlock, ForecastType


@dataclass(frozen=True, slots=True)
class Forecast:
    """A whole UpdateGroupCapacityForecast, its segments joined in their order. `message_id` is the request id of the
    first, and what a compliance error names it by; `raw` are the bodies as received.
    """

    group_id: str
    type: ForecastType
    blocks: tuple[ForecastedBlock, ...]
    message_id: str
    received_at: datetime
    raw: tuple[bytes, ...]


class Refused(Exception):
    """A message is refused with this HTTP status and sentence; nothing of it was applied."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class UnknownGroup(Refused):
    """The group does not exist here."""

    def __init__(self, group_id: str) -> None:
        super().__init__(404, f"the group {group_id} is not known here")


class OthersGroup(Refused):
    """The group belongs to another capacity provider."""

    def __init__(self, group_id: str) -> None:
        super().__init__(403, f"the group {group_id} is not yours")


class WrongBlocks(Refused):
    """The blocks contradict each other or themselves; the sentence says how."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class CapacityPort(Protocol):
    """Who is told what capacity providers say. Calls for one provider come one after the other."""

    async def on_forecast(self, provider_id: str, forecast: Forecast) -> None:
        """A forecast to apply, or to refuse as a whole: raises UnknownGroup, OthersGroup, WrongBlocks."""

    async def on_online(self, provider_id: str) -> None:
        """A handshake has succeeded: contact is there, if it was not. After an absence limits hold again once a fresh
        one has come.
        """

    async def on_offline(self, provider_id: str, since: datetime) -> None:
        """Contact is lost since then: until the next `on_online` its fallback limits hold. Told once, and again after a
        restart.
        """
