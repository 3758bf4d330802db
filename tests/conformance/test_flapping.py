"""No flapping, and recovery without help (ruling 18, R-155, R-156, R-199): liveness as everybody is told it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.world import World
from tests.hubs import id_of, meeting, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO


class Scene(NamedTuple):
    """A hub whose clock stands still until it is moved."""

    hub: RunningHub
    world: World
    clock: ManualClock

    def told(self) -> list[str]:
        """What P2 was told about AT/CPX, on P10."""
        return [one.data["status"] for one in self.world["P2"].received.of(INFO, R, "PUT", "AT/CPX")]

    async def listed(self) -> tuple[str, str]:
        answer = await self.world["P2"].call("GET", INFO, S)
        (row,) = [row for row in answer.data if row["party_id"] == "CPX"]
        return row["status"], row["last_updated"]

    async def fails(self, after_s: float = 0.0) -> None:
        """P10 cannot be reached, once more, this long after the last time."""
        if after_s:
            await self.clock.jump(after_s)
        self.hub.liveness.failed(id_of(self.hub, "P10"))
        await settled(self.hub)

    async def goes_away(self) -> None:
        """P10 cannot be reached three times, spaced."""
        for after_s in (0, 20, 20):
            await self.fails(after_s)

    async def calls(self) -> None:
        """A message from P10."""
        answer = await self.world["P10"].call("GET", INFO, S)
        assert answer.ok, answer
        await settled(self.hub)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock()
    settings = test_settings(tmp_path, probe_spacing=20.0)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(settings, legs_to=legs, clock=clock) as hub,
            meeting(hub, only=["P2", "P10"]) as world,
        ):
            # What is probed answers nothing that counts: only what a test does moves anything.
            world["P10"].faults.on(names.VERSIONS).answer(503)
            yield Scene(hub, world, clock)


async def test_failures_close_to_each_other_count_once(scene: Scene) -> None:
    for _ in range(50):
        await scene.fails()
    await scene.fails(after_s=19)
    await scene.fails(after_s=1)
    assert scene.told() == []
    await scene.fails(after_s=20)
    assert scene.told() == ["OFFLINE"]


async def test_a_message_ends_it_once_then_only_a_probe_is_believed(scene: Scene) -> None:
    await scene.goes_away()
    await scene.clock.jump(20)
    await scene.calls()
    assert scene.told() == ["OFFLINE", "CONNECTED"]
    await scene.goes_away()
    for _ in range(5):
        await scene.calls()
    assert scene.told() == ["OFFLINE", "CONNECTED", "OFFLINE"]
    scene.world["P10"].faults.clear()
    await scene.clock.jump(61)
    await until(lambda: scene.told() == ["OFFLINE", "CONNECTED", "OFFLINE", "CONNECTED"])


async def test_the_list_says_when_it_changed_as_the_pushes_did(scene: Scene) -> None:
    hub = scene.hub
    await scene.goes_away()
    (push,) = scene.world["P2"].received.of(INFO, R, "PUT", "AT/CPX")
    assert await scene.listed() == ("OFFLINE", push.data["last_updated"])

    def is_stored() -> bool:
        platform = hub.registry.snapshot.platform(id_of(hub, "P10"))
        return platform is not None and not platform.reachable

    await until(is_stored)
    await scene.clock.jump(5)
    assert await scene.listed() == ("OFFLINE", push.data["last_updated"])
    await hub.registry.load()
    assert await scene.listed() == ("OFFLINE", push.data["last_updated"])
    await scene.calls()
    back = scene.world["P2"].received.of(INFO, R, "PUT", "AT/CPX")[-1]
    assert await scene.listed() == ("CONNECTED", back.data["last_updated"])
    assert back.data["last_updated"] > push.data["last_updated"]
