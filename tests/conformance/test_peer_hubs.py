"""Scenario S-071 and the rest of R-205 to R-209: parties behind another hub, which is simulated here."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import headers, names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.sandbox import EVERYTHING, Reply, SandboxPlatform, objects
from hub.sandbox.answer import Answer
from hub.sandbox.received import Received
from hub.sandbox.world import World
from tests.conformance.speaking import HUB, between, legs, push, route, said
from tests.hubs import id_of, lose, meeting, register, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO
NOT_CONNECTED = b'{"status_code":4003,  "timestamp":"2026-01-01T00:00:00Z"}'


@pytest.fixture
async def world(hub: RunningHub) -> AsyncIterator[World]:
    """P1, P2, P4, and H2 with ES/CPS behind it."""
    async with meeting(hub, only=["P1", "P2", "P4", "H2"]) as world:
        yield world


@pytest.fixture
async def h3(hub: RunningHub, world: World) -> AsyncIterator[SandboxPlatform]:
    """A second peer hub, with the CPO ES/FAR and the eMSP IT/EMR behind it."""
    async with SandboxPlatform("H3", [(Role.HUB, "PT", "HB3")], modules=[*EVERYTHING, (INFO, S)]) as platform:
        platform.reporting.note("ES/FAR")
        platform.reporting.note("IT/EMR", Role.EMSP)
        await register(hub, platform)
        await until(lambda: len(reported(hub, "H3")) == 2)
        await settled(hub)
        world.forget_received()
        platform.received.clear()
        yield platform


def reported(hub: RunningHub, name: str) -> dict[str, ConnectionStatus]:
    """What the hub knows to be behind a peer hub, by party."""
    platform = hub.registry.snapshot.platform(id_of(hub, name))
    assert platform is not None
    return {str(one.party): one.status for one in platform.reported}


async def get_location(platform: SandboxPlatform, to: str, sender: str, **changes: Any) -> Answer:
    return await platform.call("GET", names.LOCATIONS, S, "L1", to=to, sender=sender, **changes)


async def listed(platform: SandboxPlatform) -> dict[str, str]:
    """The hub's client info as a platform gets it, `ROLE CC/PID` to status."""
    crawl = await platform.crawl(INFO)
    assert crawl.complete
    rows = {f"{row['role']} {row['country_code']}/{row['party_id']}": row["status"] for row in crawl.objects}
    assert len(rows) == len(crawl.objects)
    return rows


def told(platform: SandboxPlatform, tail: str) -> list[str]:
    """The statuses of a party that were pushed to a platform."""
    return [one.data["status"] for one in platform.received.of(INFO, R, "PUT", tail)]


async def test_s_071_two_hubs(hub: RunningHub, world: World) -> None:
    h2 = world["H2"]
    fault = h2.faults.on(names.LOCATIONS, S).answer(200, NOT_CONNECTED)
    answer = await get_location(world["P2"], "ES/CPS", "NL/EMA", headers={headers.CORRELATION_ID: "cor-1"})
    assert said(answer) == (200, 4003)
    assert answer.body == NOT_CONNECTED
    assert between(answer) == ("NL/EMA", "ES/CPS")
    assert legs(world) == {"H2": ["ES/CPS"]}
    (leg,) = h2.received
    assert (leg.method, leg.target, route(leg)) == ("GET", "/ocpi/2.2.1/s/locations/L1", ("ES/CPS", "NL/EMA"))
    assert leg.headers[headers.AUTHORIZATION] == "Token b3V0LUgyLWNkMDg="
    assert leg.correlation_id == "cor-1"
    assert leg.request_id != answer.headers[headers.REQUEST_ID]
    h2.faults.remove(fault)
    h2.own.put(names.LOCATIONS, objects.location("ES/CPS", "L1"))
    again = await get_location(world["P2"], "es/cps", "NL/EMA")
    assert (again.data["id"], between(again)) == ("L1", ("NL/EMA", "ES/CPS"))
    assert said(await get_location(world["P2"], "ES/NOP", "NL/EMA")) == (200, 4001)


@pytest.mark.parametrize("code", [4000, 4001, 4002, 4003])
async def test_hub_errors_of_a_peer_are_relayed(hub: RunningHub, world: World, code: int) -> None:
    body = b'{"status_code":%d,"status_message":"by the other hub","timestamp":"2026-01-01T00:00:00Z"}' % code
    world["H2"].faults.on(names.LOCATIONS, S).answer(200, body)
    answer = await get_location(world["P2"], "ES/CPS", "NL/EMA")
    assert (said(answer), answer.body) == ((200, code), body)


