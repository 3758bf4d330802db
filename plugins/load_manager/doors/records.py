"""What operators read afterwards: the decision log, and for each signal the evidence of what came of it."""

from collections.abc import Iterator
from urllib.parse import quote

from hub.plugin import HttpRequest, HttpResponse, Route
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import Asked, NotFound
from plugins.load_manager.doors.port import Operating
from plugins.load_manager.doors.refusing import route

ACTIVATIONS = "/grid/activations"


class RecordDoors:
    """Serves them, newest first."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("GET", "/grid/plans", self._plans, "Plans, with a sentence per session.")
        yield route("GET", ACTIVATIONS, self._activations, "What came of each signal.")
        yield route("GET", f"{ACTIVATIONS}/{{file}}", self._activation, "The evidence of one, as .json or .csv.")

    async def _plans(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request, "group")
        plans = await self._operating.plans(asked.text("group"), asked.after, asked.limit + 1)
        return HttpResponse(body=asked.page_of(plans, lambda plan: plan.id, shown.plan))

    async def _activations(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request, "provider")
        entries = await self._operating.activations(asked.text("provider"), asked.after, asked.limit + 1)
        now = self._operating.now()
        page = asked.page_of(entries, lambda entry: entry.id, lambda entry: shown.activation(entry, now))
        return HttpResponse(body=page)

    async def _activation(self, request: HttpRequest) -> HttpResponse:
        activation_id, _, form = request.params["file"].rpartition(".")
        if form not in ("json", "csv"):
            raise NotFound(f"An activation is there as {ACTIVATIONS}/<id>.json and <id>.csv")
        entry = await self._operating.activation(activation_id)
        if entry is None:
            raise NotFound(f"No activation has the id {activation_id}; GET {ACTIVATIONS} lists them")
        now = self._operating.now()
        if form == "json":
            return HttpResponse(body=shown.evidence(entry, now))
        name = quote(f"activation-{entry.id}.csv", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return HttpResponse(200, shown.evidence_csv(entry, now).encode(), headers, "text/csv; charset=utf-8")
