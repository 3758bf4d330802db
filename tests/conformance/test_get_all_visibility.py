"""Whose objects a GET ALL shows: the other side's, as long as they are not suspended or gone (R-089, R-091)."""

from hub.app import RunningHub
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.world import World
from tests.conformance.asking import TIMES, get_all, get_one, ids, published
from tests.conformance.speaking import HUB, push, said
from tests.hubs import id_of, register, settled
from tests.waiting import until

S = Interface.SENDER


async def test_everybody_sees_the_other_side_and_never_its_own_platform(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "A1")
    await published(world["P4"], "FR/DUO", "D1")
    for name, owner in (("P2", "NL/EMA"), ("P4", "FR/DUO"), ("P8", "SE/OTH")):
        assert (await world[name].publish(names.TOKENS, objects.token(owner, f"T-{name}"))).ok
    asked = {
        (name, module): await world[name].call("GET", module, S, to=HUB, sender=sender)
        for name, module, sender in (
            ("P3", names.LOCATIONS, "NL/NSP"),
            ("P4", names.LOCATIONS, "FR/DUO"),
            ("P8", names.LOCATIONS, None),
            ("P1", names.TOKENS, "BE/CPB"),
            ("P4", names.TOKENS, "FR/DUO"),
            ("P2", names.TOKENS, "DE/EMB"),
            ("P1", names.LOCATIONS, "NL/CPA"),
        )
    }
    shown = {key: [row["id"] if "id" in row else row["uid"] for row in answer.data] for key, answer in asked.items()}
    assert shown == {
        ("P3", names.LOCATIONS): ["A1", "D1"],
        ("P4", names.LOCATIONS): ["A1"],
        ("P8", names.LOCATIONS): ["A1", "D1"],
        ("P1", names.TOKENS): ["T-P2", "T-P4", "T-P8"],
        ("P4", names.TOKENS): ["T-P2", "T-P8"],
        ("P2", names.TOKENS): [],
        ("P1", names.LOCATIONS): [],
    }
    for key, answer in asked.items():
        assert answer.headers[headers.TOTAL_COUNT] == str(len(shown[key])), key


async def test_objects_of_an_offline_party_stay(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    hub.liveness.offline.add(id_of(hub, "P1"))
    answer = await get_all(world)
    assert (ids(answer), answer.headers[headers.TOTAL_COUNT]) == (["LOC1"], "1")


async def test_objects_of_a_suspended_platform_are_hidden_and_kept(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    await published(world["P4"], "FR/DUO", "LOC2")
    await hub.operations.suspend(id_of(hub, "P1"))
    answer = await get_all(world)
    assert (ids(answer), answer.headers[headers.TOTAL_COUNT]) == (["LOC2"], "1")
    assert said(await get_one(world, "LOC1")) == (404, 2003)
    await hub.operations.resume(id_of(hub, "P1"))
    answer = await get_all(world)
    assert (ids(answer), answer.headers[headers.TOTAL_COUNT]) == (["LOC1", "LOC2"], "2")


async def test_objects_of_a_suspended_party_are_hidden(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    await published(world["P1"], "BE/CPB", "LOC2")
    await hub.operations.suspend_party(PartyId("NL", "CPA"), Role.CPO)
    assert ids(await get_all(world)) == ["LOC2"]
    await hub.operations.resume_party(PartyId("NL", "CPA"), Role.CPO)
    assert ids(await get_all(world)) == ["LOC1", "LOC2"]


async def test_objects_of_a_platform_that_left_are_not_shown(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    assert (await world["P1"].unregister()).ok
    answer = await get_all(world)
    assert (said(answer), answer.data) == ((200, 1000), [])


async def test_objects_of_a_removed_platform_are_gone(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    await published(world["P4"], "FR/DUO", "LOC2")
    await hub.operations.remove(id_of(hub, "P1"))
    assert ids(await get_all(world)) == ["LOC2"]
    await register(hub, world["P1"])
    assert ids(await get_all(world)) == ["LOC2"]
    again = await world["P1"].publish(names.LOCATIONS, objects.location("NL/CPA", "LOC1"))
    assert said(again) == (201, 1000)


async def test_objects_of_a_party_that_left_its_platform_are_gone(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    await published(world["P1"], "BE/CPB", "LOC2")
    roles = world["P1"].roles
    assert (await world["P1"].update(roles=roles[:1])).ok
    assert ids(await get_all(world)) == ["LOC1"]
    assert (await world["P1"].update(roles=roles)).ok

    async def only_the_first() -> bool:
        return ids(await get_all(world)) == ["LOC1"]

    await until(only_the_first)


async def test_after_its_get_all_a_platform_has_exactly_what_it_missed(hub: RunningHub, world: World) -> None:
    p1, p5 = world["P1"], world["P5"]
    await published(p1, "NL/CPA", "L1", "L2")
    for tariff_id in ("T1", "T2"):
        await p1.publish(names.TARIFFS, objects.tariff("NL/CPA", tariff_id))
    await settled(hub)
    assert len(p5.held.all(names.LOCATIONS)) == 2
    await p5.go_dark()
    await published(p1, "NL/CPA", "L2", last_updated=TIMES[2])
    await published(world["P4"], "FR/DUO", "L3")
    await push(p1, names.TARIFFS, "NL/CPA", "T1", None, method="DELETE")
    change = {"status": "CHARGING", "last_updated": TIMES[1]}
    assert (await push(p1, names.LOCATIONS, "NL/CPA", "L1/E1", change, method="PATCH")).ok
    await settled(hub)
    await p5.come_back()
    p5.received.clear()
    for module in (names.LOCATIONS, names.TARIFFS):
        assert (await p5.resync(module, sender="BE/EMC", query="limit=2")).complete
    held = {row["id"]: row for row in p5.held.all(names.LOCATIONS)}
    assert set(held) == {"L1", "L2", "L3"}
    assert (held["L1"]["evses"][0]["status"], held["L1"]["last_updated"]) == ("CHARGING", TIMES[1])
    assert held["L2"]["last_updated"] == TIMES[2]
    assert [row["id"] for row in p5.held.all(names.TARIFFS)] == ["T2"]
    assert not [one for one in p5.received if one.method in ("PUT", "PATCH", "DELETE")]