async def test_parties_behind_a_peer_reach_ours(hub: RunningHub, world: World) -> None:
    h2, p2 = world["H2"], world["P2"]
    session = objects.session("ES/CPS", "S1", driver="NL/EMA")
    pushed = await h2.publish(names.SESSIONS, session, to="NL/EMA")
    assert (said(pushed), between(pushed)) == ((201, 1000), ("ES/CPS", "NL/EMA"))
    (leg,) = p2.received
    assert (leg.tail, route(leg)) == ("ES/CPS/S1", ("NL/EMA", "ES/CPS"))
    posted = await h2.call("POST", names.CDRS, R, to="NL/EMA", sender="ES/CPS", body=objects.cdr("ES/CPS", "C1"))
    assert posted.status == 201
    read = await h2.call("GET", "", None, url=posted.headers[headers.LOCATION], sender="ES/CPS")
    assert read.data["id"] == "C1"
    openly = await h2.call("POST", names.CDRS, R, sender="ES/CPS", body=objects.cdr("ES/CPS", "C2", driver="DE/EMB"))
    assert (said(openly), between(openly)) == ((201, 1000), ("ES/CPS", "DE/EMB"))


async def test_a_peer_speaks_for_those_it_reports_and_nobody_else(hub: RunningHub, world: World) -> None:
    for sender in ("ES/NOP", "NL/CPA", HUB):
        answer = await get_location(world["H2"], "FR/DUO", sender)
        assert said(answer) == (403, 2001)
    foreign = await push(world["H2"], names.SESSIONS, "NL/CPA", "S1", objects.session("NL/CPA"), to="NL/EMA")
    assert foreign.status == 403
    assert legs(world) == {}


async def test_results_find_their_way_through_two_hubs(hub: RunningHub, world: World) -> None:
    h2, p2 = world["H2"], world["P2"]
    body = objects.stop_session(p2.callback_url("x"))
    answer = await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="ES/CPS", sender="NL/EMA", body=body)
    assert (answer.data["result"], between(answer)) == ("ACCEPTED", ("NL/EMA", "ES/CPS"))
    leg = h2.received[0]
    assert (leg.response_url or "").startswith(f"{hub.settings.public_url}/ocpi/2.2.1/sender/commands/STOP_SESSION/")
    home = await p2.wait_for("callback")
    assert (home.data["result"], route(home)) == ("ACCEPTED", ("NL/EMA", "ES/CPS"))
    assert (await h2.results.wait_sent()).ok

    theirs = objects.unlock_connector(h2.callback_url("nested"))
    assert (await h2.report("IT/EMR", Role.EMSP)).ok
    answer = await h2.call("POST", names.COMMANDS, R, "UNLOCK_CONNECTOR", to="NL/CPA", sender="IT/EMR", body=theirs)
    assert answer.data["result"] == "ACCEPTED"
    home = await h2.wait_for("callback")
    assert (home.target, route(home)) == ("/cb/nested", ("IT/EMR", "NL/CPA"))


async def test_open_routing_leads_to_parties_behind_a_peer(hub: RunningHub, world: World) -> None:
    assert (await world["H2"].report("IT/EMR", Role.EMSP)).ok
    cdr = objects.cdr("NL/CPA", "C1", driver="IT/EMR")
    answer = await world["P1"].call("POST", names.CDRS, R, sender="NL/CPA", body=cdr)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", "IT/EMR"))
    assert legs(world) == {"H2": ["IT/EMR"]}


