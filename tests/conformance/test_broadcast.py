"""Scenarios S-049 to S-054: Broadcast Push, who is told, and what is not told to anybody."""

import pytest

from hub.app import RunningHub
from hub.broker.refusal import Refusal
from hub.errors import StoreUnavailable
from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.world import World
from tests.conformance.broadcasting import (
    LATER,
    LOCATION_READERS,
    TARIFF_READERS,
    given,
    held_by_hub,
    location,
    nobody_was_told,
    push_location,
)
from tests.conformance.speaking import HUB, as_written, between, legs, push, route, said
from tests.hubs import id_of, settled

S, R = Interface.SENDER, Interface.RECEIVER


async def test_s_049_location_broadcast(hub: RunningHub, world: World) -> None:
    body = as_written(location())
    ids = {headers.REQUEST_ID: "req-1", headers.CORRELATION_ID: "cor-1"}
    for status in (201, 200):
        world.forget_received()
        answer = await push_location(world, body, headers=ids)
        assert said(answer) == (status, 1000)
        assert between(answer) == ("NL/CPA", HUB)
        assert "data" not in (answer.envelope or {})
        assert (answer.headers[headers.REQUEST_ID], answer.headers[headers.CORRELATION_ID]) == ("req-1", "cor-1")
        await settled(hub)
        assert legs(world) == LOCATION_READERS
        sent = [leg for one in world for leg in one.received.of(names.LOCATIONS)]
        assert {(leg.method, leg.interface, leg.tail) for leg in sent} == {("PUT", R, "NL/CPA/LOC1")}
        assert {str(leg.sender) for leg in sent} == {HUB}
        assert {leg.body for leg in sent} == {body}
        assert {leg.correlation_id for leg in sent} == {"cor-1"}
        request_ids = {leg.request_id for leg in sent}
        assert len(request_ids) == len(sent) == 6
        assert not request_ids & {None, "req-1"}
    authorizations = {name: world[name].received[0].headers[headers.AUTHORIZATION] for name in ("P2", "P5")}
    assert authorizations == {"P2": "Token b3V0LVAyLWFhMDE=", "P5": "Token b3V0LVA1LWRkMDQ="}


async def test_s_050_receiver_failure_is_invisible(hub: RunningHub, world: World) -> None:
    world["P3"].faults.on(names.LOCATIONS).answer(401)
    world["P8"].faults.on(names.LOCATIONS).hang()
    answer = await push_location(world)
    assert said(answer) == (201, 1000)
    assert answer.elapsed_s < 1.0
    await settled(hub)
    assert legs(world) == LOCATION_READERS
    for name in ("P2", "P4", "P5"):
        assert [one["id"] for one in world[name].held.all(names.LOCATIONS)] == ["LOC1"]
    for name in ("P3", "P8"):
        world[name].faults.clear()
    assert said(await push_location(world, location(location_id="LOC2"), "LOC2")) == (201, 1000)
    await settled(hub)
    for name in ("P3", "P8"):
        assert [leg.tail for leg in world[name].received.of(names.LOCATIONS)] == ["NL/CPA/LOC1", "NL/CPA/LOC2"]


async def test_s_051_other_broadcasts_only_to_cpos(hub: RunningHub, world: World) -> None:
    answer = await world["P8"].publish(names.TOKENS, objects.token("SE/OTH", "04AA"))
    assert (said(answer), between(answer)) == ((201, 1000), ("SE/OTH", HUB))
    await settled(hub)
    assert legs(world) == {"P1": ["BE/CPB", "NL/CPA"], "P4": ["FR/DUO"]}
    # P1 advertises its tokens with a slash at the end.
    assert {leg.path for leg in world["P1"].received} == {"/ocpi/2.2.1/r/tokens/SE/OTH/04AA"}


