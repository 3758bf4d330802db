"""Telling a platform that the hub has forgotten it: DELETE credentials once, whatever comes back (R-177)."""

from dataclasses import dataclass

from hub.broker.ceremony import Ceremony
from hub.broker.outreach import Access, Failed
from hub.domain import handshake
from hub.domain.platform import Platform
from hub.errors import KeyUnusable
from hub.net.forwarder import Wire
from hub.ocpi.names import CREDENTIALS


@dataclass(frozen=True, slots=True)
class Farewell:
    """What the DELETE needs; read before the platform is forgotten."""

    wire: Wire
    url: str
    access: Access


def prepared(platform: Platform, ceremony: Ceremony) -> Farewell | str:
    """The farewell to a registered platform, or why there can be none."""
    connection = platform.connection
    if connection is None:
        return "it was not registered"
    url = handshake.find_endpoint(connection.endpoints, CREDENTIALS)
    if url is None:
        return "it lists no credentials endpoint"
    try:
        token = ceremony.vault.open(connection.sealed_token)
        wire = ceremony.registry.wire(platform)
    except KeyUnusable as problem:
        return str(problem)
    return Farewell(wire, url, Access(token, connection.token_encoding))


async def say(farewell: Farewell, ceremony: Ceremony) -> str | None:
    """Sends it, bounded by the deadline of configuration calls; None when the platform took it, else why not."""
    answer = await ceremony.outreach.fetch(farewell.wire, "DELETE", farewell.url, farewell.access)
    return answer.why if isinstance(answer, Failed) else None
