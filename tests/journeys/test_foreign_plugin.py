"""A plugin from outside the repository, installed as a distribution beside a hub process, bends the message flow in
every way there is.
"""

import asyncio
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.ocpi import codec, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.world import World, fixture_world
from hub.web.admin import AdminClient
from tests.hub_process import HubProcess
from tests.hubs import ADMIN_TOKEN
from tests.journeys.wheels import install, wheel
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
SOURCE = Path(__file__).parent / "foreign" / "night_watch.py"


async def admin(hub: HubProcess, method: str, path: str) -> dict[str, Any]:
    async with AdminClient(hub.url, ADMIN_TOKEN) as client:
        answer = await client.call(method, path, {} if method == "POST" else None)
    assert isinstance(answer, dict), answer
    return answer


async def session(world: World, session_id: str, to: str = "NL/EMA") -> Answer:
    """P1, as NL/CPA, pushes a session."""
    body = objects.session("NL/CPA", session_id)
    return await world["P1"].call("PUT", names.SESSIONS, R, f"NL/CPA/{session_id}", to=to, sender="NL/CPA", body=body)


async def location(world: World, location_id: str) -> Answer:
    """P2, as NL/EMA, asks NL/CPA for a location."""
    return await world["P2"].call("GET", names.LOCATIONS, S, location_id, to="NL/CPA", sender="NL/EMA")


async def messages_are_led(world: World) -> None:
    """Vetoes one, answers another, narrows a broadcast, re-routes a third, changes bodies both ways."""
    vetoed = await location(world, "VETO")
    assert (vetoed.status_code, vetoed.status_message) == (2001, "not at night")
    mine = await location(world, "MINE")
    assert (mine.status_code, mine.data) == (1000, {"said": "good evening"})
    assert not world["P1"].received.of(names.LOCATIONS, S, "GET")

    pushed = await world["P1"].call(
        "PUT",
        names.LOCATIONS,
        R,
        "NL/CPA/NARROW",
        to="NL/HUB",
        sender="NL/CPA",
        body=objects.location("NL/CPA", "NARROW"),
    )
    assert pushed.status_code == 1000
    await until(lambda: bool(world["P2"].received.of(names.LOCATIONS, R, "PUT")))
    assert [str(one.to) for one in world["P2"].received.of(names.LOCATIONS, R, "PUT")] == ["NL/EMA"]
    assert not any(world[name].received.of(names.LOCATIONS, R, "PUT") for name in ("P3", "P5"))

    await location(world, "ELSEWHERE")
    (led,) = world["P4"].received.of(names.LOCATIONS, S, "GET")
    assert str(led.to) == "FR/DUO"
    assert not world["P1"].received.of(names.LOCATIONS, S, "GET")

    assert (await session(world, "S1")).status_code == 1000
    (out,) = world["P2"].received.of(names.SESSIONS, R, "PUT")
    sent = codec.loads(out.body)
    assert sent.pop("seen_by") == "night_watch"
    assert sent == codec.loads(codec.dumps(objects.session("NL/CPA", "S1")))
    back = await world["P2"].call(
        "GET", names.SESSIONS, S, "?date_from=2020-01-01T00:00:00Z", to="NL/CPA", sender="NL/EMA"
    )
    assert back.status_message == "seen on its way back"


async def test_a_plugin_from_outside_bends_the_message_flow(tmp_path: Path) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    data.mkdir()
    made = wheel(tmp_path, "night_watch", SOURCE, "night_watch:NightWatch")
    await asyncio.to_thread(install, made, site)
    hub = HubProcess(data, PLUGINS="night_watch", PLUGIN__NIGHT_WATCH__GREETING="good evening")
    hub.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    await hub.start()
    try:
        async with fixture_world(only=["P1", "P2", "P3", "P4", "P5"]) as world:
            done = await world.register_all(hub.versions_url, lambda platform: hub.invite(platform.name))
            assert all(handshake.ok for handshake in done.values())
            await messages_are_led(world)

            # It takes a command, and delivers the result after the hub was killed and started again.
            p2 = world["P2"]
            stop = {"response_url": p2.callback_url("c1"), "session_id": "S1"}
            taken = await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=stop)
            assert taken.data == {"result": "ACCEPTED", "timeout": 60}
            assert not world["P1"].received.of(names.COMMANDS, R, "POST")
            await hub.kill()
            await hub.start()
            delivered = await admin(hub, "POST", "/night-watch/deliver")
            assert delivered == {"status_code": 1000, "http": 200}
            (result,) = [one for one in p2.received if one.path.endswith("c1")]
            assert codec.loads(result.body) == {"result": "REJECTED"}
            assert (str(result.to), str(result.sender)) == ("NL/EMA", "NL/CPA")

            # It plays a party of its own.
            shown = {str(one["role"]) for one in await parties(hub) if one["party_id"] == "NWP"}
            assert shown == {"SCSP"}
            said = await session(world, "S2", to="NL/NWP")
            assert said.data == {"path": "NL/CPA/S2", "from": "NL/CPA", "kwh": Decimal("1.2500")}

            # It reads the asynchronous result of its own send.
            sent = await admin(hub, "POST", "/night-watch/limit")
            assert sent["ok"], sent
            await until(lambda: world["P1"].results.owed == 0 and bool(world["P1"].results.sent))
            kept = await admin(hub, "GET", "/night-watch/result")
            assert kept["context"] == {"session": "S1", "amps": 6}
            assert kept["result"]["result"] == "ACCEPTED"
    finally:
        assert await hub.end() == 0


async def parties(hub: HubProcess) -> list[dict[str, Any]]:
    return list((await admin(hub, "GET", "/parties?limit=100"))["items"])
