"""The calls about what the hub holds and pulls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import WithJsonSchema

from hub.broker.catalog_view import Filter, Held
from hub.broker.pulls import PullRow, PullStatus
from hub.broker.refusal import Refusal
from hub.ocpi import codec, splice
from hub.web.admin import inputs
from hub.web.admin.outputs import Output
from hub.web.admin.pages import NO_CURSOR, begin, cursor, page
from hub.web.admin.parts import AdminParts

# JSON as it was received. It never becomes a value here: that would change the digits of its numbers.
RawObject = Annotated[bytes, WithJsonSchema({"type": "object"})]


class ObjectOutput(Output):
    """An object of the catalog. `type` is that of a token, `seen_at` when its owner last sent it, `size` in bytes.
    `object` is there when it was asked for by its id, exactly as received.
    """

    country_code: str
    party_id: str
    id: str
    type: str | None
    last_updated: datetime
    seen_at: datetime
    size: int
    object: RawObject | None

    def rendered(self) -> bytes:
        fields = codec.dumps(self.model_dump(mode="json", exclude={"object"}))
        return splice.merged(fields, {"object": self.object or b"null"})


class OwnerOutput(Output):
    """How many objects an owner has. `shown` is false while they are pulled for the first time: hidden until then."""

    country_code: str
    party_id: str
    count: int
    shown: bool


class CatalogPage(Output):
    """Objects in the order in which they were first seen. `total` counts what the query asks for; the first page also
    has the owners it is about.
    """

    module: str
    total: int
    owners: list[OwnerOutput] | None
    items: list[ObjectOutput]
    next: str | None

    def rendered(self) -> bytes:
        fields = codec.dumps(self.model_dump(mode="json", exclude={"items"}))
        return splice.merged(fields, {"items": splice.row(item.rendered() for item in self.items)})


class PullOutput(Output):
    """How a pull of one module from one party stands. `pages` and `objects` count the crawl that runs, or the last one;
    `total` is what the platform says there is, `next_at` when the next one is due. `problem` says what broke the last
    crawl, or what is in the way of the next.
    """

    platform_id: str
    country_code: str
    party_id: str
    module: str
    status: PullStatus
    pages: int
    objects: int
    total: int | None
    started_at: datetime | None
    completed_at: datetime | None
    next_at: datetime | None
    problem: str | None


class PullPage(Output):
    items: list[PullOutput]
    next: str | None


class Resynced(Output):
    """The pulls that were asked for. One is done when it has started since `asked_at` and does not run any more."""

    asked_at: datetime
    items: list[PullOutput]


async def look_into_catalog(parts: AdminParts, at: Mapping[str, str], given: inputs.CatalogQuery) -> Output | Refusal:
    after = begin(given)
    if isinstance(after, Refusal):
        return after
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 19):
        return NO_CURSOR
    wanted = Filter(at["module"], given.country_code, given.party_id, given.id)
    shelf = await parts.catalog.shelf(wanted, given.limit, None if after is None else int(after))
    if isinstance(shelf, Refusal):
        return shelf
    owners = [
        OwnerOutput(country_code=row.owner.country_code, party_id=row.owner.party_id, count=row.count, shown=row.shown)
        for row in shelf.owners
    ]
    return CatalogPage(
        module=wanted.module,
        total=shelf.total,
        owners=owners if after is None else None,
        items=[_object(held) for held in shelf.objects],
        next=cursor(str(shelf.objects[-1].sequence)) if shelf.more else None,
    )


def _object(held: Held) -> ObjectOutput:
    return ObjectOutput(
        country_code=held.owner.country_code,
        party_id=held.owner.party_id,
        id=held.object_id,
        type=held.kind or None,
        last_updated=held.last_updated,
        seen_at=held.seen_at,
        size=held.size,
        object=held.raw,
    )


async def list_pulls(parts: AdminParts, _at: Mapping[str, str], given: inputs.PullQuery) -> Output | Refusal:
    rows = [row for row in parts.pulls.overview() if given.platform_id in (None, row.platform_id)]
    found = page(rows, lambda row: f"{row.platform_id} {row.owner.key} {row.module}", given)
    if isinstance(found, Refusal):
        return found
    return PullPage(items=[_pull(row) for row in found.items], next=found.next)


async def resync_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    asked_at = parts.now()
    rows = await parts.pulls.resync(at["id"])
    if isinstance(rows, Refusal):
        return rows
    return Resynced(asked_at=asked_at, items=[_pull(row) for row in rows])


def _pull(row: PullRow) -> PullOutput:
    return PullOutput(
        platform_id=row.platform_id,
        country_code=row.owner.country_code,
        party_id=row.owner.party_id,
        module=row.module,
        status=row.status,
        pages=row.pages,
        objects=row.objects,
        total=row.total,
        started_at=row.started_at,
        completed_at=row.completed_at,
        next_at=row.next_at,
        problem=row.problem,
    )
