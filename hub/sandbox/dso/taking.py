"""What the simulated DSO does with what it is told: registers, shakes hands, and keeps the rest for whoever looks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hub.ocpi import codec
from hub.ocpi.token import new_token
from hub.sandbox.answer import Answer
from hub.sandbox.dso.counterpart import Link
from hub.sandbox.dso.habits import DsoHabits
from hub.sandbox.dso.messages import Body
from hub.sandbox.dso.serving import refused
from hub.sandbox.dso.speaking import Speaking
from hub.sandbox.received import Received
from hub.sandbox.reply import Reply

# An answer is on the wire after so many rounds of the event loop.
_ROUNDS_OF_AN_ANSWER = 20


class Taking:
    """Takes messages that were let in. What follows an answer runs beside it until `close`."""

    def __init__(self, link: Link, habits: DsoHabits, speaking: Speaking) -> None:
        self._link = link
        self._habits = habits
        self._speaking = speaking
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take(self, received: Received, presented: str) -> Reply | None:
        """None means 204. `presented` is the token that the caller came with."""
        body = codec.loads(received.body or b"{}")
        if received.correlation_id in self._link.unanswered:
            self._link.early.append(received.module or "")
        match received.module, received.method:
            case "register", "DELETE":
                self._speaking.stop_heartbeats()
                self._link.forget()
            case "register", _:
                return self._register(received, presented, body)
            case "handshake", _:
                self._note_wishes(body)
                self._after_answer(lambda: self._speaking.acknowledge(received.request_id), self._shaken)
            case (("handshake_acknowledge" | "handshake_acknowledgment"), _):
                if received.correlation_id != self._link.handshake_id:
                    return refused(400, "no handshake waits for this acknowledgement")
                self._note_wishes(body)
                self._shaken()
        return None

    async def close(self) -> None:
        """Ends what runs beside."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _register(self, received: Received, presented: str, body: Body) -> Reply | None:
        urls = {one["version"]: one["base_url"] for one in body["version_url"]}
        common = next((version for version in self._habits.versions if version in urls), None)
        if common is None:
            return refused(501, "there is no version in common")
        self._link.base_url, self._link.outbound_token = urls[common].rstrip("/"), body["token"]
        if presented == self._link.registration_token:
            self._link.registration_token, self._link.inbound_token = None, new_token()
            answer = self._speaking.answer_register
            self._after_answer(lambda: answer(received.request_id), self._link.registered.set)
        else:
            self._link.registered.set()
        return None

    def _note_wishes(self, body: Body) -> None:
        wanted = body.get("required_behaviour") or {}
        interval_s = wanted.get("heartbeat_interval")
        self._link.asked_interval_s = None if interval_s is None else float(interval_s)

    def _shaken(self) -> None:
        self._link.acknowledged.set()
        if self._habits.beats:
            self._speaking.start_heartbeats()

    def _after_answer(self, say: Callable[[], Awaitable[Answer]], then: Callable[[], None]) -> None:
        """Says it once the request is answered, and goes on if it was taken."""

        async def follow() -> None:
            for _ in range(_ROUNDS_OF_AN_ANSWER):
                await asyncio.sleep(0)
            if (await say()).status == 204:
                then()

        task = asyncio.create_task(follow())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
