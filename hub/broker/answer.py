"""Answers of the hub itself, and the headers of every answer on its way back (R-030, R-062, R-063, tables RT2 and
RT7).
"""

from collections.abc import Mapping

import hub.ocpi.envelope as envelopes
from hub.broker.exchange import Exchange, HubAnswer
from hub.clock import Clock
from hub.domain.decisions import Refused
from hub.domain.outcome import Answer
from hub.ocpi import headers as names
from hub.ocpi.headers import routing_headers
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode

_PASSED_ON = ((names.TOTAL_COUNT, "x-total-count"), (names.LIMIT, "x-limit"), (names.RETRY_AFTER, "retry-after"))


class Answers:
    """Makes answers that come from the hub. `party` is the hub's own country code and party id."""

    def __init__(self, clock: Clock, party: PartyId) -> None:
        self._clock = clock
        self._party = party

    def plain(
        self, http: int, code: StatusCode, message: str | None = None, headers: Mapping[str, str] | None = None
    ) -> HubAnswer:
        """An envelope without data and without routing headers: configuration modules and refused requests."""
        body = envelopes.render(code, message, now=self._clock.now())
        return HubAnswer(http, body, int(code), dict(headers or {}))

    def data(self, data: object, headers: Mapping[str, str] | None = None) -> HubAnswer:
        """HTTP 200, status code 1000 and this data."""
        body = envelopes.render(StatusCode.OK, data=data, now=self._clock.now())
        return HubAnswer(200, body, int(StatusCode.OK), dict(headers or {}))

    def routed(self, exchange: Exchange, http: int, code: StatusCode, message: str | None = None) -> HubAnswer:
        """The hub's word on a functional request: TO = requester, FROM = hub (RT7)."""
        answer = self.plain(http, code, message)
        if exchange.sender is not None and http not in (401, 403):
            answer.headers |= self.from_hub(exchange.sender)
        return answer

    def from_hub(self, to: PartyId) -> dict[str, str]:
        """The routing headers of the hub's own word to a party."""
        return routing_headers(to, self._party)

    def refused(self, exchange: Exchange, refusal: Refused) -> HubAnswer:
        return self.routed(exchange, refusal.http, refusal.code, refusal.message)

    def replacing(
        self, http: int, code: StatusCode, message: str, answer: Answer | None, routing: Mapping[str, str]
    ) -> HubAnswer:
        """The hub's envelope in place of what the receiver answered; Retry-After survives (F13)."""
        replaced = self.plain(http, code, message, routing)
        retry_after = None if answer is None else answer.headers.get("retry-after")
        if retry_after is not None:
            replaced.headers[names.RETRY_AFTER] = _cleaned(retry_after)
        return replaced


def relayed_headers(answer: Answer) -> dict[str, str]:
    """Headers of the receiver's answer that go back unchanged (R-045, R-063)."""
    found = answer.headers
    return {name: _cleaned(value) for name, key in _PASSED_ON if (value := found.get(key)) is not None}


def _cleaned(value: str) -> str:
    """A header value without what cannot be written again: control characters, bytes beside UTF-8."""
    return value if value.isprintable() else "".join(character for character in value if character.isprintable())
