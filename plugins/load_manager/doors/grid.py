"""What operators call about the grid itself: its groups, a whole grid at once, and what belongs to no group."""

import asyncio
from collections.abc import Iterator

from hub.plugin import HttpRequest, HttpResponse, Route, problem
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import Asked, NotUsable
from plugins.load_manager.doors.port import Operating
from plugins.load_manager.doors.refusing import route
from plugins.load_manager.grid.coverage import Evse
from plugins.load_manager.grid.files import body_of, read_csv, read_json
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.grid.reading import MOST_ID, is_id, read_group

GROUPS = "/grid/groups"
GROUP = GROUPS + "/{group_id}"
MOST_IMPORT_BYTES = 32 * 1024 * 1024
_CSV = "text/csv"
_JSON = "application/json"


class GridDoors:
    """Serves them. A grid that does not hold together is refused whole, with every problem and where it stands."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("GET", GROUPS, self._list, "Every group, with its state and limit.")
        yield route("GET", GROUP, self._get, "One group, with its sessions and why they are limited.")
        yield route("PUT", GROUP, self._put, "Adds a group to the grid, or changes it.")
        yield route("DELETE", GROUP, self._delete, "Takes a group without members out of the grid.")
        yield route(
            "POST", "/grid/import", self._import, "A grid in place of the one before.", max_body=MOST_IMPORT_BYTES
        )
        yield route("GET", "/grid/unmapped", self._unmapped, "EVSEs that belong to no group.")

    async def _list(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request)
        page = asked.page(await self._operating.groups(), lambda view: view.group.id, shown.group)
        return HttpResponse(body=page)

    async def _get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=shown.group_with_sessions(await self._operating.group(request.params["group_id"])))

    async def _put(self, request: HttpRequest) -> HttpResponse:
        group_id = request.params["group_id"]
        if not is_id(group_id):
            raise NotUsable("group_id", f"has 1 to {MOST_ID} characters that can be printed, no blanks at its ends")
        group = read_group(request.json(), group_id)
        change = await self._operating.put_group(group)
        body = {**body_of(group), "left_out": _left_out(change.left_out)}
        return HttpResponse(201 if change.created else 200, body)

    async def _delete(self, request: HttpRequest) -> HttpResponse:
        await self._operating.delete_group(request.params["group_id"])
        return HttpResponse(204)

    async def _import(self, request: HttpRequest) -> HttpResponse:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in (_JSON, _CSV):
            return problem(
                415, f"Send a grid as {_JSON} or {_CSV}, and say which in Content-Type", field="content-type"
            )
        # Beside the traffic: a grid of a hundred thousand EVSEs takes seconds to read.
        model = await asyncio.to_thread(_read, request.body, content_type)
        change = await self._operating.import_model(model)
        return HttpResponse(
            body={
                "groups": len(model.groups),
                "trees": len(model.trees()),
                "members": sum(len(group.members) for group in model.groups.values()),
                "left_out": _left_out(change.left_out),
            }
        )

    async def _unmapped(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request)
        return HttpResponse(body=asked.page(await self._operating.unmapped(), _evse_key, shown.evse))


def _read(body: bytes, content_type: str) -> GridModel:
    if content_type == _JSON:
        return read_json(body)
    try:
        return read_csv(body.decode())
    except UnicodeDecodeError:
        raise NotUsable("body", "is not in UTF-8: save the table as CSV in UTF-8") from None


def _left_out(places: tuple[Member, ...]) -> list[shown.Shown]:
    return [shown.member(place) for place in places]


def _evse_key(evse: Evse) -> str:
    return "/".join(evse.place.key)
