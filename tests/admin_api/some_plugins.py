"""Plugins for an operator to look at: one that is well, and one for each way of not being so."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from hub.ocpi.names import Role
from hub.plugin import (
    Delivery,
    Exchange,
    Health,
    HttpRequest,
    HttpResponse,
    LocalParty,
    Panel,
    Phase,
    Plugin,
    PluginConfig,
    Route,
    Secret,
    Watch,
)

EVERYTHING = Watch(frozenset({Phase.FINISHED}))


class Limit(BaseModel):
    module: str
    per_s: Annotated[float, Field(gt=0)]


class CountingConfig(PluginConfig):
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    limits: list[Limit] = Field(default_factory=list)
    password: Secret | None = None
    fails: bool = False


class Counting(Plugin[CountingConfig]):
    """Counts what has finished, and hands the count over."""

    name = "counting"
    Config = CountingConfig
    count = 0

    async def start(self) -> None:
        if self.config.fails:
            raise RuntimeError("it is told to fail")

    def export_state(self) -> int:
        return self.count

    def import_state(self, state: Any) -> None:
        self.count = state

    def watches(self) -> Iterable[Watch]:
        return [Watch(frozenset({Phase.FINISHED}), methods=frozenset({"GET"}), delivery=Delivery.LOSSLESS)]

    def on_finished(self, exchange: Exchange) -> None:
        self.count += 1

    def routes(self) -> Iterable[Route]:
        return [Route("GET", "/counting/now", self.now, summary="How many")]

    async def now(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=self.count)

    def parties(self) -> Iterable[LocalParty]:
        return [LocalParty(Role.NSP, "NL", "CNT", "Counting")]

    def panels(self) -> Iterable[Panel]:
        return [
            Panel("Counts", ("What", "Count"), lambda: [("finished", self.count), ("share", self.config.share)]),
            Panel("Types", ("Type",), lambda: iter([(Counting,)])),
        ]

    def health(self) -> Health:
        return Health(text="counting goes well", facts={"count": self.count})


class Failing(Plugin[PluginConfig]):
    """Fails at everything it sees."""

    name = "failing"

    def watches(self) -> Iterable[Watch]:
        return [EVERYTHING]

    def on_finished(self, exchange: Exchange) -> None:
        raise ArithmeticError("wrong sum")


class NotStarting(Plugin[PluginConfig]):
    """Never starts."""

    name = "not_starting"

    async def start(self) -> None:
        raise ConnectionError("nobody at home")


class Unwell(Plugin[PluginConfig]):
    """Cannot say how it is."""

    name = "unwell"

    def panels(self) -> Iterable[Panel]:
        def rows() -> Iterable[tuple[object, ...]]:
            yield (1,)
            raise KeyError("row")

        return [Panel("Half", ("A",), rows)]

    def health(self) -> Health:
        raise ValueError("token=abcdef1234567890 is wrong")


class Wordless(Plugin[PluginConfig]):
    """Says something that is no health, and fails to give tables."""

    name = "wordless"

    def panels(self) -> Iterable[Panel]:
        raise ValueError("no tables today")

    async def health(self) -> Health:  # type: ignore[override]  # the mistake that is looked at
        return Health()


class Forgetful(Plugin[PluginConfig]):
    """Makes a task of its own and forgets it."""

    name = "forgetful"

    async def start(self) -> None:
        self.forgotten = asyncio.create_task(self.wait())

    async def wait(self) -> None:
        await asyncio.Event().wait()
