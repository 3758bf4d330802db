"""Scenarios S-055 to S-060 and S-065: requests without TO find their receiver by what has passed before."""

from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.ocpi import codec, headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.world import World, fixture_world
from tests.conformance.speaking import HUB, between, legs, push, route, said
from tests.hubs import id_of, register_all, settled, test_settings

S, R = Interface.SENDER, Interface.RECEIVER
LATER = "2026-01-02T12:00:00Z"


async def authorize(world: World, uid: str = "04AA", **changes: Any) -> Answer:
    """P1, as NL/CPA, asks about a driver's token without saying whose it is."""
    wanted: dict[str, Any] = {"sender": "NL/CPA", "body": objects.location_references()} | changes
    return await world["P1"].call("POST", names.TOKENS, S, f"{uid}/authorize", **wanted)


async def command(world: World, kind: str, body: objects.Object, **changes: Any) -> Answer:
    """P2, as NL/EMA, sends a command without saying to whom."""
    wanted: dict[str, Any] = {"sender": "NL/EMA"} | changes
    return await world["P2"].call("POST", names.COMMANDS, R, kind, body=body, **wanted)


async def learnt(hub: RunningHub, world: World, *answers: Answer) -> None:
    """These went well, and what they teach is known and stored."""
    for answer in answers:
        assert answer.ok, answer
    await settled(hub)
    world.forget_received()


