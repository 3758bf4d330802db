"""kill -9 in the middle of traffic and a restart on the same store: what was acknowledged is still there."""

import asyncio
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.endpoints import CALLBACK
from hub.sandbox.habits import LinkStyle
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.results import ResultMode
from hub.sandbox.world import World, fixture_world
from tests.hub_process import HubProcess
from tests.mongodb import MongoServer, with_database
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
ROUNDS = 3


@pytest.fixture(params=["sqlite", "mongodb"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for the embedded store, else a database of its own on a server that stays up."""
    if request.param == "sqlite":
        yield None
    else:
        yield request.getfixturevalue("mongodb_url")


class Acknowledged:
    """What the hub has answered with success, and therefore must never forget."""

    def __init__(self) -> None:
        self.callbacks: list[str] = []
        self.cdrs: dict[str, str] = {}
        self.registered: list[World] = []

    def grown(self, callbacks: int, cdrs: int) -> bool:
        """Whether ten of each have come since there were so many."""
        return min(len(self.callbacks) - callbacks, len(self.cdrs) - cdrs) >= 10


async def _commands(world: World, kept: Acknowledged, number: int) -> None:
    """Commands until the hub is gone; every accepted one has a way home that must stay."""
    p1, p2 = world["P1"], world["P2"]
    count = 0
    while True:
        mark = f"c{number}x{count}"
        body = objects.start_session(p2.callback_url(mark))
        answer = await p2.call("POST", names.COMMANDS, R, "START_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
        if answer.failure is not None:
            return
        if answer.ok:
            leg = p1.received.of(names.COMMANDS)[-1]
            assert leg.response_url is not None
            kept.callbacks.append(leg.response_url)
        count += 1


async def _cdrs(world: World, kept: Acknowledged, number: int) -> None:
    count = 0
    while True:
        cdr_id = f"C{number}X{count}"
        cdr = objects.cdr("NL/CPA", cdr_id)
        answer = await world["P1"].call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=cdr)
        if answer.failure is not None:
            return
        if answer.ok:
            kept.cdrs[cdr_id] = answer.headers[headers.LOCATION]
        count += 1


async def _registrations(hub: HubProcess, kept: Acknowledged) -> None:
    """One more platform registers while the others talk; the kill comes once it is in."""
    world = fixture_world(only=["P4"])
    await world.__aenter__()
    done = await world.register_all(hub.versions_url, lambda one: hub.invite(one.name))
    if done["P4"].ok:
        kept.registered.append(world)
    else:
        await world.__aexit__(None, None, None)


@pytest.mark.timeout(120)
async def test_kill_9_during_traffic_loses_nothing_acknowledged(tmp_path: Path, database_url: str | None) -> None:
    hub = HubProcess(tmp_path, database_url)
    kept = Acknowledged()
    async with fixture_world(only=["P1", "P2"]) as world:
        p1, p2 = world["P1"], world["P2"]
        p1.results.mode = ResultMode.NEVER
        p1.habits.link_style = LinkStyle.CURSOR
        for one in range(5):
            p1.own.put(names.CDRS, objects.cdr("NL/CPA", f"LIST{one}"))
        await hub.start()
        try:
            await world.register_all(hub.versions_url, lambda one: hub.invite(one.name))
            page = await p2.call("GET", names.CDRS, S, to="NL/CPA", sender="NL/EMA", query="limit=2")
            assert page.next_url is not None
            for number in range(ROUNDS):
                seen = (len(kept.callbacks), len(kept.cdrs))
                traffic = [
                    asyncio.create_task(work) for work in (_commands(world, kept, number), _cdrs(world, kept, number))
                ]
                if number == 0:
                    await _registrations(hub, kept)
                await until(functools.partial(kept.grown, *seen))
                await hub.kill()
                await asyncio.gather(*traffic)
                await hub.start()
            assert kept.registered
            await _nothing_is_lost(world, kept, page.next_url)
        finally:
            await hub.end()
            for extra in kept.registered:
                await extra.__aexit__(None, None, None)


async def _nothing_is_lost(world: World, kept: Acknowledged, link: str) -> None:
    p1, p2 = world["P1"], world["P2"]
    p2.received.clear()
    for url in kept.callbacks:
        told = await p1.call("POST", "", None, url=url, body=b'{"result":"ACCEPTED"}', sender="NL/CPA")
        assert told.ok, told
    assert len(p2.received.of(CALLBACK)) == len(kept.callbacks)
    for cdr_id, url in kept.cdrs.items():
        read = await p1.call("GET", "", None, url=url)
        assert read.data["id"] == cdr_id
    following = await p2.call("GET", "", None, url=link)
    assert [row["id"] for row in following.data] == ["LIST2", "LIST3"]
    for extra in kept.registered:
        answer = await extra["P4"].call("GET", names.TOKENS, S, to="NL/EMA", sender="FR/DUO")
        assert answer.ok, answer


async def _refuses(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


async def _is_ready(asking: SandboxPlatform, hub: HubProcess) -> bool:
    return (await asking.call("GET", "", None, url=f"{hub.url}/readyz")).envelope == {"status": "ready"}


async def test_sigterm_drains_and_exits_0(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    async with fixture_world(only=["P1", "P2"]) as world:
        await hub.start()
        await world.register_all(hub.versions_url, lambda one: hub.invite(one.name))
        world.forget_received()
        fault = world["P1"].faults.on(names.LOCATIONS).hang()
        asked = asyncio.create_task(world["P2"].call("GET", names.LOCATIONS, S, "LOC1", to="NL/CPA", sender="NL/EMA"))
        await world["P1"].wait_for(names.LOCATIONS)
        ended = asyncio.create_task(hub.end())
        await until(lambda: _refuses(hub.port))
        assert not ended.done()
        fault.release()
        answer = await asked
        assert (answer.status, answer.status_code) == (404, 2003)
        assert await ended == 0
    assert "Traceback" not in hub.log.read_text()


async def test_a_mongodb_that_goes_away_and_comes_back(tmp_path: Path, own_mongodb: MongoServer) -> None:
    """Ruling 22: plain traffic goes on from memory, what must be written first is refused, nothing is lost."""
    hub = HubProcess(tmp_path, with_database(own_mongodb.url, "away"))
    async with fixture_world(only=["P1", "P2"]) as world:
        p1, p2 = world["P1"], world["P2"]
        await hub.start()
        try:
            await world.register_all(hub.versions_url, lambda one: hub.invite(one.name))
            world.forget_received()
            own_mongodb.kill()
            got = await p2.call("GET", names.LOCATIONS, S, "LOC1", to="NL/CPA", sender="NL/EMA")
            assert (got.status, got.status_code) == (404, 2003)
            world.forget_received()
            body = objects.start_session(p2.callback_url("x"))
            refused = await p2.call("POST", names.COMMANDS, R, "START_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
            assert (refused.status, refused.status_code) == (200, 4000), refused
            cdr = objects.cdr("NL/CPA", "C1")
            refused = await p1.call("POST", names.CDRS, R, to="NL/EMA", sender="NL/CPA", body=cdr)
            assert (refused.status, refused.status_code) == (200, 4000), refused
            assert not p1.received.of(names.COMMANDS)
            assert not p2.received.of(names.CDRS)
            ready = await p2.call("GET", "", None, url=f"{hub.url}/readyz")
            assert ready.envelope == {"status": "degraded"}
            put = await p2.update()
            assert (put.status, put.status_code) == (200, 3000)
            own_mongodb.start()
            await until(lambda: _is_ready(p2, hub))
            again = await p2.call("POST", names.COMMANDS, R, "START_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
            assert again.ok, again
        finally:
            await hub.end()
    assert "Traceback" not in hub.log.read_text()
