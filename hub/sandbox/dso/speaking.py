"""What the simulated DSO says: every message of a Capacity Provider, and heartbeats as the other side asks for them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Literal
from uuid import uuid4

from hub.clock import Clock
from hub.ocpi import headers, times
from hub.ocpi.token import new_token
from hub.sandbox.answer import Answer
from hub.sandbox.client import Client
from hub.sandbox.dso import messages
from hub.sandbox.dso.counterpart import Link
from hub.sandbox.dso.habits import DsoHabits
from hub.sandbox.dso.messages import Body

INTERVALS_AHEAD = 3
_DEFAULT_INTERVAL_S = 60.0


class Speaking:
    """Sends. An answer is a value that never raises."""

    def __init__(
        self, link: Link, habits: DsoHabits, client: Client, clock: Clock, *, base_url: Callable[[], str]
    ) -> None:
        self._link = link
        self._habits = habits
        self._client = client
        self._clock = clock
        self._base_url = base_url
        self._beating: asyncio.Task[None] | None = None

    async def send(
        self,
        path: str,
        body: bytes | object | None,
        *,
        method: str = "POST",
        request_id: str | None = None,
        correlation_id: str | None = None,
        extra: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """Any message to the other side. `token` in place of the one it gave; bytes go out as they are."""
        request_id = request_id or str(uuid4())
        said = {headers.REQUEST_ID: request_id, headers.CORRELATION_ID: correlation_id, **(extra or {})}
        url, presented = f"{self._link.base_url}/{path}", token or self._link.outbound_token
        self._link.unanswered.add(request_id)
        try:
            return await self._client.send(method, url, token_value=presented, body=body, headers=said)
        finally:
            self._link.unanswered.discard(request_id)

    # --- registration ---

    async def register(self, base_url: str, token: str) -> Answer:
        """Registers at a Flexibility Provider by a token it gave out; `SandboxDso.registered` waits for the rest."""
        self._link.base_url, self._link.outbound_token = base_url.rstrip("/"), token
        self._link.inbound_token = new_token()
        return await self.send("register", self._register())

    async def answer_register(self, request_id: str | None) -> Answer:
        """The Register that answers one of the other side."""
        return await self.send("register", self._register(), correlation_id=request_id)

    async def rotate(self) -> Answer:
        """PUT register with a new token; a refusal changes nothing."""
        before, self._link.inbound_token = self._link.inbound_token, new_token()
        answer = await self.send("register", self._register(), method="PUT")
        if answer.status != 204:
            self._link.inbound_token = before
        return answer

    async def unregister(self) -> Answer:
        """DELETE register; whatever comes of it, the other side is forgotten."""
        self.stop_heartbeats()
        answer = await self.send("register", None, method="DELETE")
        self._link.forget()
        return answer

    def _register(self) -> Body:
        urls = [(version, self._base_url()) for version in self._habits.versions]
        return messages.register(self._link.inbound_token or "", urls)

    # --- handshake and heartbeats ---

    async def handshake(self) -> Answer:
        """Says what it requires; `SandboxDso.acknowledged` waits for what the other side requires."""
        self._link.acknowledged.clear()
        self._link.handshake_id = str(uuid4())
        return await self.send("handshake", self._behaviour(), request_id=self._link.handshake_id)

    async def acknowledge(self, request_id: str | None) -> Answer:
        """The acknowledgement of a handshake of the other side."""
        return await self.send(self._habits.acknowledge_path, self._behaviour(), correlation_id=request_id)

    def _behaviour(self) -> Body:
        return messages.behaviour(self._habits.heartbeat_interval_s, self._habits.measurements)

    async def heartbeat(self, ahead_s: float | None = None) -> Answer:
        """One heartbeat: offline if nothing more comes for so many seconds (three intervals if not given)."""
        if ahead_s is None:
            ahead_s = INTERVALS_AHEAD * (self._link.asked_interval_s or _DEFAULT_INTERVAL_S)
        until = self._clock.now() + timedelta(seconds=ahead_s)
        return await self.send("heartbeat", {"offline_mode_at": times.render(until)})

    def start_heartbeats(self) -> None:
        """Sends one now and then one each interval, if the other side has asked for them."""
        self.stop_heartbeats()
        if self._link.asked_interval_s is not None:
            self._beating = asyncio.create_task(self._beat(self._link.asked_interval_s))

    def stop_heartbeats(self) -> None:
        """Falls silent until the next handshake, or `start_heartbeats`."""
        beating, self._beating = self._beating, None
        if beating is not None:
            beating.cancel()

    async def _beat(self, interval_s: float) -> None:
        while True:
            await self.heartbeat()
            await self._clock.sleep(interval_s)

    # --- limits ---

    async def forecast(
        self,
        group_id: str,
        blocks: Sequence[Body],
        kind: str = "CONSUMPTION",
        *,
        segments: int = 1,
        order: Sequence[int] | None = None,
        each_names: Literal["first", "previous"] = "first",
        request_id: str | None = None,
    ) -> list[Answer]:
        """UpdateGroupCapacityForecast, perhaps in segments, sent in `order` (numbers from 1); the answers in that
        order. Each later segment names the first, or the one before it. `request_id` is that of the first.
        """
        path = "update_group_capacity_forecast"
        ids = [request_id or str(uuid4()), *(str(uuid4()) for _ in range(segments - 1))]
        parts = messages.shares(blocks, segments)
        answers = []
        for number in order or range(1, segments + 1):
            said = {"X-Segment-Index": str(number), "X-Segment-Count": str(segments)} if segments > 1 else {}
            named = None if number == 1 else ids[0] if each_names == "first" else ids[number - 2]
            body = messages.forecast(group_id, parts[number - 1], kind)
            answer = await self.send(path, body, request_id=ids[number - 1], correlation_id=named, extra=said)
            answers.append(answer)
        return answers
