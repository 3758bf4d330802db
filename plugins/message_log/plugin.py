"""The plugin: takes the facts when an exchange is over, and answers operators' questions."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hub.plugin import (
    Body,
    Exchange,
    Found,
    Health,
    HttpRequest,
    HttpResponse,
    HubApi,
    Phase,
    Plugin,
    Record,
    Route,
    StoreUnavailable,
    Timer,
    Watch,
    problem,
)
from plugins.message_log.asking import NotUsable, question
from plugins.message_log.config import MessageLogConfig
from plugins.message_log.record import record_of
from plugins.message_log.searching import search
from plugins.message_log.writing import EVERY_S, Writing

PRUNE_EVERY_S = 600.0
_MIB = 1024 * 1024
# Records wait with their bodies as long as these have less; after that without.
_MOST_WAITING_BODY_BYTES = 32 * _MIB


class MessageLog(Plugin[MessageLogConfig]):
    """One record per exchange with its legs, found by ids, party, platform and module."""

    name = "message_log"
    Config = MessageLogConfig

    def __init__(self, config: MessageLogConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self._records = hub.records("exchange")
        self._writing = Writing(hub, self._records, config.buffer)
        self._timers: list[Timer] = []

    async def start(self) -> None:
        self._timers = [
            self.hub.every(EVERY_S, self._writing.write),
            self.hub.every(PRUNE_EVERY_S, self._prune),
        ]

    async def stop(self) -> None:
        await self._writing.end()
        while self._timers:
            self._timers.pop().cancel()

    def export_state(self) -> list[Record]:
        return self._writing.handed_over()

    def import_state(self, state: Any) -> None:
        """Goes on with the records that the instance before had no time to write, or no store."""
        for record in state:
            self._writing.add(record)

    def watches(self) -> Iterable[Watch]:
        body = Body.BYTES if self.config.bodies else Body.IGNORE
        yield Watch(frozenset({Phase.FINISHED}), request=body, response=body, max_body=self.config.max_body)

    def on_finished(self, exchange: Exchange) -> None:
        bodies = self.config.bodies and self._writing.waiting_body_bytes < _MOST_WAITING_BODY_BYTES
        self._writing.add(record_of(exchange, self.config.max_body if bodies else None))

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/messages", self._show, summary="What passed through the hub, newest first.")

    def health(self) -> Health:
        writing = self._writing
        facts = {"waiting": writing.waiting, "dropped": writing.dropped, "written": writing.written}
        if writing.store_away:
            return Health(ok=False, text="The store is away: records wait in memory", facts=facts)
        return Health(text=f"{writing.waiting} records wait to be written", facts=facts)

    async def _show(self, request: HttpRequest) -> HttpResponse:
        try:
            page = await search(self._records, question(request.query))
        except NotUsable as wrong:
            return problem(400, str(wrong), parameter=wrong.name)
        except StoreUnavailable:
            return problem(503, "The hub's store is away; try again when it is back")
        before = b"null" if page.before is None else b"%d" % page.before
        return HttpResponse(body=b'{"items":[%s],"before":%s}' % (b",".join(map(_with_id, page.shown)), before))

    async def _prune(self) -> None:
        oldest = self.hub.now() - timedelta(days=self.config.keep_days)
        try:
            removed = await self._records.prune(before=oldest, most_bytes=self.config.most_mb * _MIB)
        except StoreUnavailable:
            return  # the writer has told it; the next round makes up for this one
        if removed:
            self.hub.log.info("old records of exchanges were removed", records=removed)


def _with_id(found: Found) -> bytes:
    """The record's text with its id in front: a thousand of them are not worth parsing to show them."""
    return b'{"id":%d,%s' % (found.id, found.raw[1:])
