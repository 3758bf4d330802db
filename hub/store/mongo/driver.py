"""The one door to MongoDB: which driver, with which bounds, and what its errors mean to the hub. Nobody else imports a
driver; what documents look like is said by the files beside this one.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo import AsyncMongoClient, DeleteOne, InsertOne, ReadPreference, ReturnDocument, UpdateOne, uri_parser
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.errors import SettingsError, StoreConflict, StoreUnavailable

DRIVERS = ("motor", "pymongo")
DEFAULT_DATABASE = "ocpi_hub"

Document = dict[str, Any]
Query = Mapping[str, Any]
T = TypeVar("T")

_SELECTION_TIMEOUT_S = 3.0
_CONNECT_TIMEOUT_S = 2.0
_DUPLICATE_KEY = 11000
# As many writes as a slow server does well within the bound of a call.
_WRITES_PER_CALL = 200
# A transaction that met another one is tried again so often, after a pause that grows.
_ATTEMPTS = 20
_LONGEST_PAUSE_MS = 40


@dataclass(frozen=True, slots=True)
class Insert:
    """Adds a document, unless its `_id` or another unique value is taken."""

    document: Document


@dataclass(frozen=True, slots=True)
class Update:
    """Changes the document that matches. `upsert`: makes it where there is none."""

    query: Query
    change: Query
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes the document that matches."""

    query: Query


Write = Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class Written:
    """What many writes came to: documents updated that were there, removed, and the places, in the sequence of writes,
    of those that found a unique value taken.
    """

    matched: int
    deleted: int
    taken: frozenset[int]


