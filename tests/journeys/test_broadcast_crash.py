"""kill -9 at random moments of a broadcast storm: what was acknowledged is in the catalog, and every leg of it was
attempted at least once and never more than twice.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.world import World, fixture_world
from tests.hub_process import HubProcess
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
# The receivers of a location of NL/CPA, as (platform, party).
LEGS = (("P2", "NL/EMA"), ("P2", "DE/EMB"), ("P3", "NL/NSP"), ("P5", "BE/EMC"))
PUSHERS = 4


@pytest.fixture(params=["sqlite", "mongodb"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for the embedded store, else a database of its own on a server that stays up."""
    if request.param == "sqlite":
        yield None
    else:
        yield request.getfixturevalue("mongodb_url")


class Storm:
    """Pushes without an end, each a location of its own; remembers which were acknowledged and what receivers got."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0
        # location id -> correlation id of its acknowledged push
        self.acknowledged: dict[str, str] = {}
        self.attempts: Counter[tuple[str, str]] = Counter()

    async def push(self) -> None:
        """Until the hub is gone."""
        while True:
            self._count += 1
            location_id, correlation_id = f"L{self._count}", str(uuid4())
            answer = await self._world["P1"].call(
                "PUT",
                names.LOCATIONS,
                R,
                f"NL/CPA/{location_id}",
                to="NL/HUB",
                sender="NL/CPA",
                body=objects.location("NL/CPA", location_id),
                headers={headers.CORRELATION_ID: correlation_id},
            )
            if answer.failure is not None:
                return
            assert answer.status_code == 1000, answer.body
            self.acknowledged[location_id] = correlation_id

    def note_attempts(self) -> None:
        """Takes over what receivers have got so far."""
        for name in ("P2", "P3", "P5"):
            for received in self._world[name].received.of(names.LOCATIONS, R, "PUT"):
                self.attempts[str(received.correlation_id), str(received.to)] += 1
            self._world[name].received.clear()

    def missing(self) -> list[tuple[str, str]]:
        """Legs of acknowledged pushes that nobody has got yet."""
        self.note_attempts()
        return [
            (correlation_id, party)
            for correlation_id in self.acknowledged.values()
            for _, party in LEGS
            if not self.attempts[correlation_id, party]
        ]


async def _rounds(tmp_path: Path, database_url: str | None, rounds: int, seed: int) -> None:
    hub = HubProcess(tmp_path, database_url, FORWARD_TIMEOUT="5")
    chance = random.Random(seed)
    async with fixture_world(only=["P1", "P2", "P3", "P5"]) as world:
        storm = Storm(world)
        world["P5"].faults.on(names.LOCATIONS, R, "PUT").delay(0.05)  # so that there is always something under way
        await hub.start()
        try:
            await world.register_all(hub.versions_url, lambda one: hub.invite(one.name))
            for _ in range(rounds):
                before = len(storm.acknowledged)
                pushing = [asyncio.create_task(storm.push()) for _ in range(PUSHERS)]
                await until(lambda before=before: len(storm.acknowledged) > before)  # type: ignore[misc]
                await asyncio.sleep(chance.uniform(0.0, 0.6))  # the moment of the kill is what the test is about
                await hub.kill()
                await asyncio.gather(*pushing)
                storm.note_attempts()
                await hub.start()
            await until(lambda: not storm.missing(), timeout_s=30)
            crawl = await world["P2"].crawl(names.LOCATIONS, to="NL/HUB", sender="NL/EMA", query="limit=100")
            assert crawl.complete
            held = {one["id"] for one in crawl.objects}
            assert storm.acknowledged.keys() <= held
        finally:
            await hub.end()
        storm.note_attempts()
        assert max(storm.attempts.values()) <= 2


@pytest.mark.timeout(120)
async def test_kill_9_in_a_broadcast_storm_loses_no_leg(tmp_path: Path, database_url: str | None) -> None:
    await _rounds(tmp_path, database_url, rounds=3, seed=4)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_kill_9_in_a_broadcast_storm_loses_no_leg_in_20_rounds(tmp_path: Path, database_url: str | None) -> None:
    await _rounds(tmp_path, database_url, rounds=20, seed=5)
