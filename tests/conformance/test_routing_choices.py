"""What an operator may choose about routing (appendix B of the protocol's open ends): lenient lists, broadcasts to the
own platform and across hubs, and asking everybody about a token nobody knows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.sandbox import SandboxPlatform, objects
from hub.sandbox.answer import Answer
from hub.sandbox.world import World
from tests.conformance.speaking import HUB, between, legs, route, said
from tests.hubs import meeting, register, settled, test_settings

S, R = Interface.SENDER, Interface.RECEIVER
DRIVER = "04AA"


@asynccontextmanager
async def chosen(tmp_path: Path, only: list[str], **choices: bool) -> AsyncIterator[tuple[RunningHub, World]]:
    """A hub with these settings, and some platforms of the world."""
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with (
            app.running(test_settings(tmp_path, **choices), legs_to=legs_to) as hub,
            meeting(hub, only=only) as world,
        ):
            yield hub, world


async def test_a_lenient_hub_takes_a_list_without_to_as_get_all(tmp_path: Path) -> None:
    async with chosen(tmp_path, ["P1", "P2"], lenient_lists=True) as (hub, world):
        assert (await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA"))).ok
        await settled(hub)
        world.forget_received()
        answer = await world["P2"].call("GET", names.LOCATIONS, S, sender="NL/EMA")
        assert (said(answer), between(answer)) == ((200, 1000), ("NL/EMA", HUB))
        assert [row["id"] for row in answer.data] == ["LOC1"]
        sessions = await world["P2"].call("GET", names.SESSIONS, S, sender="NL/EMA")
        assert sessions.status_code in (2001, 4001)
        assert legs(world) == {}


@pytest.mark.parametrize("too", [False, True])
async def test_broadcasts_to_the_own_platform(tmp_path: Path, too: bool) -> None:
    both = SandboxPlatform("Both", [(Role.CPO, "LU", "CPL"), (Role.EMSP, "LU", "CPL"), (Role.EMSP, "LU", "EML")])
    async with chosen(tmp_path, ["P2"], broadcast_own_platform=too) as (hub, world), both:
        await register(hub, both)
        await settled(hub)
        both.received.clear()
        assert (await both.publish(names.LOCATIONS, objects.location("LU/CPL"))).ok
        await settled(hub)
        assert legs(world) == {"P2": ["DE/EMB", "NL/EMA"]}
        assert [str(leg.to) for leg in both.received.of(names.LOCATIONS)] == (["LU/EML"] if too else [])


@pytest.mark.parametrize("too", [False, True])
async def test_broadcasts_across_hubs(tmp_path: Path, too: bool) -> None:
    async with chosen(tmp_path, ["P1", "P2", "H2"], broadcast_across_hubs=too) as (hub, world):
        for party, role in (("IT/EMR", Role.EMSP), ("IT/CPR", Role.CPO)):
            assert (await world["H2"].report(party, role)).ok
        await settled(hub)
        world.forget_received()
        assert (await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA"))).ok
        await settled(hub)
        assert legs(world) == {"P2": ["DE/EMB", "NL/EMA"]} | ({"H2": ["IT/EMR"]} if too else {})
        assert {route(leg)[1] for leg in world["H2"].received.of(names.LOCATIONS)} == ({HUB} if too else set())


async def authorize(world: World, **changes: Any) -> Answer:
    wanted: dict[str, Any] = {"sender": "NL/CPA", "body": objects.location_references()} | changes
    return await world["P1"].call("POST", names.TOKENS, S, f"{DRIVER}/authorize", **wanted)


ASKED = {"P2": ["DE/EMB", "NL/EMA"], "P4": ["FR/DUO"], "P5": ["BE/EMC"], "P8": ["SE/OTH"]}


async def test_everybody_is_asked_about_a_token_nobody_placed(tmp_path: Path) -> None:
    async with chosen(tmp_path, ["P1", "P2", "P3", "P4", "P5", "P8"], authorize_all=True) as (_, world):
        nobody = await authorize(world)
        assert (said(nobody), between(nobody)) == ((404, 2004), ("NL/CPA", HUB))
        assert nobody.data is None
        assert legs(world) == ASKED
        world.forget_received()

        world["P5"].own.put(names.TOKENS, objects.token("BE/EMC", DRIVER))
        world["P4"].faults.on(names.TOKENS).hang()
        known = await authorize(world, headers={headers.CORRELATION_ID: "cor-1"})
        assert (said(known), between(known)) == ((200, 1000), ("NL/CPA", "BE/EMC"))
        assert known.data["allowed"] == "ALLOWED"
        (leg,) = world["P5"].received
        assert (route(leg), leg.tail, leg.correlation_id) == (("BE/EMC", "NL/CPA"), f"{DRIVER}/authorize", "cor-1")
        assert known.elapsed_s < 1.0


async def test_who_did_not_answer_may_have_known_the_token(tmp_path: Path) -> None:
    async with chosen(tmp_path, ["P1", "P2", "P5"], authorize_all=True) as (_, world):
        world["P5"].faults.on(names.TOKENS).hang()
        answer = await authorize(world)
        assert said(answer) == (200, 4001)
        assert answer.elapsed_s < 2.0


async def test_a_token_that_is_known_is_asked_of_its_owner_alone(tmp_path: Path) -> None:
    async with chosen(tmp_path, ["P1", "P2", "P5"], authorize_all=True) as (hub, world):
        assert (await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", DRIVER))).ok
        await settled(hub)
        world.forget_received()
        world["P2"].habits.authorize = "BLOCKED"
        assert (await authorize(world)).data["allowed"] == "BLOCKED"
        assert legs(world) == {"P2": ["NL/EMA"]}
