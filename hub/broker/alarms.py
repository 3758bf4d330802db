"""Alarms: what an operator must know. The same alarm is counted, not repeated; the list is bounded and lives in
memory.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from hub.broker.ids import record_id
from hub.clock import Clock
from hub.metrics import Metrics

MAX_ALARMS = 1000

log = structlog.get_logger("hub.alarms")


@dataclass(frozen=True, slots=True)
class Alarm:
    """`kind` is a short fixed word, `subject` what it is about (a platform id, a party, the store)."""

    id: str
    kind: str
    subject: str
    text: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    standing: bool = False
    acknowledged: bool = False


class Alarms:
    """Raises, lists, acknowledges and clears alarms."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._alarms: OrderedDict[tuple[str, str], Alarm] = OrderedDict()

    def sound(self, kind: str, subject: str, text: str, *, standing: bool = False) -> None:
        """Raises an alarm, or counts it again. A standing one lasts until `clear`."""
        now = self._clock.now()
        known = self._alarms.pop((kind, subject), None)
        if known is None:
            alarm = Alarm(record_id(), kind, subject, text, now, now, standing=standing)
            log.warning("alarm", kind=kind, subject=subject, text=text)
        else:
            alarm = replace(known, text=text, last_at=now, count=known.count + 1, standing=standing, acknowledged=False)
        self._alarms[kind, subject] = alarm
        if len(self._alarms) > MAX_ALARMS:
            self._alarms.popitem(last=False)
        self._metrics.count_alarm(kind)

    def clear(self, kind: str, subject: str) -> None:
        """What a standing alarm told of is over; it stays listed, no longer standing."""
        known = self._alarms.get((kind, subject))
        if known is not None and known.standing:
            self._alarms[kind, subject] = replace(known, standing=False)
            log.info("alarm over", kind=kind, subject=subject)

    def acknowledge(self, alarm_id: str) -> Alarm | None:
        for key, alarm in self._alarms.items():
            if alarm.id == alarm_id:
                self._alarms[key] = replace(alarm, acknowledged=True)
                return self._alarms[key]
        return None

    @property
    def newest_first(self) -> list[Alarm]:
        return list(reversed(self._alarms.values()))
