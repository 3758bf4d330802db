"""The sentences that people read about a decision."""

from dataclasses import dataclass
from datetime import UTC, datetime

from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.planning.plan import Standing
from plugins.load_manager.profiles import Scale
from plugins.load_manager.signals import wording
from plugins.load_manager.signals.in_force import InForce


@dataclass(frozen=True, slots=True)
class Cause:
    """The group that holds sessions back: what is in force, what is left of it for those that are steered in mW, how
    many of them draw power and how many there are.
    """

    group_id: str
    force: InForce
    until: datetime | None
    provider: str
    stopped: bool
    left_mw: int
    drawing: int
    sessions: int

    def sentence(self) -> str:
        """Such as `group T1 is limited to 30 kW by DSO X until 21:00, shared by 3 sessions`."""
        limit = wording.sentence(self.force, self.until, self.provider, stopped=self.stopped)
        left_mw = max(0, self.left_mw)
        rest = "" if self.left_mw == self.force.limit_mw else f", of which {kilowatts(left_mw):.4g} kW are left"
        return f"group {self.group_id} is {limit}{rest}"


def sentence(
    standing: Standing,
    power_mw: int,
    scale: Scale,
    cause: Cause | None,
    turn_at: datetime | None = None,
) -> str:
    """Why a session has this power. `cause` is there where a group holds it back. Times are in UTC."""
    why = "" if cause is None else cause.sentence()
    turn = "" if turn_at is None else f", its turn is at {turn_at.astimezone(UTC):%H:%M}"
    match standing:
        case Standing.LIMITED if cause is not None:
            sharing = "1 session" if cause.drawing == 1 else f"{cause.drawing} sessions"
            return f"limited to {power(power_mw, scale)}: {why}, shared by {sharing}"
        case Standing.WAITING if cause is not None:
            return f"paused: {why}, enough for {cause.drawing} of {cause.sessions} sessions{turn}"
        case Standing.NO_CAPACITY if cause is not None:
            return f"paused: {why}, less than the least it can draw{turn}"
        case Standing.RESTING:
            return f"paused: it was paused a moment ago{turn}"
        case Standing.NO_CAPACITY:
            return "paused: the most it may draw is below the least it can draw"
        case Standing.UNLIMITED:
            return "not limited"
        case _:
            return f"not limited now: {power(power_mw, scale)} is all it can draw"


def power(power_mw: int, scale: Scale) -> str:
    """Such as `10.0 kW (14.4 A)`."""
    kw = f"{power_mw / 1e6:.1f} kW"
    return f"{kw} ({scale.limit(power_mw)} A)" if scale.unit == "A" else kw