class Mongo:
    """A connected database. Every call ends within a bound, as a result, StoreConflict or StoreUnavailable.

    What the URL says about TLS, users, replica sets and pools holds; the bounds, majority writes and reads from the
    primary are the hub's own and hold whatever the URL says.
    """

    def __init__(self, url: str, driver: str, *, timeout_s: float = 5.0, in_flight_limit: int = 1_000) -> None:
        """Nothing is sent before `connect`. Raises SettingsError, whose text never repeats the URL.

        `timeout_s` bounds a whole operation; a server that falls silent is given half of it, so that the driver can
        try once more. A repeated write carries its number, by which MongoDB knows whether it has done it already.
        """
        if driver not in DRIVERS:
            raise SettingsError(f"MONGODB_DRIVER must be one of {', '.join(DRIVERS)}")
        if url.startswith("mongodb://"):  # the other form needs DNS, hence `connect`
            _checked(partial(uri_parser.parse_uri, url))
        self._url = url
        self._driver = driver
        self._timeout_s = timeout_s
        self._in_flight_limit = in_flight_limit
        self._in_flight = 0
        self._client: Any = None
        self._database: Any = None

    @property
    def connected(self) -> bool:
        return self._client is not None

    async def connect(self) -> None:
        """Returns when a primary has answered. On failure nothing stays open."""
        attempt_ms = round(self._timeout_s * 1000 / 2)
        options: Document = {
            "serverSelectionTimeoutMS": round(min(self._timeout_s, _SELECTION_TIMEOUT_S) * 1000),
            "connectTimeoutMS": round(min(self._timeout_s, _CONNECT_TIMEOUT_S) * 1000),
            "socketTimeoutMS": attempt_ms,
            "waitQueueTimeoutMS": attempt_ms,
            "retryWrites": True,
            "retryReads": True,
            "appname": "ocpi-hub",
        }
        loop = asyncio.get_running_loop()
        client = await asyncio.to_thread(_checked, partial(_client, self._driver, self._url, options, loop))
        database = client.get_default_database(DEFAULT_DATABASE)
        self._client = client
        self._database = client.get_database(
            database.name,
            write_concern=WriteConcern(w="majority", j=True, wtimeout=attempt_ms),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        try:
            await self.answer(lambda: self._database.command("ping"))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Safe to call twice."""
        client, self._client, self._database = self._client, None, None
        if client is None:
            return
        if self._driver == "pymongo":
            await client.close()
        else:  # Motor says goodbye to the server in the calling thread
            await asyncio.to_thread(client.close)

    def collection(self, name: str) -> "Collection":
        return Collection(self, name)

    def raw(self, name: str) -> Any:
        """The driver's own collection. Raises StoreUnavailable when not connected."""
        if self._database is None:
            raise StoreUnavailable("the MongoDB store is not open")
        return self._database[name]

    async def together(self, work: Callable[[Any], Awaitable[T]], turns: asyncio.Lock | None = None) -> T:
        """What `work` returned, whose writes with the session it is given stand all at once; none does if it raises.

        StoreConflict("revision") when others keep changing the same documents: `work` is done again when somebody
        was faster. `turns`: for those of this node that would often meet, to go one by one. A server without a replica
        set cannot do it.
        """

        async def call() -> T:
            if self._client is None:
                raise StoreUnavailable("the MongoDB store is not open")
            concern = self._database.write_concern
            for attempt in range(_ATTEMPTS):
                try:
                    async with (
                        turns or nullcontext(),
                        await _ready(self._client.start_session()) as session,
                        await _ready(session.start_transaction(write_concern=concern)),
                    ):
                        return await work(session)
                except OperationFailure as problem:
                    if not problem.has_error_label("TransientTransactionError"):
                        raise
                # Those who met must not meet again.
                await asyncio.sleep(secrets.randbelow(2 + min(3 * attempt, _LONGEST_PAUSE_MS)) / 1000)
            raise StoreConflict("revision")

        return await self.answer(call)

    async def answer(self, call: Callable[[], Awaitable[T]]) -> T:
        """Awaits one call of the driver within the bounds and translates what it raises."""
        if self._in_flight >= self._in_flight_limit:
            raise StoreUnavailable(f"{self._in_flight_limit} operations on MongoDB are under way already")
        self._in_flight += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call()
        except DuplicateKeyError as problem:
            raise StoreConflict(_taken_key(problem)) from None
        except BSONError as problem:  # before anything was sent; of too large a document too
            raise StoreUnavailable(f"MongoDB cannot hold the document ({type(problem).__name__})") from None
        except (PyMongoError, TimeoutError) as problem:
            raise StoreUnavailable(_sentence(problem)) from None
        finally:
            self._in_flight -= 1


class Collection:
    """The few operations the store needs, the same over both drivers."""

    def __init__(self, mongo: Mongo, name: str) -> None:
        self._mongo = mongo
        self._name = name

    async def insert(self, document: Document) -> None:
        """Raises StoreConflict with the value that is taken."""
        await self._mongo.answer(lambda: self._raw.insert_one(document))

    async def replace(self, query: Query, document: Document, *, upsert: bool = False) -> bool:
        """Whether a document matched."""
        result = await self._mongo.answer(lambda: self._raw.replace_one(query, document, upsert=upsert))
        return bool(result.matched_count)

    async def update(self, query: Query, change: Query, *, upsert: bool = False) -> bool:
        """Whether a document matched."""
        result = await self._mongo.answer(lambda: self._raw.update_one(query, change, upsert=upsert))
        return bool(result.matched_count)

    async def update_and_get(self, query: Query, pipeline: Sequence[Query]) -> Document | None:
        """The document as it is after the update; None when none matched."""
        after = ReturnDocument.AFTER
        call = lambda: self._raw.find_one_and_update(query, list(pipeline), return_document=after)  # noqa: E731
        found: Document | None = await self._mongo.answer(call)
        return found

    async def get(self, query: Query) -> Document | None:
        found: Document | None = await self._mongo.answer(lambda: self._raw.find_one(query))
        return found

    async def find(self, query: Query, *members: str) -> list[Document]:
        """Every match, with `_id` and these members only, or with all when none are named."""
        shown = list(members) or None
        found: list[Document] = await self._mongo.answer(lambda: self._raw.find(query, shown).to_list(None))
        return found

    async def delete(self, query: Query) -> int:
        """How many went."""
        result = await self._mongo.answer(lambda: self._raw.delete_many(query))
        return int(result.deleted_count)

    async def page(
        self,
        query: Query,
        *members: str,
        by: str,
        limit: int,
        skip: int = 0,
        descending: bool = False,
        most_bytes: tuple[str, int] | None = None,
        index: str | None = None,
    ) -> list[Document]:
        """At most `limit` matches in the order of a member. With members, only they are read, without `_id` unless it
        is one of them; an index that holds them all answers alone. `most_bytes`: a member with bytes and how many they
        may be in all; the page ends before the document with which they would be more, unless that is the first.
        `index`: the name of the one to go along, whatever the server thinks best.
        """
        shown = {"_id": 0, **dict.fromkeys(members, 1)} if members else None
        order = [(by, -1 if descending else 1)]

        async def call() -> list[Document]:
            cursor = self._raw.find(query, shown, sort=order, skip=skip, limit=limit, hint=index)
            found: list[Document] = await (cursor.to_list(None) if most_bytes is None else _up_to(cursor, *most_bytes))
            return found

        return await self._mongo.answer(call)

    async def count(self, query: Query, *, limit: int | None = None) -> int:
        """How many match, counting up to the limit."""
        most = {} if limit is None else {"limit": limit}
        return int(await self._mongo.answer(lambda: self._raw.count_documents(query, **most)))

    async def write(self, writes: Sequence[Write]) -> Written:
        """Does many writes in few calls, in no promised order. A unique value that is taken stops nothing else."""
        matched = deleted = 0
        taken: list[int] = []
        for start in range(0, len(writes), _WRITES_PER_CALL):
            done = await self._mongo.answer(partial(self._write, writes[start : start + _WRITES_PER_CALL]))
            matched, deleted = matched + done.matched, deleted + done.deleted
            taken += [start + place for place in done.taken]
        return Written(matched, deleted, frozenset(taken))

    async def delete_some(self, query: Query, limit: int) -> int:
        """Removes at most `limit` matches; how many. For what may be too many to go within the bound of one call."""
        found = await self._mongo.answer(lambda: self._raw.find(query, ["_id"], limit=limit).to_list(None))
        if not found:
            return 0
        return await self.delete({"_id": {"$in": [document["_id"] for document in found]}})

    async def total(self, member: str, *, index: str) -> int:
        """The sum of a member over all documents, read from the named index alone."""
        rows = await self._aggregate([{"$group": {"_id": None, "total": {"$sum": f"${member}"}}}], index)
        return int(rows[0]["total"]) if rows else 0

    async def sums(self, query: Query, member: str, *, by: str, limit: int, index: str) -> tuple[int, int, Any]:
        """Of the last matches in the order of `by`: how many, the sum of a member, and the least `by`. The named index
        answers alone.
        """
        first: list[Query] = [{"$match": query}, {"$sort": {by: -1}}, {"$limit": limit}]
        sums = {"_id": None, "count": {"$sum": 1}, "sum": {"$sum": f"${member}"}, "least": {"$min": f"${by}"}}
        rows = await self._aggregate([*first, {"$group": sums}], index)
        return (int(rows[0]["count"]), int(rows[0]["sum"]), rows[0]["least"]) if rows else (0, 0, None)

    async def groups(self, by: Query, *, index: str) -> list[tuple[Document, int]]:
        """How many documents agree in these expressions, with their values by name; read from the named index alone."""
        rows = await self._aggregate([{"$group": {"_id": dict(by), "count": {"$sum": 1}}}], index)
        return [(row["_id"], int(row["count"])) for row in rows]

    async def index(self, *members: str, name: str | None = None, unique: bool = False) -> None:
        """Makes sure of an index over these members, named after the first one if nothing else is said."""
        keys = [(member, 1) for member in members]
        call = lambda: self._raw.create_index(keys, name=name or members[0], unique=unique)  # noqa: E731
        await self._mongo.answer(call)

    async def _write(self, writes: Sequence[Write]) -> Written:
        try:
            result = await self._raw.bulk_write([_operation(write) for write in writes], ordered=False)
        except BulkWriteError as problem:
            details = problem.details or {}
            errors = details.get("writeErrors", [])
            if details.get("writeConcernErrors") or any(one.get("code") != _DUPLICATE_KEY for one in errors):
                raise
            taken = frozenset(int(one["index"]) for one in errors)
            return Written(int(details.get("nMatched", 0)), int(details.get("nRemoved", 0)), taken)
        return Written(int(result.matched_count), int(result.deleted_count), frozenset())

    async def _aggregate(self, pipeline: Sequence[Query], index: str) -> list[Document]:
        async def call() -> list[Document]:
            cursor = self._raw.aggregate(list(pipeline), hint=index)
            # Awaited in PyMongo Async, a cursor at once in Motor.
            found: list[Document] = await (await cursor if isinstance(cursor, Awaitable) else cursor).to_list(None)
            return found

        return await self._mongo.answer(call)

    @property
    def _raw(self) -> Any:
        return self._mongo.raw(self._name)


def _operation(write: Write) -> Any:
    if isinstance(write, Insert):
        return InsertOne(write.document)
    if isinstance(write, Update):
        return UpdateOne(write.query, write.change, upsert=write.upsert)
    return DeleteOne(write.query)


async def _up_to(cursor: Any, member: str, most: int) -> list[Document]:
    """The first documents of a cursor, which is read and held no further."""
    found: list[Document] = []
    async for document in cursor:
        most -= len(document[member] or b"")
        if found and most < 0:
            await cursor.close()
            break
        found.append(document)
    return found


async def _ready(made: Any) -> Any:
    """What Motor or PyMongo Async made: each has some of the same calls as coroutines."""
    return await made if isinstance(made, Awaitable) else made


def _client(driver: str, url: str, options: Document, loop: asyncio.AbstractEventLoop) -> Any:
    """Called in a thread of its own: both drivers touch the disk here, and Motor asks the DNS about an SRV name."""
    if driver == "pymongo":
        return AsyncMongoClient(url, **options)
    from motor.motor_asyncio import AsyncIOMotorClient

    return AsyncIOMotorClient(url, io_loop=loop, **options)


def _checked(call: Callable[[], T]) -> T:
    """What the driver makes of the URL. Its complaints may quote parts of a password, so none of them is passed on."""
    try:
        return call()
    except (PyMongoError, ValueError, TypeError):
        raise SettingsError(
            "DATABASE_URL is not a MongoDB URL the driver can use "
            "(special characters in user name and password must be percent-encoded)"
        ) from None


def _taken_key(problem: DuplicateKeyError) -> str:
    values = list(((problem.details or {}).get("keyValue") or {}).values())
    return str(values[0]) if values else "a unique key"


def _sentence(problem: Exception) -> str:
    """Says what kind of failure it was. The driver's own text may quote documents, so it stays out."""
    kind = type(problem).__name__
    if isinstance(problem, OperationFailure) and problem.code is not None:
        name = (problem.details or {}).get("codeName", "")
        return f"MongoDB refused the operation ({kind} {problem.code} {name}".rstrip() + ")"
    return f"MongoDB did not answer ({kind})"
