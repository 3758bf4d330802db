"""What becomes of parties that leave a platform: their objects go when nobody has them any more, and nothing is
remembered against the platform (ruling 12).

Suspending and unregistering are no departure: they hide, and keep.
"""

from collections.abc import Iterable

import structlog

from hub.broker.fan_out import FanOut
from hub.broker.knowledge import Knowledge
from hub.broker.registry import RegistryKeeper
from hub.domain.leaving import ownerless, parties_on
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot
from hub.errors import StoreUnavailable
from hub.ocpi.names import BROADCAST_MODULES
from hub.ocpi.party_id import PartyId
from hub.store.ports import CatalogStore

log = structlog.get_logger("hub.departures")


class Departures:
    """Follows those who leave."""

    def __init__(self, registry: RegistryKeeper, catalog: CatalogStore, fan_out: FanOut, knowledge: Knowledge) -> None:
        self._registry = registry
        self._catalog = catalog
        self._fan_out = fan_out
        self._knowledge = knowledge

    async def empty(self, platform: Platform) -> None:
        """Forgets the objects of everybody who is on this platform alone. Raises StoreUnavailable, and may be called
        again.
        """
        await self._forget(self._registry.snapshot.without(platform.id), parties_on(platform))

    async def follow(self, before: Platform) -> None:
        """Forgets the objects of those who were on the platform before, and of whom nobody has the role any more.

        Raises StoreUnavailable, and may be called again.
        """
        await self._forget(self._registry.snapshot, parties_on(before))

    async def inherit_nothing(self, before: Platform, after: Platform) -> None:
        """Forgets what a peer hub published for parties that have just come to a platform here: nobody asked them.

        Raises StoreUnavailable, and may be called again.
        """
        snapshot = self._registry.snapshot
        for party in parties_on(after) - parties_on(before):
            if snapshot.remote_seats_of(party) and not after.is_peer:
                await self._catalog.remove_owner(party, BROADCAST_MODULES)

    def left(self, before: Platform, after: Platform | None = None) -> bool:
        """Whether somebody lost a role between two states of a platform (None: it is gone). The lists of those who are
        not there any more are nobody's to fetch.
        """
        here = frozenset() if after is None else parties_on(after)
        for party in parties_on(before) - here:
            self._fan_out.caught_up(before.id, party)
        return not {role.key for role in before.roles} <= {role.key for role in (after.roles if after else ())}

    async def sweep(self) -> None:
        """Forgets objects whose owner is not there any more, once after the start: the hub may have ended between
        forgetting a party and forgetting its objects.
        """
        try:
            owners = [row.owner for module in sorted(BROADCAST_MODULES) for row in await self._catalog.owners(module)]
            # Read after the owners: who has just come, by another node, is known then.
            await self._registry.load()
            if self._registry.complete:
                await self._forget(self._registry.snapshot, dict.fromkeys(owners))
        except StoreUnavailable as away:
            log.warning("objects without an owner are left for the next start", problem=str(away))

    async def _forget(self, registry: RegistrySnapshot, parties: Iterable[PartyId]) -> None:
        for party, modules in ownerless(registry, parties).items():
            count = await self._catalog.remove_owner(party, modules)
            if count:
                log.info("objects of a party that left are forgotten", party=str(party), objects=count)
            if not registry.seats_of(party) and not registry.remote_seats_of(party):
                await self._knowledge.forget(party)
