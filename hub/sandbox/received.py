"""What a simulated platform has received: every request as it came off the wire, and waiting for the next."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import unquote

from hub.ocpi import codec, headers, urls
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId

KEPT_REQUESTS = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One request. `target` is the raw path and query of the request line, `tail` the raw path below the endpoint.

    `headers` is looked up without regard to case; `at_s` is monotonic. `module` is None when nothing is served there.
    """

    method: str
    target: str
    module: str | None
    interface: Interface | None
    tail: str
    headers: Mapping[str, str] = field(repr=False)  # holds the credentials token
    body: bytes = field(repr=False)
    at_s: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def segments(self) -> tuple[str, ...]:
        """The decoded segments of the tail; one trailing slash does not count."""
        tail = self.tail.removesuffix("/")
        return tuple(unquote(segment) for segment in tail.split("/")) if tail else ()

    @property
    def data(self) -> Any:
        """The body as a value; raises `codec.NotJson`."""
        return codec.loads(self.body)

    @property
    def to(self) -> PartyId | None:
        return _party(self.headers, headers.TO_COUNTRY, headers.TO_PARTY)

    @property
    def sender(self) -> PartyId | None:
        return _party(self.headers, headers.FROM_COUNTRY, headers.FROM_PARTY)

    @property
    def request_id(self) -> str | None:
        return self.headers.get(headers.REQUEST_ID)

    @property
    def correlation_id(self) -> str | None:
        return self.headers.get(headers.CORRELATION_ID)

    @property
    def response_url(self) -> str | None:
        """Where an asynchronous result should go, from the body or else from the query; raises `codec.NotJson`."""
        value = self.data if self.body else None
        found = value.get("response_url") if isinstance(value, dict) else None
        if isinstance(found, str):
            return found
        return urls.unencoded_value(self.query, "response_url")


def _party(values: Mapping[str, str], country: str, party: str) -> PartyId | None:
    country_code, party_id = values.get(country, ""), values.get(party, "")
    return PartyId(country_code, party_id) if country_code and party_id else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A description of requests; what is None fits anything. `tail` is compared whole."""

    module: str | None = None
    interface: Interface | None = None
    method: str | None = None
    tail: str | None = None

    def fits(self, received: Received) -> bool:
        return (
            self.module in (None, received.module)
            and self.interface in (None, received.interface)
            and self.method in (None, received.method)
            and self.tail in (None, received.tail)
        )


class ReceivedLog:
    """The last requests of a platform, oldest first."""

    def __init__(self, kept: int = KEPT_REQUESTS) -> None:
        self._requests: deque[Received] = deque(maxlen=kept)
        self._total = 0
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Received]:
        return iter(tuple(self._requests))

    def __getitem__(self, index: int) -> Received:
        return self._requests[index]

    def append(self, received: Received) -> None:
        self._requests.append(received)
        self._total += 1
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self) -> AsyncGenerator[Received, None]:
        """Every request from now on, as it comes."""
        seen = self._total
        while True:
            fresh, seen = self._since(seen), self._total
            for one in fresh:
                yield one
            if seen == self._total:
                await self._news.wait()

    def _since(self, total: int) -> list[Received]:
        """The requests that came after there had been so many, as far as they are still kept."""
        fresh = min(self._total - total, len(self._requests))
        return list(islice(self._requests, len(self._requests) - fresh, None)) if fresh else []

    def clear(self) -> None:
        self._requests.clear()

    def of(
        self,
        module: str | None = None,
        interface: Interface | None = None,
        method: str | None = None,
        tail: str | None = None,
    ) -> list[Received]:
        """The requests that fit, oldest first."""
        wanted = Wanted(module, interface, method, tail)
        return [one for one in self._requests if wanted.fits(one)]

    async def wait_for(
        self,
        module: str | None = None,
        interface: Interface | None = None,
        method: str | None = None,
        tail: str | None = None,
        *,
        count: int = 1,
        timeout_s: float = 5.0,
    ) -> Received:
        """The `count`-th request that fits since the last `clear`. Raises TimeoutError, saying what came instead."""
        wanted = Wanted(module, interface, method, tail)
        found, seen = self.of(module, interface, method, tail), self._total
        try:
            async with asyncio.timeout(timeout_s):
                while len(found) < count:
                    await self._news.wait()
                    found += [one for one in self._since(seen) if wanted.fits(one)]
                    seen = self._total
        except TimeoutError:
            came = ", ".join(f"{one.method} {one.path}" for one in list(self._requests)[-5:]) or "nothing"
            raise TimeoutError(f"no {count} requests like {wanted} within {timeout_s} s; last came {came}") from None
        return found[count - 1]
