"""Telling platforms who is online: a PUT of the client info when a party's status changes (R-196 to R-202, ruling 18).

Rules
- What was told is remembered once for the whole hub; a difference is told to every connected platform that takes client
  info and may know of the party.
- Per receiver, party and role only the newest state waits; while one push is under way the next ones gather.
- A push that fails is not repeated: the platform fetches the list when it is back (R-201).
- A party that is gone is told as SUSPENDED, once.
- When other agreements, or other parties of a platform, let it know of a party, that is told to it as a new one. When
  they no longer do, the party is told as PLANNED, once: that is OCPI's word for "no contract between these two"
  (R-193). From then on it is neither listed nor pushed to that platform.
- Every push of a party is later than the one before: a receiver may take what is not for out of date.
"""

import asyncio
from dataclasses import dataclass, field, replace

import structlog

from hub.broker.client_info import ClientInfo, ClientInfos
from hub.broker.client_info_news import Change, News
from hub.broker.client_info_sight import Changed, Sight, Sights
from hub.broker.liveness import LivenessBoard
from hub.broker.outreach import Outreach, describe
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain import relay
from hub.domain.outcome import Answer
from hub.domain.platform import Platform
from hub.ocpi import codec, names, urls
from hub.ocpi.names import ConnectionStatus, Interface

log = structlog.get_logger("hub.client_info")

# Receivers told at the same time; each gets one push after the other.
MAX_RECEIVERS = 64
# Parties looked at for one receiver before others have their turn.
_AT_A_TIME = 200
_OVER = (ConnectionStatus.SUSPENDED, ConnectionStatus.PLANNED)


@dataclass(slots=True)
class _Reader:
    """How far a platform has been told: up to the change `number`, under its `sight`. `again` are the parties it sees
    otherwise than it was told.
    """

    sight: Sight
    number: int
    again: set[str] = field(default_factory=set)

    @property
    def platform_id(self) -> str:
        return self.sight.platform.id


