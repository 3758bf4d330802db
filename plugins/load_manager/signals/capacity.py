"""One group's capacity, from what is said to what may be used: what was said, how the group stands, and both together.
Every change makes a new value; `demand_mw` is what all connectors of the group could draw together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.ocpi import codec
from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.effective import Effective, effective
from plugins.load_manager.signals.in_force import InForce
from plugins.load_manager.signals.judging import plausible, power_mw
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.ramp import held_down, ramped
from plugins.load_manager.signals.signal import CapacitySignal, SignalKind
from plugins.load_manager.signals.spans import Measured
from plugins.load_manager.signals.standing import Standing, State, first_standing
from plugins.load_manager.signals.step import Step


@dataclass(frozen=True, slots=True)
class Capacity:
    """The capacity of a group."""

    limits: Limits
    standing: Standing

    @staticmethod
    def unknown(group: Group, now: datetime) -> "Capacity":
        """Of a group about which nothing was said yet."""
        return Capacity(Limits(), first_standing(group, now))

    def received(self, signal: CapacitySignal, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After a signal that was judged. Raises SignalRefused, and nothing of it is taken."""
        before = self.looked_at(group, now, demand_mw)
        after = replace(before, limits=before.limits.with_signal(signal, group))
        if _is_limit(signal, group, now) and all(plausible(power_mw(signal, each), group) for each in signal.blocks):
            after = replace(after, standing=after.standing.limit_came())
        return after._lifted_from(before, group, now, demand_mw)

    def confirmed(self, signal: CapacitySignal, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After an operator has confirmed a signal that was set aside: a fresh limit, unless contact was lost after it
        came. Nothing changes when it is set aside no longer.
        """
        before = self.looked_at(group, now, demand_mw)
        after = replace(before, limits=before.limits.confirmed(signal.source, signal.message_id))
        lost_at = before.standing.lost_at
        since_lost = lost_at is None or lost_at <= signal.received_at
        if after.limits != before.limits and since_lost and _is_limit(signal, group, now):
            after = replace(after, standing=after.standing.limit_came())
        return after._lifted_from(before, group, now, demand_mw)

    def dropped(self, source: str, message_id: str, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After an operator has thrown away a signal that was set aside."""
        before = self.looked_at(group, now, demand_mw)
        after = replace(before, limits=before.limits.dropped(source, message_id))
        return after._lifted_from(before, group, now, demand_mw)

    def contact(self, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After contact was made, for OSCP by a handshake."""
        return replace(self, standing=self.standing.contact()).looked_at(group, now, demand_mw)

    def lost(self, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After contact was lost, unless there is no capacity provider to lose."""
        if group.capacity_provider is None:
            return self
        return replace(self, standing=self.standing.lost(now)).looked_at(group, now, demand_mw)

    def stopped(self, stopped: bool, group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """After the operator has stopped everything, or started it again."""
        return replace(self, standing=replace(self.standing, stopped=stopped)).looked_at(group, now, demand_mw)

    def restarted(self, group: Group, now: datetime) -> "Capacity":
        """As it was kept, in another process."""
        return replace(self, standing=self.standing.restarted(group, self.limits, now))

    def under(self, group: Group, before: Group, now: datetime) -> "Capacity":
        """After the group was changed: whoever follows another capacity provider starts anew with it."""
        if group.capacity_provider == before.capacity_provider:
            return self
        return Capacity(self.limits, replace(first_standing(group, now), stopped=self.standing.stopped))

    def looked_at(self, group: Group, now: datetime, demand_mw: int, measured: Sequence[Measured] = ()) -> "Capacity":
        """After a look: at every edge of a step, every minute of a ramp, and whenever something was said."""
        force = self.limits.limit_at(group, now, cut_off=self.standing.cut_off, measured=measured)
        return replace(self, standing=self.standing.looked_at(group, force, demand_mw, now))

    def limit_at(self, group: Group, now: datetime, measured: Sequence[Measured] = ()) -> InForce:
        """What is in force now, with the ramp."""
        force = self.limits.limit_at(group, now, cut_off=self.standing.cut_off, measured=measured)
        return held_down(force, self.standing.ramp, now)

    def steps(
        self, group: Group, now: datetime, until: datetime, measured: Sequence[Measured] = ()
    ) -> tuple[Step, ...]:
        """What is in force from now until before another moment, with the ramp."""
        return ramped(self._steps(group, now, until, measured), self.standing.ramp)

    def effective(
        self,
        group: Group,
        now: datetime,
        until: datetime,
        *,
        uncontrolled_mw: int,
        measured: Sequence[Measured] = (),
    ) -> tuple[Effective, ...]:
        """What may be given to sessions from now until before another moment."""
        steps = self._steps(group, now, until, measured)
        return effective(steps, group, self.standing.ramp, uncontrolled_mw=uncontrolled_mw)

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self)

    @staticmethod
    def from_json(value: object) -> "Capacity":
        """The reverse of `to_json`. Raises ValueError."""
        return codec.from_plain(Capacity, value)

    def _steps(self, group: Group, now: datetime, until: datetime, measured: Sequence[Measured]) -> tuple[Step, ...]:
        return self.limits.steps(group, now, until, cut_off=self.standing.cut_off, measured=measured)

    def _lifted_from(self, before: "Capacity", group: Group, now: datetime, demand_mw: int) -> "Capacity":
        """A look at it, with a ramp when more is in force than before. In INIT nothing was given out yet."""
        after = self.looked_at(group, now, demand_mw)
        lifted = after.standing.in_force_mw > before.standing.in_force_mw and not after.standing.cut_off
        if not lifted or before.standing.state is State.INIT:
            return after
        raised = replace(self, standing=replace(before.standing.lifted(group, now), fresh=self.standing.fresh))
        return raised.looked_at(group, now, demand_mw)


def _is_limit(signal: CapacitySignal, group: Group, now: datetime) -> bool:
    """Whether it is a limit by the capacity provider that the group follows, and not yet over."""
    return (
        signal.kind is SignalKind.LIMIT
        and signal.steers
        and signal.capacity_provider is not None
        and signal.capacity_provider == group.capacity_provider
        and any(block.end > now for block in signal.blocks)
    )
