"""OSCP 2.0 between a simulated DSO and a hub with a plugin that speaks it: registration, contact, limits, reports."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import codec
from hub.plugin import HubApi, Plugin, PluginConfig, Route
from hub.sandbox.dso import SandboxDso, block
from plugins.load_manager.oscp import AdminRoutes, CapacityProviders, NotDelivered, State
from tests.hubs import ADMIN_TOKEN
from tests.plugins.hosting import hosting, running
from tests.unit.plugins.load_manager.oscp.socket_hub import Told
from tests.waiting import until


class GridConfig(PluginConfig):
    public_url: str
    """Where capacity providers reach the hub."""


class Grid(Plugin[GridConfig]):
    """Lets capacity providers in, and writes down what they say."""

    name = "grid"
    Config = GridConfig

    def __init__(self, config: GridConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.told = Told()
        self.providers = CapacityProviders(hub, self.told, config.public_url)

    async def start(self) -> None:
        await self.providers.open()
        await self.providers.watch()

    async def stop(self) -> None:
        self.providers.unwatch()

    def routes(self) -> Iterable[Route]:
        yield from self.providers.routes()
        yield from AdminRoutes(self.providers).routes()


@dataclass
class Area:
    """A hub that listens to DSOs, and one DSO."""

    hub: RunningHub
    clock: ManualClock
    dso: SandboxDso
    id: str = ""

    @property
    def plugin(self) -> Grid:
        return running(self.hub, Grid)

    async def register(self) -> str:
        """The DSO begins; the registration token."""
        invitation = await self.plugin.providers.create("Grid One")
        self.id = invitation.id
        self.plugin.told.groups = {"G1": self.id}
        assert (await self.dso.register(invitation.base_url, invitation.registration_token)).status == 204
        await self.dso.registered()
        return invitation.registration_token

    async def shake_hands(self) -> None:
        assert (await self.dso.handshake()).status == 204
        await self.dso.acknowledged()

    async def state(self) -> State:
        return (await self.plugin.providers.get(self.id)).state


@pytest.fixture
async def dso() -> AsyncIterator[SandboxDso]:
    async with SandboxDso() as running_dso:
        running_dso.habits.beats = False
        yield running_dso


@asynccontextmanager
async def area(folder: Path, port: int, dso: SandboxDso, **settings: Any) -> AsyncIterator[Area]:
    config = {"grid": {"public_url": f"http://127.0.0.1:{port}"}}
    clock = ManualClock()
    async with hosting(folder, Grid, config=config, only=(), clock=clock, port=port, **settings) as (hub, _):
        yield Area(hub, clock, dso)
        assert dso.link.early == []


async def admin(a: Area, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of a call by an operator, below `/admin/v1/capacity-providers`."""
    url, headers = f"{a.hub.url}/admin/v1/capacity-providers{path}", {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, url, json=body, headers=headers) as answer,
    ):
        return answer.status, codec.loads(await answer.read() or b"null")


def hour(a: Area, limit: float) -> list[dict[str, Any]]:
    """Four quarters with this limit."""
    quarter = timedelta(minutes=15)
    return [block(a.clock.now() + n * quarter, a.clock.now() + (n + 1) * quarter, limit) for n in range(4)]


async def test_from_the_registration_to_the_report(tmp_path: Path, unused_tcp_port: int, dso: SandboxDso) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        token = await a.register()
        assert (await dso.send("heartbeat", {}, token=token)).status == 401
        await a.shake_hands()
        answers = await dso.forecast("G1", hour(a, 30), segments=3, order=(3, 1, 2), request_id="F1")
        assert [(one.status, one.body) for one in answers] == [(204, b"")] * 3
        (forecast,) = a.plugin.told.forecasts
        assert [one.capacity for one in forecast.blocks] == [30] * 4

        reports, now = a.plugin.providers.reports, a.clock.now()
        await reports.cannot_comply(a.id, forecast.message_id, "too much", forecast.blocks)
        await reports.measured(a.id, "G1", energy_kwh=Decimal("1.5"), since=now, at=now)
        assert dso.received.of("group_capacity_compliance_error")[0].correlation_id == "F1"
        assert dso.received.of("update_group_measurements")[0].data["group_id"] == "G1"

        await dso.send("heartbeat", {"offline_mode_at": "2026-01-01T00:05:00Z"})
        assert await a.state() is State.ONLINE


async def test_the_hub_begins(tmp_path: Path, unused_tcp_port: int, dso: SandboxDso) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        invitation = await a.plugin.providers.connect("Grid One", dso.base_url, dso.issue_token())
        await dso.registered()
        a.id = invitation.id
        assert await a.state() is State.REGISTERED
        await a.shake_hands()
        assert await a.state() is State.HANDSHAKEN


async def test_contact_is_lost_and_comes_back_by_a_handshake(
    tmp_path: Path, unused_tcp_port: int, dso: SandboxDso
) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        await a.register()
        await a.shake_hands()
        told = a.plugin.told
        deadline = a.clock.now() + timedelta(seconds=180)
        await a.clock.advance(179)
        assert told.count("offline") == 0
        await a.clock.advance(1)
        await until(lambda: told.count("offline") == 1)
        assert told.events[-1] == ("offline", a.id, deadline)

        assert (await dso.heartbeat(600)).status == 204
        assert await a.state() is State.OFFLINE
        await a.shake_hands()
        assert [one[0] for one in told.events] == ["online", "offline", "online"]


