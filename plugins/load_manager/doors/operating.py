"""What operators call while it runs: a limit of their own, stop and start, the mode, signals that wait for them."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime

from hub.ocpi import times
from hub.plugin import HttpRequest, HttpResponse, Route
from plugins.load_manager.doors import shown
from plugins.load_manager.doors.asking import Asked, NotFound, NotUsable, fields_of
from plugins.load_manager.doors.grid import GROUP
from plugins.load_manager.doors.port import OPERATOR, Mode, Operating, WaitingSignal
from plugins.load_manager.doors.refusing import route
from plugins.load_manager.signals.judging import Refusal, SignalRefused
from plugins.load_manager.signals.native import read_signal
from plugins.load_manager.signals.signal import CapacitySignal, Unit

_WAITING = "/grid/signals"
_GONE = f"No signal with this id waits; GET {_WAITING} lists those that do"
_AS_ASKED = {"blocks[0].value": "limit_kw", "blocks[0].start": "start", "blocks[0].end": "end"}


class OperatingDoors:
    """Serves them."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("POST", f"{GROUP}/limit", self._limit, "A limit by the operator, until a stated end.")
        yield route("DELETE", f"{GROUP}/limit", self._lift, "Ends the operator's limits of a group at once.")
        yield route("POST", "/grid/stop", self._stop, "The kill switch: every group to its fallback.")
        yield route("POST", "/grid/start", self._start, "Signals are followed again.")
        yield route("GET", "/grid/mode", self._operation, "Whether it steers, and whether it is stopped.")
        yield route("PUT", "/grid/mode", self._mode, "Steers (live), or plans and sends nothing (shadow).")
        yield route("GET", _WAITING, self._waiting, "Signals that are not plausible and wait for an operator.")
        yield route("POST", f"{_WAITING}/{{id}}/confirm", self._confirm, "Follows such a signal after all.")
        yield route("POST", f"{_WAITING}/{{id}}/drop", self._drop, "Throws such a signal away.")

    async def _limit(self, request: HttpRequest) -> HttpResponse:
        try:
            signal = _operators_limit(request, self._operating.now())
            await self._operating.take_signal(signal)
        except SignalRefused as refused:
            raise SignalRefused([_as_asked(each) for each in refused.refusals]) from None
        block = signal.blocks[0]
        return HttpResponse(
            201,
            {
                "message_id": signal.message_id,
                "group_id": signal.group_id,
                "limit_kw": block.value,
                "start": times.render(block.start),
                "end": times.render(block.end),
            },
        )

    async def _lift(self, request: HttpRequest) -> HttpResponse:
        group_id = request.params["group_id"]
        if not await self._operating.lift_limit(group_id):
            raise NotFound(f"The operator has set no limit for group {group_id}")
        return HttpResponse(204)

    async def _stop(self, request: HttpRequest) -> HttpResponse:
        await self._operating.stop()
        return await self._operation(request)

    async def _start(self, request: HttpRequest) -> HttpResponse:
        await self._operating.start()
        return await self._operation(request)

    async def _operation(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=shown.operation(await self._operating.operation()))

    async def _mode(self, request: HttpRequest) -> HttpResponse:
        wanted = fields_of(request, "mode").get("mode")
        for mode in Mode:
            if wanted == mode.value:
                await self._operating.set_mode(mode)
                return await self._operation(request)
        raise NotUsable("mode", f"is one of {', '.join(Mode)}")

    async def _waiting(self, request: HttpRequest) -> HttpResponse:
        asked = Asked(request)
        page = asked.page(
            await self._operating.waiting_signals(), _id, lambda waiting: shown.waiting_signal(waiting, _id(waiting))
        )
        return HttpResponse(body=page)

    async def _confirm(self, request: HttpRequest) -> HttpResponse:
        waiting = await self._one_waiting(request)
        if not await self._operating.confirm_signal(waiting):
            raise NotFound(_GONE)
        return HttpResponse(204)

    async def _drop(self, request: HttpRequest) -> HttpResponse:
        waiting = await self._one_waiting(request)
        if not await self._operating.drop_signal(waiting):
            raise NotFound(_GONE)
        return HttpResponse(204)

    async def _one_waiting(self, request: HttpRequest) -> WaitingSignal:
        for waiting in await self._operating.waiting_signals():
            if _id(waiting) == request.params["id"]:
                return waiting
        raise NotFound(_GONE)


def _id(waiting: WaitingSignal) -> str:
    """Stands for group, source and message id, which may hold whatever their senders like."""
    named = (waiting.group_id, waiting.set_aside.source, waiting.set_aside.message_id)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:20]


def _operators_limit(request: HttpRequest, now: datetime) -> CapacitySignal:
    """The signal of `{limit_kw, end, start?}`; it starts now unless said otherwise. Raises SignalRefused."""
    body = fields_of(request, "limit_kw", "end", "start")
    start = now.isoformat() if body.get("start") is None else body["start"]
    as_signal = {
        "group_id": request.params["group_id"],
        "unit": Unit.KW.value,
        "blocks": [{"start": start, "end": body.get("end"), "value": body.get("limit_kw")}],
        "message_id": f"{OPERATOR}-{secrets.token_hex(6)}",
    }
    signal = read_signal(as_signal, OPERATOR, None, now, request.body.decode())
    if signal.blocks[0].end <= now:
        raise SignalRefused([Refusal("end", "is over already")])
    return signal


def _as_asked(refusal: Refusal) -> Refusal:
    """With the name that the field has in what the operator sent."""
    return refusal._replace(field=_AS_ASKED.get(refusal.field, refusal.field))
