"""Requests that a plugin takes over: the way home of the result it owes is stored before the requester is answered."""

from hub.broker.callbacks import Callbacks
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.plugins.local_ids import platform_of, taken_id
from hub.broker.plugins.spoken import Spoken, Unusable
from hub.broker.plugins.watched import Taken
from hub.domain.decisions import Refused
from hub.ocpi import envelope
from hub.ocpi.envelope import Facts
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


class Taking:
    """Answers in the words of a plugin's `Take`."""

    def __init__(self, callbacks: Callbacks, spoken: Spoken) -> None:
        self._callbacks = callbacks
        self._spoken = spoken

    async def taken(self, exchange: Exchange, receiver: PartyId, facts: Facts, taken: Taken) -> HubAnswer | Refused:
        """The answer, once the way home is durable. A request without a response_url cannot be taken."""
        if exchange.match is None or not exchange.match.table.takes_response_url:
            taken.hook.guard.nonsense(taken.hook, "Take is for requests that have a result")
            return Refused(200, StatusCode.HUB_ERROR, "A plugin of this hub took a request that has no result")
        try:
            answer = self._spoken.answer(taken.verdict.answer, exchange.sender)
        except Unusable as problem:
            taken.hook.guard.nonsense(taken.hook, str(problem))
            return Refused(200, StatusCode.HUB_ERROR, "A plugin of this hub gave an answer that cannot be sent")
        verdict = envelope.verdict_of(answer.body)
        refusal = await self._callbacks.keep(
            exchange,
            (platform_of(taken.plugin), receiver),
            facts,
            callback_id=taken_id(taken.plugin, taken.verdict.handle),
            asks_s=0.0 if verdict is None else verdict[1],
        )
        return answer if refusal is None else refusal