class ClientInfoPush:
    """Pushes changes. `changed` may be called at any time and as often as one likes; `run` does the work."""

    def __init__(
        self,
        *,
        infos: ClientInfos,
        sights: Sights,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        outreach: Outreach,
        clock: Clock,
    ) -> None:
        self._infos = infos
        self._sights = sights
        self._registry = registry
        self._liveness = liveness
        self._outreach = outreach
        self._clock = clock
        self._stirred = asyncio.Event()
        self._looking = False
        self._told: dict[str, ClientInfo] = {}
        self._seen: dict[str, Sight] = {}
        self._news = News()
        self._readers: dict[str, _Reader] = {}
        self._turns = asyncio.Semaphore(MAX_RECEIVERS)

    def start(self) -> None:
        """What is known at the start counts as told: platforms have it or fetch it."""
        self._told = {info.key: info for info in self._infos.every()}
        self._seen = self._seeing()

    def changed(self) -> None:
        """Registry or liveness may have changed."""
        self._stirred.set()

    @property
    def quiet(self) -> bool:
        """Whether everybody was told everything."""
        return not self._stirred.is_set() and not self._looking and not self._readers

    async def run(self) -> None:
        """Tells every difference, for ever."""
        async with asyncio.TaskGroup() as telling:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                self._looking = True
                await self._look(telling)
                self._looking = False

    async def _look(self, telling: asyncio.TaskGroup) -> None:
        """Finds what is new, for everybody and for those who see otherwise than before."""
        self._news.forget(min((one.number for one in self._readers.values()), default=self._news.last))
        known = self._news.last
        self._compare()
        before, self._seen = self._seen, self._seeing()
        for reader in self._readers.values():
            before[reader.platform_id] = reader.sight
            reader.sight = self._seen.get(reader.platform_id, reader.sight)
        if self._news.last > known:
            for sight in self._seen.values():
                self._reader(sight, known, telling)
        changed = Changed(self._told)
        for platform_id, sight in self._seen.items():
            # Who was away until now has what holds now, or fetches it.
            again = await changed.keys(before.get(platform_id, sight), sight)
            if again:
                self._reader(sight, self._news.last, telling).again ^= again

    def _seeing(self) -> dict[str, Sight]:
        """How those see who can be told something."""
        return {one.id: self._sights.of(one) for one in self._registry.snapshot.platforms if self._takes(one)}

    def _reader(self, sight: Sight, number: int, telling: asyncio.TaskGroup) -> _Reader:
        """The reader of a platform; a new one reads on behind this number."""
        reader = self._readers.get(sight.platform.id)
        if reader is None:
            reader = self._readers[sight.platform.id] = _Reader(sight, number)
            telling.create_task(self._tell(reader))
        return reader

    def _compare(self) -> None:
        """Notes what differs from what was told, and counts it as told."""
        told: dict[str, ClientInfo] = {}
        for info in self._infos.every():
            key = info.key
            before = self._told.pop(key, None)
            now = told[key] = info if before is None else self._stamped(info, before)
            if before is None or before.status is not now.status or before.host != now.host:
                self._news.add(key, before, now)
        for key, gone in self._told.items():
            if gone.status is not ConnectionStatus.SUSPENDED:
                self._news.add(key, gone, None)
        self._told = told

    def _stamped(self, info: ClientInfo, before: ClientInfo) -> ClientInfo:
        """Clocks differ, and a party may change who leads to it: what is told later must say so."""
        same = info.status is before.status
        if info.last_updated > before.last_updated or (same and info.last_updated == before.last_updated):
            return info
        return replace(info, last_updated=before.last_updated if same else self._clock.now())

    def _takes(self, platform: Platform) -> bool:
        return (
            self._liveness.status(platform) is ConnectionStatus.CONNECTED
            and self._registry.snapshot.endpoint(platform, names.HUB_CLIENT_INFO, Interface.RECEIVER) is not None
        )

    async def _tell(self, reader: _Reader) -> None:
        """Sends what is new for one platform, one PUT after the other, until nothing is."""
        try:
            while self._may_have_news(reader):
                async with self._turns:
                    # Only now: while it waited for its turn there may have been something newer.
                    info = await self._next(reader)
                    if info is not None:
                        await self._put(reader.platform_id, info)
        finally:
            del self._readers[reader.platform_id]

    def _may_have_news(self, reader: _Reader) -> bool:
        more = bool(reader.again) or self._news.after(reader.number) is not None
        return more and reader.platform_id in self._seen

    async def _next(self, reader: _Reader) -> ClientInfo | None:
        """What the platform is to be told next, if anything."""
        looked = 0
        while self._may_have_news(reader):
            info = self._look_at_one(reader)
            if info is not None:
                return info
            looked += 1
            if looked % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        return None

    def _look_at_one(self, reader: _Reader) -> ClientInfo | None:
        if reader.again:
            info = self._told.get(reader.again.pop())
            return None if info is None else self._seen_anew(info, seen=reader.sight.sees(info))
        change = self._news.after(reader.number)
        if change is None:
            return None
        reader.number = change.number
        return self._news_for(reader.sight, change)

    def _seen_anew(self, info: ClientInfo, *, seen: bool) -> ClientInfo | None:
        if not seen and info.status in _OVER:
            return None
        status = info.status if seen else ConnectionStatus.PLANNED
        return replace(info, status=status, last_updated=self._clock.now())

    def _news_for(self, sight: Sight, change: Change) -> ClientInfo | None:
        before, now = change.before, change.now
        knew = before is not None and sight.sees(before)
        if now is not None and sight.sees(now):
            return None if knew and change.only_moved else now
        if before is None or not knew or (now is not None and now.host == sight.platform.id):
            return None
        return replace(before, status=ConnectionStatus.SUSPENDED, last_updated=self._clock.now())

    async def _put(self, platform_id: str, info: ClientInfo) -> None:
        platform = self._registry.snapshot.platform(platform_id)
        if platform is None or not self._takes(platform):
            return
        endpoint = self._registry.snapshot.endpoint(platform, names.HUB_CLIENT_INFO, Interface.RECEIVER)
        outbound = self._registry.outbound(platform)
        if endpoint is None or outbound is None:
            return
        url = urls.join(endpoint, f"{info.party.country_code}/{info.party.party_id}")
        body = codec.dumps(info.rendered())
        outcome = await self._outreach.request(outbound.wire, "PUT", url, outbound.authorization, body)
        alive = relay.shows_life(outcome)
        if alive:
            self._liveness.heard(platform_id)
        elif alive is False:
            self._liveness.failed(platform_id)
        if not isinstance(outcome, Answer) or outcome.status >= 300:
            log.info("client info was not taken", platform=platform_id, party=str(info.party), why=describe(outcome))
