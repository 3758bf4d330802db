"""The functional part of the self-test: lists a page at a time, and an object that does not exist (R-032 to R-063)."""

from datetime import timedelta
from urllib.parse import quote

from hub.broker.ids import record_id
from hub.broker.selftest.calls import Calls, NoAnswer
from hub.broker.selftest.report import Report
from hub.clock import Clock
from hub.domain.opposites import acting_roles
from hub.domain.outcome import Answer
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot
from hub.ocpi import configuration, headers, names, paging, times, urls
from hub.ocpi.headers import Routing, routing_headers
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId

LISTS = (names.LOCATIONS, names.SESSIONS, names.CDRS, names.TARIFFS, names.TOKENS)
# How far back the list of sessions is asked; it demands a date.
BACK = timedelta(days=1)

_S, _R = Interface.SENDER, Interface.RECEIVER
# Where a single object can be read, best first.
_SINGLE = (
    (names.LOCATIONS, _S),
    (names.LOCATIONS, _R),
    (names.TOKENS, _R),
    (names.SESSIONS, _R),
    (names.TARIFFS, _R),
    (names.CDRS, _R),
)
_OWNED = frozenset({names.LOCATIONS, names.TOKENS, names.SESSIONS, names.TARIFFS})


class Modules:
    """Asks as the hub's own party, `hub`, one of the platform's parties that plays the part."""

    def __init__(
        self,
        platform: Platform,
        *,
        snapshot: RegistrySnapshot,
        hub: PartyId,
        calls: Calls,
        report: Report,
        clock: Clock,
    ) -> None:
        self._snapshot = snapshot
        self._hub = hub
        self._platform = platform
        self._calls = calls
        self._report = report
        self._clock = clock

    async def walk(self) -> None:
        """Every list it serves as a SENDER, then one unknown object."""
        for module in LISTS:
            endpoint = self._snapshot.endpoint(self._platform, module, _S)
            if endpoint is None:
                continue
            party = self._party(module, _S)
            if party is None:
                self._report.skipped("it hosts no party to ask", f"{module} list")
            else:
                await self._list(module, endpoint, party)
        await self._unknown_object()

    def _party(self, module: str, interface: Interface) -> PartyId | None:
        """A party whose role serves this interface, or any at all."""
        _, serving = acting_roles(module, interface)
        roles = self._platform.roles
        fitting = [role.party for role in roles if role.role in serving] or [role.party for role in roles]
        return fitting[0] if fitting else None

    async def _list(self, module: str, endpoint: str, party: PartyId) -> None:
        query = "limit=1"
        if module == names.SESSIONS:
            query = f"date_from={quote(times.render(self._clock.now() - BACK))}&limit=1"
        url = urls.join(endpoint, "", query)
        reply = await self._calls.get(url, routing_headers(party, self._hub))
        rows = self._report.answered(f"{module} list", reply)
        if isinstance(reply, NoAnswer) or not self._report.checks[-1].ok:
            aspects = ("page", headers.TOTAL_COUNT, headers.LIMIT, "message ids", "routing headers", "Link")
            self._report.skipped("there is no list to look at", *(f"{module} {aspect}" for aspect in aspects))
            return
        self._page(module, rows)
        for header in (headers.TOTAL_COUNT, headers.LIMIT):
            self._number(f"{module} {header}", reply.answer.headers.get(header.lower()))
        self._report.ids_echoed(f"{module} message ids", reply)
        self._routing(f"{module} routing headers", reply.answer, party)
        self._link(f"{module} Link", reply.answer, url)

    def _page(self, module: str, rows: object) -> None:
        name = f"{module} page"
        if isinstance(rows, list):
            self._report.note(name, len(rows) <= 1, f"limit=1 gave {len(rows)}")
        else:
            self._report.note(name, False, "data is not a list")

    def _number(self, name: str, value: str | None) -> None:
        fine = value is not None and value.isascii() and value.isdigit()
        self._report.note(name, fine, "it is missing" if value is None else value if fine else "it is no whole number")

    def _routing(self, name: str, answer: Answer, party: PartyId) -> None:
        """TO and FROM come back the other way round (R-062)."""
        found = headers.read_routing({_CANONICAL.get(key, key): value for key, value in answer.headers.items()})
        if found == Routing(self._hub, party):
            self._report.note(name, True, "TO is the hub and FROM the party")
        elif found == Routing(party, self._hub):
            self._report.note(name, False, "they come back as they were sent, not swapped")
        elif found == Routing(None, None):
            self._report.note(name, False, "they are missing")
        else:
            self._report.note(name, False, "they name other parties")

    def _link(self, name: str, answer: Answer, url: str) -> None:
        reference = paging.next_link(answer.links)
        if reference is None:
            self._report.note(name, True, "there is no next page")
            return
        following = urls.resolve(url, reference)
        owned = self._snapshot.owns_url(self._platform, following)
        self._report.note(name, owned, "it leads to a registered host" if owned else "it leads to a foreign host")

    async def _unknown_object(self) -> None:
        name = "unknown object"
        for module, interface in _SINGLE:
            endpoint = self._snapshot.endpoint(self._platform, module, interface)
            party = self._party(module, interface)
            if endpoint is not None and party is not None:
                break
        else:
            self._report.skipped("it has no endpoint at which a single object is read", name)
            return
        tail = f"unknown-{record_id()}"[:36]
        if interface is _R and module in _OWNED:
            tail = f"{self._hub.country_code}/{self._hub.party_id}/{tail}"
        reply = await self._calls.get(urls.join(endpoint, tail), routing_headers(party, self._hub))
        if isinstance(reply, NoAnswer):
            self._report.unanswered(name, reply)
            return
        envelope = configuration.data_of(reply.answer.body)
        code = None if envelope is None else envelope[0]
        said_no = reply.answer.status == 404 or (reply.answer.status < 500 and code is not None and 2000 <= code < 3000)
        told = f"HTTP {reply.answer.status}" + ("" if code is None else f", status code {code}")
        self._report.note(name, said_no, f"{module} {interface.value}: {told}")


_CANONICAL = {
    name.lower(): name for name in (headers.TO_PARTY, headers.TO_COUNTRY, headers.FROM_PARTY, headers.FROM_COUNTRY)
}
