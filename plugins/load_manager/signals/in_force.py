"""Which limit is in force for a group, now and later, and who said so.

Rules
1. The static capacity always holds. Of everything else that is said, the lowest holds.
2. Each source has a line of values for each kind and phase. A newer message wins for the time it covers.
3. A moment that no limit of a source covers is a gap. By gap policy `schedule` the fallback holds in it, by `event`
   nothing. A limit of exactly 0 by a schedule goes on through the gap, until a positive value comes.
4. The fallback is the lowest FALLBACK, else the lowest SUBSCRIPTION, else the fallback capacity, else the static one.
   The last FALLBACK goes on beyond its end: silence is when it is needed.
5. Cut off, the fallback holds in place of limits, but for a 0 that rule 3 holds on to, and an EMERGENCY.
6. A value that is not plausible is set aside, but for the operator's own. For the time it covers, the lower of what
   held before and of the fallback holds, until an operator confirms it, drops it, or a newer message covers the time.
7. A value for one phase counts as one for all phases together: nobody knows which phase a car draws from.
8. The operator's own limits hold while they last, by rules 1 and 2; a group's signals by a capacity provider that it
   no longer names do not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from plugins.load_manager.grid.group import GapPolicy, Group
from plugins.load_manager.signals.line import Line
from plugins.load_manager.signals.signal import SignalKind, SignalPhase
from plugins.load_manager.signals.spans import Measured, Span, covering, in_force_mw, latest_before

_FOR_ALL = (SignalPhase.ALL, SignalPhase.UNKNOWN)


class Rule(StrEnum):
    """Why a limit is what it is."""

    STATIC = "STATIC"
    LIMIT = "LIMIT"
    EMERGENCY = "EMERGENCY"
    ZERO_HELD = "ZERO_HELD"
    GAP = "GAP"
    FALLBACK = "FALLBACK"
    QUARANTINE = "QUARANTINE"
    RAMP = "RAMP"


@dataclass(frozen=True, slots=True)
class InForce:
    """A limit, its rule, and the message it follows from: empty for what the grid itself says. `emergency` and `gap`
    are true also when a lower limit of another kind hides them.
    """

    limit_mw: int
    rule: Rule
    source: str = ""
    capacity_provider: str | None = None
    message_id: str = ""
    emergency: bool = False
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the lines of a group. `cut_off`: there is no contact. `now` and `measured` are for averages."""

    lines: Sequence[Line]
    group: Group
    now: datetime
    cut_off: bool = False
    measured: Sequence[Measured] = ()

    def at(self, moment: datetime) -> InForce:
        """What is in force at a moment."""
        said = list(self._said(moment))
        lowest = min(said, key=lambda each: each.limit_mw)
        return replace(
            lowest, emergency=any(each.emergency for each in said), gap=any(each.rule is Rule.GAP for each in said)
        )

    def _said(self, moment: datetime) -> Iterator[InForce]:
        yield InForce(self.group.static_capacity_mw, Rule.STATIC)
        sources: dict[str, list[Line]] = {}
        for line in self.lines:
            if line.capacity_provider not in (None, self.group.capacity_provider):
                continue
            if line.kind is SignalKind.EMERGENCY:
                yield from self._covering(line, moment, Rule.EMERGENCY)
                yield from self._set_aside(line, moment)
            elif line.kind is SignalKind.LIMIT and line.capacity_provider is None:
                yield from self._covering(line, moment, Rule.LIMIT)
            elif line.kind is SignalKind.LIMIT:
                sources.setdefault(line.source, []).append(line)
        if self.cut_off:
            yield from self._cut_off(sources.values(), moment)
        elif sources:
            for own in sources.values():
                yield from self._of_source(own, moment)
        elif self.group.capacity_provider is not None:
            yield from self._gap(moment)

    def _of_source(self, own: Sequence[Line], moment: datetime) -> Iterator[InForce]:
        said = [*self._limits(own, moment), *self._zeros_held(own, moment)]
        yield from said or self._gap(moment)
        for line in own:
            yield from self._set_aside(line, moment)

    def _cut_off(self, sources: Iterable[Sequence[Line]], moment: datetime) -> Iterator[InForce]:
        """The fallback, if it is not lower than a 0 that still holds."""
        yield self._fallback(moment, Rule.FALLBACK)
        for own in sources:
            yield from (each for each in self._limits(own, moment) if each.emergency)
            yield from self._zeros_held(own, moment)

    def _limits(self, own: Sequence[Line], moment: datetime) -> Iterator[InForce]:
        for line in own:
            yield from self._covering(line, moment, Rule.LIMIT)

    def _covering(self, line: Line, moment: datetime, rule: Rule) -> Iterator[InForce]:
        span = covering(line.spans, moment)
        if span is not None:
            yield self._of(line, span, rule)

    def _set_aside(self, line: Line, moment: datetime) -> Iterator[InForce]:
        span = covering(line.set_aside, moment)
        if span is not None:
            fallback = self._fallback(moment, Rule.QUARANTINE)
            yield replace(
                fallback, source=line.source, capacity_provider=line.capacity_provider, message_id=span.message_id
            )

    def _zeros_held(self, own: Sequence[Line], moment: datetime) -> Iterator[InForce]:
        """Zeros that are over, after which nothing came for their phase."""
        if self.group.gap_policy is GapPolicy.EVENT:
            return
        if any(line.phase in _FOR_ALL and covering(line.spans, moment) is not None for line in own):
            return
        for line in own:
            span = latest_before(line.spans, moment)
            if span is not None and span.limit_mw == 0 and span.end <= moment:
                yield self._of(line, span, Rule.ZERO_HELD)

    def _gap(self, moment: datetime) -> Iterator[InForce]:
        if self.group.gap_policy is GapPolicy.SCHEDULE:
            yield self._fallback(moment, Rule.GAP)

    def _fallback(self, moment: datetime, rule: Rule) -> InForce:
        for kind in (SignalKind.FALLBACK, SignalKind.SUBSCRIPTION):
            known = [
                self._of(line, span, rule)
                for line in self.lines
                if line.kind is kind
                and line.capacity_provider == self.group.capacity_provider
                and (span := latest_before(line.spans, moment)) is not None
            ]
            if known:
                return min(known, key=lambda each: each.limit_mw)
        own_mw = self.group.fallback_capacity_mw
        return InForce(self.group.static_capacity_mw if own_mw is None else own_mw, rule)

    def _of(self, line: Line, span: Span, rule: Rule) -> InForce:
        covers_now = span.start <= self.now < span.end
        limit_mw = in_force_mw(span, self.now, self.measured) if covers_now else span.limit_mw
        emergency = rule in (Rule.EMERGENCY, Rule.ZERO_HELD) or (rule is Rule.LIMIT and span.limit_mw == 0)
        return InForce(limit_mw, rule, line.source, line.capacity_provider, span.message_id, emergency)
