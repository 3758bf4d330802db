"""The plugin: looks at exchanges that are over, and before they begin at requests that are to be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.plugin import (
    Body,
    Exchange,
    Health,
    HttpRequest,
    HttpResponse,
    HubApi,
    Kind,
    Panel,
    Phase,
    Plugin,
    Reject,
    Route,
    Watch,
    problem,
)
from plugins.schema_check.asking import COLUMNS, NotUsable, latest, question, rows, table
from plugins.schema_check.checking import Finding
from plugins.schema_check.config import SchemaCheckConfig
from plugins.schema_check.judging import Judge, Judged
from plugins.schema_check.statistics import Place, Statistics

_KINDS = frozenset({Kind.DIRECT, Kind.BROADCAST, Kind.OPEN, Kind.CALLBACK, Kind.GET_ALL})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(slots=True)
class EarlyLook:
    """What was said about the request before anything was sent; kept with the exchange."""

    judged: Judged | None = None


class SchemaCheck(Plugin[SchemaCheckConfig]):
    """Checks bodies of the functional modules against the models of OCPI 2.2.1."""

    name = "schema_check"
    Config = SchemaCheckConfig

    def __init__(self, config: SchemaCheckConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self._judge = Judge(config.max_body, config.most_findings)
        self._statistics = Statistics()
        self._checked = hub.counter("checked", "Bodies that were checked.", ["module"])
        self._wrong = hub.counter("wrong", "Bodies in which something was wrong.", ["module"])
        self._unchecked = hub.counter(
            "unchecked", "Bodies that could not be looked at, mostly for their size.", ["module"]
        )

    def watches(self) -> Iterable[Watch]:
        config = self.config
        if not config.checked_modules or not (config.reject or config.share):
            return
        # A hook without a watch is taken for a mistake, so the one that is not wanted watches no module.
        yield Watch(
            frozenset({Phase.RECEIVED}),
            modules=config.checked_modules if config.reject else frozenset(),
            methods=_WITH_BODY,
            request=Body.READ,
            max_body=config.max_body,
        )
        yield Watch(
            frozenset({Phase.FINISHED}),
            # What is refused on its way to a plugin is counted, so what is right has to be as well.
            kinds=_KINDS | {Kind.FOR_PLUGIN} if config.reject else _KINDS,
            modules=config.checked_modules,
            request=Body.READ,
            response=Body.READ if config.share else Body.IGNORE,
            max_body=config.max_body,
        )

    def on_received(self, exchange: Exchange) -> Reject | None:
        judged = self._judge.request(exchange)
        exchange.state[EarlyLook] = EarlyLook(judged)
        if judged is None or not judged.found:  # counted at the end, when it is sure who asks
            return None
        self._count(exchange, judged._replace(party=self._speaker(exchange)))
        return Reject(StatusCode.INVALID_PARAMETERS, _told(judged.found))

    def on_finished(self, exchange: Exchange) -> None:
        sampled = self.config.samples(exchange.correlation_id, exchange.request_id)
        request = self._request(exchange, sampled)
        if request is not None:
            self._count(exchange, request)
        if sampled:
            for answer in self._judge.answers(exchange):
                self._count(exchange, answer)

    def export_state(self) -> Statistics:
        return self._statistics

    def import_state(self, state: Any) -> None:
        """Goes on counting where the instance before was, together with what that one still has to look at."""
        self._statistics = state

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/schema-check", self._show_rows, summary="Who sends what wrong, the most wrong first.")
        yield Route("GET", "/schema-check/findings", self._show_latest, summary="The latest findings, newest first.")

    def panels(self) -> Iterable[Panel]:
        yield Panel("Who sends what wrong", COLUMNS, lambda: table(self._statistics))

    def health(self) -> Health:
        seen = self._statistics
        facts = {"checked": seen.checked, "wrong": seen.wrong, "unchecked": seen.unchecked}
        return Health(text=f"{seen.wrong} of {seen.checked} bodies were wrong", facts=facts)

    def _request(self, exchange: Exchange, sampled: bool) -> Judged | None:
        """The request's body, if it was looked at early or is to be now."""
        early = exchange.state[EarlyLook].judged if EarlyLook in exchange.state else None
        if early is not None:
            return early._replace(party=exchange.sender)
        return self._judge.request(exchange) if sampled else None

    def _count(self, exchange: Exchange, judged: Judged) -> None:
        module = exchange.module
        if judged.found is None:
            self._statistics.unchecked += 1
            self._unchecked.add(module=module)
            return
        self._checked.add(module=module)
        if judged.found:
            self._wrong.add(module=module)
        place = Place(judged.party, module, judged.direction)
        self._statistics.add(place, judged.found, exchange.correlation_id, self.hub.now())

    def _speaker(self, exchange: Exchange) -> PartyId | None:
        """The party that asks, as far as its platform hosts it: nobody gets another one into the statistics."""
        hosted: dict[PartyId | None, PartyId] = {
            seen.party: seen.party for seen in self.hub.parties() if seen.platform == exchange.platform
        }
        named = hosted.get(exchange.sender or exchange.owner)
        if named is None and exchange.sender is None and len(hosted) == 1:
            (named,) = hosted.values()
        return named

    async def _show_rows(self, request: HttpRequest) -> HttpResponse:
        try:
            asked = question(request.query, ("party", "module"))
        except NotUsable as wrong:
            return problem(400, str(wrong), parameter=wrong.name)
        return HttpResponse(body={"items": rows(self._statistics, asked)})

    async def _show_latest(self, request: HttpRequest) -> HttpResponse:
        try:
            asked = question(request.query, ("party", "limit"))
        except NotUsable as wrong:
            return problem(400, str(wrong), parameter=wrong.name)
        return HttpResponse(body={"items": latest(self._statistics, asked)})


def _told(found: list[Finding]) -> str:
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{first.pointer or 'The body'}: {first.problem}{more}"