async def test_s_055_authorize_by_token_index(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", "04AA")))
    body = b'{ "location_id" : "LOC1" }'
    answer = await authorize(world, body=body, query="x=%2F", headers={headers.CORRELATION_ID: "cor-1"})
    assert said(answer) == (200, 1000)
    assert answer.data["allowed"] == "ALLOWED"
    assert between(answer) == ("NL/CPA", "NL/EMA")
    assert legs(world) == {"P2": ["NL/EMA"]}
    (leg,) = world["P2"].received
    assert (leg.method, leg.target, leg.body) == ("POST", "/ocpi/2.2.1/s/tokens/04AA/authorize?x=%2F", body)
    assert route(leg) == ("NL/EMA", "NL/CPA")
    assert leg.correlation_id == "cor-1"


@pytest.mark.parametrize("content", ["", headers.JSON])
async def test_s_056_authorize_with_empty_body(hub: RunningHub, world: World, content: str) -> None:
    await learnt(hub, world, await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", "04AA")))
    said_so = {"Content-Length": "0", headers.CONTENT_TYPE: content or None}
    answer = await authorize(world, body=b"", headers=said_so)
    assert said(answer) == (200, 1000)
    (leg,) = world["P2"].received
    assert leg.body == b""
    assert leg.headers.get("Content-Length", "0") == "0"


async def test_a_token_is_known_by_uid_and_type(hub: RunningHub, world: World) -> None:
    for name, owner, kind in (("P2", "NL/EMA", "RFID"), ("P5", "BE/EMC", "APP_USER")):
        await learnt(hub, world, await world[name].publish(names.TOKENS, objects.token(owner, "04AA", kind=kind)))
    for query, receiver in (("", "NL/EMA"), ("type=RFID", "NL/EMA"), ("type=APP_USER", "BE/EMC")):
        answer = await authorize(world, "04aa", query=query)
        assert (said(answer), between(answer)) == ((200, 1000), ("NL/CPA", receiver))
    assert said(await authorize(world, query="type=OTHER")) == (200, 4001)


async def test_a_token_of_two_owners_is_ambiguous(hub: RunningHub, world: World) -> None:
    for name, owner in (("P2", "NL/EMA"), ("P5", "BE/EMC")):
        await learnt(hub, world, await world[name].publish(names.TOKENS, objects.token(owner, "04AA")))
    assert said(await authorize(world)) == (200, 4001)
    assert legs(world) == {}


async def test_s_057_cdr_by_cdr_token(hub: RunningHub, world: World) -> None:
    cdr = objects.cdr("NL/CPA", "C1", driver="BE/EMC")
    answer = await world["P1"].call("POST", names.CDRS, R, sender="NL/CPA", body=cdr)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", "BE/EMC"))
    assert legs(world) == {"P5": ["BE/EMC"]}
    (leg,) = world["P5"].received
    assert (leg.target, route(leg), leg.body) == ("/ocpi/2.2.1/r/cdrs", ("BE/EMC", "NL/CPA"), codec.dumps(cdr))
    unknown = objects.cdr("NL/CPA", "C2", driver="XX/YYY")
    assert said(await world["P1"].call("POST", names.CDRS, R, sender="NL/CPA", body=unknown)) == (200, 4001)
    assert len(world["P5"].received) == 1


async def test_a_cdr_without_an_owner_of_its_token_follows_the_token(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P5"].publish(names.TOKENS, objects.token("BE/EMC", "04AA")))
    cdr = objects.cdr("NL/CPA", "C1", driver="BE/EMC")
    cdr["cdr_token"] = {"uid": "04aa", "type": "RFID", "contract_id": "NL-EMA-C1"}
    answer = await world["P1"].call("POST", names.CDRS, R, sender="NL/CPA", body=cdr)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", "BE/EMC"))


@pytest.mark.parametrize("to", [None, "NL/EMA"], ids=["broadcast", "direct push"])
async def test_s_058_start_session_by_location(hub: RunningHub, world: World, to: str | None) -> None:
    known = objects.location("BE/CPB", "LOC7")
    await learnt(hub, world, await world["P1"].publish(names.LOCATIONS, known, to=to))
    body = objects.start_session(world["P2"].callback_url("x"), location_id="loc7")
    answer = await command(world, "START_SESSION", body)
    assert answer.data["result"] == "ACCEPTED"
    assert between(answer) == ("NL/EMA", "BE/CPB")
    assert legs(world) == {"P1": ["BE/CPB"]}
    leg = world["P1"].received[0]
    assert (leg.target, route(leg)) == ("/ocpi/2.2.1/r/commands/START_SESSION", ("BE/CPB", "NL/EMA"))
    home = await world["P2"].wait_for("callback")
    assert (home.data["result"], route(home)) == ("ACCEPTED", ("NL/EMA", "BE/CPB"))


async def test_commands_to_the_hub_are_routed_openly_too(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P1"].publish(names.LOCATIONS, objects.location("BE/CPB", "LOC7")))
    body = objects.unlock_connector(world["P2"].callback_url("x"), location_id="LOC7")
    answer = await command(world, "UNLOCK_CONNECTOR", body, to=HUB)
    assert between(answer) == ("NL/EMA", "BE/CPB")
    assert legs(world) == {"P1": ["BE/CPB"]}


async def test_unlock_connector_and_reserve_now_by_location(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P4"].publish(names.LOCATIONS, objects.location("FR/DUO", "LOC9")))
    url = world["P2"].callback_url("x")
    unlocked = await command(world, "UNLOCK_CONNECTOR", objects.unlock_connector(url, location_id="LOC9"))
    reserved = await command(world, "RESERVE_NOW", objects.reserve_now(url, "R7", location_id="LOC9"))
    for answer in (unlocked, reserved):
        assert (answer.data["result"], between(answer)) == ("ACCEPTED", ("NL/EMA", "FR/DUO"))
    assert legs(world) == {"P4": ["FR/DUO", "FR/DUO"]}


async def test_cancel_reservation_by_the_reservation(hub: RunningHub, world: World) -> None:
    url = world["P2"].callback_url("x")
    for receiver in ("BE/CPB", "FR/DUO"):
        body = objects.reserve_now(url, f"R-{receiver[-3:]}", location_id="LOC1")
        await learnt(hub, world, await command(world, "RESERVE_NOW", body, to=receiver))
    answer = await command(world, "CANCEL_RESERVATION", objects.cancel_reservation(url, "r-cpb"))
    assert (answer.data["result"], between(answer)) == ("ACCEPTED", ("NL/EMA", "BE/CPB"))
    assert legs(world) == {"P1": ["BE/CPB"]}
    world.forget_received()
    # The reservation is another party's.
    answer = await command(world, "CANCEL_RESERVATION", objects.cancel_reservation(url, "R-CPB"), sender="DE/EMB")
    assert said(answer) == (200, 4001)
    assert said(await command(world, "CANCEL_RESERVATION", objects.cancel_reservation(url, "R-NO"))) == (200, 4001)
    assert legs(world) == {}


async def session_known(hub: RunningHub, world: World, session_id: str = "S1") -> None:
    """P1's session of a driver of NL/EMA was pushed there."""
    session = objects.session("NL/CPA", session_id, driver="NL/EMA")
    await learnt(hub, world, await world["P1"].publish(names.SESSIONS, session, to="NL/EMA"))


async def test_stop_session_by_the_session(hub: RunningHub, world: World) -> None:
    await session_known(hub, world)
    url = world["P2"].callback_url("x")
    answer = await command(world, "STOP_SESSION", objects.stop_session(url, "s1"))
    assert (answer.data["result"], between(answer)) == ("ACCEPTED", ("NL/EMA", "NL/CPA"))
    assert legs(world) == {"P1": ["NL/CPA"]}
    world.forget_received()
    assert said(await command(world, "STOP_SESSION", objects.stop_session(url, "S1"), sender="DE/EMB")) == (200, 4001)
    assert said(await command(world, "STOP_SESSION", objects.stop_session(url, "S9"))) == (200, 4001)
    assert legs(world) == {}


@pytest.mark.parametrize("to", [None, HUB])
async def test_charging_preferences_by_the_session(hub: RunningHub, world: World, to: str | None) -> None:
    await session_known(hub, world)
    body = objects.charging_preferences()
    answer = await world["P2"].call(
        "PUT", names.SESSIONS, S, "S1/charging_preferences", to=to, sender="NL/EMA", body=body
    )
    assert (answer.data, between(answer)) == ("ACCEPTED", ("NL/EMA", "NL/CPA"))
    assert world["P1"].owned.charging_preferences["S1"] == body
    assert route(world["P1"].received[0]) == ("NL/CPA", "NL/EMA")


@pytest.mark.parametrize("to", [None, HUB])
async def test_a_session_goes_to_the_owner_of_its_token(hub: RunningHub, world: World, to: str | None) -> None:
    session = objects.session("NL/CPA", "S1", driver="DE/EMB")
    answer = await push(world["P1"], names.SESSIONS, "NL/CPA", "S1", session, to=to)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", "DE/EMB"))
    assert legs(world) == {"P2": ["DE/EMB"]}


@pytest.mark.parametrize("to", [None, HUB])
async def test_a_session_patch_goes_where_the_session_went(hub: RunningHub, world: World, to: str | None) -> None:
    await session_known(hub, world)
    body = b'{"kwh":2.5000,"charging_periods":[],"last_updated":"2026-01-02T12:00:00Z"}'
    answer = await push(world["P1"], names.SESSIONS, "nl/cpa", "s1", body, method="PATCH", to=to, sender="NL/CPA")
    assert (said(answer), between(answer)) == ((200, 1000), ("NL/CPA", "NL/EMA"))
    assert legs(world) == {"P2": ["NL/EMA"]}
    (leg,) = world["P2"].received
    assert (leg.method, leg.tail, leg.body) == ("PATCH", "nl/cpa/s1", body)
    unknown = await push(world["P1"], names.SESSIONS, "NL/CPA", "S9", body, method="PATCH", to=to)
    assert said(unknown) == (200, 4001)


async def test_s_059_undeterminable(hub: RunningHub, world: World) -> None:
    answer = await authorize(world, "FFFF")
    assert said(answer) == (200, 4001)
    assert between(answer) == ("NL/CPA", HUB)
    assert legs(world) == {}


async def test_s_060_ambiguous(hub: RunningHub, world: World) -> None:
    for name, owner in (("P1", "NL/CPA"), ("P4", "FR/DUO")):
        await learnt(hub, world, await world[name].publish(names.LOCATIONS, objects.location(owner, "LOC5")))
    answer = await world["P3"].call("GET", names.LOCATIONS, S, "LOC5", sender="NL/NSP")
    assert said(answer) == (200, 4001)
    assert between(answer) == ("NL/NSP", HUB)
    assert legs(world) == {}


async def test_a_single_location_is_asked_of_its_owner(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA", "LOC1")))
    answer = await world["P3"].call("GET", names.LOCATIONS, S, "loc1/E1", sender="NL/NSP")
    assert (said(answer), answer.data["uid"]) == ((200, 1000), "E1")
    assert between(answer) == ("NL/NSP", "NL/CPA")
    (leg,) = world["P1"].received
    assert (leg.target, route(leg)) == ("/ocpi/2.2.1/s/locations/loc1/E1", ("NL/CPA", "NL/NSP"))


async def test_a_push_without_to_becomes_a_broadcast(hub: RunningHub, world: World) -> None:
    answer = await push(world["P1"], names.LOCATIONS, "NL/CPA", "LOC1", objects.location("NL/CPA"), to=None)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", HUB))
    await settled(hub)
    assert legs(world) == {
        "P2": ["DE/EMB", "NL/EMA"],
        "P3": ["NL/NSP"],
        "P4": ["FR/DUO"],
        "P5": ["BE/EMC"],
        "P8": ["SE/OTH"],
    }
    assert {route(leg)[1] for one in world for leg in one.received} == {HUB}
    listed = await world["P2"].call("GET", names.LOCATIONS, S, to=HUB, sender="NL/EMA")
    assert [row["id"] for row in listed.data] == ["LOC1"]


async def test_a_get_without_to_is_never_a_broadcast(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA", "LOC1")))
    answer = await world["P1"].call("GET", names.LOCATIONS, R, "NL/CPA/LOC1", sender="NL/CPA")
    assert said(answer) == (200, 4001)
    assert legs(world) == {}


async def test_s_065_active_charging_profile_update(hub: RunningHub, world: World) -> None:
    p1, p2, p6 = world["P1"], world["P2"], world["P6"]
    for platform, sender in ((p2, "NL/EMA"), (p6, "NL/SCS")):
        body = objects.set_charging_profile(platform.callback_url("cp1"))
        answer = await platform.call("PUT", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender=sender, body=body)
        assert answer.data["result"] == "ACCEPTED"
        assert (await platform.wait_for("callback")).data["result"] == "ACCEPTED"
    await settled(hub)
    world.forget_received()
    active = objects.active_charging_profile()
    told = await p1.call("PUT", names.CHARGING_PROFILES, S, "s1", sender="NL/CPA", body=active)
    assert (said(told), between(told)) == ((200, 1000), ("NL/CPA", "NL/SCS"))
    assert "data" not in (told.envelope or {})
    assert legs(world) == {"P6": ["NL/SCS"]}
    (leg,) = p6.received
    assert (leg.method, leg.target) == ("PUT", "/ocpi/2.2.1/s/chargingprofiles/s1")
    assert route(leg) == ("NL/SCS", "NL/CPA")
    elsewhere = await p1.call("PUT", names.CHARGING_PROFILES, S, "S1", sender="BE/CPB", body=active)
    assert said(elsewhere) == (200, 4001)
    assert len(p6.received) == 1


async def test_who_is_known_and_away_is_not_connected(hub: RunningHub, world: World) -> None:
    await learnt(hub, world, await world["P5"].publish(names.TOKENS, objects.token("BE/EMC", "04AA")))
    hub.liveness.offline.add(id_of(hub, "P5"))
    assert said(await authorize(world)) == (200, 4003)
    assert legs(world) == {}


async def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with fixture_world(only=["P1", "P2"]) as world:
            async with app.running(test_settings(tmp_path), legs_to=legs_to) as hub:
                await register_all(hub, world)
                await learnt(hub, world, await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", "04AA")))
                port = hub.settings.port
            async with app.running(test_settings(tmp_path, port=port), legs_to=legs_to):
                answer = await authorize(world)
                assert (said(answer), between(answer)) == ((200, 1000), ("NL/CPA", "NL/EMA"))
