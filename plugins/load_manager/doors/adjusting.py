"""What operators call to ask the DSO of a group for another capacity than it has forecast."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from hub.ocpi import times
from hub.plugin import HttpRequest, HttpResponse, Route
from plugins.load_manager.doors.asking import NotUsable, fields_of
from plugins.load_manager.doors.grid import GROUP
from plugins.load_manager.doors.port import OPERATOR, Operating
from plugins.load_manager.doors.refusing import route
from plugins.load_manager.signals.judging import Refusal, SignalRefused, mistakes
from plugins.load_manager.signals.native import read_signal
from plugins.load_manager.signals.signal import Block, Unit

_FIELDS = ("start", "end", "capacity_kw")


class AdjustingDoors:
    """Serves them."""

    def __init__(self, operating: Operating) -> None:
        self._operating = operating

    def routes(self) -> Iterator[Route]:
        yield route("POST", f"{GROUP}/adjust", self._adjust, "Asks the group's DSO for this capacity.")

    async def _adjust(self, request: HttpRequest) -> HttpResponse:
        group_id = request.params["group_id"]
        blocks = _blocks(request, self._operating.now())
        provider_id = await self._operating.ask_capacity(group_id, blocks)
        asked = [
            {"start": times.render(block.start), "end": times.render(block.end), "capacity_kw": block.value}
            for block in blocks
        ]
        return HttpResponse(202, {"group_id": group_id, "capacity_provider": provider_id, "blocks": asked})


def _blocks(request: HttpRequest, now: datetime) -> tuple[Block, ...]:
    """Those of `{"blocks": [{"start", "end", "capacity_kw"}]}`. Raises NotUsable and SignalRefused."""
    rows = fields_of(request, "blocks").get("blocks")
    if not isinstance(rows, list):
        raise NotUsable("blocks", f"is a list of objects of {', '.join(_FIELDS)}")
    for position, row in enumerate(rows):
        if not isinstance(row, Mapping) or any(name not in _FIELDS for name in row):
            raise NotUsable(f"blocks[{position}]", f"is an object of {', '.join(_FIELDS)}")
    as_signal = {
        "group_id": OPERATOR,
        "unit": Unit.KW.value,
        "blocks": [{"start": row.get("start"), "end": row.get("end"), "value": row.get("capacity_kw")} for row in rows],
        "message_id": OPERATOR,
    }
    try:
        signal = read_signal(as_signal, OPERATOR, None, now)
    except SignalRefused as refused:
        raise SignalRefused([_as_asked(each) for each in refused.refusals]) from None
    wrong = mistakes(signal)
    for position, block in enumerate(signal.blocks):
        if block.end <= now:
            wrong.append(Refusal(f"blocks[{position}].end", "is over already"))
    if wrong:
        raise SignalRefused([_as_asked(each) for each in wrong])
    return signal.blocks


def _as_asked(refusal: Refusal) -> Refusal:
    """With the name that the field has in what the operator sent."""
    return refusal._replace(field=refusal.field.replace(".value", ".capacity_kw"))
