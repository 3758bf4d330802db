"""How fast more is used when a limit is lifted: by a share of the nominal capacity each minute, in steps of a minute,
so that a profile can say it. It is for what nobody announced; a fall is never slowed down.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import floor

from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.in_force import InForce, Rule
from plugins.load_manager.signals.step import Step

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A rise from what was in force at `since`, by `rise_mw` at the end of each minute, up to the nominal capacity."""

    since: datetime
    from_mw: int
    rise_mw: int
    nominal_mw: int

    def at(self, moment: datetime) -> int:
        """The power it allows; what it began with before it began."""
        return self.from_mw + self.rise_mw * max(0, (moment - self.since) // MINUTE)

    def over(self, moment: datetime) -> bool:
        """Whether it holds nothing down any more."""
        return self.at(moment) >= self.nominal_mw

    def edges(self, start: datetime, end: datetime, up_to_mw: int) -> Iterator[datetime]:
        """Moments between two at which it rises, as long as it is below a limit."""
        moment = self.since + MINUTE * max(1, (start - self.since) // MINUTE + 1)
        while moment < end and self.at(moment - MINUTE) < up_to_mw:
            yield moment
            moment += MINUTE


def ramp_of(group: Group, since: datetime, from_mw: int) -> Ramp:
    """The ramp of a group, whose nominal capacity is the static one."""
    nominal_mw = group.static_capacity_mw
    # A group of a few milliwatts rises all the same.
    return Ramp(since, from_mw, max(1, floor(nominal_mw * group.ramp_up)), nominal_mw)


def ramped(steps: Iterable[Step], ramp: Ramp | None) -> tuple[Step, ...]:
    """The steps, never above the ramp."""
    return tuple(replace(step, force=held_down(step.force, ramp, step.start)) for step in split(steps, ramp))


def held_down(force: InForce, ramp: Ramp | None, moment: datetime) -> InForce:
    """What is in force at a moment, with the rule RAMP if the ramp holds it down."""
    if ramp is None or force.limit_mw <= ramp.at(moment):
        return force
    return replace(force, limit_mw=ramp.at(moment), rule=Rule.RAMP)


def split(steps: Iterable[Step], ramp: Ramp | None) -> Iterator[Step]:
    """The same steps, with an edge wherever the ramp rises below one."""
    for step in steps:
        edges = [step.start, *([] if ramp is None else ramp.edges(step.start, step.end, step.limit_mw)), step.end]
        yield from (replace(step, start=start, end=end) for start, end in pairwise(edges))
