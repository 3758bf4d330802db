"""A small hub whose routes and requests are on real sockets, a load manager that writes down what it is told, and a
simulated DSO at its side; all of them live by one clock that stands still.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from hub.clock import ManualClock
from hub.plugin import HttpAnswer, HttpFailed, HttpRequest, Route
from hub.sandbox.answer import Answer
from hub.sandbox.dso import DsoHabits, SandboxDso, block
from hub.sandbox.listener import Listener
from plugins.load_manager.oscp import (
    CapacityProviders,
    Forecast,
    Invitation,
    OthersGroup,
    Profile,
    State,
    UnknownGroup,
)
from tests.unit.plugins.small_hub import Called, SmallHub
from tests.waiting import until


class SocketHub(SmallHub):
    """A small hub with real requests; `unreachable` breaks so many of them off before they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.unreachable = 0
        self._session: aiohttp.ClientSession | None = None

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 10.0,
        max_body: int = 1024 * 1024,
    ) -> HttpAnswer:
        self.called.append(Called(method, url, dict(headers or {}), body))
        if self.unreachable:
            self.unreachable -= 1
            raise HttpFailed("not sent: the network is away", sent=False)
        self._session = self._session or aiohttp.ClientSession()
        try:
            async with self._session.request(method, url, headers=dict(headers or {}), data=body) as answer:
                said = {name.lower(): value for name, value in answer.headers.items()}
                return HttpAnswer(answer.status, said, await answer.read())
        except aiohttp.ClientError as problem:
            raise HttpFailed(type(problem).__name__, sent=True) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


@dataclass
class Told:
    """The load manager's side of the port. `groups` says whose each group is; `events` is everything in order."""

    groups: dict[str, str] = field(default_factory=dict)
    forecasts: list[Forecast] = field(default_factory=list)
    events: list[tuple[str, str, datetime | None]] = field(default_factory=list)

    async def on_forecast(self, provider_id: str, forecast: Forecast) -> None:
        owner = self.groups.get(forecast.group_id)
        if owner is None:
            raise UnknownGroup(forecast.group_id)
        if owner != provider_id:
            raise OthersGroup(forecast.group_id)
        self.forecasts.append(forecast)
        self.events.append(("forecast", provider_id, None))

    async def on_online(self, provider_id: str) -> None:
        self.events.append(("online", provider_id, None))

    async def on_offline(self, provider_id: str, since: datetime) -> None:
        self.events.append(("offline", provider_id, since))

    def count(self, kind: str) -> int:
        return sum(one[0] == kind for one in self.events)


@dataclass
class Site:
    """All of it."""

    hub: SocketHub
    told: Told
    providers: CapacityProviders
    dso: SandboxDso
    id: str = ""

    @property
    def clock(self) -> ManualClock:
        return self.hub.clock

    async def state(self) -> State:
        return (await self.providers.get(self.id)).state

    async def register(self, profile: Profile | None = None) -> Invitation:
        """The DSO registers with the hub's token."""
        invitation = await self.providers.create("Grid One", profile)
        self.id = invitation.id
        answer = await self.dso.register(invitation.base_url, invitation.registration_token)
        assert answer.status == 204, answer.body
        await self.dso.registered()
        return invitation

    async def shake_hands(self) -> None:
        """The DSO begins."""
        before = self.told.count("online")
        answer = await self.dso.handshake()
        assert answer.status == 204, answer.body
        await self.dso.acknowledged()
        assert self.told.count("online") == before + 1

    async def pass_by(self, seconds: float, condition: Callable[[], bool]) -> None:
        """Time passes, and what wakes has its way over the sockets."""
        await self.clock.advance(seconds)
        await until(condition, timeout_s=5.0)

    async def send_limit(self, **more: Any) -> list[Answer]:
        """30 kW for the next hour."""
        now = self.clock.now()
        return await self.dso.forecast("G1", [block(now, now + timedelta(hours=1), 30)], **more)


@asynccontextmanager
async def site(
    *, oauth2: tuple[str, str] | None = None, access_token_life_s: float = 300.0, **habits: Any
) -> AsyncIterator[Site]:
    """A hub that watches, and a DSO of these habits that it does not know yet."""
    hub = SocketHub()
    clock, life_s = hub.clock, access_token_life_s
    dso = SandboxDso(habits=DsoHabits(**habits), oauth2=oauth2, access_token_life_s=life_s, clock=clock)
    async with hub, dso:
        routes: list[Route] = []
        listener = Listener("127.0.0.1", 0, None, lambda request: _served(routes, request))
        await listener.open()
        told = Told()
        providers = CapacityProviders(hub, told, f"http://127.0.0.1:{listener.port}")
        routes += providers.routes()
        await providers.open()
        await providers.watch()
        try:
            yield Site(hub, told, providers, dso)
            assert dso.link.early == []
        finally:
            providers.unwatch()
            await listener.close()
            await hub.close()


async def _served(routes: Iterable[Route], request: web.BaseRequest) -> web.StreamResponse:
    route = next(one for one in routes if (one.method, one.path) == (request.method, request.path))
    said = {name.lower(): value for name, value in request.headers.items()}
    answer = await route.serve(HttpRequest(request.method, request.path, {}, {}, said, await request.read()))
    return web.Response(status=answer.status, body=answer.content, headers=dict(answer.headers))
