"""What operators, and eMSPs through them, are told of one session: its limit, why, and what its driver will get."""

from collections.abc import Iterator

from hub.plugin import HttpRequest, HttpResponse, Route
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import NotFound, party_of
from plugins.load_manager.doors.port import Operating
from plugins.load_manager.doors.refusing import route

SESSION = "/grid/sessions/{country}/{party}/{session_id}"


class SessionDoors:
    """Serves it."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("GET", SESSION, self._get, "A session's limit, why, and whether its driver's need will be met.")

    async def _get(self, request: HttpRequest) -> HttpResponse:
        party, session_id = party_of(request), request.params["session_id"]
        view = await self._operating.session(party, session_id)
        if view is None:
            raise NotFound(f"No session {session_id} of {party} runs in a group of the grid")
        return HttpResponse(body=shown.session_view(view))
