"""Telling platforms who is online: a PUT of the client info when a party's status changes (R-196 to R-202, ruling 18).

Rules
- What was told is remembered; a difference is told to every other connected platform that takes client info.
- Per receiver, party and role only the newest state waits; while one push is under way the next ones gather.
- A push that fails is not repeated: the platform fetches the list when it is back (R-201).
- A party that is gone is told as SUSPENDED, once.
"""

import asyncio
from dataclasses import replace

import structlog

from hub.broker.client_info import ClientInfo, ClientInfos
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


class ClientInfoPush:
    """Pushes changes. `changed` may be called at any time and as often as one likes; `run` does the work."""

    def __init__(
        self,
        infos: ClientInfos,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        outreach: Outreach,
        clock: Clock,
    ) -> None:
        self._infos = infos
        self._registry = registry
        self._liveness = liveness
        self._outreach = outreach
        self._clock = clock
        self._news = asyncio.Event()
        self._told: dict[str, ClientInfo] = {}
        self._waiting: dict[str, dict[str, ClientInfo]] = {}
        self._telling: set[str] = set()
        self._turns = asyncio.Semaphore(MAX_RECEIVERS)

    def start(self) -> None:
        """What is known at the start counts as told: platforms have it or fetch it."""
        self._told = {info.key: info for info in self._infos.every()}

    def changed(self) -> None:
        """Registry or liveness may have changed."""
        self._news.set()

    @property
    def quiet(self) -> bool:
        """Whether everybody was told everything."""
        return not self._news.is_set() and not self._telling

    async def run(self) -> None:
        """Tells every difference, for ever."""
        async with asyncio.TaskGroup() as telling:
            while True:
                await self._news.wait()
                self._news.clear()
                differences = self._differences()
                if not differences:
                    continue
                for platform in self._registry.snapshot.platforms:
                    wanted = {info.key: info for info in differences if info.host != platform.id}
                    if not wanted or not self._takes(platform):
                        continue
                    self._waiting.setdefault(platform.id, {}).update(wanted)
                    if platform.id not in self._telling:
                        self._telling.add(platform.id)
                        telling.create_task(self._tell(platform.id))

    def _differences(self) -> list[ClientInfo]:
        """What differs from what was told, which from now on counts as told."""
        now = {info.key: info for info in self._infos.every()}
        changed = [
            info
            for key, info in now.items()
            if (before := self._told.get(key)) is None or before.status is not info.status
        ]
        gone = [
            replace(info, status=ConnectionStatus.SUSPENDED, last_updated=self._clock.now())
            for key, info in self._told.items()
            if key not in now and info.status is not ConnectionStatus.SUSPENDED
        ]
        self._told = now
        return changed + gone

    def _takes(self, platform: Platform) -> bool:
        return (
            self._liveness.status(platform) is ConnectionStatus.CONNECTED
            and self._registry.snapshot.endpoint(platform, names.HUB_CLIENT_INFO, Interface.RECEIVER) is not None
        )

    async def _tell(self, platform_id: str) -> None:
        """Sends what waits for one platform, one PUT after the other, until nothing does."""
        try:
            while waiting := self._waiting.get(platform_id):
                async with self._turns:
                    key = next(iter(waiting))
                    await self._put(platform_id, waiting.pop(key))
        finally:
            self._waiting.pop(platform_id, None)
            self._telling.discard(platform_id)

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
