"""What becomes of pushed objects in the catalog: merging, times, what is unknown, what is stale (R-079, R-080)."""

from typing import Any

import pytest

from hub.app import RunningHub
from hub.ocpi import codec, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.world import World
from tests.conformance.broadcasting import (
    EARLIER,
    LATER,
    LATEST,
    LOCATION_READERS,
    NOW,
    given,
    held_by_hub,
    location,
    nobody_was_told,
    push_location,
)
from tests.conformance.speaking import HUB, as_written, between, legs, push, said
from tests.hubs import settled

R = Interface.RECEIVER


async def test_parts_say_what_their_path_says(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    for tail, body in (
        ("LOC1/E1", objects.evse("E2", last_updated=LATER)),
        ("LOC1/E1/1", objects.connector("2", last_updated=LATER)),
    ):
        assert said(await push_location(world, body, tail)) == (200, 2001)
    assert await nobody_was_told(hub, world)


async def test_ids_may_differ_in_case(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    again = location() | {"country_code": "nl", "id": "loc1", "name": "Renamed"}
    answer = await push(world["P1"], names.LOCATIONS, "nl/cpa", "Loc1", again)
    assert said(answer) == (200, 1000)
    await settled(hub)
    assert legs(world) == LOCATION_READERS
    assert (await held_by_hub(world))["name"] == "Renamed"


async def test_a_patch_of_an_evse_moves_the_time_of_its_parents(hub: RunningHub, world: World) -> None:
    await given(hub, world, as_written(location(evses=2)))
    body = b'{ "status" : "CHARGING",  "last_updated":"2026-01-03T12:00:00.0Z" }'
    answer = await push_location(world, body, "LOC1/E1", method="PATCH")
    assert said(answer) == (200, 1000)
    await settled(hub)
    assert legs(world) == LOCATION_READERS
    sent = [leg for one in world for leg in one.received.of(names.LOCATIONS)]
    assert {(leg.method, leg.tail, leg.body) for leg in sent} == {("PATCH", "NL/CPA/LOC1/E1", body)}
    found = await held_by_hub(world)
    first, second = found["evses"]
    assert (first["status"], first["last_updated"]) == ("CHARGING", "2026-01-03T12:00:00.0Z")
    assert (second["status"], second["last_updated"]) == ("AVAILABLE", NOW)
    assert found["last_updated"] == "2026-01-03T12:00:00.0Z"
    assert first["capabilities"] == objects.evse()["capabilities"]
    # Nobody touched these: their text is as it came.
    raw = (await world["P1"].call("GET", names.LOCATIONS, R, "NL/CPA/LOC1", to=HUB, sender="NL/CPA")).body
    assert b'{"n":1.50,"e":1E2,"big":12345678901234567890.10,"none":null,"text":"\\u20ac \\/"}' in raw


async def test_a_parent_that_is_newer_keeps_its_time(hub: RunningHub, world: World) -> None:
    newer = location(last_updated=LATER)
    newer["evses"][0]["last_updated"] = EARLIER
    await given(hub, world, newer)
    change = {"status": "BLOCKED", "last_updated": NOW}
    assert said(await push_location(world, change, "LOC1/E1", method="PATCH")) == (200, 1000)
    found = await held_by_hub(world)
    assert (found["last_updated"], found["evses"][0]["last_updated"]) == (LATER, NOW)
    assert found["evses"][0]["status"] == "BLOCKED"
    await settled(hub)
    assert legs(world) == LOCATION_READERS


async def test_connectors_and_new_evses(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    connector = objects.connector("1", last_updated=LATER) | {"max_amperage": 16}
    assert said(await push_location(world, connector, "LOC1/E1/1")) == (200, 1000)
    found = await held_by_hub(world)
    assert found["evses"][0]["connectors"] == [connector]
    assert (found["evses"][0]["last_updated"], found["last_updated"]) == (LATER, LATER)
    assert said(await push_location(world, objects.evse("E2", last_updated=LATEST), "LOC1/E2")) == (201, 1000)
    change = {"tariff_ids": ["T9"], "last_updated": LATEST}
    assert said(await push_location(world, change, "LOC1/E2/1", method="PATCH")) == (200, 1000)
    found = await held_by_hub(world)
    assert [one["uid"] for one in found["evses"]] == ["E1", "E2"]
    assert found["evses"][1]["connectors"][0]["tariff_ids"] == ["T9"]
    assert found["last_updated"] == LATEST


async def test_lists_in_a_patch_replace_and_a_put_replaces_everything(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    change = {"facilities": ["HOTEL"], "directions": [], "last_updated": LATER}
    assert said(await push_location(world, change, method="PATCH")) == (200, 1000)
    found = await held_by_hub(world)
    assert (found["facilities"], found["directions"], found["name"]) == (["HOTEL"], [], "Station LOC1")
    bare = {key: value for key, value in location(last_updated=LATEST).items() if key != "name"}
    assert said(await push_location(world, bare)) == (200, 1000)
    assert await held_by_hub(world) == bare


UNKNOWN: list[tuple[str, str, str, str, Any, tuple[int, int]]] = [
    ("PATCH", names.LOCATIONS, "NL/CPA", "NOPE", {"name": "X", "last_updated": LATER}, (404, 2003)),
    ("PATCH", names.LOCATIONS, "NL/CPA", "NOPE/E1", {"status": "CHARGING", "last_updated": LATER}, (404, 2003)),
    ("PATCH", names.LOCATIONS, "NL/CPA", "LOC1/NOPE", {"status": "CHARGING", "last_updated": LATER}, (404, 2003)),
    ("PATCH", names.LOCATIONS, "NL/CPA", "LOC1/E1/9", {"max_voltage": 1, "last_updated": LATER}, (404, 2003)),
    ("PUT", names.LOCATIONS, "NL/CPA", "NOPE/E1", objects.evse("E1", last_updated=LATER), (404, 2003)),
    ("PUT", names.LOCATIONS, "NL/CPA", "LOC1/NOPE/1", objects.connector("1", last_updated=LATER), (404, 2003)),
    ("PATCH", names.TOKENS, "NL/EMA", "NOPE", {"valid": False, "last_updated": LATER}, (404, 2004)),
    ("DELETE", names.TARIFFS, "NL/CPA", "NOPE", None, (404, 2001)),
]


@pytest.mark.parametrize(("method", "module", "owner", "tail", "body", "expected"), UNKNOWN)
async def test_what_the_hub_does_not_hold_cannot_be_changed(
    hub: RunningHub, world: World, method: str, module: str, owner: str, tail: str, body: Any, expected: tuple[int, int]
) -> None:
    await given(hub, world)
    answer = await push(world["P2" if owner == "NL/EMA" else "P1"], module, owner, tail, body, method=method)
    assert said(answer) == expected
    assert between(answer) == (owner, HUB)
    assert await nobody_was_told(hub, world)


async def test_a_token_of_another_type_is_another_object(hub: RunningHub, world: World) -> None:
    assert said(await push(world["P2"], names.TOKENS, "NL/EMA", "04AA", objects.token("NL/EMA", "04AA"))) == (201, 1000)
    await settled(hub)
    world.forget_received()
    change = {"valid": False, "last_updated": LATER}
    wrong = await push(world["P2"], names.TOKENS, "NL/EMA", "04AA", change, method="PATCH", query="type=APP_USER")
    assert said(wrong) == (404, 2004)
    assert await nobody_was_told(hub, world)
    right = await push(world["P2"], names.TOKENS, "NL/EMA", "04AA", change, method="PATCH", query="type=RFID&x=%2F")
    assert said(right) == (200, 1000)
    await settled(hub)
    assert legs(world) == {"P1": ["BE/CPB", "NL/CPA"], "P4": ["FR/DUO"]}
    assert world["P4"].received[-1].query == "type=RFID&x=%2F"


async def test_a_stale_object_is_answered_and_nothing_else(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    evse = objects.evse("E1", status="BLOCKED", last_updated=EARLIER)
    change = {"status": "CHARGING", "last_updated": EARLIER}
    for tail, body, method in (
        ("LOC1", location(last_updated=EARLIER) | {"name": "Old"}, "PUT"),
        ("LOC1", {"name": "Old", "last_updated": EARLIER}, "PATCH"),
        ("LOC1/E1", evse, "PUT"),
        ("LOC1/E1", change, "PATCH"),
        ("LOC1/E1/1", objects.connector("1", last_updated=EARLIER) | {"max_voltage": 1}, "PUT"),
    ):
        assert said(await push_location(world, body, tail, method=method)) == (200, 1000)
    assert await nobody_was_told(hub, world)
    assert await held_by_hub(world) == location()


async def test_an_object_of_the_same_time_is_stored(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    assert said(await push_location(world, location() | {"name": "Renamed"})) == (200, 1000)
    assert (await held_by_hub(world))["name"] == "Renamed"
    await settled(hub)
    assert legs(world) == LOCATION_READERS


@pytest.mark.parametrize("moment", [None, "yesterday", 5, "absent"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_without_a_readable_time_it_is_2001(hub: RunningHub, world: World, moment: Any, method: str) -> None:
    await given(hub, world)
    bodies = {"": location() | {"name": "X"}, "/E1": objects.evse("E1", status="CHARGING")}
    for tail, body in bodies.items():
        wrong = body | {"last_updated": moment}
        if moment == "absent":
            del wrong["last_updated"]
        answer = await push_location(world, wrong, f"LOC1{tail}", method=method)
        assert said(answer) == (200, 2001)
        assert "last_updated" in (answer.status_message or "")
    assert await nobody_was_told(hub, world)
    assert await held_by_hub(world) == location()


async def test_the_catalog_keeps_the_text_as_it_came(hub: RunningHub, world: World) -> None:
    body = as_written(objects.tariff("NL/CPA", "T1"))
    assert said(await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", body)) == (201, 1000)
    answer = await world["P1"].call("GET", names.TARIFFS, R, "NL/CPA/T1", to=HUB, sender="NL/CPA")
    assert body in answer.body
    assert answer.data == codec.loads(body)
