"""Which messages were heard already: a message that comes twice is a repetition for 24 hours."""

from datetime import datetime, timedelta

from hub.ocpi import codec

KEPT = timedelta(hours=24)
MOST_PER_SENDER = 10_000


class Heard:
    """Message ids by sender, those heard first in front. A sender of too many pushes out its own oldest ones,
    nobody else's.
    """

    def __init__(self, most_per_sender: int = MOST_PER_SENDER) -> None:
        self._most = most_per_sender
        self._heard: dict[str, dict[str, datetime]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._heard.values()))

    def first_time(self, sender: str, message_id: str, now: datetime) -> bool:
        """Whether the message is new, which it is no more from now on."""
        own = self._heard.setdefault(sender, {})
        while own and (oldest := next(iter(own))) and own[oldest] <= now - KEPT:
            del own[oldest]
        if message_id in own:
            return False
        if len(own) >= self._most:
            del own[next(iter(own))]
        own[message_id] = now
        return True

    def already(self, sender: str, message_id: str, now: datetime) -> bool:
        """Whether the message would be a repetition; nothing changes."""
        heard_at = self._heard.get(sender, {}).get(message_id)
        return heard_at is not None and heard_at > now - KEPT

    def forget(self, sender: str, message_id: str) -> None:
        """Takes back a message that was refused after all: whoever sends it again is heard again."""
        self._heard.get(sender, {}).pop(message_id, None)

    def to_json(self) -> object:
        """JSON values for a store."""
        return codec.to_plain(self._heard)

    @staticmethod
    def from_json(value: object, most_per_sender: int = MOST_PER_SENDER) -> "Heard":
        """The reverse of `to_json`. Raises ValueError."""
        heard = Heard(most_per_sender)
        heard._heard = codec.from_plain(dict[str, dict[str, datetime]], value)
        return heard
