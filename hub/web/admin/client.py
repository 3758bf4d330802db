"""A client of the admin API, for the command line: a call gives what came back or a `Problem`, never an exception."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from hub.net.tls import Trust
from hub.ocpi import codec
from hub.web.admin.door import PREFIX

# A handshake or a self-test asks a platform many things, each with a deadline of its own.
TIMEOUT_S = 180.0
HEALTH_TIMEOUT_S = 3.0
MAX_ANSWER = 64 * 1024 * 1024
UNREACHED = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a call failed. `status` is the HTTP status, or UNREACHED when there was no answer at all."""

    status: int
    title: str
    detail: str | None = None

    def __str__(self) -> str:
        return self.title if self.detail is None else f"{self.title}: {self.detail}"


class AdminClient:
    """Calls one hub at `url` with its admin token, as an async context manager. SettingsError for a bad `ca_file`."""

    def __init__(self, url: str, token: str, *, ca_file: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._tls = Trust(ca_file).plain
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=10.0)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any | Problem:
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: object = None) -> Any | Problem:
        return await self.call("POST", path, body)

    async def list(self, path: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]] | Problem:
        """Every item of a list, page after page."""
        items: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self.get(path, {**(query or {}), **({} if after is None else {"after": after})})
            if isinstance(page, Problem):
                return page
            items += page["items"]
            after = page["next"]
            if after is None:
                return items

    async def call(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Any | Problem:
        """One call; `path` is what follows the API's prefix."""
        if self._session is None:
            raise RuntimeError("use it as an async context manager")
        content = None if body is None else codec.dumps(body)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            async with self._session.request(
                method,
                f"{self._url}{PREFIX}{path}",
                params=query,
                data=content,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                return _read(answer.status, await _bounded(answer))
        except TimeoutError:
            return Problem(UNREACHED, f"The hub at {self._url} did not answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            return Problem(UNREACHED, f"The hub at {self._url} cannot be reached", _reason(failure))


async def health(url: str, ca_file: Path | None = None) -> str | None:
    """Whether a hub answers at this base URL: None when it does, else what came instead. Needs no token.

    SettingsError for a bad `ca_file`.
    """
    tls = Trust(ca_file).plain
    timeout = aiohttp.ClientTimeout(total=HEALTH_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=timeout) as session,
            session.get(f"{url.rstrip('/')}/healthz", allow_redirects=False) as answer,
        ):
            return None if answer.status == 200 else f"HTTP {answer.status}"
    except TimeoutError:
        return "no answer in time"
    except (aiohttp.ClientError, OSError, ValueError) as failure:
        return _reason(failure)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ValueError("the answer is too large")
    return body


def _read(status: int, body: bytes) -> Any | Problem:
    try:
        content = codec.loads(body)
    except codec.NotJson:
        return Problem(status, f"This is not a hub's admin API: the answer (HTTP {status}) is not JSON")
    if 200 <= status < 300:
        return content
    if not isinstance(content, dict):
        content = {}
    return Problem(status, str(content.get("title", f"HTTP {status}")), content.get("detail"))


def _reason(failure: Exception) -> str:
    if isinstance(failure, aiohttp.ClientConnectorError):
        number = failure.os_error.errno
        return os.strerror(number) if number else "no connection"
    return type(failure).__name__
