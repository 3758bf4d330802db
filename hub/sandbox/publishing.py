"""What an owner tells others about its objects: a PUT to everybody through a hub, or to one party (R-071, R-094)."""

from urllib.parse import quote

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox.answer import Answer
from hub.sandbox.book import DEFAULT_TOKEN_TYPE, Book, Object, id_member
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection
from hub.sandbox.parties import PartyLike


class Publishing:
    """Keeps objects among the platform's own and pushes them."""

    def __init__(self, own: Book, client: Client, connection: Connection) -> None:
        self._own = own
        self._client = client
        self._connection = connection

    async def publish(self, module: str, value: Object, *, to: PartyLike | None = None) -> Answer:
        """PUT of the whole object, FROM its owner. Without `to` it is for everybody: TO is the hub's own party, or
        nobody where the other side is no hub.
        """
        self._own.put(module, value)
        counterpart = self._connection.counterpart
        if to is None and counterpart is not None:
            to = counterpart.hub_party
        owner = PartyId(str(value["country_code"]), str(value["party_id"]))
        object_id = str(value[id_member(module)])
        kind = str(value.get("type", DEFAULT_TOKEN_TYPE)) if module == names.TOKENS else DEFAULT_TOKEN_TYPE
        return await self._client.call(
            "PUT",
            module,
            Interface.RECEIVER,
            f"{owner.country_code}/{owner.party_id}/{quote(object_id, safe='')}",
            to=to,
            sender=owner,
            query="" if kind == DEFAULT_TOKEN_TYPE else f"type={quote(kind)}",
            body=value,
        )
