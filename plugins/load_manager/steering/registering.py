"""Making capacity providers known needs an address under which they reach the hub; without one it is refused."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace

from hub.plugin import HttpRequest, HttpResponse, Route, problem
from plugins.load_manager.oscp import Kind
from plugins.load_manager.oscp.admin import ROOT

_MISSING = "public_url of the load manager is not set: capacity providers would not know where the hub is"


def only_reachable(routes: Iterable[Route], public_url: str | None) -> Iterator[Route]:
    """The routes of capacity providers; without a URL only native ones, which call the hub anyway, can be made."""
    for route in routes:
        makes = route.method == "POST" and (route.path == ROOT or route.path.endswith("/invite"))
        yield replace(route, serve=_refusing(route)) if makes and public_url is None else route


def _refusing(route: Route) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    async def served(request: HttpRequest) -> HttpResponse:
        body = request.json() if request.body else None
        if isinstance(body, dict) and body.get("kind") == Kind.NATIVE.value:
            return await route.serve(request)
        return problem(409, _MISSING)

    return served
