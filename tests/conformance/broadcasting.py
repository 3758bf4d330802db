"""What the tests of Broadcast Push share: P1, as NL/CPA, pushes LOC1, and the readers there are."""

from typing import Any

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.received import Received
from hub.sandbox.world import World
from tests.conformance.speaking import HUB, legs, push, said
from tests.hubs import settled

R = Interface.RECEIVER
EARLIER, NOW, LATER, LATEST = (f"2026-01-0{day}T12:00:00Z" for day in range(1, 5))

# Everybody whom a CPO on P1 reaches with a location, and with a tariff (P8 takes none).
LOCATION_READERS = {
    "P2": ["DE/EMB", "NL/EMA"],
    "P3": ["NL/NSP"],
    "P4": ["FR/DUO"],
    "P5": ["BE/EMC"],
    "P8": ["SE/OTH"],
}
TARIFF_READERS = {name: parties for name, parties in LOCATION_READERS.items() if name != "P8"}

# A change of EVSE E1.
PATCH = {"status": "CHARGING", "last_updated": LATER}


def location(owner: str = "NL/CPA", location_id: str = "LOC1", **changes: Any) -> objects.Object:
    return objects.location(owner, location_id, **({"last_updated": NOW} | changes))


async def push_location(world: World, body: Any = None, tail: str = "LOC1", **changes: Any) -> Answer:
    """P1, as NL/CPA, pushes a location or a part of one to everybody."""
    return await push(world["P1"], names.LOCATIONS, "NL/CPA", tail, location() if body is None else body, **changes)


async def held_by_hub(world: World, tail: str = "LOC1", module: str = names.LOCATIONS) -> Any:
    """What the hub holds of NL/CPA; None when it does not."""
    answer = await world["P1"].call("GET", module, R, f"NL/CPA/{tail}", to=HUB, sender="NL/CPA")
    assert answer.ok or answer.status == 404, answer
    return answer.data


async def given(hub: RunningHub, world: World, body: Any = None) -> None:
    """LOC1 of NL/CPA was pushed before, and everybody has it."""
    assert said(await push_location(world, body)) == (201, 1000)
    await settled(hub)
    world.forget_received()


async def nobody_was_told(hub: RunningHub, world: World) -> bool:
    await settled(hub)
    return not legs(world)


def version_of(leg: Received) -> str:
    return str(leg.data["last_updated"])
