"""What has changed in client info, kept once for all receivers: each of them reads on from where it is."""

from bisect import bisect_right
from dataclasses import dataclass

from hub.broker.client_info import ClientInfo

# Superseded changes are cleared away when there are more of them than of the others, and this many.
_SLACK = 64


@dataclass(frozen=True, slots=True)
class Change:
    """What counted as told of one party in one role before, and what holds now; None: nothing, it was not there.

    `only_moved`: its status is what everybody was told, only who leads to it is not.
    """

    number: int
    key: str
    before: ClientInfo | None
    now: ClientInfo | None
    only_moved: bool


class News:
    """Changes in order. Of each party in one role only the newest is kept, so there are never more than parties,
    however slow a receiver is.
    """

    def __init__(self) -> None:
        self._newest: dict[str, Change] = {}
        self._order: list[Change] = []
        self.last = 0

    def add(self, key: str, before: ClientInfo | None, now: ClientInfo | None) -> None:
        """A difference in what is known under a key."""
        self.last += 1
        known = self._newest.get(key)
        same = before is not None and now is not None and before.status is now.status
        # A change that is not read everywhere may have been one of status.
        change = Change(self.last, key, before, now, same and (known is None or known.only_moved))
        self._newest[key] = change
        self._order.append(change)
        if len(self._order) > 2 * len(self._newest) + _SLACK:
            self._order = [one for one in self._order if self._newest[one.key] is one]

    def after(self, number: int) -> Change | None:
        """The oldest change with a higher number."""
        for position in range(bisect_right(self._order, number, key=_number), len(self._order)):
            change = self._order[position]
            if self._newest[change.key] is change:
                return change
        return None

    def forget(self, number: int) -> None:
        """Everybody has read this far."""
        read = bisect_right(self._order, number, key=_number)
        for change in self._order[:read]:
            if self._newest[change.key] is change:
                del self._newest[change.key]
        del self._order[:read]


def _number(change: Change) -> int:
    return change.number