async def test_s_052_no_get_broadcast(hub: RunningHub, world: World) -> None:
    body = as_written(location(evses=2))
    await given(hub, world, body)
    answer = await world["P1"].call("GET", names.LOCATIONS, R, "NL/CPA/LOC1", to=HUB, sender="NL/CPA")
    assert (said(answer), between(answer)) == ((200, 1000), ("NL/CPA", HUB))
    assert body in answer.body
    assert (await held_by_hub(world, "loc1/e2"))["uid"] == "E2"
    assert (await held_by_hub(world, "LOC1/E2/1"))["id"] == "1"
    for tail in ("LOC2", "LOC1/E9", "LOC1/E1/9"):
        answer = await world["P1"].call("GET", names.LOCATIONS, R, f"NL/CPA/{tail}", to=HUB, sender="NL/CPA")
        assert said(answer) == (404, 2003), tail
    another = await world["P1"].call("GET", names.LOCATIONS, R, "NL/CPA/LOC1", to=HUB, sender="BE/CPB")
    assert said(another) == (200, 2001)
    foreign = await world["P2"].call("GET", names.LOCATIONS, R, "NL/CPA/LOC1", to=HUB, sender="NL/EMA")
    assert foreign.status == 404
    assert await nobody_was_told(hub, world)


async def test_s_053_cdr_to_hub_is_not_fanned_out(hub: RunningHub, world: World) -> None:
    cdr = objects.cdr("NL/CPA", "C1", driver="DE/EMB")
    answer = await world["P1"].call("POST", names.CDRS, R, to=HUB, sender="NL/CPA", body=cdr)
    assert said(answer) == (201, 1000)
    assert between(answer) == ("NL/CPA", "DE/EMB")
    assert answer.headers[headers.LOCATION].startswith(f"{hub.settings.public_url}/ocpi/2.2.1/receiver/cdrs/")
    await settled(hub)
    assert legs(world) == {"P2": ["DE/EMB"]}
    assert route(world["P2"].received[0]) == ("DE/EMB", "NL/CPA")


async def test_sessions_to_the_hub_are_not_fanned_out(hub: RunningHub, world: World) -> None:
    session = objects.session("NL/CPA", "S1", driver="BE/EMC")
    answer = await push(world["P1"], names.SESSIONS, "NL/CPA", "S1", session)
    assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", "BE/EMC"))
    await settled(hub)
    assert legs(world) == {"P5": ["BE/EMC"]}


async def test_s_054_id_mismatch(hub: RunningHub, world: World) -> None:
    other_id = await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", objects.tariff("NL/CPA", "T2"))
    other_owner = await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", objects.tariff("BE/CPB", "T1"))
    for answer in (other_id, other_owner):
        assert said(answer) == (200, 2001)
        assert between(answer) == ("NL/CPA", HUB)
    for tail, body in (
        ("LOC1", location(location_id="LOC2")),
        ("LOC1", location("BE/CPB")),
        ("LOC1", {key: value for key, value in location().items() if key != "id"}),
        ("LOC1", [location()]),
    ):
        assert said(await push_location(world, body, tail)) == (200, 2001)
    assert await nobody_was_told(hub, world)
    assert await held_by_hub(world) is None


async def test_a_foreign_owner_is_404(hub: RunningHub, world: World) -> None:
    answer = await push(world["P1"], names.LOCATIONS, "FR/DUO", "LOC1", location("FR/DUO"), sender="NL/CPA")
    assert said(answer) == (404, 2001)
    assert await nobody_was_told(hub, world)


async def test_from_must_be_the_owner(hub: RunningHub, world: World) -> None:
    answer = await push(world["P1"], names.LOCATIONS, "BE/CPB", "LOC1", location("BE/CPB"), sender="NL/CPA")
    assert said(answer) == (200, 2001)
    spoofed = await push(world["P2"], names.LOCATIONS, "NL/CPA", "LOC1", location())
    assert spoofed.status == 403
    assert await nobody_was_told(hub, world)


