"""Who may speak to whom (R-070, ruling 19): one decision, alike for direct requests, broadcasts, GET ALL, open routing
and client info.
"""

from pathlib import Path

import pytest

from hub import app
from hub.app import RunningHub
from hub.domain.agreements import Agreement, Side
from hub.ocpi import names
from hub.ocpi.names import FUNCTIONAL_MODULES, Interface, Role
from hub.sandbox import objects
from hub.sandbox.results import ResultMode
from hub.sandbox.world import World
from tests.conformance.asking import get_all, get_one, ids, published
from tests.conformance.speaking import HUB, between, legs, route, said
from tests.hubs import id_of, meeting, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO
ANYBODY = Side()


def side(party: str) -> Side:
    country_code, party_id = party.split("/")
    return Side(country_code, party_id)


async def agree(hub: RunningHub, origin: Side, target: Side, *modules: str, allow: bool) -> None:
    """Puts an agreement about these modules, or about all."""
    known = len(hub.registry.snapshot.agreements.every)
    about = frozenset(modules) or None
    assert await hub.registry.put_agreement(Agreement(f"a{known}", origin, target, about, allow))


async def get_location(world: World, to: str = "NL/CPA", sender: str = "NL/EMA") -> tuple[int, int | None]:
    return said(await world["P2"].call("GET", names.LOCATIONS, S, "LOC1", to=to, sender=sender))


async def test_a_direct_request_needs_to_be_allowed(hub: RunningHub, world: World) -> None:
    world["P1"].own.put(names.LOCATIONS, objects.location("NL/CPA"))
    await agree(hub, side("nl/ema"), side("nl/cpa"), names.LOCATIONS, allow=False)
    assert await get_location(world) == (200, 4001)
    assert legs(world) == {}
    assert await get_location(world, sender="DE/EMB") == (200, 1000)
    token = await world["P2"].publish(names.TOKENS, objects.token("NL/EMA"), to="NL/CPA")
    assert token.ok
    pushed = await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA"), to="NL/EMA")
    assert pushed.ok
    # The more an agreement names, the more it counts; a role counts too.
    await agree(hub, Side("NL", "EMA", Role.EMSP), side("NL/CPA"), names.LOCATIONS, allow=True)
    assert await get_location(world) == (200, 1000)


async def test_a_broadcast_reaches_those_it_may_reach(hub: RunningHub, world: World) -> None:
    await agree(hub, side("NL/CPA"), ANYBODY, names.LOCATIONS, allow=False)
    await agree(hub, side("NL/CPA"), side("DE/EMB"), names.LOCATIONS, allow=True)
    await agree(hub, side("NL/CPA"), Side(role=Role.NSP), names.LOCATIONS, allow=True)
    await published(world["P1"], "NL/CPA", "LOC1")
    await settled(hub)
    assert legs(world) == {"P2": ["DE/EMB"], "P3": ["NL/NSP"]}


