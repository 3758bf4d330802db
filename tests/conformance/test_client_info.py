"""Scenarios S-010, S-017, S-019 and S-068 to S-070: everybody knows who is online."""

import asyncio
from pathlib import Path

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.sandbox.world import World, fixture_world, newcomer
from tests.hubs import id_of, invite, meeting, register, register_all, role, test_settings
from tests.waiting import until

S = Interface.SENDER
ROUTING = (headers.TO_COUNTRY, headers.TO_PARTY, headers.FROM_COUNTRY, headers.FROM_PARTY)
INFO = names.HUB_CLIENT_INFO


def told(platform: SandboxPlatform, tail: str) -> list[Received]:
    """The pushes a platform got about a party."""
    return platform.received.of(INFO, Interface.RECEIVER, "PUT", tail)


async def test_s_010_a_newcomer_is_announced(hub: RunningHub, world: World) -> None:
    async with newcomer() as platform:
        await register(hub, platform)
        for name in ("P1", "P2", "P4", "P5"):
            push = await world[name].wait_for(INFO, method="PUT", tail="IT/EMN")
            assert {key: push.data[key] for key in ("country_code", "party_id", "role", "status")} == {
                "country_code": "IT",
                "party_id": "EMN",
                "role": "EMSP",
                "status": "CONNECTED",
            }
            assert set(push.data) == {"country_code", "party_id", "role", "status", "last_updated"}
            assert not [header for header in ROUTING if header in push.headers]
            assert push.request_id
            assert push.correlation_id
        assert not told(platform, "IT/EMN")
        assert not world["P3"].received.of(INFO)


async def test_s_017_a_platform_that_leaves_is_suspended(hub: RunningHub, world: World) -> None:
    assert (await world["P2"].call("DELETE", names.CREDENTIALS, None)).ok
    for name in ("P1", "P4", "P5"):
        for party in ("NL/EMA", "DE/EMB"):
            push = await world[name].wait_for(INFO, method="PUT", tail=party)
            assert push.data["status"] in ("CONNECTED", "SUSPENDED")
            await until(lambda name=name, party=party: told(world[name], party)[-1].data["status"] == "SUSPENDED")  # type: ignore[misc]


async def test_s_019_a_new_party_joins_an_existing_platform(hub: RunningHub, world: World) -> None:
    roles = [*world["P1"].roles, (Role.CPO, "LU", "CPL")]
    assert (await world["P1"].update(roles=roles)).ok
    push = await world["P2"].wait_for(INFO, method="PUT", tail="LU/CPL")
    assert (push.data["role"], push.data["status"]) == ("CPO", "CONNECTED")
    answer = await world["P2"].call("GET", names.LOCATIONS, S, to="LU/CPL", sender="NL/EMA")
    assert answer.ok, answer
    assert str(world["P1"].received.of(names.LOCATIONS)[-1].to) == "LU/CPL"
    assert (await world["P1"].update(roles=roles[:-1])).ok
    await until(lambda: told(world["P2"], "LU/CPL")[-1].data["status"] == "SUSPENDED")


async def test_s_068_client_info_list(hub: RunningHub) -> None:
    async with meeting(hub, peers=True) as world:
        hub.liveness.offline.add(id_of(hub, "P10"))
        await invite(hub, "P12", [role("CPO:PT:PLN")])
        answer = await world["P2"].call("GET", INFO, S, query="limit=100")
        rows = {(row["role"], row["country_code"], row["party_id"]): row["status"] for row in answer.data}
        assert len(rows) == len(answer.data)
        assert rows["CPO", "NL", "CPA"] == "CONNECTED"
        assert rows["CPO", "AT", "CPX"] == "OFFLINE"
        assert rows["CPO", "ES", "CPS"] == "CONNECTED"
        assert rows["CPO", "PT", "PLN"] == "PLANNED"
        assert {key[0] for key in rows if key[2] == "DUO"} == {"CPO", "EMSP"}
        assert not [key for key in rows if key[2] in ("EMA", "EMB", "HUB")]
        assert (answer.headers[headers.TOTAL_COUNT], answer.headers[headers.LIMIT]) == (str(len(answer.data)), "100")
        assert not answer.links
        assert all(set(row) == {"party_id", "country_code", "role", "status", "last_updated"} for row in answer.data)


