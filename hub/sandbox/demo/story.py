"""The vocabulary chapters are written in: send a message, then tell what came of it and what should have."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from hub.clock import Clock, SystemClock
from hub.ocpi import codec, headers
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox.demo.cast import Cast, Player
from hub.sandbox.demo.hub import Hub
from hub.sandbox.demo.message import Arrival, Message, status_text
from hub.sandbox.demo.screen import Screen
from hub.sandbox.demo.step import Chapter, Step

log = structlog.get_logger("hub.demo")

HUB = "hub"


class Story:
    """What has been told so far. `pace_s` passes after every step, so that people can follow."""

    def __init__(
        self, hub: Hub, cast: Cast, screen: Screen, *, pace_s: float = 0.0, clock: Clock | None = None
    ) -> None:
        self.hub = hub
        self.cast = cast
        self.chapters: list[Chapter] = []
        self._screen = screen
        self._pace_s = pace_s
        self._clock = clock or SystemClock()

    @property
    def passed(self) -> bool:
        return all(chapter.passed == len(chapter.steps) > 0 for chapter in self.chapters)

    def now_s(self) -> float:
        """Monotonic seconds, on the clock of the platforms."""
        return self._clock.monotonic()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._clock.now()

    async def pause(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def chapter(self, title: str, about: str, play: Callable[["Story"], Awaitable[None]]) -> None:
        """Tells one chapter to its end; whatever breaks in it is one more step that failed."""
        self.chapters.append(Chapter(title, about))
        self._screen.heading(len(self.chapters), title, about)
        try:
            await play(self)
        except Exception as mistake:
            # The boundary: after a step that failed, what the next ones build on may be missing in any way.
            log.exception("a chapter broke off", chapter=title)
            problem = f"{type(mistake).__name__}: {mistake}"
            await self.add(Step((), "", "", "the chapter broke off here", problems=(problem,)))

    async def add(self, step: Step) -> None:
        """One more step of this chapter."""
        self.chapters[-1].steps.append(step)
        self._screen.step(step)
        await self._clock.sleep(self._pace_s)

    async def send(
        self,
        method: str,
        module: str,
        interface: Interface | None,
        tail: str = "",
        *,
        by: Player,
        to: Player | PartyId | None = None,
        body: object | None = None,
        query: str = "",
        url: str | None = None,
        sender: PartyId | None = None,
        name: str | None = None,
    ) -> Message:
        """Sends a message of the player `by` (or in the name of `sender`) through the hub and sees where it arrives."""
        content = body if isinstance(body, bytes) or body is None else codec.dumps(body)
        correlation_id = str(uuid4())
        started_s = self.now_s()
        answer = await by.platform.call(
            method,
            module,
            interface,
            tail,
            to=to.party if isinstance(to, Player) else to,
            sender=sender or by.party,
            query=query,
            body=content,
            headers={headers.CORRELATION_ID: correlation_id},
            url=url,
        )
        ended_s = self.now_s()
        arrivals = [
            Arrival(platform, request)
            for platform in self.cast.platforms
            for request in platform.received
            if request.correlation_id == correlation_id
        ]
        return Message(
            by=by,
            to=to if isinstance(to, Player) else None,
            name=name or f"{method} {module}",
            method=method,
            tail=None if url is not None else tail,
            body=content,
            answer=answer,
            arrivals=tuple(arrivals),
            started_s=started_s,
            ended_s=ended_s,
        )

    async def tell(
        self,
        message: Message,
        outcome: str,
        *,
        http: int = 200,
        code: int = 1000,
        arrives: bool = True,
        body: bytes | None = None,
        checks: Mapping[str, bool] | None = None,
        details: Sequence[str] = (),
    ) -> None:
        """Tells of a message. It should be answered with these statuses and, unless `arrives` is False, reach its
        receiver once with the body that was sent (or with `body`). `checks` says what else should be true.
        """
        problems = list(message.problems(http, code, arrives=arrives, body=body or message.body))
        problems += [f"not so: {claim}" for claim, holds in (checks or {}).items() if not holds]
        whom = [] if message.to is None or not arrives else [message.to.name]
        await self.add(
            Step(
                (message.by.name, HUB, *whom),
                message.name,
                status_text(message.answer),
                outcome,
                message.total_s,
                message.there_s,
                tuple(problems),
                tuple(details),
            )
        )
