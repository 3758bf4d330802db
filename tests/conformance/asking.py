"""What the tests of GET ALL share: P2, as NL/EMA, asks the hub for everybody's objects."""

from typing import Any

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World
from tests.conformance.speaking import HUB

S = Interface.SENDER

TIMES = ("2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", "2026-01-03T12:00:00Z")


async def get_all(world: World, query: str = "", *, module: str = names.LOCATIONS, **changes: Any) -> Answer:
    """P2, as NL/EMA, asks the hub for everybody's objects."""
    wanted: dict[str, Any] = {"to": HUB, "sender": "NL/EMA"} | changes
    return await world["P2"].call("GET", module, S, query=query, **wanted)


async def follow(world: World, url: str, *, by: str = "P2", **routing: Any) -> Answer:
    return await world[by].call("GET", "", None, url=url, **routing)


async def published(platform: SandboxPlatform, owner: str, *location_ids: str, **changes: Any) -> None:
    """Locations of one owner, pushed for everybody one after the other."""
    for location_id in location_ids:
        answer = await platform.publish(names.LOCATIONS, objects.location(owner, location_id, **changes))
        assert answer.ok, answer


def ids(answer: Answer) -> list[str]:
    return [row["id"] for row in answer.data]


async def get_one(world: World, tail: str, **changes: Any) -> Answer:
    wanted: dict[str, Any] = {"to": HUB, "sender": "NL/EMA"} | changes
    return await world["P2"].call("GET", names.LOCATIONS, S, tail, **wanted)
