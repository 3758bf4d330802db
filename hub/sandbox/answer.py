"""What came back for a request of a simulated platform, as a value that never raises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hub.ocpi import codec, headers, paging, status, urls


@dataclass(frozen=True)
class Answer:
    """One answer. `status` is 0 and `failure` says why when there was none; header names have no case.

    `links` holds every `Link` line; `elapsed_s` runs from before the connection to the last byte.
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    elapsed_s: float
    links: tuple[str, ...] = ()
    failure: str | None = None

    @cached_property
    def envelope(self) -> dict[str, Any] | None:
        """The body as an object, or None when it is not one."""
        try:
            value = codec.loads(self.body)
        except codec.NotJson:
            return None
        return value if isinstance(value, dict) else None

    @property
    def status_code(self) -> int | None:
        code = (self.envelope or {}).get("status_code")
        return code if isinstance(code, int) and not isinstance(code, bool) else None

    @property
    def status_message(self) -> str | None:
        message = (self.envelope or {}).get("status_message")
        return message if isinstance(message, str) else None

    @property
    def data(self) -> Any:
        """`data` of the envelope; None when it is absent."""
        return (self.envelope or {}).get("data")

    @property
    def ok(self) -> bool:
        """2xx and 1000 to 1999: both layers have to agree (R-026)."""
        return 200 <= self.status <= 299 and self.status_code is not None and status.is_success(self.status_code)

    @property
    def next_url(self) -> str | None:
        """The absolute URL of the next page."""
        reference = paging.next_link(self.links)
        return None if reference is None else urls.resolve(self.url, reference)

    @property
    def location(self) -> str | None:
        """The absolute URL of the `Location` header."""
        reference = self.headers.get(headers.LOCATION)
        return None if reference is None else urls.resolve(self.url, reference)

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.method} {self.url}: {self.failure}"
        said = f" {self.status_message}" if self.status_message else ""
        return f"{self.method} {self.url}: HTTP {self.status}, {self.status_code}{said}"


@dataclass(frozen=True)
class Crawl:
    """A list fetched page by page. `complete` is True only when every page was good and the last one had no `Link`."""

    pages: tuple[Answer, ...]
    complete: bool

    @property
    def objects(self) -> list[Any]:
        return [one for page in self.pages if isinstance(page.data, list) for one in page.data]
