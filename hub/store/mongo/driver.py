"""The one door to MongoDB: which driver, with which bounds, and what its errors mean to the hub. Nobody else imports a
driver; what documents look like is said by the files beside this one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from pymongo import AsyncMongoClient, ReadPreference, ReturnDocument, uri_parser
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
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
        """Every match, with `_id` and these members only."""
        found: list[Document] = await self._mongo.answer(lambda: self._raw.find(query, list(members)).to_list(None))
        return found

    async def delete(self, query: Query) -> int:
        """How many went."""
        result = await self._mongo.answer(lambda: self._raw.delete_many(query))
        return int(result.deleted_count)

    async def total(self, member: str, *, index: str) -> int:
        """The sum of a member over all documents, read from the named index alone."""
        pipeline = [{"$group": {"_id": None, "total": {"$sum": f"${member}"}}}]

        async def call() -> list[Document]:
            cursor = self._raw.aggregate(pipeline, hint=index)
            # Awaited in PyMongo Async, a cursor at once in Motor.
            found: list[Document] = await (await cursor if isinstance(cursor, Awaitable) else cursor).to_list(None)
            return found

        rows = await self._mongo.answer(call)
        return int(rows[0]["total"]) if rows else 0

    async def index(self, member: str, *, unique: bool = False) -> None:
        """Makes sure of an index over one member, named after it."""
        await self._mongo.answer(lambda: self._raw.create_index(member, name=member, unique=unique))

    @property
    def _raw(self) -> Any:
        return self._mongo.raw(self._name)


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
