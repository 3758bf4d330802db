"""Making hubs and registering simulated platforms at them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hub.app import RunningHub
from hub.broker.operations import Invited
from hub.clock import ManualClock
from hub.domain.platform import RoleName
from hub.ocpi.names import Role
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from hub.settings import Settings
from tests.waiting import until

SECRET_KEY = "a-secret-key-only-for-tests"
ADMIN_TOKEN = "an-admin-token-only-for-tests"


def test_settings(folder: Path, **changes: Any) -> Settings:
    """Settings that read nothing from the machine."""
    values: dict[str, Any] = {
        "port": 0,
        "data_dir": folder,
        "admin_token": SecretStr(ADMIN_TOKEN),
        "secret_key": (SecretStr(SECRET_KEY),),
        "allow_http": True,
        "allowed_networks": (ip_network("127.0.0.0/8"),),
        "forward_timeout": 2.0,
        "authorize_timeout": 1.0,
        "connect_timeout": 1.0,
        "connect_back_timeout": 2.0,
        "platform_connections": 100,
        "plugins": (),
    }
    return Settings(**(values | changes))


test_settings.__test__ = False  # type: ignore[attr-defined]


async def invite(hub: RunningHub, name: str, roles: Sequence[RoleName] = ()) -> str:
    """A registration token for a platform of this name."""
    invited = await hub.operations.invite(name, roles)
    assert isinstance(invited, Invited), invited
    return invited.registration_token


async def register(hub: RunningHub, platform: SandboxPlatform, roles: Sequence[RoleName] = ()) -> str:
    """Registers a simulated platform, the hub being the Receiver; the hub's id of it."""
    handshake = await platform.register(hub.identity.versions_url, await invite(hub, platform.name, roles))
    assert handshake.ok, handshake.problem
    return id_of(hub, platform.name)


async def register_all(hub: RunningHub, world: World, only: Sequence[str] | None = None) -> None:
    """Registers the platforms of the fixture world, and waits until they have been told of each other."""

    async def issue(platform: SandboxPlatform) -> str:
        return await invite(hub, platform.name)

    done = await world.register_all(hub.identity.versions_url, issue, only)
    for name, handshake in done.items():
        assert handshake.ok, f"{name}: {handshake.problem}"
    await until(lambda: hub.client_info.quiet)


@asynccontextmanager
async def meeting(hub: RunningHub, **chosen: Any) -> AsyncIterator[World]:
    """A fixture world (`chosen` says which) registered at the hub, with nothing received yet; what its peer hubs report
    is known.
    """
    async with fixture_world(**chosen) as world:
        await register_all(hub, world)
        await until(lambda: all(one.reported for one in hub.registry.snapshot.platforms if one.is_peer))
        await settled(hub)
        world.forget_received()
        yield world


async def lose(hub: RunningHub, clock: ManualClock, platform: SandboxPlatform) -> None:
    """The platform goes dark, and the hub, which lives by this clock, finds out by its probes."""
    await platform.go_dark()
    gone = id_of(hub, platform.name)
    await clock.jump(hub.settings.alive_check_interval + 1)
    async with asyncio.timeout(20):
        while gone not in hub.liveness.offline:
            await asyncio.sleep(0.005)  # a probe is on real sockets
            await clock.jump(1)


async def settled(hub: RunningHub) -> None:
    """Returns once everybody was told everything: no leg of a broadcast and no client info waits or is under way, and
    what open routing learnt is stored.
    """
    await until(lambda: hub.broadcasts.quiet and hub.client_info.quiet)
    await hub.known.flush()  # at once, where the hub would let lessons gather
    await until(lambda: hub.broadcasts.quiet and hub.known.quiet and hub.client_info.quiet)


def id_of(hub: RunningHub, name: str) -> str:
    """The hub's id of a platform by its name."""
    return next(platform.id for platform in hub.registry.snapshot.platforms if platform.name == name)


def role(text: str) -> RoleName:
    """`CPO:NL:ABC` as a role name."""
    kind, country_code, party_id = text.split(":")
    return RoleName(Role(kind), country_code, party_id)
