"""A limit over a stretch of time."""

from dataclasses import dataclass
from datetime import datetime

from plugins.load_manager.signals.in_force import InForce


@dataclass(frozen=True, slots=True)
class Step:
    """What is in force from `start` until before `end`."""

    start: datetime
    end: datetime
    force: InForce

    @property
    def limit_mw(self) -> int:
        return self.force.limit_mw
