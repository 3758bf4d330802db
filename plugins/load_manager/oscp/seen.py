"""Request ids that were served, so that a message that comes again is answered and changes nothing."""

from datetime import datetime, timedelta

KEPT_FOR = timedelta(hours=24)
MOST = 20_000


class Seen:
    """The ids of one provider, for a day; above `most` the oldest go. Heartbeats are many and harmless to repeat, so
    they have a `Seen` of their own.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._at: dict[str, datetime] = {}

    def has(self, request_id: str, now: datetime) -> bool:
        """Whether it was served within the last day."""
        at = self._at.get(request_id)
        return at is not None and now - at <= KEPT_FOR

    def add(self, request_id: str, now: datetime) -> None:
        self._at.pop(request_id, None)
        self._at[request_id] = now
        while len(self._at) > self._most or now - next(iter(self._at.values())) > KEPT_FOR:
            del self._at[next(iter(self._at))]
