"""Agreements decide who sees whom in client info (ruling 19, R-193, R-199), and everybody is told when that changes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.refusal import Refusal
from hub.domain.agreements import Agreement, Side
from hub.ocpi import names
from hub.ocpi.names import FUNCTIONAL_MODULES, Interface, Role
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World
from tests.hubs import id_of, meeting, settled, test_settings
from tests.unit.domain.platforms import party

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO


def side(text: str) -> Side:
    country_code, party_id = text.split("/")
    return Side(country_code, party_id)


async def agree(hub: RunningHub, one: str, other: str, *, allow: bool, **changes: Any) -> None:
    """One agreement in each direction, with ids of their own."""
    for origin, target in ((one, other), (other, one)):
        wanted: dict[str, Any] = {"modules": None} | changes
        await hub.registry.put_agreement(
            Agreement(f"{origin}-{target}", side(origin), side(target), allow=allow, **wanted)
        )


async def withdraw(hub: RunningHub, one: str, other: str) -> None:
    for agreement_id in (f"{one}-{other}", f"{other}-{one}"):
        assert await hub.registry.remove_agreement(agreement_id)


async def rows(platform: SandboxPlatform) -> dict[str, dict[str, Any]]:
    """The list as a platform gets it, by role and party."""
    answer = await platform.call("GET", INFO, S, query="limit=100")
    assert answer.ok, answer
    assert answer.headers["X-Total-Count"] == str(len(answer.data))
    return {f"{row['role']} {row['country_code']}/{row['party_id']}": row for row in answer.data}


def told(platform: SandboxPlatform, tail: str) -> list[str]:
    """The statuses of a party that were pushed to a platform."""
    return [one.data["status"] for one in platform.received.of(INFO, R, "PUT", tail)]


async def test_a_pair_without_any_module_does_not_see_each_other(hub: RunningHub, world: World) -> None:
    await agree(hub, "FR/DUO", "BE/EMC", allow=False)
    await settled(hub)
    assert not [key for key in await rows(world["P5"]) if key.endswith("FR/DUO")]
    assert "EMSP BE/EMC" not in await rows(world["P4"])
    assert {"CPO FR/DUO", "EMSP FR/DUO", "EMSP BE/EMC"} <= (await rows(world["P1"])).keys()
    assert told(world["P5"], "FR/DUO") == ["PLANNED", "PLANNED"]
    assert told(world["P4"], "BE/EMC") == ["PLANNED"]
    assert [one.name for one in world if one.received.of(INFO, R, "PUT")] == ["P4", "P5"]


async def test_who_is_hidden_is_told_of_no_more_and_comes_back_as_it_is(hub: RunningHub, world: World) -> None:
    p1, p5 = world["P1"], world["P5"]
    before = (await rows(p5))["CPO FR/DUO"]
    await agree(hub, "FR/DUO", "BE/EMC", allow=False)
    await settled(hub)
    await hub.operations.suspend(id_of(hub, "P4"))
    await settled(hub)
    assert told(p1, "FR/DUO") == ["SUSPENDED", "SUSPENDED"]
    await hub.operations.resume(id_of(hub, "P4"))
    await settled(hub)
    assert told(p1, "FR/DUO") == ["SUSPENDED", "SUSPENDED", "CONNECTED", "CONNECTED"]
    assert told(p5, "FR/DUO") == ["PLANNED", "PLANNED"]
    await withdraw(hub, "FR/DUO", "BE/EMC")
    await settled(hub)
    assert told(p5, "FR/DUO") == ["PLANNED", "PLANNED", "CONNECTED", "CONNECTED"]
    pushes = [one.data for one in p5.received.of(INFO, R, "PUT", "FR/DUO")]
    assert {one["role"] for one in pushes} == {"CPO", "EMSP"}
    # A receiver may take what is older for out of date.
    assert before["last_updated"] < pushes[0]["last_updated"] < pushes[-1]["last_updated"]
    assert (await rows(p5))["CPO FR/DUO"]["status"] == "CONNECTED"
    assert [one.name for one in world if told(one, "BE/EMC")] == ["P4"]


async def test_one_module_is_enough_to_know_each_other(hub: RunningHub, world: World) -> None:
    await agree(hub, "NL/CPA", "BE/EMC", allow=False, modules=FUNCTIONAL_MODULES - {names.TOKENS})
    await settled(hub)
    assert "CPO NL/CPA" in await rows(world["P5"])
    assert not told(world["P5"], "NL/CPA")
    await agree(hub, "NL/CPA", "BE/EMC", allow=False)
    await settled(hub)
    assert (await rows(world["P5"])).keys() & {"CPO NL/CPA", "CPO BE/CPB"} == {"CPO BE/CPB"}
    assert told(world["P5"], "NL/CPA") == ["PLANNED"]
    # BE/CPB, on the same platform, may still speak with it.
    assert "EMSP BE/EMC" in await rows(world["P1"])
    assert not told(world["P1"], "BE/EMC")


@pytest.mark.parametrize("only_one_way", [False, True])
async def test_a_closed_hub_shows_what_was_agreed(tmp_path: Path, only_one_way: bool) -> None:
    closed = test_settings(tmp_path, agreements_default="closed")
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with app.running(closed, legs_to=legs_to) as hub, meeting(hub, only=["P1", "P2", "P5"]) as world:
            assert [await rows(one) for one in world] == [{}, {}, {}]
            if only_one_way:
                agreement = Agreement("one", side("NL/CPA"), side("nl/ema"), frozenset({names.LOCATIONS}), allow=True)
                await hub.registry.put_agreement(agreement)
            else:
                await agree(hub, "NL/CPA", "NL/EMA", allow=True)
            await settled(hub)
            assert (told(world["P1"], "NL/EMA"), told(world["P2"], "NL/CPA")) == (["CONNECTED"], ["CONNECTED"])
            assert not world["P5"].received.of(INFO)
            assert list(await rows(world["P1"])) == ["EMSP NL/EMA"]
            assert list(await rows(world["P2"])) == ["CPO NL/CPA"]
            await hub.operations.suspend(id_of(hub, "P1"))
            await settled(hub)
            assert told(world["P2"], "NL/CPA") == ["CONNECTED", "SUSPENDED"]
            assert not told(world["P2"], "BE/CPB")


async def test_a_further_party_lets_a_platform_know_others(tmp_path: Path) -> None:
    closed = test_settings(tmp_path, agreements_default="closed")
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with app.running(closed, legs_to=legs_to) as hub, meeting(hub, only=["P1", "P2", "P5"]) as world:
            await agree(hub, "NL/CPA", "IT/NEW", allow=True)
            await settled(hub)
            p1, p2 = world["P1"], world["P2"]
            assert not p1.received.of(INFO)
            assert (await p2.update(roles=[*p2.roles, (Role.EMSP, "IT", "NEW")])).ok
            await settled(hub)
            assert (told(p1, "IT/NEW"), told(p2, "NL/CPA")) == (["CONNECTED"], ["CONNECTED"])
            assert (await p2.update(roles=p2.roles[:-1])).ok
            await settled(hub)
            assert (told(p1, "IT/NEW")[-1], told(p2, "NL/CPA")[-1]) == ("SUSPENDED", "PLANNED")
            assert (await rows(p1), await rows(p2)) == ({}, {})


async def test_a_platform_that_joins_is_told_nothing_it_has_not_missed(hub: RunningHub, world: World) -> None:
    await agree(hub, "NL/CPA", "IT/EMN", allow=False)
    await settled(hub)
    assert not [one.name for one in world if one.received.of(INFO)]
    async with SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as platform:
        token = (await hub.operations.invite("P9")).registration_token  # type: ignore[union-attr]
        assert (await platform.register(hub.identity.versions_url, token)).ok
        await settled(hub)
        assert not platform.received.of(INFO)
        assert "CPO NL/CPA" not in await rows(platform)
        assert "CPO BE/CPB" in await rows(platform)
        assert "EMSP IT/EMN" in await rows(world["P1"])


async def test_a_party_that_moves_is_new_to_the_platform_it_leaves(hub: RunningHub, world: World) -> None:
    assert not isinstance(await hub.operations.move_party(party("NL/EMA"), Role.EMSP, id_of(hub, "P5")), Refusal)
    await settled(hub)
    assert {one.name: told(one, "NL/EMA") for one in world if told(one, "NL/EMA")} == {"P2": ["CONNECTED"]}
    assert "EMSP NL/EMA" in await rows(world["P2"])
    assert "EMSP NL/EMA" not in await rows(world["P5"])


async def test_last_updated_moves_with_role_and_status_alone(hub: RunningHub, world: World) -> None:
    before = await rows(world["P2"])
    await agree(hub, "NL/CPA", "NL/EMA", allow=False)
    assert (await world["P1"].update()).ok
    await withdraw(hub, "NL/CPA", "NL/EMA")
    hub.liveness.failed(id_of(hub, "P1"))
    await hub.operations.approve(id_of(hub, "P1"), [])
    await settled(hub)
    assert await rows(world["P2"]) == before


async def test_while_a_receiver_is_slow_only_the_newest_state_waits(hub: RunningHub, world: World) -> None:
    go_on = asyncio.Event()
    fault = world["P2"].faults.on(INFO).delay(go_on)
    await hub.operations.suspend(id_of(hub, "P4"))
    await world["P2"].wait_for(INFO, method="PUT", tail="FR/DUO")
    for _ in range(3):
        await hub.operations.resume(id_of(hub, "P4"))
        await hub.operations.suspend(id_of(hub, "P4"))
    await agree(hub, "FR/DUO", "NL/EMA", allow=False)
    await agree(hub, "FR/DUO", "DE/EMB", allow=False)
    await withdraw(hub, "FR/DUO", "DE/EMB")
    await hub.operations.resume(id_of(hub, "P4"))
    world["P2"].faults.remove(fault)
    go_on.set()
    await settled(hub)
    pushes = world["P2"].received.of(INFO, R, "PUT", "FR/DUO")
    assert len(pushes) == 3
    assert {one.data["role"]: one.data["status"] for one in pushes} == {"CPO": "CONNECTED", "EMSP": "CONNECTED"}
