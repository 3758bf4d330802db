"""Objects, verdicts and broadcasts for the tests of the catalog."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.catalog import ObjectKey, Verdict
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.store.ports import Store, Wanted
from hub.store.records import Broadcast, CatalogEntry, PartyOn
from tests.contracts.samples import NOW

Judge = Callable[[bytes | None], Verdict]

MODULE = "locations"
NGC, SUN, TNM = PartyId("NL", "NGC"), PartyId("DE", "SUN"), PartyId("BE", "TNM")
LEGS = tuple(PartyOn(f"platform-{number}", "DE", f"E{number:02d}") for number in range(4))


def of(object_id: str = "LOC1", owner: PartyId = NGC, module: str = MODULE, kind: str = "") -> ObjectKey:
    return ObjectKey(module, owner, object_id, kind)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def kept(raw: bytes, last_updated: datetime = NOW, *, fan_out: bool = True) -> Judge:
    """The verdict that stores this text, whatever was there."""
    return lambda _: Verdict(200, StatusCode.OK, raw=raw, last_updated=last_updated, fan_out=fan_out)


def gone(_: bytes | None) -> Verdict:
    return Verdict(200, StatusCode.OK, removed=True, fan_out=True)


def left_alone(_: bytes | None) -> Verdict:
    return Verdict(200, StatusCode.OK)


def refused(_: bytes | None) -> Verdict:
    return Verdict(404, StatusCode.UNKNOWN_LOCATION, "no such location")


def appended(text: bytes) -> Judge:
    """The verdict that adds to the text that is there: whoever is judged twice, or over an old text, shows."""
    return lambda held: Verdict(200, StatusCode.OK, raw=(held or b"") + text, last_updated=NOW, fan_out=True)


def broadcast(key: ObjectKey | None = None, legs: tuple[PartyOn, ...] = LEGS, parts: tuple[str, ...] = ()) -> Broadcast:
    key = key or of()
    return Broadcast(
        platform_id="platform-cpo",
        sender=key.owner,
        version="2.2.1",
        module=key.module,
        method="PUT",
        tail=f"/{key.owner}/{key.object_id}",
        query="?x=ü&y=\u2603",
        object_key=key.text,
        parts=parts,
        correlation_id="correlation \U0001f50c",
        created_at=NOW,
        legs=legs,
    )


async def put(store: Store, key: ObjectKey, raw: bytes = b"{}", at: datetime = NOW, seen_at: datetime = NOW) -> None:
    await store.catalog.apply(key, kept(raw, at), seen_at=seen_at)


async def put_all(store: Store, keys: Sequence[ObjectKey], *, apart_s: float = 0) -> None:
    """Stores them in this order, each that much later than the one before, hundreds at a time."""
    for first in range(0, len(keys), 500):
        some = enumerate(keys[first : first + 500], first)
        await asyncio.gather(*(put(store, key, key.text.encode(), later(apart_s * place)) for place, key in some))


async def fan_out(store: Store, key: ObjectKey | None = None, legs: tuple[PartyOn, ...] = LEGS) -> int:
    """Stores an object with a broadcast; its order."""
    key = key or of()
    _, order = await store.catalog.apply(
        key, kept(b"{}"), seen_at=NOW, broadcast=broadcast(key, legs), body=b'{"body":1}'
    )
    assert order is not None
    return order


async def all_of(store: Store, wanted: Wanted) -> list[CatalogEntry]:
    """Every entry, page by page behind the last one seen."""
    found: list[CatalogEntry] = []
    after = -1
    while page := await store.catalog.page(replace(wanted, after=after)):
        found += page
        after = page[-1].sequence
    return found


def wanted(
    *owners: PartyId, limit: int = 50, offset: int = 0, module: str = MODULE, after: int | None = None
) -> Wanted:
    return Wanted(module, frozenset(owner.key for owner in owners), limit, after=after, offset=offset)


def ids(entries: Iterable[CatalogEntry]) -> list[str]:
    return [entry.object_id for entry in entries]