async def test_broadcasts_stay_at_home(hub: RunningHub, world: World) -> None:
    assert (await world["H2"].report("IT/EMR", Role.EMSP)).ok
    await settled(hub)
    world.forget_received()
    assert (await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA"))).status == 201
    await settled(hub)
    assert legs(world) == {"P2": ["DE/EMB", "NL/EMA"], "P4": ["FR/DUO"]}


@pytest.mark.parametrize("sender", ["BE/HB2", "ES/CPS"])
async def test_a_broadcast_of_a_peer_is_a_leg_to_us(hub: RunningHub, world: World, sender: str) -> None:
    h2 = world["H2"]
    location = objects.location("ES/CPS", "L1")
    answer = await push(h2, names.LOCATIONS, "ES/CPS", "L1", location, sender=sender)
    assert (said(answer), between(answer)) == ((201, 1000), (sender, HUB))
    await settled(hub)
    assert legs(world) == {}
    found = await world["P2"].call("GET", names.LOCATIONS, S, to=HUB, sender="NL/EMA")
    assert found.data == [location]
    own = await h2.call("GET", names.LOCATIONS, S, to=HUB, sender="ES/CPS")
    assert own.data == []
    foreign = await push(h2, names.LOCATIONS, "NL/CPA", "L1", objects.location("NL/CPA", "L1"), sender=sender)
    assert foreign.status == 404


async def test_nothing_goes_back_to_where_it_came_from(hub: RunningHub, world: World) -> None:
    assert (await world["H2"].report("IT/EMR", Role.EMSP)).ok
    answer = await get_location(world["H2"], "ES/CPS", "IT/EMR")
    assert said(answer) == (200, 4000)
    assert legs(world) == {}


async def test_a_message_that_comes_round_again_is_refused(hub: RunningHub, world: World, h3: SandboxPlatform) -> None:
    h2 = world["H2"]
    assert (await h2.report("IT/EMR", Role.EMSP)).ok
    round_again: list[Answer] = []

    async def by_way_of_h2(received: Received) -> Reply:
        same = {headers.CORRELATION_ID: received.correlation_id}
        round_again.append(await get_location(h2, "ES/FAR", "IT/EMR", headers=same))
        return Reply(round_again[0].status, round_again[0].body)

    h3.serve(names.LOCATIONS, S, by_way_of_h2)
    for turn in (1, 2):  # once it is over, the same message may come again
        answer = await get_location(h2, "ES/FAR", "IT/EMR", headers={headers.CORRELATION_ID: "cor-1"})
        assert said(round_again[0]) == (200, 4000)
        assert said(answer) == (200, 4000)
        assert len(h3.received.of(names.LOCATIONS)) == turn
        round_again.clear()


async def test_among_our_own_a_correlation_id_may_be_used_twice_at_once(hub: RunningHub, world: World) -> None:
    world["P1"].own.put(names.LOCATIONS, objects.location("NL/CPA", "L1"))
    both_are_there = asyncio.Event()
    world["P1"].faults.on(names.LOCATIONS).delay(both_are_there)
    same = {headers.CORRELATION_ID: "cor-1"}
    asked = [asyncio.create_task(get_location(world["P2"], "NL/CPA", "NL/EMA", headers=same)) for _ in range(2)]
    await world["P1"].wait_for(names.LOCATIONS, count=2)
    both_are_there.set()
    assert [said(await one) for one in asked] == [(200, 1000), (200, 1000)]


async def test_a_local_party_wins_over_one_behind_a_peer(hub: RunningHub, world: World) -> None:
    world["P1"].own.put(names.LOCATIONS, objects.location("NL/CPA", "L1"))
    before = await listed(world["P2"])
    assert (await world["H2"].report("NL/CPA", Role.CPO, ConnectionStatus.OFFLINE)).ok
    assert (await world["H2"].report("NL/HUB", Role.HUB)).status in (200, 201)
    assert said(await get_location(world["P2"], "NL/CPA", "NL/EMA")) == (200, 1000)
    assert legs(world) == {"P1": ["NL/CPA"]}
    assert await listed(world["P2"]) == before


async def test_what_a_peer_reports_later_counts(hub: RunningHub, world: World) -> None:
    h2, p2 = world["H2"], world["P2"]
    h2.own.put(names.LOCATIONS, objects.location("ES/NEW", "L1"))
    assert said(await get_location(p2, "ES/NEW", "NL/EMA")) == (200, 4001)
    assert said(await h2.report("ES/NEW")) == (201, 1000)
    assert said(await get_location(p2, "ES/NEW", "NL/EMA")) == (200, 1000)
    await until(lambda: told(p2, "ES/NEW") == ["CONNECTED"])
    for status in (ConnectionStatus.OFFLINE, ConnectionStatus.SUSPENDED, ConnectionStatus.PLANNED):
        h2.received.clear()
        assert said(await h2.report("ES/NEW", status=status)) == (200, 1000)
        assert said(await get_location(p2, "ES/NEW", "NL/EMA")) == (200, 4003)
        assert not h2.received.of(names.LOCATIONS)
        await until(lambda status=status: told(p2, "ES/NEW")[-1] == status.value)  # type: ignore[misc]
    assert said(await h2.report("ES/NEW")) == (200, 1000)
    assert said(await get_location(p2, "ES/NEW", "NL/EMA")) == (200, 1000)


async def test_what_cannot_be_reported(hub: RunningHub, world: World) -> None:
    h2 = world["H2"]
    info = objects.client_info("ES/NEW")
    wrong: list[tuple[str, Any]] = [
        ("ES/CPS", info),
        ("ES/NEW", info | {"status": "SLEEPING"}),
        ("ES/NEW", info | {"role": "KING"}),
        ("ES/NEW", {key: value for key, value in info.items() if key != "role"}),
        ("ES/NEW", [info]),
    ]
    for tail, body in wrong:
        assert said(await h2.call("PUT", INFO, R, tail, body=body)) == (200, 2001), body
    assert (await h2.call("PUT", INFO, R, "ES/NEW", body=b"{")).status == 400
    assert said(await h2.call("DELETE", INFO, R, "ES/CPS")) == (405, 2000)
    assert reported(hub, "H2") == {"ES/CPS": ConnectionStatus.CONNECTED}


async def test_a_peer_may_read_what_it_reported(hub: RunningHub, world: World) -> None:
    answer = await world["H2"].call("GET", INFO, R, "es/cps")
    assert said(answer) == (200, 1000)
    assert (answer.data["party_id"], answer.data["role"], answer.data["status"]) == ("CPS", "CPO", "CONNECTED")
    assert (await world["H2"].call("GET", INFO, R, "ES/NOP")).status == 404
    assert not [name for name in answer.headers if name.lower().startswith("ocpi-")]


async def test_only_a_hub_can_report(hub: RunningHub, world: World) -> None:
    url = f"{hub.settings.public_url}/ocpi/2.2.1/receiver/hubclientinfo/ES/NEW"
    answer = await world["P1"].call("PUT", "", None, url=url, body=objects.client_info("ES/NEW"))
    assert not answer.ok
    assert 400 <= answer.status < 500 or answer.status_code == 2001
    assert said(await get_location(world["P2"], "ES/NEW", "NL/EMA")) == (200, 4001)


async def test_peers_are_not_told_of_each_others_parties(hub: RunningHub, world: World, h3: SandboxPlatform) -> None:
    assert {"CPO ES/CPS", "CPO ES/FAR", "EMSP IT/EMR", "CPO NL/CPA"} <= set(await listed(world["P2"]))
    for peer in (world["H2"], h3):
        rows = set(await listed(peer))
        assert {"CPO NL/CPA", "CPO BE/CPB", "EMSP NL/EMA", "CPO FR/DUO"} <= rows
        assert not {"CPO ES/CPS", "CPO ES/FAR", "EMSP IT/EMR"} & rows
    assert (await world["H2"].report("ES/CPS", status=ConnectionStatus.OFFLINE)).ok
    await until(lambda: told(world["P2"], "ES/CPS") == ["OFFLINE"])
    await settled(hub)
    assert not told(h3, "ES/CPS")
    assert not told(world["H2"], "ES/CPS")


async def test_behind_an_offline_peer_everybody_is_offline(tmp_path: Path) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with (
            app.running(test_settings(tmp_path), legs_to=legs_to, clock=clock) as hub,
            meeting(hub, only=["P2", "H2"]) as world,
        ):
            h2, p2 = world["H2"], world["P2"]
            await lose(hub, clock, h2)
            await until(lambda: told(p2, "ES/CPS") == ["OFFLINE"])
            assert (await listed(p2))["CPO ES/CPS"] == "OFFLINE"
            h2.received.clear()
            await h2.come_back()
            assert said(await get_location(p2, "ES/CPS", "NL/EMA")) == (200, 4003)
            assert legs(world) == {}
            assert (await h2.call("GET", INFO, S)).ok
            await until(lambda: told(p2, "ES/CPS") == ["OFFLINE", "CONNECTED"])


async def test_a_peer_that_leaves_takes_its_parties_along(hub: RunningHub, world: World) -> None:
    assert (await world["H2"].unregister()).ok
    await until(lambda: told(world["P2"], "ES/CPS") == ["SUSPENDED"])
    assert said(await get_location(world["P2"], "ES/CPS", "NL/EMA")) in ((200, 4001), (200, 4003))
    assert legs(world) == {}
