"""What operators call about CPOs: what each has agreed to, and how it fares."""

from collections.abc import Iterator

from hub.plugin import HttpRequest, HttpResponse, Route
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import Asked, NotFound, party_of
from plugins.load_manager.doors.port import LimitedSession, Operating
from plugins.load_manager.doors.refusing import route
from plugins.load_manager.knowledge import cpo_settings

CPOS = "/grid/cpos"
CPO = CPOS + "/{country}/{party}"


class CpoDoors:
    """Serves them."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("GET", CPOS, self._list, "Every CPO with which something is agreed.")
        yield route("GET", CPO, self._get, "What is agreed with a CPO.")
        yield route("PUT", CPO, self._put, "Whether a CPO's sessions may be steered, and how it wants it.")
        yield route("GET", f"{CPO}/sessions", self._sessions, "A CPO's limited sessions, and how it fares.")

    async def _list(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request)
        cpos = await self._operating.cpos()
        page = asked.page(cpos, lambda party: party.key, lambda party: shown.cpo(party, cpos[party]))
        return HttpResponse(body=page)

    async def _get(self, request: HttpRequest) -> HttpResponse:
        party = party_of(request)
        settings = (await self._operating.cpos()).get(party)
        if settings is None:
            raise NotFound(f"Nothing is agreed with {party}: its sessions are counted and not steered")
        return HttpResponse(body=shown.cpo(party, settings))

    async def _put(self, request: HttpRequest) -> HttpResponse:
        party = party_of(request)
        settings = cpo_settings.read(request.json(), self._operating.now())
        withdrawn = await self._operating.put_cpo(party, settings)
        return HttpResponse(body={**shown.cpo(party, settings), "consent_withdrawn": withdrawn})

    async def _sessions(self, request: HttpRequest) -> HttpResponse:
        asked, party = Asked(request), party_of(request)
        report = await self._operating.cpo_report(party)
        page = asked.page(report.sessions, _session_key, shown.session)
        return HttpResponse(body={**page, **shown.cpo_report(report)})


def _session_key(session: LimitedSession) -> str:
    return session.session_id
