"""How a group stands: the state of its limit, and whether anybody can be heard.

Rules
1. INIT at the start, with the fallback, until there is contact and a fresh limit.
2. A value of 0 and an emergency signal make EMERGENCY of every state, with contact or without.
3. Without contact, and when the operator stops everything: FALLBACK. Only contact and after its loss a limit, in either
   order, lead out of it; contact alone, or a limit alone, changes nothing.
4. With both, a gap in the limits is STALE, a limit that somebody could exceed is LIMITED, any other NORMAL.
5. From FALLBACK, and after a lift that nobody announced, more is used minute by minute. Meanwhile a group that had
   fallen out of order is in RECOVERY.
6. A group without a capacity provider has nobody to lose, so it is never INIT or FALLBACK, unless it is stopped.
7. After a restart a group goes on where it was if it knows a limit that is not over. One that was in FALLBACK stays
   there. Any other is in INIT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hub.ocpi import codec
from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.in_force import InForce
from plugins.load_manager.signals.limits import Limits
from plugins.load_manager.signals.ramp import Ramp, ramp_of


class State(StrEnum):
    """What a group's limit is made of; rules above."""

    INIT = "INIT"
    NORMAL = "NORMAL"
    LIMITED = "LIMITED"
    STALE = "STALE"
    FALLBACK = "FALLBACK"
    RECOVERY = "RECOVERY"
    EMERGENCY = "EMERGENCY"

    @property
    def shown(self) -> "State":
        """As people see it: INIT steers like FALLBACK, and RECOVERY like LIMITED."""
        return _SHOWN.get(self, self)


_SHOWN = {State.INIT: State.FALLBACK, State.RECOVERY: State.LIMITED}


class Condition(StrEnum):
    """What is found when a group is looked at; the first that applies counts."""

    EMERGENCY = "EMERGENCY"
    CUT_OFF = "CUT_OFF"
    GAP = "GAP"
    RISING = "RISING"
    BINDING = "BINDING"
    FREE = "FREE"


# fmt: off
_NEXT: Mapping[Condition, Mapping[State, State]] = {
    Condition.EMERGENCY: dict.fromkeys(State, State.EMERGENCY),
    Condition.CUT_OFF:   dict.fromkeys(State, State.FALLBACK) | {State.INIT: State.INIT},
    Condition.GAP:       dict.fromkeys(State, State.STALE),
    Condition.RISING:    dict.fromkeys(State, State.RECOVERY) | {State.INIT: State.LIMITED,
                                                                 State.NORMAL: State.LIMITED,
                                                                 State.LIMITED: State.LIMITED},
    Condition.BINDING:   dict.fromkeys(State, State.LIMITED),
    Condition.FREE:      dict.fromkeys(State, State.NORMAL),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Standing:
    """The state and since when, what is known of contact, and the ramp while there is one. `in_force_mw` is the limit
    at the last look.
    """

    since: datetime
    state: State = State.INIT
    online: bool = False
    fresh: bool = False
    lost_at: datetime | None = None
    stopped: bool = False
    in_force_mw: int = 0
    ramp: Ramp | None = None

    @property
    def cut_off(self) -> bool:
        """Whether the fallback holds in place of what was said."""
        return self.stopped or not (self.online and self.fresh)

    def contact(self) -> "Standing":
        """Contact is there: for OSCP after a handshake, not after a heartbeat alone."""
        return replace(self, online=True)

    def lost(self, now: datetime) -> "Standing":
        """Contact is gone, and every limit that was said is an old one."""
        return replace(self, online=False, fresh=False, lost_at=now)

    def limit_came(self) -> "Standing":
        """A limit was taken that is not yet over; the complete answer of an event source is one, even an empty one."""
        return replace(self, fresh=True)

    def lifted(self, group: Group, now: datetime) -> "Standing":
        """More is allowed from now on, and nobody had said so before."""
        return replace(self, ramp=ramp_of(group, now, self.in_force_mw))

    def looked_at(self, group: Group, force: InForce, demand_mw: int, now: datetime) -> "Standing":
        """After a look at what is in force. `demand_mw`: what all connectors of the group could draw together."""
        ramp = None if self.ramp is not None and self.ramp.over(now) else self.ramp
        if self.state is State.FALLBACK and not self.cut_off:
            ramp = ramp_of(group, now, self.in_force_mw)
        if self.cut_off:
            ramp = None
        rising = ramp is not None and ramp.at(now) < force.limit_mw
        in_force_mw = ramp.at(now) if ramp is not None and rising else force.limit_mw
        state = _NEXT[self._condition(force, rising, in_force_mw < demand_mw)][self.state]
        return replace(
            self,
            state=state,
            since=self.since if state is self.state else now,
            in_force_mw=in_force_mw,
            ramp=ramp,
        )

    def restarted(self, group: Group, limits: Limits, now: datetime) -> "Standing":
        """After a restart."""
        if self.cut_off or group.capacity_provider is None or limits.follow_on(group, now):
            return self
        return replace(self, state=State.INIT, since=now, online=False, fresh=False, ramp=None)

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self)

    @staticmethod
    def from_json(value: object) -> "Standing":
        """The reverse of `to_json`. Raises ValueError."""
        return codec.from_plain(Standing, value)

    def _condition(self, force: InForce, rising: bool, binding: bool) -> Condition:
        if force.emergency:
            return Condition.EMERGENCY
        if self.cut_off:
            return Condition.CUT_OFF
        if force.gap:
            return Condition.GAP
        if not binding:
            return Condition.FREE
        return Condition.RISING if rising else Condition.BINDING


def first_standing(group: Group, now: datetime) -> Standing:
    """How a group stands of which nothing is known yet."""
    alone = group.capacity_provider is None
    return Standing(
        since=now,
        state=State.NORMAL if alone else State.INIT,
        online=alone,
        fresh=alone,
        in_force_mw=group.static_capacity_mw,
    )
