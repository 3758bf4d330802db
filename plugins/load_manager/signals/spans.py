"""One line of values over time, in which what is said later wins for the time it covers, and only for that."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plugins.load_manager.signals.signal import Counting


@dataclass(frozen=True, slots=True)
class Span:
    """A limit from `start` until before `end`, and the message that said so.

    `block_start` and `block_end` are those of the block it is a part of, over which an average is counted.
    `received_at` is when the message came, kept while it waits for an operator.
    """

    start: datetime
    end: datetime
    limit_mw: int
    message_id: str
    block_start: datetime
    block_end: datetime
    counting: Counting = Counting.PEAK
    received_at: datetime | None = None


Spans = tuple[Span, ...]
"""In order of time, none overlapping another."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The average power of a group from `start` until before `end`."""

    start: datetime
    end: datetime
    average_mw: int


def lay(spans: Spans, newer: Iterable[Span]) -> Spans:
    """The line with newer spans over it."""
    line = list(spans)
    for span in newer:
        _put(line, span.start, span.end, [span])
    return tuple(line)


def cut(spans: Spans, newer: Iterable[Span]) -> Spans:
    """The line without the time that newer spans cover."""
    line = list(spans)
    for span in newer:
        _put(line, span.start, span.end, [])
    return tuple(line)


def covering(spans: Spans, moment: datetime) -> Span | None:
    """The span in which a moment lies."""
    latest = latest_before(spans, moment)
    return latest if latest is not None and moment < latest.end else None


def latest_before(spans: Spans, moment: datetime) -> Span | None:
    """The span that began last, whether or not it is over."""
    position = bisect_right(spans, moment, key=_start)
    return spans[position - 1] if position else None


def edges(spans: Spans, start: datetime, end: datetime) -> Iterable[datetime]:
    """Moments between two at which a span begins or ends."""
    for span in spans[bisect_right(spans, start, key=_end) : bisect_left(spans, end, key=_start)]:
        if span.start > start:
            yield span.start
        if span.end < end:
            yield span.end


def without_the_past(spans: Spans, before: datetime) -> Spans:
    """The line without spans that are over, but for the last of them: it says what was in force before a gap."""
    return spans[max(0, bisect_right(spans, before, key=_end) - 1) :]


def in_force_mw(span: Span, now: datetime, measured: Sequence[Measured] = ()) -> int:
    """The limit of a span that covers now, given what was measured since its block began.

    Where nothing was measured the group is taken to have used the whole value, so that no room is made of what nobody
    knows. Never below 0.
    """
    if span.counting is Counting.PEAK:
        return span.limit_mw
    used = known_us = 0
    at = span.block_start
    for each in sorted(measured, key=lambda one: one.start):
        start, end = max(each.start, at), min(each.end, now)
        if start < end:
            length_us = _us(end - start)
            used += each.average_mw * length_us
            known_us += length_us
            at = end
    used += span.limit_mw * (_us(now - span.block_start) - known_us)
    energy = span.limit_mw * _us(span.block_end - span.block_start)
    rest_mw = max(0, energy - used) // _us(span.block_end - now)
    return min(rest_mw, span.limit_mw) if span.counting is Counting.AVERAGE else rest_mw


def _put(line: list[Span], start: datetime, end: datetime, spans: list[Span]) -> None:
    first, last = bisect_right(line, start, key=_end), bisect_left(line, end, key=_start)
    over = line[first:last]
    before = [replace(over[0], end=start)] if over and over[0].start < start else []
    after = [replace(over[-1], start=end)] if over and over[-1].end > end else []
    line[first:last] = [*before, *spans, *after]


def _start(span: Span) -> datetime:
    return span.start


def _end(span: Span) -> datetime:
    return span.end


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
