"""What is booked under each node over the horizon, against the node's limit."""

from collections.abc import Callable, Iterable, Mapping

from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.profiles import StepProfile
from plugins.load_manager.strides import Strides


class Ledger:
    """The room under each node that has a limit, in mW at every `marks` second of [from_s, to_s).

    Nothing that is booked, limited or wanted changes between two marks. `booked` says what counts for a row.
    """

    def __init__(
        self,
        limits: Mapping[str, StepProfile],
        marks: list[int],
        booked: Callable[[Row], StepProfile] = lambda row: row.booked,
    ) -> None:
        self.marks = marks
        self._booked = booked
        self._room = {node: self.sample(limit) for node, limit in limits.items()}

    @classmethod
    def of(
        cls,
        rows: Iterable[Row],
        limits: Mapping[str, StepProfile],
        from_s: int,
        to_s: int,
        booked: Callable[[Row], StepProfile] = lambda row: row.booked,
    ) -> Strides["Ledger"]:
        """With all that counts for these rows."""
        seconds = {moment_s for limit in limits.values() for moment_s in limit.seconds}
        counted = []
        for row in rows:
            yield
            profile = booked(row)
            counted.append((row, profile))
            seconds.update(profile.seconds)
            if row.desired is not None:
                seconds.update(row.desired.profile.seconds)
        marks = sorted({from_s, *(moment_s for moment_s in seconds if from_s < moment_s < to_s)})
        ledger = cls(limits, marks, booked)
        for row, profile in counted:
            yield
            ledger.book(row, ledger.sample(profile))
        return ledger

    def sample(self, profile: StepProfile) -> list[int]:
        """Its power at each mark."""
        if len(profile.periods) == 1:
            return [profile.last_mw] * len(self.marks)
        return [profile.at(moment_s) for moment_s in self.marks]

    def added(self, row: Row, profile: StepProfile) -> list[int]:
        """What would be booked more if the profile were in flight for the row."""
        booked = self.sample(self._booked(row))
        return [max(0, wanted - now) for wanted, now in zip(self.sample(profile), booked, strict=True)]

    def short(self, row: Row, added: list[int]) -> list[str]:
        """The nodes above the row that would be above their limit at some moment with that much more."""
        return [
            node
            for node in row.session.path
            if node in self._room and any(more > room for more, room in zip(added, self._room[node], strict=True))
        ]

    def book(self, row: Row, added: list[int]) -> None:
        """Takes it from the room under every node above the row."""
        for node in row.session.path:
            room = self._room.get(node)
            if room is not None:
                self._room[node] = [left - more for left, more in zip(room, added, strict=True)]

    def overload_mw(self, node: str) -> int:
        """By how much the node is above its limit at most; 0 when it never is."""
        room = self._room.get(node)
        return 0 if room is None else max(0, -min(room))

    def overloads(self) -> dict[str, StepProfile]:
        """By how much each node that is above its limit is so, at each moment."""
        return {
            node: StepProfile.of((moment_s, max(0, -left)) for moment_s, left in zip(self.marks, room, strict=True))
            for node, room in self._room.items()
            if min(room) < 0
        }
