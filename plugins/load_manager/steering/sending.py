"""Profiles on their way to CPOs: messages about one session go one after the other, those about others beside them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hub.ocpi.names import CHARGING_PROFILES, Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.plugin import Answer, HubApi, NotAllowed, StoreUnavailable, Term, TermOver
from plugins.load_manager.dispatch import Put, Release
from plugins.load_manager.profiles import Scale, to_ocpi

_HUBS_OWN = range(StatusCode.HUB_ERROR, 5000)
_SERVERS = range(StatusCode.SERVER_ERROR, StatusCode.HUB_ERROR)

MOST_UNDER_WAY = 32
"""So many messages at once to one CPO: half of what the hub lets into a platform, which others want to reach too."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message about a session: `cpo` has it under this id and takes limits in this scale."""

    action: Put | Release
    cpo: PartyId
    session_id: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class Said:
    """What the CPO said at once; None when nobody knows whether it heard."""

    answer: Response | None
    timeout_s: int = 0


@dataclass(slots=True)
class _Line:
    """Sessions of a CPO that wait for their turn, and how many tasks work them off: a plugin has not one for each."""

    sessions: deque[str] = field(default_factory=deque)
    workers: int = 0


class Sent(Protocol):
    """Who is told what a CPO said."""

    def __call__(self, message: Message, said: Said) -> None: ...


class Sending:
    """Sends in the name of one party, with the term, so that nothing leaves a node that steers no more."""

    def __init__(self, hub: HubApi, party: PartyId, term: Term, sent: Sent) -> None:
        self._hub = hub
        self._party = party
        self._term = term
        self._sent = sent
        self._queues: dict[str, deque[Callable[[], Awaitable[None]]]] = {}
        self._idle: dict[str, asyncio.Event] = {}
        self._slots: dict[PartyId, asyncio.Semaphore] = {}
        self._lines: dict[PartyId, _Line] = {}

    def send(self, message: Message) -> None:
        """Sends it when all before it about this session were answered."""
        session = message.action.session_id
        if self._enqueue(session, lambda: self._send(message)):
            line = self._lines.setdefault(message.cpo, _Line())
            line.sessions.append(session)
            if line.workers < MOST_UNDER_WAY:
                line.workers += 1
                self._hub.spawn(self._work(line), name="profiles of a CPO")

    async def turn(self, session: str, within_s: float) -> bool:
        """Waits until nothing about the session is under way; False when that takes longer."""
        idle = self._idle.get(session)
        if idle is None:
            return True
        try:
            async with asyncio.timeout(within_s):
                await idle.wait()
        except TimeoutError:
            return False
        return True

    def hold(self, session: str, until: asyncio.Event) -> None:
        """Somebody else's message about the session is under way: ours wait until it was answered."""

        async def wait() -> None:
            await until.wait()

        if self._enqueue(session, wait):
            self._hub.spawn(self._work_off(session), name="profiles of a session")

    def _enqueue(self, session: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether nothing was under way about the session, so that somebody has to begin."""
        queue = self._queues.get(session)
        if queue is not None:
            queue.append(work)
            return False
        self._queues[session] = deque([work])
        self._idle[session] = asyncio.Event()
        return True

    async def _work(self, line: _Line) -> None:
        try:
            while line.sessions:
                await self._work_off(line.sessions.popleft())
        finally:
            line.workers -= 1

    async def _work_off(self, session: str) -> None:
        queue = self._queues[session]
        try:
            while queue and not self._term.over:
                await queue.popleft()()
        finally:
            del self._queues[session]
            self._idle.pop(session).set()

    async def _send(self, message: Message) -> None:
        async with self._slots.setdefault(message.cpo, asyncio.Semaphore(MOST_UNDER_WAY)):
            await self._exchange(message)

    async def _exchange(self, message: Message) -> None:
        action = message.action
        context = {"session": action.session_id, "epoch": action.epoch, "seq": action.seq}
        profile = None if action.profile is None else to_ocpi(action.profile, message.scale)
        try:
            answer = await self._hub.send(
                message.cpo,
                CHARGING_PROFILES,
                Interface.RECEIVER,
                "DELETE" if profile is None else "PUT",
                message.session_id,
                None if profile is None else {"charging_profile": profile},
                as_party=self._party,
                context=context,
                term=self._term,
            )
        except TermOver:
            return
        except (StoreUnavailable, NotAllowed) as failed:
            self._hub.log.warning("a profile was not sent", session=action.session_id, error=str(failed))
            self._sent(message, Said(None))
            return
        self._sent(message, said_by(answer))


def said_by(answer: Answer) -> Said:
    """What an answer to a charging profile says. A refusal of the CPO's own is a REJECTED; of an error on the way or at
    the CPO nobody knows what became.
    """
    if not answer.ok:
        unknown = answer.http >= 500 or answer.status_code in _HUBS_OWN or answer.status_code in _SERVERS
        return Said(None if unknown else Response.REJECTED)
    try:
        return said_in(answer.read())
    except ValueError:
        return Said(None)


def said_in(data: object) -> Said:
    """The same of the `data` of an answer."""
    has = data if isinstance(data, Mapping) else {}
    timeout = has.get("timeout")
    try:
        answer = Response(str(has.get("result")))
    except ValueError:
        return Said(None)
    return Said(answer, timeout if isinstance(timeout, int) and 0 <= timeout <= 3600 else 30)
