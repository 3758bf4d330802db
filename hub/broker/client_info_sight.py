"""Whom of all parties a platform may know, by agreements and by what it is (ruling 19, ruling 24).

Rules
- A platform sees those with whom one of its parties may speak about some module, wherever they are.
- A peer hub speaks for the parties it reports, too. It sees parties that are registered here, other hubs left out: what
  is behind one hub is told to none. Where nothing is allowed unless agreed, agreements with the peer hub's own party
  say which parties it is told of before it has reported any.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.broker.client_info import ClientInfo
from hub.broker.registry import RegistryKeeper
from hub.domain.acquaintance import Acquaintance, Kind
from hub.domain.agreements import Agreements
from hub.domain.platform import Platform
from hub.ocpi.names import Role

# Parties looked at before others have their turn.
_AT_A_TIME = 200


@dataclass(frozen=True, slots=True)
class Sight:
    """What a platform, as it was at a moment, may know: `kinds` are those of its own parties."""

    platform: Platform
    acquaintance: Acquaintance
    kinds: frozenset[Kind]

    def sees(self, info: ClientInfo) -> bool:
        """Whether the platform is told about a party."""
        if info.host == self.platform.id or (self.platform.is_peer and (info.behind or info.role is Role.HUB)):
            return False
        other = self.acquaintance.kind(info.party, info.role)
        return any(self.acquaintance.between(mine, other) for mine in self.kinds)


class Sights:
    """Sights under the agreements of now."""

    def __init__(self, registry: RegistryKeeper) -> None:
        self._registry = registry
        self._acquaintance = Acquaintance(registry.snapshot.agreements)

    def of(self, platform: Platform) -> Sight:
        """How this platform sees now."""
        self._acquaintance = self._acquaintance.under(self._registry.snapshot.agreements)
        return Sight(platform, self._acquaintance, kinds_of(platform, self._acquaintance))


class Changed:
    """What platforms see otherwise than before. `told` are all parties by key; it must not change meanwhile."""

    def __init__(self, told: Mapping[str, ClientInfo]) -> None:
        self._told = told
        self._between: tuple[Acquaintance, Acquaintance] | None = None
        self._touching = Acquaintance(Agreements())
        self._touched: list[str] = []

    async def keys(self, before: Sight, now: Sight) -> set[str]:
        """The parties that one of both sights of a platform sees and the other does not."""
        if before.platform is now.platform and before.acquaintance is now.acquaintance:
            return set()
        keys = set()
        for looked, key in enumerate(self._suspects(before, now), 1):
            info = self._told[key]
            if before.sees(info) is not now.sees(info):
                keys.add(key)
            if looked % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        return keys

    def _suspects(self, before: Sight, now: Sight) -> Iterable[str]:
        """Parties seen otherwise if any are. While a platform's own parties mean the same, these are among those that
        agreements are about which were made or withdrawn.
        """
        if (
            before.platform.is_peer is not now.platform.is_peer
            or kinds_of(before.platform, now.acquaintance) != now.kinds
        ):
            return self._told
        if before.acquaintance is now.acquaintance:
            return ()
        self._compare(before.acquaintance, now.acquaintance)
        concerned = any(kinds_of(now.platform, self._touching))
        return self._touched if concerned else ()

    def _compare(self, before: Acquaintance, now: Acquaintance) -> None:
        """Most platforms see with the same agreements, before and now."""
        if self._between != (before, now):
            self._between = (before, now)
            self._touching = before.differing(now)
            self._touched = [key for key, one in self._told.items() if self._touching.kind(one.party, one.role)]


def kinds_of(platform: Platform, acquaintance: Acquaintance) -> frozenset[Kind]:
    """The kinds of a platform's own parties; of a peer hub also of those behind it."""
    own = {acquaintance.kind(role.party, role.role) for role in platform.roles}
    if platform.is_peer and not acquaintance.trivial:
        own |= {acquaintance.kind(one.party, one.role) for one in platform.reported}
    return frozenset(own)
