"""How a simulated DSO behaves where OSCP leaves room, and where real ones differ from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class DsoHabits:
    """Settings of one DSO; every one may be changed while it runs.

    heartbeat_interval_s  how often the other side shall send heartbeats; None: not at all
    measurements          what it shall measure
    beats                 whether heartbeats are sent as the other side asks for them
    acknowledge_path      how the acknowledgement of a handshake is spelt
    needs_headers         headers without which nobody gets in
    """

    versions: Sequence[str] = ("2.0",)
    heartbeat_interval_s: float | None = 60
    measurements: Sequence[str] = ("CONTINUOUS",)
    beats: bool = True
    acknowledge_path: str = "handshake_acknowledge"
    needs_headers: Mapping[str, str] = field(default_factory=dict)
