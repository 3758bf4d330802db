"""CDR URLs that cross the hub: the `Location` of a posted CDR, and the GET on it years later (R-136 to R-138, ruling
6).
"""

import structlog

from hub.broker.exchange import Exchange
from hub.broker.identity import HubIdentity
from hub.broker.ids import record_id
from hub.clock import Clock
from hub.domain.decisions import Direct, Refused
from hub.domain.outcome import Answer
from hub.errors import StoreUnavailable
from hub.ocpi import names, urls
from hub.ocpi.names import Interface
from hub.ocpi.status import StatusCode
from hub.store.ports import Store
from hub.store.records import CdrLocation, PartyOn

log = structlog.get_logger("hub.cdrs")


class CdrLocations:
    """Keeps where CDRs really live."""

    def __init__(self, store: Store, identity: HubIdentity, clock: Clock) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock

    async def may_post(self) -> Refused | None:
        """A CDR is sent only while its location could be kept afterwards (ruling 22)."""
        try:
            await self._store.ping()
        except StoreUnavailable:
            return Refused(200, StatusCode.HUB_ERROR, "The hub's store is away; the CDR was not sent")
        return None

    async def rewritten(self, exchange: Exchange, direct: Direct, leg_url: str, answer: Answer) -> str | None:
        """The hub's URL for the posted CDR, stored before this returns; None when the receiver gave none that is
        usable.
        """
        given = answer.headers.get("location", "").strip()
        url = urls.resolve(leg_url, given) if given else ""
        if urls.origin(url) is None or not urls.printable(url):
            return None
        location = CdrLocation(
            id=record_id(),
            poster=PartyOn(exchange.platform.id, direct.sender.country_code, direct.sender.party_id),
            holder=PartyOn(direct.platform.id, direct.receiver.country_code, direct.receiver.party_id),
            url=url,
            created_at=self._clock.now(),
        )
        try:
            await self._store.cdr_locations.save(location)
        except StoreUnavailable:
            log.error(
                "the location of a delivered CDR could not be stored; it is answered without",
                platform=direct.platform.id,
            )
            return None
        return urls.join(self._identity.module_url(exchange.version, names.CDRS, Interface.RECEIVER), location.id)

    async def find(self, exchange: Exchange, location_id: str) -> CdrLocation | Refused:
        """The location behind a hub URL, for the platform that posted the CDR only."""
        try:
            location = await self._store.cdr_locations.get(location_id)
        except StoreUnavailable:
            return Refused(200, StatusCode.HUB_ERROR, "The hub's store is away; try again later")
        if location is None or location.poster.platform_id != exchange.platform.id:
            return Refused(404, StatusCode.INVALID_PARAMETERS, "There is no CDR of yours at this URL")
        return location
