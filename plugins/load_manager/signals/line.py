"""What one source says about a group in one kind of signal: its values in force, and those set aside."""

from dataclasses import dataclass

from plugins.load_manager.signals.signal import CapacitySignal, SignalKind, SignalPhase
from plugins.load_manager.signals.spans import Spans


@dataclass(frozen=True, slots=True)
class Line:
    """`spans` are in force; `set_aside` are not plausible and wait for an operator."""

    source: str
    capacity_provider: str | None
    kind: SignalKind
    phase: SignalPhase
    spans: Spans = ()
    set_aside: Spans = ()

    def takes(self, signal: CapacitySignal) -> bool:
        """Whether a signal is a newer one of this line."""
        return (
            self.source == signal.source
            and self.capacity_provider == signal.capacity_provider
            and self.kind is signal.kind
            and self.phase is signal.phase
        )
