"""Which messages were heard already: a message that comes twice is a repetition for 24 hours."""

from datetime import datetime, timedelta

from hub.ocpi import codec

KEPT = timedelta(hours=24)
MOST_PER_SOURCE = 10_000


class Heard:
    """Message ids by source, those heard first in front. A source that sends too many pushes out its own oldest ones,
    nobody else's.
    """

    def __init__(self, most_per_source: int = MOST_PER_SOURCE) -> None:
        self._most = most_per_source
        self._heard: dict[str, dict[str, datetime]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._heard.values()))

    def first_time(self, source: str, message_id: str, now: datetime) -> bool:
        """Whether the message is new, which it is no more from now on."""
        own = self._heard.setdefault(source, {})
        while own and (oldest := next(iter(own))) and own[oldest] <= now - KEPT:
            del own[oldest]
        if message_id in own:
            return False
        if len(own) >= self._most:
            del own[next(iter(own))]
        own[message_id] = now
        return True

    def already(self, source: str, message_id: str, now: datetime) -> bool:
        """Whether the message would be a repetition; nothing changes."""
        heard_at = self._heard.get(source, {}).get(message_id)
        return heard_at is not None and heard_at > now - KEPT

    def forget(self, source: str, message_id: str) -> None:
        """Takes back a message that was refused after all: whoever sends it again is heard again."""
        self._heard.get(source, {}).pop(message_id, None)

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self._heard)

    @staticmethod
    def from_json(value: object, most_per_source: int = MOST_PER_SOURCE) -> "Heard":
        """The reverse of `to_json`. Raises ValueError."""
        heard = Heard(most_per_source)
        heard._heard = codec.from_plain(dict[str, dict[str, datetime]], value)
        return heard