async def test_get_all_shows_those_it_may_ask(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC5", "A1")
    await published(world["P4"], "FR/DUO", "LOC5", "D1")
    await agree(hub, side("NL/EMA"), side("FR/DUO"), names.LOCATIONS, allow=False)
    answer = await get_all(world)
    assert (ids(answer), answer.headers["X-Total-Count"]) == (["LOC5", "A1"], "2")
    assert (await get_one(world, "LOC5")).data["party_id"] == "CPA"
    assert said(await get_one(world, "D1")) == (404, 2003)
    assert len((await get_all(world, sender="DE/EMB")).data) == 4


async def test_open_routing_finds_those_it_may_reach(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC5")
    await published(world["P4"], "FR/DUO", "LOC5")
    await settled(hub)
    world.forget_received()
    await agree(hub, side("NL/NSP"), side("FR/DUO"), allow=False)
    answer = await world["P3"].call("GET", names.LOCATIONS, S, "LOC5", sender="NL/NSP")
    assert (said(answer), between(answer)) == ((200, 1000), ("NL/NSP", "NL/CPA"))
    await agree(hub, side("NL/NSP"), side("NL/CPA"), allow=False)
    assert said(await world["P3"].call("GET", names.LOCATIONS, S, "LOC5", sender="NL/NSP")) == (200, 4001)
    assert legs(world) == {"P1": ["NL/CPA"]}


async def test_results_of_what_was_accepted_always_come_home(hub: RunningHub, world: World) -> None:
    p1, p2 = world["P1"], world["P2"]
    await agree(hub, side("NL/CPA"), side("NL/EMA"), allow=False)
    p1.results.mode = ResultMode.HELD
    body = objects.stop_session(p2.callback_url("x"))
    answer = await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    assert answer.data["result"] == "ACCEPTED"
    await agree(hub, side("NL/EMA"), side("NL/CPA"), allow=False)
    p1.results.release()
    home = await p2.wait_for("callback")
    assert (home.data["result"], route(home)) == ("ACCEPTED", ("NL/EMA", "NL/CPA"))
    again = await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    assert said(again) == (200, 4001)


async def test_who_may_not_speak_at_all_does_not_see_each_other(hub: RunningHub, world: World) -> None:
    async def seen(name: str) -> set[str]:
        answer = await world[name].call("GET", INFO, S, query="limit=100")
        return {f"{row['role']} {row['country_code']}/{row['party_id']}" for row in answer.data}

    def told(name: str, party: str) -> list[str]:
        return [push.data["status"] for push in world[name].received.of(INFO, R, "PUT", party)]

    for module in sorted(FUNCTIONAL_MODULES - {names.TOKENS}):
        for origin, target in (("NL/CPA", "BE/EMC"), ("BE/EMC", "NL/CPA")):
            await agree(hub, side(origin), side(target), module, allow=False)
    await agree(hub, side("NL/CPA"), side("BE/EMC"), names.TOKENS, allow=False)
    assert "CPO NL/CPA" in await seen("P5")  # BE/EMC may still speak about tokens
    await agree(hub, side("BE/EMC"), side("NL/CPA"), names.TOKENS, allow=False)
    assert {"CPO NL/CPA", "CPO BE/CPB"} & await seen("P5") == {"CPO BE/CPB"}
    assert "EMSP BE/EMC" in await seen("P1")  # BE/CPB, on the same platform, may speak with it
    # "No contract between these two" is PLANNED; what happens to it after that is no news here.
    await until(lambda: told("P5", "NL/CPA") == ["PLANNED"])
    hub.liveness.offline.add(id_of(hub, "P1"))
    hub.client_info.changed()
    await until(lambda: told("P5", "BE/CPB") == ["OFFLINE"])
    await settled(hub)
    assert told("P5", "NL/CPA") == ["PLANNED"]
    assert told("P2", "NL/CPA") == ["OFFLINE"]
    assert await hub.registry.remove_agreement(hub.registry.snapshot.agreements.every[0].id)
    hub.client_info.changed()
    await until(lambda: told("P5", "NL/CPA") == ["PLANNED", "OFFLINE"])


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_closed_hub_needs_an_agreement_for_everything(tmp_path: Path, allowed: bool) -> None:
    closed = test_settings(tmp_path, agreements_default="closed")
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with app.running(closed, legs_to=legs_to) as hub, meeting(hub, only=["P1", "P2", "P5"]) as world:
            if allowed:
                await agree(hub, side("NL/CPA"), side("NL/EMA"), names.LOCATIONS, allow=True)
                await agree(hub, side("NL/EMA"), side("NL/CPA"), names.LOCATIONS, allow=True)
            await published(world["P1"], "NL/CPA", "LOC1")
            await settled(hub)
            assert legs(world) == ({"P2": ["NL/EMA"]} if allowed else {})
            assert ids(await get_all(world)) == (["LOC1"] if allowed else [])
            assert await get_location(world) == ((200, 1000) if allowed else (200, 4001))
            assert await get_location(world, sender="DE/EMB") == (200, 4001)
            openly = await world["P2"].call("GET", names.LOCATIONS, S, "LOC1", sender="NL/EMA")
            assert said(openly) == ((200, 1000) if allowed else (200, 4001))
            infos = await world["P2"].call("GET", names.HUB_CLIENT_INFO, S)
            assert [row["party_id"] for row in infos.data] == (["CPA"] if allowed else [])
            hidden = await world["P5"].call("GET", names.LOCATIONS, S, to=HUB, sender="BE/EMC")
            assert hidden.data == []
