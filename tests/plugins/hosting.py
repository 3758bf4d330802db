"""A hub with plugins that a test hands in, and the platforms it needs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from hub import app
from hub.app import Given, RunningHub
from hub.broker.plugins.incarnation import Incarnation
from hub.clock import Clock
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.plugin import Plugin
from hub.plugin.loader import Available
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.world import World, fixture_world
from tests.hubs import register_all, settled, test_settings

S, R = Interface.SENDER, Interface.RECEIVER
P = TypeVar("P", bound=Plugin[Any])


@asynccontextmanager
async def hosting(
    folder: Path,
    *plugins: type[Plugin[Any]],
    config: Mapping[str, Mapping[str, Any]] | None = None,
    only: Sequence[str] = ("P1", "P2"),
    clock: Clock | None = None,
    also: Sequence[type[Plugin[Any]]] = (),
    **settings: Any,
) -> AsyncIterator[tuple[RunningHub, World]]:
    """The hub with these plugins in this order, and platforms of the fixture world registered at it. `also` are there
    and do not run.
    """
    given = Given(more=[Available(one.name, one, "a test") for one in (*plugins, *also)])
    chosen = {"plugins": tuple(one.name for one in plugins), "plugin": dict(config or {})} | settings
    async with (
        app.running(test_settings(folder, **chosen), given=given, clock=clock) as hub,
        fixture_world(only=only) as world,
    ):
        await register_all(hub, world)
        await settled(hub)
        world.forget_received()
        yield hub, world


def incarnation(hub: RunningHub, plugin: type[Plugin[Any]]) -> Incarnation:
    """The running instance with what the host knows of it."""
    return next(one for one in hub.plugins.running if one.name == plugin.name)


def running(hub: RunningHub, plugin: type[P]) -> P:
    """The running instance."""
    found = incarnation(hub, plugin).plugin
    assert isinstance(found, plugin)
    return found


async def get_location(world: World, location_id: str = "LOC1") -> Answer:
    """P2, as NL/EMA, gets a location of NL/CPA."""
    return await world["P2"].call("GET", names.LOCATIONS, S, location_id, to="NL/CPA", sender="NL/EMA")


async def put_session(world: World, session_id: str = "S1", to: str = "NL/EMA", **changes: Any) -> Answer:
    """P1, as NL/CPA, pushes a session."""
    body = objects.session("NL/CPA", session_id) | changes
    return await world["P1"].call("PUT", names.SESSIONS, R, f"NL/CPA/{session_id}", to=to, sender="NL/CPA", body=body)


async def put_location(world: World, location_id: str = "LOC1") -> Answer:
    """P1, as NL/CPA, pushes a location to everybody."""
    body = objects.location("NL/CPA", location_id)
    path = f"NL/CPA/{location_id}"
    return await world["P1"].call("PUT", names.LOCATIONS, R, path, to="NL/HUB", sender="NL/CPA", body=body)
