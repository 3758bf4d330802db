"""Indexes and documents the MongoDB store relies on, as numbered idempotent steps applied by one node at a time."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hub.errors import StoreConflict, StoreUnavailable
from hub.store.migrations import Step, pending
from hub.store.mongo.driver import Mongo

# A node that dies while it migrates holds the others back this long. Steps bear being run twice, so it may be short.
LEASE_S = 20
_POLL_S = 0.2
_PATIENCE_S = 90.0


async def _first(mongo: Mongo) -> None:
    platforms = mongo.collection("platforms")
    # One array of whatever only one platform may have: a unique index over an array is unique across documents.
    await platforms.index("claims", unique=True)
    await platforms.index("stamp")
    callbacks = mongo.collection("callbacks")
    for member in ("issuer_platform", "receiver_platform", "expires_at"):
        await callbacks.index(member)


async def _second(mongo: Mongo) -> None:
    await mongo.collection("agreements").index("stamp")
    catalog = mongo.collection("catalog")
    await catalog.index("sequence", unique=True)
    # Each of them answers its question alone, so that only the documents of the page shown are fetched.
    await catalog.index("module", "sequence", "owner", name="by_module")
    await catalog.index("module", "owner", "sequence", name="by_owner")
    await catalog.index("module", "last_updated", "owner", "sequence", name="by_date")
    await catalog.index("module", "folded_id", name="by_id")
    await catalog.index("module", "owner", "seen_at", name="by_sight")
    for name in ("catalog_owners", "catalog_blocks"):
        await mongo.collection(name).index("module")
    await mongo.collection("broadcasts").index("audience")
    known = mongo.collection("known")
    await known.index("under", "learnt", name="by_key")
    await known.index("seen_at")
    await known.index("party")
    await mongo.collection("pulls").index("platform_id")
    with suppress(StoreConflict):  # another node made it in the same moment
        await mongo.collection("meta").update({"_id": "sequence"}, {"$setOnInsert": {"value": 0}}, upsert=True)


async def _third(mongo: Mongo) -> None:
    await mongo.collection("shelf").index("plugin")
    records = mongo.collection("plugin_records")
    # Number, time and size are read from them alone, so that only the documents shown are fetched.
    await records.index("plugin", "kind", "_id", "at", "size", name="by_kind")
    await records.index("plugin", "kind", "keys", "_id", "at", name="by_key")
    await records.index("plugin", "kind", "at", name="by_age")
    await mongo.collection("duty_events").index("duty", "_id", name="by_duty")


STEPS: tuple[Step[Callable[[Mongo], Awaitable[None]]], ...] = (
    Step(1, "indexes of platforms and callbacks", _first),
    Step(2, "indexes of agreements, catalog, broadcasts, open routing and pulls", _second),
    Step(3, "indexes of what plugins keep and write down, and of duties", _third),
)


async def migrate(mongo: Mongo) -> None:
    """Brings the database to the newest schema, or waits until another node has.

    Raises StoreUnavailable when it is newer than this program, or when the other node does not finish.
    """
    meta = mongo.collection("meta")
    with suppress(StoreConflict):  # another node made it in the same moment
        await meta.update({"_id": "schema"}, {"$setOnInsert": {"version": 0}}, upsert=True)
    node = secrets.token_hex(8)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not await _migrated(mongo, node):  # noqa: ASYNC110 - the event happens in another process
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise StoreUnavailable("another node is changing the database's schema and does not finish") from None


async def _migrated(mongo: Mongo, node: str) -> bool:
    """Whether the schema is the newest, after doing what is left if the lease can be had."""
    meta = mongo.collection("meta")
    document = await meta.get({"_id": "schema"}) or {}
    if not pending(STEPS, int(document.get("version", 0))):
        return True
    # The server's clock judges the lease, so that skewed nodes cannot both believe. It is kept as a number because not
    # everything that speaks MongoDB's protocol compares dates with $$NOW.
    now_ms = {"$toLong": "$$NOW"}
    free = {"$expr": {"$lt": [{"$ifNull": ["$until_ms", 0]}, now_ms]}}
    until = {"$add": [now_ms, LEASE_S * 1000]}
    leased = await meta.update_and_get({"_id": "schema", **free}, [{"$set": {"holder": node, "until_ms": until}}])
    if leased is None:
        return False
    for step in pending(STEPS, int(leased["version"])):
        await step.apply(mongo)
        done = [{"$set": {"version": step.number, "until_ms": until}}]
        if await meta.update_and_get({"_id": "schema", "holder": node}, done) is None:
            return False  # too slow: another node has taken over and does the rest
    await meta.update({"_id": "schema", "holder": node}, {"$unset": {"holder": "", "until_ms": ""}})
    return True