async def test_who_has_no_such_objects_cannot_publish_them(hub: RunningHub, world: World) -> None:
    answer = await push(world["P2"], names.LOCATIONS, "NL/EMA", "LOC1", location("NL/EMA"))
    assert said(answer) == (200, 2001)
    assert await nobody_was_told(hub, world)


async def test_a_tariff_reaches_those_who_take_tariffs_and_can_be_deleted(hub: RunningHub, world: World) -> None:
    tariff = objects.tariff("NL/CPA", "T1")
    assert said(await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", tariff)) == (201, 1000)
    await settled(hub)
    assert legs(world, "PUT") == TARIFF_READERS
    deleted = await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", None, method="DELETE")
    assert said(deleted) == (200, 1000)
    await settled(hub)
    assert legs(world, "DELETE") == TARIFF_READERS
    (leg,) = world["P5"].received.of(names.TARIFFS, R, "DELETE")
    assert (leg.tail, route(leg), leg.body) == ("NL/CPA/T1", ("BE/EMC", HUB), b"")
    assert not world["P5"].held.all(names.TARIFFS)
    world.forget_received()
    again = await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", None, method="DELETE")
    assert said(again) == (404, 2001)
    assert await nobody_was_told(hub, world)


async def test_what_cannot_be_pushed_has_no_legs(hub: RunningHub, world: World) -> None:
    await given(hub, world)
    patch = await push(world["P1"], names.TARIFFS, "NL/CPA", "T1", {"last_updated": LATER}, method="PATCH")
    assert said(patch) == (405, 2000)
    assert "PATCH" not in patch.headers["Allow"]
    gone = await push(world["P1"], names.LOCATIONS, "NL/CPA", "LOC1", None, method="DELETE")
    assert said(gone) == (405, 2000)
    assert said(await push_location(world, b'{"id":')) == (400, 2000)
    assert said(await push_location(world, b"")) in ((400, 2000), (200, 2001))
    assert await nobody_was_told(hub, world)


async def test_a_receiver_may_be_told_as_if_by_the_owner(hub: RunningHub, world: World) -> None:
    world["P5"].habits.checks_from = True
    assert said(await push_location(world)) == (201, 1000)
    await settled(hub)
    assert not world["P5"].held.all(names.LOCATIONS)
    done = await hub.operations.change_settings(id_of(hub, "P5"), {"broadcast_as_direct": True})
    assert not isinstance(done, Refusal), done
    world.forget_received()
    assert said(await push_location(world)) == (200, 1000)
    await settled(hub)
    assert route(world["P5"].received[0]) == ("BE/EMC", "NL/CPA")
    assert {route(leg)[1] for leg in world["P2"].received} == {HUB}
    assert [one["id"] for one in world["P5"].held.all(names.LOCATIONS)] == ["LOC1"]


async def test_who_is_away_is_passed_over_and_told_nothing_later(hub: RunningHub, world: World) -> None:
    p5 = id_of(hub, "P5")
    hub.liveness.offline.add(p5)
    await hub.operations.suspend(id_of(hub, "P3"))
    assert said(await push_location(world)) == (201, 1000)
    await settled(hub)
    assert legs(world) == {name: parties for name, parties in LOCATION_READERS.items() if name not in ("P3", "P5")}
    await hub.operations.resume(id_of(hub, "P3"))
    hub.liveness.offline.discard(p5)
    hub.client_info.changed()
    assert (await world["P5"].call("GET", names.LOCATIONS, S, "LOC1", to=HUB, sender="BE/EMC")).ok
    await settled(hub)
    assert not {"P3", "P5"} & set(legs(world))


async def test_with_the_store_away_nothing_is_sent(
    hub: RunningHub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*given: object, **named: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(hub.store.catalog, "apply", away)
        assert said(await push_location(world)) == (200, 4000)
    assert await nobody_was_told(hub, world)
    assert said(await push_location(world)) == (201, 1000)
