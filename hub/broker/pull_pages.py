"""Reading one page of an owner's list: the request in the hub's own name, and what is wrong with its answer (R-032 to
R-044, T-41).
"""

from dataclasses import dataclass

from hub.broker.ids import message_id
from hub.broker.legs import Leg, Legs
from hub.broker.outreach import describe
from hub.broker.registry import RegistryKeeper
from hub.domain.crawling import next_url
from hub.domain.outcome import Answer, Outcome, StreamBroken, TooLarge
from hub.domain.platform import Platform
from hub.domain.pulling import Broken
from hub.ocpi import envelope, headers
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import is_success

PULL = "pull"
_MOST_DIGITS = 12
# Asking again may help: too late, too many, and whatever lies with the server.
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class ListPage:
    """The texts of a page's objects, how many the platform says there are, and where its Link leads."""

    objects: list[bytes]
    total: int | None
    following: str | Broken | None


class PullPages:
    """Reads pages FROM the hub's own party TO the owner."""

    def __init__(self, legs: Legs, registry: RegistryKeeper, hub: PartyId) -> None:
        self._legs = legs
        self._registry = registry
        self._hub = hub

    async def read(self, platform: Platform, owner: PartyId, url: str) -> ListPage | Broken:
        """The page at a URL of the platform's. Failures are values."""
        timeout_s = self._legs.timeout_s(platform, authorize=False)
        leg = Leg(platform, owner, self._hub, "GET", url, None, PULL, timeout_s)
        outcome, _, _ = await self._legs.carry(leg, message_id())
        if not isinstance(outcome, Answer):
            return Broken(_why(outcome), keeps_place=True)
        try:
            body = await _whole(outcome)
        except StreamBroken as broken:
            return Broken(f"an answer broke off: {broken}", keeps_place=True)
        return _refusal(outcome.status, body) or self._page(platform, url, outcome, body)

    def _page(self, platform: Platform, url: str, answer: Answer, body: bytes) -> ListPage | Broken:
        objects = envelope.objects_of(body)
        if objects is None:
            return Broken("an answer has no array in its data", keeps_place=True)
        snapshot = self._registry.snapshot
        following = next_url(url, answer.links, lambda found: snapshot.owns_url(platform, found))
        return ListPage(objects, _number(answer.headers.get(headers.TOTAL_COUNT.lower())), following)


async def _whole(answer: Answer) -> bytes:
    """The body to its end. Raises StreamBroken."""
    if answer.rest is None:
        return answer.body
    try:
        return b"".join([answer.body, *[block async for block in answer.rest]])
    finally:
        answer.rest.close()


def _why(outcome: Outcome) -> str:
    if isinstance(outcome, TooLarge):
        return "an answer is larger than this hub reads (MAX_BODY)"
    return f"a page could not be read: {describe(outcome)}"


def _refusal(status: int, body: bytes) -> Broken | None:
    """Why the answer is not the success of both layers (R-026); None when it is."""
    code = envelope.status_code_of(body)
    passing = status >= 500 or status in _PASSING
    if code is None:
        said = f"HTTP {status}" if not 200 <= status < 300 else "something that is not an OCPI response"
        return Broken(f"the platform answered with {said}", keeps_place=passing or 200 <= status < 300)
    if 200 <= status < 300 and is_success(code):
        return None
    return Broken(f"the platform answered with HTTP {status} and status code {code}", passing or code >= 3000)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        return None
    return int(text)
