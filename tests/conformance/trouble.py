"""A store that fails in the middle of a handshake, and looks at what a hub made of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.app import RunningHub
from hub.broker.alarms import Alarm
from hub.domain.platform import Platform
from hub.errors import StoreUnavailable
from hub.ocpi import headers
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox.platform import SandboxPlatform
from tests.hubs import id_of

Write = Callable[[Platform], Awaitable[None]]


async def accepted(hub: RunningHub, platform: SandboxPlatform, token: str) -> bool:
    """Whether the hub takes this token from the platform."""
    carried = {headers.AUTHORIZATION: authorization(token, TokenEncoding.BASE64)}
    return (await platform.call("GET", "", None, url=hub.identity.versions_url, headers=carried)).status == 200


def stored(hub: RunningHub, name: str) -> Platform:
    platform = hub.registry.snapshot.platform(id_of(hub, name))
    assert platform is not None
    return platform


def alarm(hub: RunningHub, kind: str) -> Alarm | None:
    return next((alarm for alarm in hub.alarms.newest_first if alarm.kind == kind), None)


class Trouble:
    """What the store does from one write of a platform on: `meet` gets the write it would have made."""

    def __init__(self, hub: RunningHub, patch: pytest.MonkeyPatch) -> None:
        self._store: Any = hub.store.platforms
        self._real: Write = self._store.replace
        self._read: Callable[[str], Awaitable[Platform | None]] = self._store.get
        self._patch = patch
        self.away = False

    def starts(self, meet: Callable[["Trouble", Platform], Awaitable[None]], *, after: int = 0) -> None:
        """`after` writes still succeed."""
        left = after

        async def replace(platform: Platform) -> None:
            nonlocal left
            left -= 1
            await (self._real(platform) if left >= 0 else meet(self, platform))

        async def get(platform_id: str) -> Platform | None:
            if self.away:
                raise StoreUnavailable("away")
            return await self._read(platform_id)

        self._patch.setattr(self._store, "replace", replace)
        self._patch.setattr(self._store, "get", get)

    async def written(self, platform: Platform) -> None:
        await self._real(platform)

    def ends(self) -> None:
        self.away = False
        self._patch.setattr(self._store, "replace", self._real)


async def is_away(trouble: Trouble, platform: Platform) -> None:
    trouble.away = True
    raise StoreUnavailable("away")
