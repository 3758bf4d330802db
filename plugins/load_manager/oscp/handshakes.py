"""The handshake, from either side: each side says how often it wants heartbeats and what it wants measured.

Rules
- From the provider: it is answered with 204, then acknowledged. Contact begins with the answer, so that nothing the
  provider says after it comes too early; if the acknowledgement cannot be delivered, contact ends again.
- From the hub: contact begins with the provider's acknowledgement. It is offered until it succeeds, also after an
  absence, to providers whose profile says so.
"""

from decimal import Decimal

from hub.plugin import HubApi
from plugins.load_manager.oscp.access import NotDelivered
from plugins.load_manager.oscp.book import ProviderBook, UnknownProvider
from plugins.load_manager.oscp.contact import Contact
from plugins.load_manager.oscp.heartbeats import Heartbeats
from plugins.load_manager.oscp.messages import Handshake, RequiredBehaviour
from plugins.load_manager.oscp.outgoing import Outgoing, new_id
from plugins.load_manager.oscp.port import Refused
from plugins.load_manager.oscp.profile import Initiator
from plugins.load_manager.oscp.provider import Provider, State

PATH = "handshake"
OFFER_EVERY_S = 60.0


class Handshakes:
    """Shakes hands."""

    def __init__(
        self, hub: HubApi, book: ProviderBook, outgoing: Outgoing, contact: Contact, heartbeats: Heartbeats
    ) -> None:
        self._hub = hub
        self._book = book
        self._outgoing = outgoing
        self._contact = contact
        self._heartbeats = heartbeats

    # --- from the provider ---

    async def requested(self, provider: Provider, request_id: str, message: Handshake) -> None:
        """The provider offers one, in its turn; the acknowledgement follows the answer."""
        shaken = await self._contact.begin(provider.id, message.required_behaviour)
        self._heartbeats.follow(shaken)
        self._hub.spawn(self._acknowledge(shaken, request_id), name="acknowledge a handshake")

    async def _acknowledge(self, provider: Provider, request_id: str) -> None:
        path = provider.profile.acknowledge_path
        try:
            await self._outgoing.after_answer()
            await self._outgoing.send(provider.id, path, _wanted(provider), correlation_id=request_id)
        except NotDelivered as failed:
            async with self._book.turn(provider.id):
                try:
                    await self._contact.lose(provider.id, f"its handshake could not be acknowledged: {failed}")
                except UnknownProvider:
                    return

    # --- from the hub ---

    async def offer_where_due(self) -> None:
        """To everybody who waits for the hub to begin."""
        for provider in self._book:
            self.offer_if_due(provider)

    def offer_if_due(self, provider: Provider) -> None:
        """Offers one, beside the traffic, if it is for the hub to begin."""
        waits = provider.state in (State.REGISTERED, State.OFFLINE)
        if waits and provider.profile.handshake_from is Initiator.HUB:
            self._hub.spawn(self._offer(provider.id), name="offer a handshake")

    async def _offer(self, provider_id: str) -> None:
        request_id = new_id()
        await self._outgoing.after_answer()
        try:
            # Kept first: the acknowledgement may come before the answer does.
            provider = await self._book.change(provider_id, lambda one: one.with_(handshake_id=request_id))
            await self._outgoing.send(provider_id, PATH, _wanted(provider), request_id=request_id, retry_after_s=())
        except NotDelivered as failed:
            self._hub.log.warning("a handshake was not taken", provider=provider_id, why=str(failed))
        except UnknownProvider:
            return

    async def acknowledged(self, provider: Provider, correlation_id: str | None, message: Handshake) -> None:
        """The provider acknowledges one, in its turn. Raises Refused when none waits for it."""
        if provider.handshake_id is None or correlation_id not in (None, provider.handshake_id):
            raise Refused(400, "no handshake waits for this acknowledgement")
        self._heartbeats.follow(await self._contact.begin(provider.id, message.required_behaviour))


def _wanted(provider: Provider) -> Handshake:
    """What the hub wants of the provider: heartbeats. It measures nothing that the hub would need."""
    interval_s = provider.profile.heartbeat_interval_s
    interval = None if interval_s is None else Decimal(interval_s)
    return Handshake(required_behaviour=RequiredBehaviour(heartbeat_interval=interval, measurement_configuration=()))
