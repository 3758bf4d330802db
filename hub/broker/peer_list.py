"""Reading the whole list of parties behind a peer hub: its hubclientinfo SENDER, page by page (R-037 to R-044, R-194).

Rules
- Links are followed to the peer's registered hosts alone, never to a URL for the second time, and not for ever.
- Hubs in the list, and our own party, are passed over.
- A list with rows that cannot be read, or with fewer of them than the peer counts, is not the whole list: nothing may
  be removed because of it (R-039).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hub.broker.liveness import LivenessBoard
from hub.broker.outreach import Outreach, describe
from hub.broker.registry import RegistryKeeper
from hub.domain import relay
from hub.domain.crawling import next_url
from hub.domain.outcome import Answer
from hub.domain.platform import Platform, ReportedParty
from hub.domain.pulling import Broken
from hub.domain.reported import MAX_REPORTED, is_reportable, reported_party
from hub.ocpi import configuration, headers, urls
from hub.ocpi.configuration import ClientInfo
from hub.ocpi.names import HUB_CLIENT_INFO, Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import is_success

MOST_PAGES = 1000
_LIMIT = 100
_MOST_DIGITS = 12


@dataclass(slots=True)
class Listed:
    """What a list had: parties by key, and how many rows of how many. `problem` says why it is not the whole list."""

    parties: dict[str, ReportedParty] = field(default_factory=dict)
    rows: int = 0
    total: int | None = None
    problem: str | None = None


class _Page(NamedTuple):
    rows: list[object]
    total: int | None
    following: str | Broken | None


class PeerLists:
    """Reads lists. `hub` is our own party."""

    def __init__(self, registry: RegistryKeeper, liveness: LivenessBoard, outreach: Outreach, hub: PartyId) -> None:
        self._registry = registry
        self._liveness = liveness
        self._outreach = outreach
        self._hub = hub

    def endpoint(self, platform: Platform) -> str | None:
        """Where a peer hub serves its list."""
        return self._registry.snapshot.endpoint(platform, HUB_CLIENT_INFO, Interface.SENDER)

    async def read(self, platform_id: str) -> Listed | Broken:
        """The list to its last page, or why it cannot be read."""
        platform = self._registry.snapshot.platform(platform_id)
        endpoint = None if platform is None else self.endpoint(platform)
        if endpoint is None:
            return Broken("it has no list any more")
        listed = Listed()
        been: set[str] = set()
        url = urls.join(endpoint, "", f"limit={_LIMIT}")
        while True:
            been.add(url)
            page = await self._page(platform_id, url)
            if isinstance(page, Broken):
                return page
            before = listed.rows
            self._note(listed, page)
            if len(listed.parties) > MAX_REPORTED:
                return Broken(f"its list has more than {MAX_REPORTED} parties")
            if page.following is None:
                break
            if isinstance(page.following, Broken):
                return page.following
            if page.following in been or len(been) >= MOST_PAGES or listed.rows == before:
                return Broken("its list has no end")
            url = page.following
        if listed.problem is None and listed.total is not None and listed.rows < listed.total:
            listed.problem = f"its list ends after {listed.rows} of {listed.total} parties"
        return listed

    async def _page(self, platform_id: str, url: str) -> _Page | Broken:
        snapshot = self._registry.snapshot
        platform = snapshot.platform(platform_id)
        outbound = None if platform is None else self._registry.outbound(platform)
        if platform is None or outbound is None:
            return Broken("it is not registered any more")
        outcome = await self._outreach.request(outbound.wire, "GET", url, outbound.authorization)
        alive = relay.shows_life(outcome)
        if alive:
            self._liveness.heard(platform_id)
        elif alive is False:
            self._liveness.failed(platform_id)
        if not isinstance(outcome, Answer):
            return Broken(f"its list cannot be read: {describe(outcome)}")
        envelope = configuration.data_of(outcome.body)
        if envelope is None or not 200 <= outcome.status < 300 or not is_success(envelope[0]):
            said = "" if envelope is None else f" and status code {envelope[0]}"
            return Broken(f"its list cannot be read: it answered HTTP {outcome.status}{said}")
        if not isinstance(envelope[1], list):
            return Broken("its list cannot be read: it is no list")
        following = next_url(url, outcome.links, lambda found: snapshot.owns_url(platform, found))
        return _Page(envelope[1], _number(outcome.headers.get(headers.TOTAL_COUNT.lower())), following)

    def _note(self, listed: Listed, page: _Page) -> None:
        listed.rows += len(page.rows)
        listed.total = page.total if page.total is not None else listed.total
        for row in page.rows:
            info = configuration.read(ClientInfo, row)
            if not isinstance(info, str) and not is_reportable(info, self._hub):
                continue
            party = info if isinstance(info, str) else reported_party(info, self._hub)
            if isinstance(party, str):
                listed.problem = listed.problem or f"its list has a row that cannot be read: {party}"
            else:
                listed.parties[party.key] = party


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
