"""What operators and DSOs call about the grid: routes over plain values, and the port behind them."""

from collections.abc import Iterator

from hub.plugin import Route
from plugins.load_manager.doors.adjusting import AdjustingDoors
from plugins.load_manager.doors.cpos import CpoDoors
from plugins.load_manager.doors.grid import GridDoors
from plugins.load_manager.doors.operating import OperatingDoors
from plugins.load_manager.doors.port import Operating
from plugins.load_manager.doors.providers import NativeOf, ProviderDoors
from plugins.load_manager.doors.records import RecordDoors
from plugins.load_manager.doors.sessions import SessionDoors

__all__ = ["NativeOf", "Operating", "routes"]


def routes(operating: Operating, native_of: NativeOf) -> Iterator[Route]:
    """All of them. `native_of` is that of the capacity providers."""
    yield from GridDoors(operating).routes()
    yield from OperatingDoors(operating).routes()
    yield from AdjustingDoors(operating).routes()
    yield from CpoDoors(operating).routes()
    yield from SessionDoors(operating).routes()
    yield from RecordDoors(operating).routes()
    yield from ProviderDoors(operating, native_of).routes()
