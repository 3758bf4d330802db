"""Which parties missed broadcasts and have not fetched a list since (ruling 9). Kept in memory: after a restart nobody
is behind until it misses something.
"""

from hub.broker.alarms import Alarms
from hub.broker.registry import RegistryKeeper
from hub.ocpi.party_id import PartyId


class Behind:
    """Who is behind, by platform; an alarm stands for each platform with somebody."""

    def __init__(self, registry: RegistryKeeper, alarms: Alarms) -> None:
        self._registry = registry
        self._alarms = alarms
        self._parties: dict[str, set[str]] = {}

    @property
    def count(self) -> int:
        """Parties that are behind."""
        return sum(map(len, self._parties.values()))

    def anybody_on(self, platform_id: str) -> bool:
        return platform_id in self._parties

    def holds(self, platform_id: str, party: PartyId) -> bool:
        return party.key in self._parties.get(platform_id, ())

    def add(self, platform_id: str, party: PartyId) -> None:
        """The party missed something. A platform that is gone cannot fetch anything."""
        if self._registry.snapshot.platform(platform_id) is None:
            return
        behind = self._parties.setdefault(platform_id, set())
        if party.key not in behind:
            behind.add(party.key)
            text = f"{party} has missed broadcasts, which came faster than it takes them; it must fetch the lists"
            self._alarms.sound("receiver_behind", platform_id, text, standing=True)

    def caught_up(self, platform_id: str, party: PartyId) -> None:
        """The party fetches a list, or is there no more."""
        behind = self._parties.get(platform_id)
        if behind is None:
            return
        behind.discard(party.key)
        if not behind:
            del self._parties[platform_id]
            self._alarms.clear("receiver_behind", platform_id)
