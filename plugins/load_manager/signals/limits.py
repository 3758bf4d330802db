"""Everything said about one group's capacity, as a value: a newer signal makes a new one. Which limit follows is in
`in_force`; whether a signal is taken at all is in `judging`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.ocpi import codec
from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.in_force import InForce, Look
from plugins.load_manager.signals.judging import Refusal, SignalRefused, plausible, power_mw
from plugins.load_manager.signals.line import Line
from plugins.load_manager.signals.signal import CapacitySignal, SignalKind
from plugins.load_manager.signals.spans import Measured, Span, Spans, cut, edges, lay, without_the_past
from plugins.load_manager.signals.step import Step

MOST_SPANS = 5000


@dataclass(frozen=True, slots=True)
class SetAside:
    """A signal that is not plausible and waits for an operator: who said it when, and what still waits of its values in
    mW as `spans`.
    """

    source: str
    capacity_provider: str | None
    kind: SignalKind
    message_id: str
    received_at: datetime | None
    spans: Spans


@dataclass(frozen=True, slots=True)
class Limits:
    """What is said about a group, line by line, what is over too until `without_the_past` takes it away."""

    lines: tuple[Line, ...] = ()

    def limit_at(
        self, group: Group, now: datetime, *, cut_off: bool = False, measured: Sequence[Measured] = ()
    ) -> InForce:
        """What is in force now. `cut_off`: there is no contact; `measured` is what averages are counted by."""
        return Look(self.lines, group, now, cut_off, measured).at(now)

    def steps(
        self,
        group: Group,
        now: datetime,
        until: datetime,
        *,
        cut_off: bool = False,
        measured: Sequence[Measured] = (),
    ) -> tuple[Step, ...]:
        """What is in force from now until before another moment, in steps that meet; neighbours differ."""
        look = Look(self.lines, group, now, cut_off, measured)
        made: list[Step] = []
        for moment in [now, *self.edges(now, until)]:
            force = look.at(moment)
            if made and made[-1].force == force:
                continue
            if made:
                made[-1] = replace(made[-1], end=moment)
            made.append(Step(moment, until, force))
        return tuple(made)

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Moments between two at which something said begins or ends, in order."""
        spans = (spans for line in self.lines for spans in (line.spans, line.set_aside))
        return sorted({edge for each in spans for edge in edges(each, start, end)})

    def with_signal(self, signal: CapacitySignal, group: Group) -> "Limits":
        """With a signal that was judged. One that is not plausible is set aside whole; one that steers nothing changes
        nothing. Raises SignalRefused when too much would be waiting.
        """
        if not signal.steers:
            return self
        newer = sorted(_spans(signal), key=lambda span: span.start)
        line = next((each for each in self.lines if each.takes(signal)), None)
        rest = tuple(each for each in self.lines if each is not line)
        if line is None:
            line = Line(signal.source, signal.capacity_provider, signal.kind, signal.phase)
        if signal.capacity_provider is None or all(plausible(span.limit_mw, group) for span in newer):
            line = replace(line, spans=lay(line.spans, newer), set_aside=cut(line.set_aside, newer))
        else:
            waiting = [replace(span, received_at=signal.received_at) for span in newer]
            line = replace(line, set_aside=lay(line.set_aside, waiting))
        if len(line.spans) > MOST_SPANS or len(line.set_aside) > MOST_SPANS:
            raise SignalRefused([Refusal("blocks", f"would make more than {MOST_SPANS} wait for group {group.id}")])
        return Limits((*rest, line))

    def follow_on(self, group: Group, now: datetime) -> bool:
        """Whether the group's capacity provider has said a limit that is not over."""
        return any(
            line.kind is SignalKind.LIMIT
            and line.capacity_provider == group.capacity_provider
            and line.spans
            and line.spans[-1].end > now
            for line in self.lines
        )

    def set_aside(self) -> tuple[SetAside, ...]:
        """The signals that wait for an operator."""
        found: dict[tuple[str, str], tuple[Line, list[Span]]] = {}
        for line in self.lines:
            for span in line.set_aside:
                found.setdefault((line.source, span.message_id), (line, []))[1].append(span)
        return tuple(_aside(line, spans) for line, spans in found.values())

    def confirmed(self, source: str, message_id: str) -> "Limits":
        """With a signal that was set aside, for the time nothing newer has covered. Itself when there is none such."""
        return self._settled(source, message_id, take=True)

    def dropped(self, source: str, message_id: str) -> "Limits":
        """Without a signal that was set aside."""
        return self._settled(source, message_id, take=False)

    def without_source(self, source: str) -> "Limits":
        """Without everything a source has said: it is none any more."""
        return Limits(tuple(line for line in self.lines if line.source != source))

    def without_the_past(self, before: datetime) -> "Limits":
        """Without what no limit at or after a moment follows from. A line stays, even an empty one: whoever has set
        limits once leaves a gap, not freedom.
        """
        return Limits(
            tuple(
                replace(
                    line,
                    spans=without_the_past(line.spans, before),
                    set_aside=tuple(span for span in line.set_aside if span.end > before),
                )
                for line in self.lines
            )
        )

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self)

    @staticmethod
    def from_json(value: object) -> "Limits":
        """The reverse of `to_json`. Raises ValueError."""
        return codec.from_plain(Limits, value)

    def _settled(self, source: str, message_id: str, *, take: bool) -> "Limits":
        return Limits(tuple(_settled(line, message_id, take) if line.source == source else line for line in self.lines))


def _aside(line: Line, spans: Sequence[Span]) -> SetAside:
    first = spans[0]
    said_by = line.source, line.capacity_provider, line.kind
    return SetAside(*said_by, first.message_id, first.received_at, tuple(spans))


def _settled(line: Line, message_id: str, take: bool) -> Line:
    own = [span for span in line.set_aside if span.message_id == message_id]
    rest = tuple(span for span in line.set_aside if span.message_id != message_id)
    return replace(line, spans=lay(line.spans, own) if take else line.spans, set_aside=rest)


def _spans(signal: CapacitySignal) -> Iterator[Span]:
    for block in signal.blocks:
        yield Span(
            block.start,
            block.end,
            power_mw(signal, block),
            signal.message_id,
            block.start,
            block.end,
            signal.counting,
        )