async def test_everything_is_known_after_a_restart(tmp_path: Path, unused_tcp_port: int, dso: SandboxDso) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        await a.register()
        await a.shake_hands()
        known = a.id
    async with area(tmp_path, unused_tcp_port, dso) as a:
        a.id, a.plugin.told.groups = known, {"G1": known}
        assert await a.state() is State.HANDSHAKEN
        (answer,) = await dso.forecast("G1", hour(a, 20))
        assert answer.status == 204
        assert (await dso.heartbeat(600)).status == 204
        await a.clock.advance(60)
        await dso.wait_for("heartbeat")


@pytest.mark.parametrize(
    ("path", "token", "body", "status"),
    [
        ("heartbeat", "not-issued", {}, 401),
        ("heartbeat", None, b"{", 400),
        ("heartbeat", None, {"offline_mode_at": "yesterday"}, 400),
        ("update_group_capacity_forecast", None, {"group_id": "G1"}, 400),
        ("handshake_acknowledge", None, {}, 400),
        ("handshake_acknowledgment", None, {}, 400),
        ("update_group_measurements", None, {}, 404),
    ],
)
async def test_what_is_refused_says_why(
    tmp_path: Path, unused_tcp_port: int, dso: SandboxDso, path: str, token: str | None, body: object, status: int
) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        await a.register()
        answer = await dso.send(path, body, token=token)
        assert answer.status == status
        if status != 404:
            assert codec.loads(answer.body).keys() == {"message"}
        assert a.plugin.told.events == []


async def test_addresses_that_the_hub_may_not_call(tmp_path: Path, unused_tcp_port: int, dso: SandboxDso) -> None:
    async with area(tmp_path, unused_tcp_port, dso, allowed_networks=()) as a:
        with pytest.raises(NotDelivered):
            await a.plugin.providers.connect("Grid One", dso.base_url, dso.issue_token())
        assert a.plugin.providers.every() == []
        invitation = await a.plugin.providers.create("Grid One")
        assert (await dso.register(invitation.base_url, invitation.registration_token)).status == 204
        await until(lambda: any(one.subject == invitation.id for one in a.hub.alarms.newest_first))
        assert len(dso.received) == 0


async def test_operators_make_a_dso_known_and_forget_it(tmp_path: Path, unused_tcp_port: int, dso: SandboxDso) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        status, made = await admin(a, "POST", "", {"name": "Grid One", "profile": {"heartbeat_interval_s": 30}})
        assert (status, made.keys()) == (201, {"id", "registration_token", "base_url"})
        one = f"/{made['id']}"
        assert (await admin(a, "POST", f"{one}/test-signal"))[0] == 502
        assert (await dso.register(made["base_url"], made["registration_token"])).status == 204
        await dso.registered()
        await a.plugin.providers.get(made["id"])
        assert (await dso.handshake()).status == 204
        await dso.acknowledged()

        status, seen = await admin(a, "GET", one)
        assert (status, seen["state"], seen["heartbeats_in"]) == (200, "HANDSHAKEN", 0)
        assert seen["profile"]["heartbeat_interval_s"] == 30
        assert (await admin(a, "GET", ""))[1] == {"items": [seen]}
        assert (await admin(a, "POST", f"{one}/test-signal"))[0] == 204
        assert (await admin(a, "POST", f"{one}/rotate"))[0] == 204
        assert (await admin(a, "POST", f"{one}/invite"))[0] == 201
        assert len(dso.received.of("heartbeat")) == 1
        assert (await admin(a, "DELETE", one))[0] == 204
        assert (await admin(a, "GET", one))[0] == 404


async def test_a_dso_with_the_hubs_own_api_has_a_token_for_nothing_else(
    tmp_path: Path, unused_tcp_port: int, dso: SandboxDso
) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        status, made = await admin(a, "POST", "", {"name": "Grid One", "kind": "native"})
        assert (status, made.keys()) == (201, {"id", "token"})
        providers = a.plugin.providers
        assert await providers.native_of(f"Bearer {made['token']}") == made["id"]
        assert await providers.native_of("Bearer not-issued") is None
        assert await providers.native_of(None) is None
        dso.link.base_url = f"http://127.0.0.1:{unused_tcp_port}/oscp/fp/2.0"
        assert (await dso.send("heartbeat", {}, token=made["token"])).status == 403
        await a.register()
        assert await providers.native_of(f"Token {dso.link.outbound_token}") is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "name"),
        ({"name": "x", "token": "t"}, "version_url"),
        ({"name": "x", "version_url": "http://127.0.0.1/"}, "token"),
        ({"name": "x", "version_url": "no URL", "token": "t"}, "URL"),
        ({"name": "x", "profile": {"registers": False}}, "version_url"),
        ({"name": "x", "profile": {"auth": "oauth2"}}, "oauth2"),
        ({"name": "x", "kind": "native", "profile": {}}, "native"),
        ({"name": "x", "colour": "red"}, "colour"),
    ],
)
async def test_what_an_operator_cannot_mean(
    tmp_path: Path, unused_tcp_port: int, dso: SandboxDso, body: object, named: str
) -> None:
    async with area(tmp_path, unused_tcp_port, dso) as a:
        status, told = await admin(a, "POST", "", body)
        assert status == 400
        assert named in told["title"]
        assert a.plugin.providers.every() == []
