"""What the tests of pulls share: switching them on, letting time pass, lists as bytes, and what the hub then shows."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.alarms import Alarm
from hub.broker.pulls import PullRow
from hub.clock import ManualClock
from hub.domain.platform import Platform
from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import Reply, objects
from hub.sandbox.received import Received
from hub.sandbox.world import World
from tests.conformance.asking import get_all
from tests.hubs import id_of, meeting, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
HOUR_S = 3600.0
# The longest that the first crawl after a pull was switched on, or after a start, waits.
SOON_S = 31.0
EVERY_S = 4 * HOUR_S


class Setting(NamedTuple):
    """A hub whose time a test moves, and platforms registered at it."""

    hub: RunningHub
    world: World
    clock: ManualClock

    async def passes(self, seconds: float) -> None:
        """Time passes, and every crawl that becomes due is over, with all that follows from it."""
        await self.clock.jump(seconds)
        await until(lambda: self.hub.pulls.quiet)
        await settled(self.hub)

    async def switch(self, name: str, **seconds: float) -> None:
        """From now on exactly these modules are pulled from a platform. No crawl has begun when this returns."""
        await switch(self.hub, name, seconds)
        await self.clock.jump(1)

    async def pull(self, name: str, **seconds: float) -> None:
        """The same, and the first crawls are over."""
        await self.switch(name, **seconds)
        await self.passes(SOON_S)

    async def resync(self, name: str) -> None:
        """A full crawl of everything that is pulled from a platform."""
        rows = await self.hub.pulls.resync(id_of(self.hub, name))
        assert isinstance(rows, list), rows
        await until(lambda: self.hub.pulls.quiet)
        await settled(self.hub)

    async def shown(self, module: str = names.LOCATIONS, **changes: Any) -> list[str]:
        """Ids of what P2, as NL/EMA, sees of everybody's objects."""
        answer = await get_all(self.world, module=module, **changes)
        assert answer.ok, answer
        return [str(one.get("id", one.get("uid"))) for one in answer.data]

    def row(self, owner: str = "NL/CPA", module: str = names.LOCATIONS) -> PullRow:
        (row,) = [row for row in self.hub.pulls.overview() if (str(row.owner), row.module) == (owner, module)]
        return row

    def alarms(self, *, standing: bool = True) -> list[Alarm]:
        """Alarms about pulls, newest first."""
        return [
            alarm
            for alarm in self.hub.alarms.newest_first
            if alarm.kind == "pull_failed" and (alarm.standing or not standing)
        ]

    def asked(self, name: str = "P1", module: str = names.LOCATIONS) -> list[Received]:
        """The pages that were asked of a platform, in order."""
        return self.world[name].received.of(module, S, "GET")


@contextmanager
def known_ids() -> Iterator[None]:
    """Platforms are called 0, 1 and so on in the order of invitation: pulls have their slots by the names of platforms,
    so what is due when does not depend on chance.
    """
    numbers = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.broker.operations.new_platform_id", lambda: f"{next(numbers):010d}")
        yield


@asynccontextmanager
async def setting(
    folder: Path, *platforms: str, clock: ManualClock | None = None, **settings: Any
) -> AsyncIterator[Setting]:
    """A hub and these platforms of the fixture world, with nothing received yet."""
    clock = clock or ManualClock()
    with (folder / "legs.log").open("wb") as legs, known_ids():
        async with (
            app.running(test_settings(folder, **settings), legs_to=legs, clock=clock) as hub,
            meeting(hub, only=list(platforms)) as world,
        ):
            await until(lambda: hub.pulls.quiet)
            yield Setting(hub, world, clock)


async def switch(hub: RunningHub, name: str, seconds: Mapping[str, float]) -> None:
    """From now on exactly these modules are pulled from a platform."""

    def change(platform: Platform) -> Platform:
        return platform.changed(platform.updated_at, settings=replace(platform.settings, pull=dict(seconds)))

    assert await hub.registry.change(id_of(hub, name), change) is not None


def own(setting: Setting, *location_ids: str, owner: str = "NL/CPA", name: str = "P1", **changes: Any) -> None:
    """Gives a party locations of its own, or puts new ones in their place."""
    for location_id in location_ids:
        setting.world[name].own.put(names.LOCATIONS, objects.location(owner, location_id, **changes))


def disown(setting: Setting, location_id: str, module: str = names.LOCATIONS, name: str = "P1") -> None:
    book = setting.world[name].own
    (gone,) = [one for one in book.all(module) if one.get("id", one.get("uid")) == location_id]
    book.remove(module, gone)


def raw_list(*texts: bytes, total: int | None = None, link: str | None = None, code: int = 1000) -> Reply:
    """A page whose objects are written exactly so."""
    body = b'{"data" : [ %b ] ,"status_code":%d,"timestamp":"2026-01-01T00:00:00Z"}' % (b" ,\n".join(texts), code)
    extra = {} if total is None else {headers.TOTAL_COUNT: str(total)}
    return Reply(200, body, extra if link is None else {**extra, headers.LINK: link})


def pushes(world: World, method: str = "PUT", module: str = names.LOCATIONS) -> dict[str, list[str]]:
    """The tails of the legs that each platform got, in order."""
    found = {one.name: [leg.tail for leg in one.received.of(module, R, method)] for one in world}
    return {name: tails for name, tails in found.items() if tails}
