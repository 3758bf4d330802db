"""Messages that came in parts: put together when the last part is there, in whatever order they came.

Parts of one message know each other by correlation ids: all later ones name the first, or each names the one before it.
Both are read as a chain, so a part belongs to every part it shares an id with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from plugins.load_manager.oscp.messages import MOST_BLOCKS, GroupCapacityForecast
from plugins.load_manager.oscp.port import Refused, WrongBlocks

INDEX = "x-segment-index"
COUNT = "x-segment-count"
MOST_SEGMENTS = 100
MOST_WAITING = 16
MOST_WAITING_BLOCKS = 2 * MOST_BLOCKS
OLDEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Segment:
    """One part, from index 1 to `count`."""

    index: int
    count: int
    request_id: str
    correlation_id: str | None
    forecast: GroupCapacityForecast
    raw: bytes = field(repr=False)


@dataclass(slots=True)
class _Waiting:
    """Parts that know each other."""

    since: datetime
    ids: set[str]
    parts: list[Segment]

    @property
    def blocks(self) -> int:
        return sum(len(one.forecast.forecasted_blocks) for one in self.parts)


class Segments:
    """What waits of one provider: few messages, not many blocks, none older than five minutes. Above it the oldest is
    dropped.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def add(self, segment: Segment, now: datetime) -> tuple[Segment, ...] | None:
        """All parts in order when this is the last one of them; the others wait on until `drop`, in case it has to come
        again. None when some are still to come. Raises Refused for a part that does not belong to the others; then they
        wait as before.
        """
        self._waiting = [one for one in self._waiting if now - one.since <= OLDEST]
        ids = {segment.request_id} | ({segment.correlation_id} if segment.correlation_id else set())
        kin = [one for one in self._waiting if one.ids & ids]
        parts = [part for one in kin for part in one.parts] + [segment]
        _check(parts)
        since = min((one.since for one in kin), default=now)
        rest = [one for one in self._waiting if one not in kin]
        if len(parts) == segment.count:
            return tuple(sorted(parts, key=lambda part: part.index))
        rest.append(_Waiting(since, ids.union(*(one.ids for one in kin)), parts))
        while len(rest) > MOST_WAITING or sum(one.blocks for one in rest) > MOST_WAITING_BLOCKS:
            rest.remove(min(rest, key=lambda one: one.since))
        self._waiting = rest
        return None

    def drop(self, parts: tuple[Segment, ...]) -> None:
        """Nothing waits for these any more."""
        ids = {one.request_id for one in parts}
        self._waiting = [one for one in self._waiting if not one.ids & ids]


def place(headers: Mapping[str, str]) -> tuple[int, int]:
    """Index and count of a part; 1 of 1 for a message that is whole. Raises Refused."""
    index, count = headers.get(INDEX), headers.get(COUNT)
    if index is None and count is None:
        return 1, 1
    if index is None or count is None:
        raise Refused(400, "X-Segment-Index and X-Segment-Count belong together")
    numbers = _number(index), _number(count)
    if not 1 <= numbers[0] <= numbers[1] <= MOST_SEGMENTS:
        raise Refused(400, f"X-Segment-Index must be from 1 to X-Segment-Count, and that at most {MOST_SEGMENTS}")
    return numbers


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _check(parts: list[Segment]) -> None:
    new = parts[-1]
    for one in parts[:-1]:
        if one.count != new.count:
            raise Refused(400, "X-Segment-Count is not that of the other segments")
        if one.index == new.index:
            raise Refused(400, f"segment {new.index} has come before, with another request id")
        if (one.forecast.group_id, one.forecast.type) != (new.forecast.group_id, new.forecast.type):
            raise WrongBlocks("group_id and type must be the same in every segment")
    if sum(len(one.forecast.forecasted_blocks) for one in parts) > MOST_BLOCKS:
        raise WrongBlocks(f"a forecast may have at most {MOST_BLOCKS} blocks")