async def test_s_069_offline_and_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(test_settings(tmp_path), legs_to=legs, clock=clock) as hub,
            fixture_world(only=["P1", "P2", "P3", "P4"]) as world,
        ):
            await register_all(hub, world)
            world.forget_received()
            fault = world["P4"].faults.on(method="GET").answer(500)
            await clock.jump(301)
            for probe in range(1, 4):
                await until(lambda probe=probe: fault.hits >= probe)  # type: ignore[misc]
                await clock.jump(21)
            for name in ("P1", "P2"):
                await world[name].wait_for(INFO, method="PUT", tail="FR/DUO", count=2)
                assert {(one.data["role"], one.data["status"]) for one in told(world[name], "FR/DUO")} == {
                    ("CPO", "OFFLINE"),
                    ("EMSP", "OFFLINE"),
                }
            first = told(world["P1"], "FR/DUO")[0]
            assert not [header for header in ROUTING if header in first.headers]
            assert not told(world["P3"], "FR/DUO")
            await clock.jump(1)
            answer = await world["P4"].call("GET", names.TOKENS, S, to="NL/EMA", sender="FR/DUO")
            assert answer.ok, answer
            for name in ("P1", "P2"):
                await world[name].wait_for(INFO, method="PUT", tail="FR/DUO", count=4)
                back = told(world[name], "FR/DUO")[2:]
                assert {one.data["status"] for one in back} == {"CONNECTED"}
                assert len(back) == 2
                assert back[0].data["last_updated"] > first.data["last_updated"]


async def test_s_070_liveness_probe_shape(tmp_path: Path) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(test_settings(tmp_path), legs_to=legs, clock=clock) as hub,
            fixture_world(only=["P1", "P4"]) as world,
        ):
            await register_all(hub, world)
            world.forget_received()
            for _ in range(4):
                await clock.jump(200)
                answer = await world["P4"].call("GET", names.TOKENS, S, to="FR/DUO", sender="FR/DUO")
                assert answer.ok, answer
            await world["P1"].wait_for(names.VERSIONS)
            assert not world["P4"].received.of(names.VERSIONS)
            await clock.jump(301)
            probe = await world["P4"].wait_for(names.VERSIONS, method="GET")
            assert probe.path == "/ocpi/versions"
            assert probe.headers[headers.AUTHORIZATION] == "Token b3V0LVA0LWNjMDM="
            assert probe.request_id
            assert probe.correlation_id
            assert not [header for header in ROUTING if header in probe.headers]


async def test_a_receiver_that_fails_is_not_asked_again_and_delays_nobody(hub: RunningHub, world: World) -> None:
    fault = world["P1"].faults.on(INFO).hang()
    async with newcomer() as platform:
        await register(hub, platform)
        push = await world["P2"].wait_for(INFO, method="PUT", tail="IT/EMN")
        assert push.data["status"] == "CONNECTED"
        world["P1"].faults.remove(fault)
    await asyncio.wait_for(world["P4"].wait_for(INFO, method="PUT", tail="IT/EMN"), 5)


async def test_suspending_and_removing_are_told(hub: RunningHub, world: World) -> None:
    await hub.operations.suspend(id_of(hub, "P3"))
    await until(lambda: "SUSPENDED" in [one.data["status"] for one in told(world["P2"], "NL/NSP")])
    await hub.operations.resume(id_of(hub, "P3"))
    await until(lambda: told(world["P2"], "NL/NSP")[-1].data["status"] == "CONNECTED")
    await hub.operations.remove(id_of(hub, "P3"))
    await until(lambda: told(world["P2"], "NL/NSP")[-1].data["status"] == "SUSPENDED")
    answer = await world["P2"].call("GET", INFO, S, query="limit=100")
    assert not [row for row in answer.data if row["party_id"] == "NSP"]
