"""Messages on their way to a capacity provider: addressed, authorized, and tried again when it may help."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from hub.ocpi import codec
from hub.plugin import HttpAnswer, HttpFailed, HubApi, NotAllowed
from plugins.load_manager.oscp.access import Access, NotDelivered
from plugins.load_manager.oscp.book import ProviderBook
from plugins.load_manager.oscp.messages import Message
from plugins.load_manager.oscp.provider import Provider

RETRY_AFTER_S = (1.0, 5.0, 25.0)
TIMEOUT_S = 10.0
_MOST_BODY = 64 * 1024
_LONGEST_TOLD = 200
# No part of the hub waits longer with an answer that it has.
_ROUNDS_OF_AN_ANSWER = 50


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message as it goes out, again and again if need be."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    timeout_s: float


class Outgoing:
    """Sends. Whoever sends something that may take its time does it beside the traffic (`HubApi.spawn`)."""

    def __init__(self, hub: HubApi, book: ProviderBook, access: Access) -> None:
        self._hub = hub
        self._book = book
        self._access = access
        self._sent = hub.counter(
            "oscp_sent", "OSCP messages to capacity providers, by outcome.", ["message", "outcome"]
        )

    async def send(
        self,
        provider_id: str,
        path: str,
        message: Message | None,
        *,
        method: str = "POST",
        request_id: str | None = None,
        correlation_id: str | None = None,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Delivers one message; it keeps its request id through all tries. Raises NotDelivered: at once for an answer
        that will not change, after the last try for 5xx and for a network that fails.
        """
        said = {"X-Request-ID": request_id or new_id(), "Accept": "application/json"}
        if correlation_id is not None:
            said["X-Correlation-ID"] = correlation_id
        body = None if message is None else message.written()
        if body is not None:
            said["Content-Type"] = "application/json"
        letter = _Letter(method, path, said, body, timeout_s)
        waits = iter(retry_after_s)
        while True:
            try:
                answer = await self._called(provider_id, letter)
            except HttpFailed as failed:
                problem = NotDelivered(str(failed))
            except NotDelivered:
                self._sent.add(message=path, outcome="failed")
                raise
            else:
                if 200 <= answer.status <= 299:
                    self._sent.add(message=path, outcome="delivered")
                    return
                problem = NotDelivered(_told(answer), answer.status)
            wait_s = next(waits, None) if problem.status is None or problem.status >= 500 else None
            if wait_s is None:
                self._sent.add(message=path, outcome="failed")
                raise problem
            await self._hub.sleep(wait_s)

    async def after_answer(self) -> None:
        """Waits until the answer of who is served now is on the wire: what OSCP sends after it comes behind it."""
        for _ in range(_ROUNDS_OF_AN_ANSWER):
            await self._hub.sleep(0)

    async def _called(self, provider_id: str, letter: _Letter) -> HttpAnswer:
        provider = self._book.at_hand(provider_id)
        if provider is None or provider.base_url is None:
            raise NotDelivered("it is not registered")
        answer = await self._once(provider, letter)
        if answer.status == 401 and self._access.forget(provider_id):
            answer = await self._once(provider, letter)
        return answer

    async def _once(self, provider: Provider, letter: _Letter) -> HttpAnswer:
        url = f"{provider.base_url}/{letter.path}"
        headers = letter.headers | await self._access.headers(provider)
        try:
            return await self._hub.http(
                letter.method, url, headers=headers, body=letter.body, timeout=letter.timeout_s, max_body=_MOST_BODY
            )
        except NotAllowed as forbidden:
            raise NotDelivered(str(forbidden)) from None


def new_id() -> str:
    return str(uuid4())


def _told(answer: HttpAnswer) -> str:
    """What the provider said to a message it refused."""
    try:
        found = codec.loads(answer.body)
    except codec.NotJson:
        found = None
    message = found.get("message") if isinstance(found, dict) else None
    if not isinstance(message, str):
        message = answer.headers.get("x-error-message", "")
    return f"it answered {answer.status}" + (f": {message[:_LONGEST_TOLD]}" if message else "")
