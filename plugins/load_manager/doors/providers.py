"""What a DSO calls that speaks no protocol of its own: it says its signals, and reads its own groups and what came of
its signals. Its token tells who it is, and nobody sees what is another's.
"""

from collections.abc import Awaitable, Callable, Iterator

from hub.plugin import Audience, HttpRequest, HttpResponse, Route, problem
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import Asked
from plugins.load_manager.doors.port import Operating, Reception
from plugins.load_manager.doors.refusing import Serve, route
from plugins.load_manager.signals.native import read_signal

NativeOf = Callable[[str | None], Awaitable[str | None]]
"""The id of the provider that presents an `Authorization` header, None when it is nobody's."""
ServeProvider = Callable[[HttpRequest, str], Awaitable[HttpResponse]]

ROOT = "/grid/v1"


class ProviderDoors:
    """Serves them."""

    def __init__(self, operating: Operating, native_of: NativeOf) -> None:
        self._operating = operating
        self._native_of = native_of

    def routes(self) -> Iterator[Route]:
        yield self._route("POST", f"{ROOT}/signals", self._signal, "A capacity signal for a group.")
        yield self._route("GET", f"{ROOT}/groups", self._groups, "The provider's own groups.")
        yield self._route("GET", f"{ROOT}/activations", self._activations, "What came of the provider's signals.")

    def _route(self, method: str, path: str, serve: ServeProvider, summary: str) -> Route:
        return route(method, path, self._let_in(serve), summary, audience=Audience.PLUGIN)

    def _let_in(self, serve: ServeProvider) -> Serve:
        async def served(request: HttpRequest) -> HttpResponse:
            provider_id = await self._native_of(request.headers.get("authorization"))
            if provider_id is None:
                refused = problem(401, "The token is missing or not valid here: send Authorization: Token <token>")
                return HttpResponse(refused.status, refused.body, {"WWW-Authenticate": "Token"}, refused.content_type)
            return await serve(request, provider_id)

        return served

    async def _signal(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        signal = read_signal(
            request.json(),
            # One provider's message ids say nothing about another's.
            source=f"native:{provider_id}",
            capacity_provider=provider_id,
            received_at=self._operating.now(),
            raw=request.body.decode(),
        )
        reception = await self._operating.take_signal(signal)
        if reception is Reception.REPEATED:
            return HttpResponse(204)
        body: shown.Shown = {"message_id": signal.message_id, "group_id": signal.group_id, "state": reception.value}
        if reception is Reception.SET_ASIDE:
            body["reason"] = (
                "a value is not plausible for this group: it waits until the operator of the hub confirms it"
            )
        return HttpResponse(202, body)

    async def _groups(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        asked = Asked(request)
        own = [view for view in await self._operating.groups() if view.group.capacity_provider == provider_id]
        waiting: dict[str, list[str]] = {}
        for one in await self._operating.waiting_signals():
            if one.set_aside.capacity_provider == provider_id:
                waiting.setdefault(one.group_id, []).append(one.set_aside.message_id)
        page = asked.page(
            own,
            lambda view: view.group.id,
            lambda view: shown.group_for_provider(view, waiting.get(view.group.id, [])),
        )
        return HttpResponse(body=page)

    async def _activations(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        asked = Asked(request)
        entries = await self._operating.activations(provider_id, asked.after, asked.limit + 1)
        now = self._operating.now()
        page = asked.page_of(entries, lambda entry: entry.id, lambda entry: shown.activation(entry, now))
        return HttpResponse(body=page)
