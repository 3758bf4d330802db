"""What a hub reports about the parties behind it: its client info, as a list and by PUT to another hub (R-204)."""

from hub.clock import Clock
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.book import Book
from hub.sandbox.client import Client
from hub.sandbox.parties import PartyLike, as_party


class Reporting:
    """Client info among the platform's own objects; the SENDER endpoint lists it."""

    def __init__(self, own: Book, client: Client, clock: Clock) -> None:
        self._own = own
        self._client = client
        self._clock = clock

    def reports(self, party: PartyId) -> bool:
        """Whether the party is behind this platform, in any role and state."""
        return bool(self._own.all(names.HUB_CLIENT_INFO, party))

    def note(
        self, party: PartyLike, role: Role = Role.CPO, status: ConnectionStatus = ConnectionStatus.CONNECTED
    ) -> objects.Object:
        """Keeps the client info of a party, as of now; who asks for the list will see it."""
        info = objects.client_info(party, role, status, last_updated=self._clock.now())
        self._own.put(names.HUB_CLIENT_INFO, info)
        return info

    async def report(
        self, party: PartyLike, role: Role = Role.CPO, status: ConnectionStatus = ConnectionStatus.CONNECTED
    ) -> Answer:
        """Keeps it and PUTs it to the other side."""
        known = as_party(party)
        tail = f"{known.country_code}/{known.party_id}"
        info = self.note(party, role, status)
        return await self._client.call("PUT", names.HUB_CLIENT_INFO, Interface.RECEIVER, tail, body=info)
