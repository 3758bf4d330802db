"""What plugins keep on their shelves, in MongoDB: one document per value."""

import asyncio
import builtins
from collections.abc import Sequence
from typing import Any

from hub.errors import StoreConflict
from hub.store.mongo.driver import Document, Mongo
from hub.store.mongo.duties import fenced, tie
from hub.store.records import Fence, Put, Shelved

# As many as a slow server removes well within the bound of a call.
_PER_REMOVAL = 200
_BETWEEN = "\x00"


class MongoShelf:
    """The ShelfStore port. Plugin and key are one text in the `_id`, whose order is that of the keys."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._shelf = mongo.collection("shelf")
        # By plugin. With a fence all its saves write into the document of the duty, and would meet there.
        self._turns: dict[str, asyncio.Lock] = {}

    async def load(self, plugin: str, key: str) -> Shelved | None:
        document = await self._shelf.get({"_id": _id(plugin, key)})
        return None if document is None else _shelved(document)

    async def list(self, plugin: str, prefix: str, after: str, limit: int) -> builtins.list[Shelved]:
        if limit < 1:
            return []
        low = _id(plugin, prefix)
        within = {"$gt": _id(plugin, after), "$gte": low, "$lt": _above(low)}
        return [_shelved(one) for one in await self._shelf.page({"_id": within}, by="_id", limit=limit)]

    async def save(self, plugin: str, puts: Sequence[Put], fence: Fence | None = None) -> None:
        async def work(session: Any) -> None:
            if fence is not None:
                await tie(self._mongo, session, fenced(fence))
            for put in puts:
                if not await _put(self._mongo.raw("shelf"), plugin, put, session):
                    raise StoreConflict(_id(plugin, put.key))

        try:
            if fence is None and len(puts) <= 1:
                await self._mongo.answer(lambda: work(None))
            else:
                await self._mongo.together(work, self._turns.setdefault(plugin, asyncio.Lock()))
        except StoreConflict as taken:
            raise StoreConflict(taken.key.removeprefix(_id(plugin, ""))) from None

    async def remove_all(self, plugin: str) -> int:
        removed = 0
        while count := await self._shelf.delete_some({"plugin": plugin}, _PER_REMOVAL):
            removed += count
        return removed


async def _put(shelf: Any, plugin: str, put: Put, session: Any) -> bool:
    """Whether its revision fits, and then what it says is done. A new document may also find its `_id` taken."""
    name = {"_id": _id(plugin, put.key)}
    if put.revision == 0:
        if put.value is None:
            return await shelf.find_one(name, session=session) is None
        new = {**name, "plugin": plugin, "key": put.key, "value": put.value, "revision": 1}
        await shelf.insert_one(new, session=session)
        return True
    there = name if put.revision is None else {**name, "revision": put.revision}
    if put.value is None:
        deleted = await shelf.delete_one(there, session=session)
        return put.revision is None or deleted.deleted_count > 0
    change = {"$set": {"plugin": plugin, "key": put.key, "value": put.value}, "$inc": {"revision": 1}}
    updated = await shelf.update_one(there, change, upsert=put.revision is None, session=session)
    return put.revision is None or updated.matched_count > 0


def _id(plugin: str, key: str) -> str:
    return f"{plugin}{_BETWEEN}{key}"


def _above(text: str) -> str:
    """The first text above all that begin with this one, which holds more than the last of Unicode's characters."""
    stem = text.rstrip("\U0010ffff")
    following = ord(stem[-1]) + 1
    # No text that can be kept has the halves of surrogate pairs, which come next.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)


def _shelved(document: Document) -> Shelved:
    return Shelved(document["key"], document["value"], document["revision"])
