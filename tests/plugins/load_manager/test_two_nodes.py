"""Two hubs on one store: one of them steers, what the other is told counts, and a stale one sends nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from hub import app
from hub.app import Given, RunningHub
from hub.clock import ManualClock
from hub.ocpi import codec, names, times
from hub.ocpi.names import Interface
from hub.plugin.loader import Available
from hub.sandbox import objects
from hub.sandbox.world import World, fixture_world
from plugins.load_manager import LoadManager
from tests.hubs import ADMIN_TOKEN, register_all, test_settings
from tests.plugins.hosting import running
from tests.waiting import until

R = Interface.RECEIVER
_STEP_S = 0.1  # so small that the store, which goes by real time, keeps up with the terms of the duty


@asynccontextmanager
async def node(folder: Path, url: str, clock: ManualClock) -> AsyncIterator[RunningHub]:
    settings = test_settings(folder, database_url=url, plugins=("load_manager",))
    given = Given(more=[Available("load_manager", LoadManager, "a test")])
    async with app.running(settings, given=given, clock=clock) as hub:
        yield hub


async def moving(condition: Callable[[], bool], *clocks: ManualClock) -> None:
    """Lets time pass on these clocks until the condition holds."""

    async def moved() -> bool:
        for clock in clocks:
            await clock.advance(_STEP_S)
        return condition()

    await until(moved)


async def admin(hub: RunningHub, method: str, path: str, body: object) -> int:
    return (await call(hub, method, f"/admin/v1{path}", body, f"Bearer {ADMIN_TOKEN}"))[0]


async def call(hub: RunningHub, method: str, path: str, body: object, authorization: str) -> tuple[int, Any]:
    """HTTP status, and the JSON values of the answer if there are any."""
    headers = {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"{hub.url}{path}", data=codec.dumps(body), headers=headers) as answer,
    ):
        content = await answer.read()
        return answer.status, codec.loads(content) if content else None


async def done(work: Awaitable[Any], *clocks: ManualClock) -> Any:
    """What becomes of it while time passes."""
    task = asyncio.ensure_future(work)
    await moving(task.done, *clocks)
    return task.result()


async def push(world: World, at: RunningHub, module: str, tail: str, to: str, body: object) -> None:
    """P1, as NL/CPA, pushes an object by this node."""
    counterpart = world["P1"].counterpart
    known = counterpart.url(module, R) if counterpart is not None else None
    assert known is not None
    url = f"{at.url}{urlsplit(known).path.rstrip('/')}/NL/CPA/{tail}"
    answer = await world["P1"].call("PUT", module, R, to=to, sender="NL/CPA", body=body, url=url)
    assert answer.status_code == 1000, answer.body


def answered(hub: RunningHub) -> float:
    """How many profiles of this node CPOs have answered."""
    samples = (sample for metric in hub.metrics.collect() for sample in metric.samples)
    return sum(one.value for one in samples if one.name == "ocpi_hub_plugin_load_manager_profiles_total")


def limits(world: World) -> dict[str, Decimal]:
    applied = world["P1"].profiles.applied
    return {one: applied[one].profile["charging_profile_period"][0]["limit"] for one in sorted(applied)}


async def grid_of(plugin: LoadManager) -> dict[str, int]:
    """The groups as they are on the shelf, with their capacities in kW."""
    groups = (await plugin.node.keeping.grid()).groups
    return {group_id: group.static_capacity_mw // 1_000_000 for group_id, group in groups.items()}


async def test_what_operators_ask_for_at_two_nodes_at_once_stands_side_by_side(
    tmp_path: Path, mongodb_url: str
) -> None:
    clocks = ManualClock(), ManualClock()
    async with (
        node(tmp_path / "one", mongodb_url, clocks[0]) as one,
        node(tmp_path / "two", mongodb_url, clocks[1]) as two,
    ):
        hubs, plugins = (one, two), (running(one, LoadManager), running(two, LoadManager))
        await moving(lambda: any(each.node.lead is not None for each in plugins), *clocks)
        at = hubs if plugins[0].node.lead is not None else hubs[::-1]  # the one that steers first

        def group(kw: int, **more: object) -> dict[str, object]:
            return {"static_capacity_kw": kw} | more

        async def both(*asked: Awaitable[int]) -> list[int]:
            answers: list[int] = await done(asyncio.gather(*asked), *clocks)
            return answers

        assert (
            await both(
                *(admin(at[number % 2], "PUT", f"/grid/groups/G{number}", group(number)) for number in range(1, 5))
            )
            == [201] * 4
        )
        assert await grid_of(plugins[0]) == {"G1": 1, "G2": 2, "G3": 3, "G4": 4}

        assert await both(
            admin(at[0], "DELETE", "/grid/groups/G1", {}),
            admin(at[1], "DELETE", "/grid/groups/G2", {}),
            admin(at[1], "PUT", "/grid/groups/G3", group(30)),
        ) == [204, 204, 200]
        assert await grid_of(plugins[0]) == {"G3": 30, "G4": 4}

        assert await both(
            admin(at[0], "PUT", "/grid/mode", {"mode": "shadow"}), admin(at[1], "POST", "/grid/stop", {})
        ) == [200, 200]
        for plugin in plugins:
            mode = (await plugin.node.scene()).mode
            assert (mode.shadow, mode.stopped) == (True, True)

        # What cannot be is refused by the node that steers, and the operator hears why, wherever that was asked.
        began = clocks[1].now()
        path, operator = "/admin/v1/grid/groups/G4", f"Bearer {ADMIN_TOKEN}"
        status, told = await done(call(at[1], "PUT", path, group(4, parent="G9"), operator), *clocks)
        assert status == 400
        assert "G9" in str(told)
        assert clocks[1].now() - began < timedelta(seconds=10)
        assert await both(admin(at[0], "PUT", "/grid/groups/G4", group(4, parent="G3"))) == [200]
        assert await both(admin(at[1], "DELETE", "/grid/groups/G3", {})) == [409]
        assert await grid_of(plugins[0]) == {"G3": 30, "G4": 4}
        assert await plugins[0].hub.shelf.keys("outcome/") == []


async def test_disabled_at_one_node_what_the_other_has_sent_is_taken_back(tmp_path: Path, mongodb_url: str) -> None:
    clocks = ManualClock(), ManualClock()
    async with (
        node(tmp_path / "one", mongodb_url, clocks[0]) as one,
        node(tmp_path / "two", mongodb_url, clocks[1]) as two,
        fixture_world(only=["P1", "P2"]) as world,
    ):
        await register_all(one, world)
        hubs, plugins = (one, two), (running(one, LoadManager), running(two, LoadManager))
        await moving(lambda: any(each.node.lead is not None for each in plugins), *clocks)
        first = 0 if plugins[0].node.lead is not None else 1
        second = 1 - first
        await push(world, hubs[first], names.LOCATIONS, "LOC1", "NL/HUB", objects.location("NL/CPA", evses=2))
        await done(
            admin(hubs[first], "PUT", "/grid/cpos/NL/CPA", {"consent": True, "reference": "contract 1"}), *clocks
        )
        member = {"country_code": "NL", "party_id": "CPA", "location_id": "LOC1"}
        group = {"static_capacity_kw": 20, "margin": 0, "arrival_reserve_kw": 0, "members": [member]}
        await done(admin(hubs[first], "PUT", "/grid/groups/G1", group), *clocks)
        for number in (1, 2):
            now = clocks[0].now()
            session = objects.session("NL/CPA", f"S{number}", last_updated=now) | {"evse_uid": f"E{number}"}
            await push(world, hubs[first], names.SESSIONS, f"S{number}", "NL/EMA", session)
        await moving(lambda: limits(world) == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}, *clocks)

        world["P1"].received.clear()
        assert await done(admin(hubs[second], "POST", "/plugins/load_manager/disable", {}), clocks[second]) == 200
        assert limits(world) != {}  # this node has sent nothing, so it has nothing to take back
        await moving(lambda: all(one.plugins.one("load_manager") is None for one in hubs), *clocks)
        assert limits(world) == {}
        told = world["P1"].received.of(names.CHARGING_PROFILES)
        assert sorted((one.method, one.tail) for one in told) == [("DELETE", "S1"), ("DELETE", "S2")]


@pytest.mark.parametrize("ahead_s", [-45, 0, 45])
async def test_scenario_28_one_steers_for_both_and_its_heir_goes_on(
    tmp_path: Path, mongodb_url: str, ahead_s: float
) -> None:
    clocks = ManualClock(), ManualClock(ManualClock().now() + timedelta(seconds=ahead_s))
    async with (
        node(tmp_path / "one", mongodb_url, clocks[0]) as one,
        node(tmp_path / "two", mongodb_url, clocks[1]) as two,
        fixture_world(only=["P1", "P2"]) as world,
    ):
        await register_all(one, world)
        plugins = running(one, LoadManager), running(two, LoadManager)
        await moving(lambda: any(each.node.lead is not None for each in plugins), *clocks)
        first = 0 if plugins[0].node.lead is not None else 1
        second = 1 - first
        hubs = one, two
        location = objects.location("NL/CPA", evses=2)
        await push(world, hubs[first], names.LOCATIONS, "LOC1", "NL/HUB", location)

        # The node that does not steer is told everything.
        consent = {"consent": True, "reference": "contract 1"}
        assert await done(admin(hubs[second], "PUT", "/grid/cpos/NL/CPA", consent), *clocks) == 200
        member = {"country_code": "NL", "party_id": "CPA", "location_id": "LOC1"}
        group = {"static_capacity_kw": 20, "margin": 0, "arrival_reserve_kw": 0, "members": [member]}
        assert await done(admin(hubs[second], "PUT", "/grid/groups/G1", group), *clocks) == 201
        for number in (1, 2):
            now = clocks[0].now()
            session = objects.session("NL/CPA", f"S{number}", last_updated=now) | {"evse_uid": f"E{number}"}
            await push(world, hubs[second], names.SESSIONS, f"S{number}", "NL/EMA", session)
        await moving(lambda: len(limits(world)) == 2 and set(limits(world).values()) == {Decimal("14.4")}, *clocks)

        # What people see there is what they see where it is planned.
        async def is_explained() -> bool:
            answer = call(hubs[second], "GET", "/admin/v1/grid/groups/G1", {}, f"Bearer {ADMIN_TOKEN}")
            _, group = await done(answer, *clocks)
            reasons = [session["reason"] for session in group["sessions"]]
            return group["allocated_kw"] == Decimal("19.872") and all("shared by 2" in each for each in reasons)

        await until(is_explained)
        path = "/admin/v1/grid/sessions/NL/CPA/S1"
        _, alone = await done(call(hubs[second], "GET", path, {}, f"Bearer {ADMIN_TOKEN}"), *clocks)
        assert alone["reason"].startswith("limited to 9.9 kW (14.4 A): group G1 is limited to 20 kW")

        # An eMSP's profile that comes in there is brought under the limit too.
        periods = [{"start_period": 0, "limit": 16}]
        body = {
            "charging_profile": {"charging_rate_unit": "A", "charging_profile_period": periods},
            "response_url": world["P2"].callback_url("1"),
        }
        counterpart = world["P2"].counterpart
        known = counterpart.url(names.CHARGING_PROFILES, R) if counterpart is not None else None
        assert known is not None
        url = f"{hubs[second].url}{urlsplit(known).path.rstrip('/')}/S1"
        world["P1"].received.clear()
        put = world["P2"].call("PUT", names.CHARGING_PROFILES, R, to="NL/CPA", sender="NL/EMA", body=body, url=url)
        assert (await done(put, *clocks)).status_code == 1000
        (came,) = world["P1"].received.of(names.CHARGING_PROFILES)
        assert came.data["charging_profile"]["charging_profile_period"][0]["limit"] == Decimal("14.4")
        await world["P2"].wait_for(method="POST")
        stale = plugins[first].node.lead
        assert stale is not None
        assert plugins[second].node.lead is None

        # The clock of the one that steers stands still: it is stalled.
        await moving(lambda: plugins[second].node.lead is not None, clocks[second])
        heir = plugins[second].node.lead
        assert heir is not None
        assert heir.term.number == stale.term.number + 1
        assert not stale.term.over  # it does not know yet
        end = times.render(clocks[second].now() + timedelta(hours=1))
        limit = {"limit_kw": 16, "end": end}
        assert await done(admin(hubs[second], "POST", "/grid/groups/G1/limit", limit), clocks[second]) == 201
        lowered = {"S1": Decimal("11.5"), "S2": Decimal("11.5")}
        await moving(lambda: limits(world) == lowered, clocks[second])

        answered_before = answered(hubs[first])
        # It wakes up, wants to go on, and is refused; what it was told is handed on to its heir, which alone sends.
        world["P1"].received.clear()
        group["static_capacity_kw"] = 10
        await done(admin(hubs[first], "PUT", "/grid/groups/G1", group), *clocks)
        await moving(lambda: stale.term.over, *clocks)
        lowest = {"S1": Decimal("7.2"), "S2": Decimal("7.2")}
        await moving(lambda: limits(world) == lowest, *clocks)
        told = world["P1"].received.of(names.CHARGING_PROFILES)
        assert {put.tail for put in told} == {"S1", "S2"}
        assert plugins[second].node.lead is heir
        assert answered(hubs[first]) == answered_before


async def test_a_signal_that_is_sent_again_is_a_repetition_on_every_node(tmp_path: Path, mongodb_url: str) -> None:
    clocks = ManualClock(), ManualClock()
    async with node(tmp_path / "one", mongodb_url, clocks[0]) as one:
        await moving(lambda: running(one, LoadManager).node.lead is not None, clocks[0])
        _, made = await call(
            one,
            "POST",
            "/admin/v1/capacity-providers",
            {"name": "Grid One", "kind": "native"},
            f"Bearer {ADMIN_TOKEN}",
        )
        group = {"static_capacity_kw": 100, "capacity_provider": made["id"], "members": []}
        assert await done(admin(one, "PUT", "/grid/groups/G1", group), *clocks) == 201
        async with node(tmp_path / "two", mongodb_url, clocks[1]) as two:

            async def say(hub: RunningHub, message_id: str) -> int:
                now = clocks[0].now()
                hour = {"start": times.render(now), "end": times.render(now + timedelta(hours=1)), "value": 50}
                body = {"group_id": "G1", "unit": "KW", "blocks": [hour], "message_id": message_id}
                said = call(hub, "POST", "/grid/v1/signals", body, f"Token {made['token']}")
                status, _ = await done(said, *clocks)
                return int(status)

            assert [await say(one, "m1"), await say(two, "m1"), await say(one, "m1")] == [202, 204, 204]
            assert await say(two, "m2") == 202

            async def is_repetition() -> bool:
                return await say(two, "m2") == 204

            await until(is_repetition)  # as soon as the node that steers has taken it
            assert await say(one, "m2") == 204
            assert running(two, LoadManager).node.lead is None
