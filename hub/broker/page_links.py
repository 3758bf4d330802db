"""Links to next pages on routed lists: sealed values instead of rows, valid a day, bound to who asked (R-040 to R-044,
ruling 5).
"""

from dataclasses import dataclass

from hub.broker.exchange import Exchange
from hub.broker.identity import HubIdentity
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.decisions import Direct, Refused
from hub.domain.outcome import Answer
from hub.ocpi import paging, urls
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.vault import LinkSeal

# The query member that carries the sealed value; prefixed so that no platform's own parameter is mistaken for it.
MEMBER = "hub_page"
VALID_S = 24 * 3600
_READABLE = ("offset", "limit")

_UNKNOWN = Refused(404, StatusCode.INVALID_PARAMETERS, "This page link is not valid here or not valid any more")


@dataclass(frozen=True, slots=True)
class NextPage:
    """What a page link leads to."""

    sender: PartyId
    receiver: PartyId
    platform_id: str
    url: str


class PageLinks:
    """Makes and opens page links."""

    def __init__(self, seal: LinkSeal, registry: RegistryKeeper, identity: HubIdentity, clock: Clock) -> None:
        self._seal = seal
        self._registry = registry
        self._identity = identity
        self._clock = clock

    def rewritten(self, exchange: Exchange, direct: Direct, leg_url: str, answer: Answer) -> str | Refused | None:
        """The `Link` header for the requester; None on a last page. Never dropped in silence (R-044, T-41)."""
        reference = paging.next_link(answer.links)
        if reference is None:
            if not paging.mentions_next(answer.links):
                return None
            return Refused(200, StatusCode.HUB_ERROR, "The receiver's link to its next page cannot be read")
        url = urls.resolve(leg_url, reference)
        if not urls.printable(url) or not self._registry.snapshot.owns_url(direct.platform, url):
            return Refused(200, StatusCode.HUB_ERROR, "The receiver's next page is not at one of its registered hosts")
        short = url.removeprefix(direct.endpoint)
        issued = int(self._clock.now().timestamp())
        fields = (str(issued), direct.platform.id, direct.receiver.country_code, direct.receiver.party_id)
        plain = "\n".join((*fields, short if short == url else f"~{short}"))
        sealed = self._seal.seal(plain.encode(), _bound_to(exchange, direct.sender))
        base = self._identity.module_url(exchange.version, exchange.module, exchange.interface)
        query = url.partition("?")[2]
        readable = [
            f"{name}={value}"
            for name in _READABLE
            if (value := urls.query_value(query, name) or "").isdecimal() and value.isascii()
        ]
        return paging.render_next(f"{base}?{'&'.join((*readable, f'{MEMBER}={sealed}'))}")

    def opened(self, exchange: Exchange) -> NextPage | Refused | None:
        """What the request's link leads to; None when the request carries none."""
        sealed = urls.query_value(exchange.query, MEMBER)
        if sealed is None:
            return None
        claimed = exchange.routing.sender
        if claimed is not None and self._registry.snapshot.hosted(exchange.platform, claimed) is None:
            message = f"{claimed} is not a party of your platform (OCPI-from)"
            return Refused(403, StatusCode.INVALID_PARAMETERS, message)
        speakers = [claimed] if claimed else list({role.party for role in exchange.platform.roles})
        for sender in speakers:
            plain = self._seal.open(sealed, _bound_to(exchange, sender))
            if plain is not None:
                return self._read(exchange, sender, plain.decode())
        return _UNKNOWN

    def _read(self, exchange: Exchange, sender: PartyId, plain: str) -> NextPage | Refused:
        issued, platform_id, country_code, party_id, url = plain.split("\n", 4)
        if self._clock.now().timestamp() - int(issued) > VALID_S:
            return _UNKNOWN
        receiver = PartyId(country_code, party_id)
        platform = self._registry.snapshot.platform(platform_id)
        if platform is None or (exchange.routing.to is not None and exchange.routing.to != receiver):
            return _UNKNOWN
        spelled = self._registry.snapshot.hosted(exchange.platform, sender)
        if spelled is None:
            return _UNKNOWN
        if url.startswith("~"):
            endpoint = self._registry.snapshot.endpoint(platform, exchange.module, exchange.interface)
            if endpoint is None:
                return _UNKNOWN
            url = endpoint + url[1:]
        return NextPage(spelled, receiver, platform_id, url)


def _bound_to(exchange: Exchange, sender: PartyId) -> bytes:
    return f"{exchange.platform.id}\n{sender.key}\n{exchange.module}\n{exchange.interface.value}".encode()
