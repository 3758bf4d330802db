"""The requests of a self-test: GETs with a deadline each and one for all; answers keep the ids they were sent with."""

from dataclasses import dataclass

from hub.broker.ids import message_id
from hub.broker.outreach import MAX_ANSWER, Outreach, describe
from hub.broker.registry import Outbound
from hub.clock import Clock
from hub.domain.outcome import Answer, TooLarge
from hub.net.forwarder import Forwarder, WireRequest
from hub.ocpi import headers


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and the message ids of the request it belongs to."""

    answer: Answer
    request_id: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is none. `tried` is False when nothing was sent, so that nothing can be said about the platform."""

    why: str
    tried: bool = True


Reply = Answered | NoAnswer


class Calls:
    """Sends to one platform. `timeout_s` bounds a request, `whole_s` everything from now on."""

    def __init__(
        self,
        outreach: Outreach,
        forwarder: Forwarder,
        outbound: Outbound,
        clock: Clock,
        *,
        timeout_s: float,
        whole_s: float,
    ) -> None:
        self._outreach = outreach
        self._forwarder = forwarder
        self._outbound = outbound
        self._clock = clock
        self._timeout_s = timeout_s
        self._ends_at = clock.monotonic() + whole_s

    async def get(self, url: str, routing: dict[str, str] | None = None) -> Reply:
        """With the token in use, and with routing headers if given."""
        return await self.get_as(self._outbound.authorization, url, routing)

    async def get_as(self, credentials: str | None, url: str, routing: dict[str, str] | None = None) -> Reply:
        """With this `Authorization` value, or with none."""
        left_s = self._ends_at - self._clock.monotonic()
        if left_s <= 0:
            return NoAnswer("there was no time left for it", tried=False)
        problem = self._outreach.url_problem(url)
        if problem is not None:
            return NoAnswer(f"the URL cannot be called: {problem}", tried=False)
        request_id, correlation_id = message_id(), message_id()
        sent = {headers.REQUEST_ID: request_id, headers.CORRELATION_ID: correlation_id, "Accept": headers.JSON}
        if credentials is not None:
            sent[headers.AUTHORIZATION] = credentials
        request = WireRequest(
            method="GET",
            url=url,
            headers={**sent, **(routing or {})},
            body=None,
            timeout_s=min(self._timeout_s, left_s),
            max_body=MAX_ANSWER,
            stream_above=MAX_ANSWER,
        )
        outcome = await self._forwarder.send(self._outbound.wire, request)
        if isinstance(outcome, Answer):
            return Answered(outcome, request_id, correlation_id)
        too_large = isinstance(outcome, TooLarge)
        return NoAnswer(f"the answer is larger than {MAX_ANSWER} bytes" if too_large else describe(outcome))
