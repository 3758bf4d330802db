"""Asynchronous results of commands and charging profiles: owned tasks that POST them to the `response_url` they owe."""

import asyncio
from collections import deque
from enum import StrEnum

from hub.clock import Clock
from hub.sandbox.answer import Answer
from hub.sandbox.client import Client
from hub.sandbox.received import Received

KEPT_ANSWERS = 10_000


class ResultMode(StrEnum):
    """When a result that is owed goes out."""

    AT_ONCE = "at once"
    HELD = "held"  # until `release`
    NEVER = "never"


class Results:
    """Delivers results. `sent` holds what the other side answered to each, oldest first; `owed` counts those to come.

    `delay_s` passes before each result (on the platform's clock), after a hold is released.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self.mode = ResultMode.AT_ONCE
        self.delay_s = 0.0
        self.sent: deque[Answer] = deque(maxlen=KEPT_ANSWERS)
        self.owed = 0
        self._client = client
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Event()
        self._news = asyncio.Event()

    def owe(self, received: Received, body: object) -> None:
        """Sends the result of this request later, the way `mode` says now."""
        if self.mode is ResultMode.NEVER:
            return
        self.owed += 1
        task = asyncio.create_task(self._deliver_later(received, body, self._gate, held=self.mode is ResultMode.HELD))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def release(self) -> None:
        """Lets go of every result held so far; later ones are held again while the mode says so."""
        self._gate.set()
        self._gate = asyncio.Event()

    async def send(self, received: Received, body: object) -> Answer:
        """Sends a result of this request now; the URL may be used any number of times (R-123)."""
        answer = await self._post(received, body)
        self._note(answer)
        return answer

    async def _post(self, received: Received, body: object) -> Answer:
        url = received.response_url or ""
        module = received.module or ""
        return await self._client.call("POST", module, None, to=received.sender, sender=received.to, body=body, url=url)

    def _note(self, answer: Answer) -> None:
        self.sent.append(answer)
        self._news.set()
        self._news = asyncio.Event()

    async def wait_sent(self, count: int = 1, timeout_s: float = 5.0) -> Answer:
        """The answer to the `count`-th result sent; TimeoutError when it does not come."""
        async with asyncio.timeout(timeout_s):
            while len(self.sent) < count:
                await self._news.wait()
        return self.sent[count - 1]

    async def _deliver_later(self, received: Received, body: object, gate: asyncio.Event, *, held: bool) -> None:
        if held:
            await gate.wait()
        await self._clock.sleep(self.delay_s)
        answer = await self._post(received, body)
        self.owed -= 1
        self._note(answer)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.owed = 0
