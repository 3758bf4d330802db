"""Two hubs of ours, registered with each other, each with platforms of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hub import app
from hub.app import RunningHub
from hub.broker.operations import Invited
from hub.domain.platform import Platform
from hub.ocpi import headers, names
from hub.ocpi.names import ConnectionStatus, Interface
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from tests.hubs import id_of, register_all, role, settled, test_settings
from tests.waiting import until

ONE, TWO = "NL/HB1", "BE/HB2"
INFO = names.HUB_CLIENT_INFO


@dataclass(frozen=True)
class Hubs:
    """Hub one (NL/HB1) with P1 and P2, hub two (BE/HB2) with P4 and P5; each knows the other by `one` and `two`."""

    one: RunningHub
    two: RunningHub
    west: World
    east: World

    def __getitem__(self, name: str) -> SandboxPlatform:
        """A platform of either world."""
        return (self.west.platforms | self.east.platforms)[name]

    async def settle(self) -> None:
        """Returns once both have told everybody everything, and know what is behind the other."""
        await until(self.agree)
        for hub in (self.one, self.two):
            await settled(hub)

    def agree(self) -> bool:
        """Whether each hub knows of the parties at the other what is true there."""
        return known(self.one, "two") == local(self.two) and known(self.two, "one") == local(self.one)

    def forget(self) -> None:
        self.west.forget_received()
        self.east.forget_received()


def peer(hub: RunningHub, name: str) -> Platform:
    """The other hub as a hub knows it."""
    platform = hub.registry.snapshot.platform(id_of(hub, name))
    assert platform is not None
    return platform


def known(hub: RunningHub, name: str) -> dict[str, ConnectionStatus]:
    """What is known to be behind a peer, but for what is over."""
    return {
        f"{one.role} {one.party}": one.status
        for one in peer(hub, name).reported
        if one.status is not ConnectionStatus.SUSPENDED
    }


def local(hub: RunningHub) -> dict[str, ConnectionStatus]:
    """The parties of a hub's own platforms."""
    return {
        f"{seat.role.role} {seat.party}": hub.liveness.status(seat.platform, seat.role)
        for seat in hub.registry.snapshot.seats
        if not seat.platform.is_peer and hub.liveness.status(seat.platform, seat.role) is not ConnectionStatus.SUSPENDED
    }


async def join(one: RunningHub, two: RunningHub) -> None:
    """Registers hub one at hub two: two invites, one connects."""
    expected = await two.operations.invite("one", [role(f"HUB:{ONE.replace('/', ':')}")])
    known_here = await one.operations.invite("two", [role(f"HUB:{TWO.replace('/', ':')}")])
    assert isinstance(expected, Invited)
    assert isinstance(known_here, Invited)
    joined = await one.operations.connect(
        known_here.platform.id, two.identity.versions_url, expected.registration_token
    )
    assert isinstance(joined, Platform), joined


@asynccontextmanager
async def a_hub(folder: Path, party: str, **changes: Any) -> AsyncIterator[RunningHub]:
    """A hub that is this party, with a folder of its own."""
    country_code, party_id = party.split("/")
    legs_to = await asyncio.to_thread(_fresh, folder)
    settings = test_settings(folder, country_code=country_code, party_id=party_id, **changes)
    with legs_to as legs:
        async with app.running(settings, legs_to=legs) as hub:
            yield hub


def _fresh(folder: Path) -> BinaryIO:
    folder.mkdir()
    return (folder / "legs.log").open("wb")


@asynccontextmanager
async def two_hubs(tmp_path: Path, *, settle: bool = True, **changes: Any) -> AsyncIterator[Hubs]:
    """Both hubs with these settings, everybody registered, with nothing received yet. `settle`: each knows what is
    behind the other.
    """
    async with (
        a_hub(tmp_path / "one", ONE, **changes) as one,
        a_hub(tmp_path / "two", TWO, **changes) as two,
        fixture_world(only=["P1", "P2"]) as west,
        fixture_world(only=["P4", "P5"]) as east,
    ):
        both = Hubs(one, two, west, east)
        await register_all(one, west)
        await register_all(two, east)
        await join(one, two)
        if settle:
            await both.settle()
        both.forget()
        yield both


async def listed(platform: SandboxPlatform) -> dict[str, str]:
    """The client info a platform gets from its hub, by role and party."""
    crawl = await platform.crawl(INFO)
    assert crawl.complete
    rows = {f"{row['role']} {row['country_code']}/{row['party_id']}": row["status"] for row in crawl.objects}
    assert len(rows) == len(crawl.objects)
    return rows


def told(platform: SandboxPlatform, tail: str) -> list[str]:
    """The statuses of a party that were pushed to a platform."""
    return [one.data["status"] for one in platform.received.of(INFO, Interface.RECEIVER, "PUT", tail)]


async def as_hub(
    hub: RunningHub, at: RunningHub, caller: SandboxPlatform, method: str, path: str, **changes: Any
) -> Answer:
    """A request of one hub to the other that this hub would not make by itself; `path` is below the other's version."""
    other = next(one for one in hub.registry.snapshot.platforms if one.is_peer)
    outbound = hub.registry.outbound(other)
    assert outbound is not None
    carried = {headers.AUTHORIZATION: outbound.authorization}
    url = f"{at.settings.public_url}/ocpi/2.2.1/{path}"
    return await caller.call(method, "", None, url=url, headers=carried, **changes)
