"""Whom the hub tells of objects it pulled: the receivers of an owner's broadcasts, remembered while nothing changes."""

from hub.broker.liveness import LivenessBoard
from hub.broker.registry import RegistryKeeper
from hub.domain.decisions import Choices
from hub.domain.platform import Platform
from hub.domain.receivers import everybody
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.party_id import PartyId
from hub.store.records import PartyOn

# As many as crawls take turns at a time, with some to spare; each may hold a thousand receivers.
_MOST_KEPT = 16


class Audience:
    """Finding everybody looks at every party of the hub, which is too much to do for each object of a long list."""

    def __init__(self, choices: Choices, registry: RegistryKeeper, liveness: LivenessBoard) -> None:
        self._choices = choices
        self._registry = registry
        self._liveness = liveness
        self._snapshot: RegistrySnapshot | None = None
        self._offline: frozenset[str] = frozenset()
        self._kept: dict[tuple[str, str, str], tuple[PartyOn, ...]] = {}

    def of(self, platform: Platform, owner: PartyId, module: str) -> tuple[PartyOn, ...]:
        """The receivers that are there just now (R-074)."""
        snapshot, offline = self._registry.snapshot, frozenset(self._liveness.offline)
        if snapshot is not self._snapshot or offline != self._offline:
            self._snapshot, self._offline, self._kept = snapshot, offline, {}
        key = (platform.id, owner.key, module)
        legs = self._kept.get(key)
        if legs is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            legs = self._kept[key] = tuple(
                PartyOn(leg.platform.id, leg.receiver.country_code, leg.receiver.party_id)
                for leg in everybody(snapshot, self._choices, platform, owner, module)
                if leg.platform.id not in offline
            )
        return legs
